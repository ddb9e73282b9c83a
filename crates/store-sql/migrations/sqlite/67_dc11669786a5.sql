-- dc11669786a5: leases and progress of jobs.

create table scheduler_leases (
    lease_key   VARCHAR(255) not null,
    acquired_at BIGINT not null,
    ttl_seconds INTEGER not null,
    constraint scheduler_leases_pk primary key (lease_key)
);

create table job_locks (
    lock_key    VARCHAR(255) not null,
    job_id      VARCHAR(36) not null,
    acquired_at BIGINT not null,
    constraint job_locks_pk primary key (lock_key),
    constraint fk_job_locks_job_id foreign key (job_id) references jobs (id) on delete cascade
);

create index index_job_locks_job_id on job_locks (job_id);
alter table jobs add column executor_backend VARCHAR(255);
alter table jobs add column lease_expires_at BIGINT;
alter table jobs add column status_message TEXT;
alter table jobs add column progress JSON;
alter table jobs add column progress_updated_at BIGINT;
alter table jobs add column token_hash VARCHAR(64);
alter table jobs add column scoped_permissions JSON;
alter table jobs add column next_attempt_at BIGINT;
create index index_jobs_status_lease_expires_at on jobs (status, lease_expires_at);
-- Jobs that wait or run (0, 1) have no owner any more: they are cancelled (5).
update jobs set status = 5, last_update_time = cast((julianday('now') - 2440587.5) * 86400000 as integer)
where status in (0, 1);
