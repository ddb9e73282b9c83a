-- bf29a5ff90ea: background jobs.

create table jobs (
    id                VARCHAR(36) not null,
    creation_time     BIGINT not null,
    function_fullname VARCHAR(500) not null,
    params            TEXT not null,
    timeout           FLOAT,
    status            INTEGER not null,
    result            TEXT,
    retry_count       INTEGER not null,
    last_update_time  BIGINT not null,
    constraint jobs_pk primary key (id)
);

create index index_jobs_function_status_creation_time
    on jobs (function_fullname, status, creation_time);
