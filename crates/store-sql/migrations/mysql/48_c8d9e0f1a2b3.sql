-- c8d9e0f1a2b3: metrics and dimensions of spans.

create table span_metrics (
    trace_id varchar(50) not null,
    span_id  varchar(50) not null,
    `key`    varchar(250) not null,
    value    double,
    constraint span_metrics_pk primary key (trace_id, span_id, `key`),
    constraint fk_span_metrics_span foreign key (trace_id, span_id) references spans (trace_id, span_id) on delete cascade
);

create index index_span_metrics_trace_id_span_id on span_metrics (trace_id, span_id);
alter table spans add column dimension_attributes json;
