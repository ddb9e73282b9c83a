-- 75868b020152: trace and span numbers in columns of their own.

call check_traces;

-- A tool of MLflow that fills them ahead may have added some of them.
alter table trace_info add column trace_name varchar(4096);
alter table trace_info add column session_id varchar(250);
alter table trace_info add column input_tokens bigint;
alter table trace_info add column output_tokens bigint;
alter table trace_info add column total_tokens bigint;
alter table trace_info add column cache_read_input_tokens bigint;
alter table trace_info add column cache_creation_input_tokens bigint;
alter table trace_info add column cache_creation_input_tokens_above_1hr bigint;
alter table trace_info add column input_cost double;
alter table trace_info add column output_cost double;
alter table trace_info add column total_cost double;

alter table assessments add column experiment_id integer;
alter table assessments add column trace_timestamp_ms bigint;
alter table assessments add column aggregate_value double;
alter table assessments add column is_numeric_value boolean default false;

alter table spans add column input_cost double;
alter table spans add column output_cost double;
alter table spans add column total_cost double;
alter table spans add column model_name varchar(500);
alter table spans add column model_provider varchar(500);

call move_traces;

alter table assessments modify is_numeric_value boolean not null default false;

create table sql_trace_metric_daily_rollups (
    id            bigint not null auto_increment,
    experiment_id integer not null,
    rollup_day    date not null,
    metric_name   varchar(250) not null,
    grouping_set  varchar(50) not null,
    trace_status  varchar(50),
    sample_count  bigint not null,
    sum_value     double,
    min_value     double,
    max_value     double,
    p50_value     double,
    p90_value     double,
    p99_value     double,
    constraint sql_trace_metric_daily_rollups_pk primary key (id)
);

create table sql_span_cost_daily_rollups (
    id             bigint not null auto_increment,
    experiment_id  integer not null,
    rollup_day     date not null,
    metric_name    varchar(250) not null,
    grouping_set   varchar(50) not null,
    model_name     varchar(500),
    model_provider varchar(500),
    sample_count   bigint not null,
    sum_value      double,
    min_value      double,
    max_value      double,
    constraint sql_span_cost_daily_rollups_pk primary key (id)
);

create table sql_assessment_daily_rollups (
    id            bigint not null auto_increment,
    experiment_id integer not null,
    rollup_day    date not null,
    metric_name   varchar(250) not null,
    grouping_set  varchar(50) not null,
    sample_count  bigint not null,
    sum_value     double,
    min_value     double,
    max_value     double,
    constraint sql_assessment_daily_rollups_pk primary key (id)
);

-- This table is made once everything has been moved: see `migrate/traces.rs`.
create table sql_trace_rollup_rebuild_queue (
    experiment_id integer not null,
    rollup_day    date not null,
    rollup_family varchar(50) not null,
    constraint sql_trace_rollup_rebuild_queue_pk primary key (experiment_id, rollup_day, rollup_family)
);

-- The rows that the new columns replace.
delete from trace_tags where `key` = 'mlflow.traceName';
delete from trace_request_metadata
where `key` in ('mlflow.trace.session', 'mlflow.trace.tokenUsage', 'mlflow.trace.cost');
delete from trace_metrics where `key` in (
    'input_tokens', 'output_tokens', 'total_tokens', 'cache_read_input_tokens',
    'cache_creation_input_tokens', 'cache_creation_input_tokens_above_1hr'
);
delete from span_metrics where `key` in ('input_cost', 'output_cost', 'total_cost');

alter table spans drop column dimension_attributes;

create index index_trace_info_experiment_id_session_id on trace_info (experiment_id, session_id);
create index idx_trace_rollups_lookup
    on sql_trace_metric_daily_rollups (experiment_id, rollup_day, metric_name, grouping_set, trace_status);
create index idx_span_cost_rollups_lookup
    on sql_span_cost_daily_rollups (experiment_id, rollup_day, metric_name, grouping_set, model_name(64), model_provider(64));
create index idx_assessment_rollups_lookup
    on sql_assessment_daily_rollups (experiment_id, rollup_day, metric_name, grouping_set);
create index idx_spans_cost_trace_time_cover on spans (trace_id, start_time_unix_nano);
create index idx_spans_cost_exp_time_cover on spans (experiment_id, start_time_unix_nano);
create index idx_assessments_exp_trace_ts on assessments (experiment_id, trace_timestamp_ms);
create index idx_assessments_exp_trace_ts_name
    on assessments (experiment_id, trace_timestamp_ms, name);
create index idx_assessments_exp_name_valid on assessments (experiment_id, name, valid);
