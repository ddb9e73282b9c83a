-- 75868b020152: trace and span numbers in columns of their own.

call check_traces;

-- A tool of MLflow that fills them ahead may have added some of them.
alter table trace_info add column if not exists trace_name VARCHAR(4096);
alter table trace_info add column if not exists session_id VARCHAR(250);
alter table trace_info add column if not exists input_tokens BIGINT;
alter table trace_info add column if not exists output_tokens BIGINT;
alter table trace_info add column if not exists total_tokens BIGINT;
alter table trace_info add column if not exists cache_read_input_tokens BIGINT;
alter table trace_info add column if not exists cache_creation_input_tokens BIGINT;
alter table trace_info add column if not exists cache_creation_input_tokens_above_1hr BIGINT;
alter table trace_info add column if not exists input_cost FLOAT;
alter table trace_info add column if not exists output_cost FLOAT;
alter table trace_info add column if not exists total_cost FLOAT;

alter table assessments add column if not exists experiment_id INTEGER;
alter table assessments add column if not exists trace_timestamp_ms BIGINT;
alter table assessments add column if not exists aggregate_value FLOAT;
alter table assessments add column if not exists is_numeric_value BOOLEAN default 0;

alter table spans add column if not exists input_cost FLOAT;
alter table spans add column if not exists output_cost FLOAT;
alter table spans add column if not exists total_cost FLOAT;
alter table spans add column if not exists model_name VARCHAR(500);
alter table spans add column if not exists model_provider VARCHAR(500);

call move_traces;

rebuild table assessments (
    assessment_id          VARCHAR(50) not null,
    trace_id               VARCHAR(50) not null,
    name                   VARCHAR(250) not null,
    assessment_type        VARCHAR(20) not null,
    value                  TEXT not null,
    error                  TEXT,
    created_timestamp      BIGINT not null,
    last_updated_timestamp BIGINT not null,
    source_type            VARCHAR(50) not null,
    source_id              VARCHAR(250),
    run_id                 VARCHAR(32),
    span_id                VARCHAR(50),
    rationale              TEXT,
    overrides              VARCHAR(50),
    valid                  BOOLEAN not null,
    assessment_metadata    TEXT,
    experiment_id          INTEGER,
    trace_timestamp_ms     BIGINT,
    aggregate_value        FLOAT,
    is_numeric_value       BOOLEAN not null default 0,
    constraint assessments_pk primary key (assessment_id),
    constraint fk_assessments_trace_id foreign key (trace_id) references trace_info (request_id) on delete cascade
);

create table sql_trace_metric_daily_rollups (
    id            INTEGER not null,
    experiment_id INTEGER not null,
    rollup_day    DATE not null,
    metric_name   VARCHAR(250) not null,
    grouping_set  VARCHAR(50) not null,
    trace_status  VARCHAR(50),
    sample_count  BIGINT not null,
    sum_value     FLOAT,
    min_value     FLOAT,
    max_value     FLOAT,
    p50_value     FLOAT,
    p90_value     FLOAT,
    p99_value     FLOAT,
    constraint sql_trace_metric_daily_rollups_pk primary key (id)
);

create table sql_span_cost_daily_rollups (
    id             INTEGER not null,
    experiment_id  INTEGER not null,
    rollup_day     DATE not null,
    metric_name    VARCHAR(250) not null,
    grouping_set   VARCHAR(50) not null,
    model_name     VARCHAR(500),
    model_provider VARCHAR(500),
    sample_count   BIGINT not null,
    sum_value      FLOAT,
    min_value      FLOAT,
    max_value      FLOAT,
    constraint sql_span_cost_daily_rollups_pk primary key (id)
);

create table sql_assessment_daily_rollups (
    id            INTEGER not null,
    experiment_id INTEGER not null,
    rollup_day    DATE not null,
    metric_name   VARCHAR(250) not null,
    grouping_set  VARCHAR(50) not null,
    sample_count  BIGINT not null,
    sum_value     FLOAT,
    min_value     FLOAT,
    max_value     FLOAT,
    constraint sql_assessment_daily_rollups_pk primary key (id)
);

-- This table is made once everything has been moved: see `migrate/traces.rs`.
create table sql_trace_rollup_rebuild_queue (
    experiment_id INTEGER not null,
    rollup_day    DATE not null,
    rollup_family VARCHAR(50) not null,
    constraint sql_trace_rollup_rebuild_queue_pk primary key (experiment_id, rollup_day, rollup_family)
);

-- The rows that the new columns replace.
delete from trace_tags where "key" = 'mlflow.traceName';
delete from trace_request_metadata
where "key" in ('mlflow.trace.session', 'mlflow.trace.tokenUsage', 'mlflow.trace.cost');
delete from trace_metrics where "key" in (
    'input_tokens', 'output_tokens', 'total_tokens', 'cache_read_input_tokens',
    'cache_creation_input_tokens', 'cache_creation_input_tokens_above_1hr'
);
delete from span_metrics where "key" in ('input_cost', 'output_cost', 'total_cost');

alter table spans drop column dimension_attributes;

create index index_trace_info_experiment_id_session_id on trace_info (experiment_id, session_id);
create index idx_trace_rollups_lookup
    on sql_trace_metric_daily_rollups (experiment_id, rollup_day, metric_name, grouping_set, trace_status);
create index idx_span_cost_rollups_lookup
    on sql_span_cost_daily_rollups (experiment_id, rollup_day, metric_name, grouping_set, model_name, model_provider);
create index idx_assessment_rollups_lookup
    on sql_assessment_daily_rollups (experiment_id, rollup_day, metric_name, grouping_set);
create index idx_spans_cost_trace_time_cover on spans (trace_id, start_time_unix_nano);
create index idx_spans_cost_exp_time_cover on spans (experiment_id, start_time_unix_nano);
create index idx_assessments_exp_trace_ts on assessments (experiment_id, trace_timestamp_ms);
create index idx_assessments_exp_trace_ts_name
    on assessments (experiment_id, trace_timestamp_ms, name);
create index idx_assessments_exp_name_valid on assessments (experiment_id, name, valid);
