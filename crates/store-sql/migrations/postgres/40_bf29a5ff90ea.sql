-- bf29a5ff90ea: background jobs.

create table jobs (
    id                varchar(36) not null,
    creation_time     bigint not null,
    function_fullname varchar(500) not null,
    params            text not null,
    timeout           double precision,
    status            integer not null,
    result            text,
    retry_count       integer not null,
    last_update_time  bigint not null,
    constraint jobs_pk primary key (id)
);

create index index_jobs_function_status_creation_time
    on jobs (function_fullname, status, creation_time);
