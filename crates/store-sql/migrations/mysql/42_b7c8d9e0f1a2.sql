-- b7c8d9e0f1a2: metrics of traces.

create table trace_metrics (
    request_id varchar(50) not null,
    `key`      varchar(250) not null,
    value      double,
    constraint trace_metrics_pk primary key (request_id, `key`),
    constraint fk_trace_metrics_request_id foreign key (request_id) references trace_info (request_id) on delete cascade
);

create index index_trace_metrics_request_id on trace_metrics (request_id);
