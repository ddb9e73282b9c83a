-- 5d2d30f0abce: jobs have a name.

drop index index_jobs_function_status_creation_time;
alter table jobs RENAME function_fullname TO job_name;
create index index_jobs_name_status_creation_time on jobs (job_name, status, creation_time);
