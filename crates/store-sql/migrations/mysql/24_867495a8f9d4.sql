-- 867495a8f9d4: traces.

create table trace_info (
    request_id        varchar(50) not null,
    experiment_id     integer not null,
    timestamp_ms      bigint not null,
    execution_time_ms bigint,
    status            varchar(50) not null,
    constraint trace_info_pk primary key (request_id),
    constraint fk_trace_info_experiment_id foreign key (experiment_id) references experiments (experiment_id)
);

create index index_trace_info_experiment_id_timestamp_ms
    on trace_info (experiment_id, timestamp_ms);

create table trace_tags (
    `key`      varchar(250) not null,
    value      varchar(8000),
    request_id varchar(50) not null,
    constraint trace_tag_pk primary key (`key`, request_id),
    constraint fk_trace_tags_request_id foreign key (request_id) references trace_info (request_id)
);

create index index_trace_tags_request_id on trace_tags (request_id);

create table trace_request_metadata (
    `key`      varchar(250) not null,
    value      varchar(8000),
    request_id varchar(50) not null,
    constraint trace_request_metadata_pk primary key (`key`, request_id),
    constraint fk_trace_request_metadata_request_id foreign key (request_id) references trace_info (request_id)
);

create index index_trace_request_metadata_request_id on trace_request_metadata (request_id);
