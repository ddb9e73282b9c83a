-- 5d2d30f0abce: jobs have a name.

drop index index_jobs_function_status_creation_time on jobs;
-- MLflow loses `not null` here.
alter table jobs change function_fullname job_name varchar(500) null;
create index index_jobs_name_status_creation_time on jobs (job_name, status, creation_time);
