-- a1b2c3d4e5f6: spans.

create table spans (
    trace_id             varchar(50) not null,
    experiment_id        integer not null,
    span_id              varchar(50) not null,
    parent_span_id       varchar(50),
    name                 text,
    type                 varchar(500),
    status               varchar(50) not null,
    start_time_unix_nano bigint not null,
    end_time_unix_nano   bigint,
    duration_ns          bigint generated always as (end_time_unix_nano - start_time_unix_nano) stored,
    content              text not null,
    constraint spans_pk primary key (trace_id, span_id),
    constraint fk_spans_trace_id foreign key (trace_id) references trace_info (request_id) on delete cascade,
    constraint fk_spans_experiment_id foreign key (experiment_id) references experiments (experiment_id)
);

create index index_spans_experiment_id on spans (experiment_id);
create index index_spans_experiment_id_status_type on spans (experiment_id, status, type);
create index index_spans_experiment_id_type_status on spans (experiment_id, type, status);
create index index_spans_experiment_id_duration on spans (experiment_id, duration_ns);
