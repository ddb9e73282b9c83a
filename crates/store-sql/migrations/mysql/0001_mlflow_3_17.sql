-- The schema of MLflow 3.17 (Alembic revision dc11669786a5) on MySQL and MariaDB, as one step.
--
-- The same database must open in Python MLflow 3.17, which then finds nothing to upgrade. So every
-- name, type, default, key and index is MLflow's, also where it is of no use to us; what differs
-- shows in `tests/conformance/schema_compare.py`.
--
-- Nothing here names a character set or a collation: they are the database's. A primary key has no
-- name on MySQL, whatever the text says. Each statement commits by itself and may be run again: the
-- row of `alembic_version` comes last, so that a schema that was cut short is finished later.
--
-- A statement ends with a `;` at the end of a line. The body of a trigger is a block: it opens
-- with a line `begin` and closes with a line that starts with `end`.
--
-- Times are milliseconds since the epoch unless the column says otherwise.
-- The default experiment is a row that the store adds when it opens, not part of the schema.

-- Schema version: the revision MLflow looks for when it opens the database.

create table alembic_version (
    version_num varchar(32) not null,
    constraint alembic_version_pkc primary key (version_num)
);

-- Workspaces. Experiments and the registry name one; without the feature all are in `default`.

create table workspaces (
    name                     varchar(63) not null,
    description              text,
    default_artifact_root    text,
    trace_archival_location  text,
    trace_archival_retention varchar(32),
    constraint workspaces_pk primary key (name)
);

insert into workspaces (name, description)
select 'default', 'Default workspace for legacy resources' from dual
where not exists (select name from workspaces where name = 'default');

-- Experiments and runs.

create table experiments (
    experiment_id     int not null auto_increment,
    name              varchar(256) not null,
    artifact_location varchar(256),
    lifecycle_stage   varchar(32),
    creation_time     bigint,
    last_update_time  bigint,
    workspace         varchar(63) not null default 'default',
    constraint experiment_pk primary key (experiment_id),
    constraint experiments_lifecycle_stage check (lifecycle_stage in ('active', 'deleted')),
    constraint uq_experiments_workspace_name unique (workspace, name)
);

create index idx_experiments_workspace on experiments (workspace);
create index idx_experiments_workspace_creation_time on experiments (workspace, creation_time);

create table experiment_tags (
    `key`         varchar(250) not null,
    value         mediumtext,
    experiment_id int not null,
    constraint experiment_tag_pk primary key (`key`, experiment_id),
    foreign key (experiment_id) references experiments (experiment_id)
);

-- `source_*` and `entry_point_name` are left over from MLflow 1.x; tags carry these facts now.
create table runs (
    run_uuid         varchar(32) not null,
    name             varchar(250),
    source_type      varchar(20),
    source_name      varchar(500),
    entry_point_name varchar(50),
    user_id          varchar(256),
    status           varchar(9),
    start_time       bigint,
    end_time         bigint,
    source_version   varchar(50),
    lifecycle_stage  varchar(20),
    artifact_uri     varchar(200),
    experiment_id    int,
    deleted_time     bigint,
    constraint run_pk primary key (run_uuid),
    constraint runs_lifecycle_stage check (lifecycle_stage in ('active', 'deleted')),
    constraint source_type check (source_type in ('NOTEBOOK', 'JOB', 'LOCAL', 'UNKNOWN', 'PROJECT')),
    foreign key (experiment_id) references experiments (experiment_id),
    check (status in ('SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING', 'KILLED'))
);

create table params (
    `key`    varchar(250) not null,
    value    varchar(8000) not null,
    run_uuid varchar(32) not null,
    constraint param_pk primary key (`key`, run_uuid),
    foreign key (run_uuid) references runs (run_uuid)
);

create index index_params_run_uuid on params (run_uuid);

create table tags (
    `key`    varchar(250) not null,
    value    varchar(8000),
    run_uuid varchar(32) not null,
    constraint tag_pk primary key (`key`, run_uuid),
    foreign key (run_uuid) references runs (run_uuid)
);

create index index_tags_run_uuid on tags (run_uuid);

-- Metrics. A NaN is stored as value 0 with `is_nan`; infinities as the largest doubles.

-- The whole row is its own key, so logging the same point again adds nothing.
create table metrics (
    `key`     varchar(250) not null,
    value     double not null,
    timestamp bigint not null,
    run_uuid  varchar(32) not null,
    step      bigint not null default 0,
    is_nan    tinyint(1) not null default 0,
    constraint metric_pk primary key (`key`, timestamp, step, run_uuid, value, is_nan),
    foreign key (run_uuid) references runs (run_uuid),
    -- Twice, because two of MLflow's migrations add it.
    check (is_nan in (0, 1)),
    check (is_nan in (0, 1))
);

create index index_metrics_run_uuid on metrics (run_uuid);
create index index_metrics_run_uuid_key_step on metrics (run_uuid, `key`, step);

-- One row per run and metric: the greatest (step, timestamp, value). Search reads only these.
create table latest_metrics (
    `key`     varchar(250) not null,
    value     double not null,
    timestamp bigint,
    step      bigint not null,
    is_nan    tinyint(1) not null,
    run_uuid  varchar(32) not null,
    constraint latest_metric_pk primary key (`key`, run_uuid),
    foreign key (run_uuid) references runs (run_uuid),
    check (is_nan in (0, 1))
);

create index index_latest_metrics_run_uuid on latest_metrics (run_uuid);

-- Datasets, and the edges between runs, datasets and models.

create table datasets (
    dataset_uuid        varchar(36) not null,
    experiment_id       int not null,
    name                varchar(500) not null,
    digest              varchar(36) not null,
    dataset_source_type varchar(36) not null,
    dataset_source      text not null,
    dataset_schema      mediumtext,
    dataset_profile     mediumtext,
    constraint dataset_pk primary key (experiment_id, name, digest),
    constraint fk_datasets_experiment_id_experiments foreign key (experiment_id) references experiments (experiment_id) on delete cascade
);

create index index_datasets_dataset_uuid on datasets (dataset_uuid);
create index index_datasets_experiment_id_dataset_source_type
    on datasets (experiment_id, dataset_source_type);

-- Edges: DATASET to RUN, RUN_INPUT to MODEL_INPUT, RUN_OUTPUT to MODEL_OUTPUT.
create table inputs (
    input_uuid       varchar(36) not null,
    source_type      varchar(36) not null,
    source_id        varchar(36) not null,
    destination_type varchar(36) not null,
    destination_id   varchar(36) not null,
    step             bigint not null default 0,
    constraint inputs_pk primary key (source_type, source_id, destination_type, destination_id)
);

create index index_inputs_input_uuid on inputs (input_uuid);
create index index_inputs_destination_type_destination_id_source_type
    on inputs (destination_type, destination_id, source_type);

-- Tags of an edge, such as its context (`mlflow.data.context`).
create table input_tags (
    input_uuid varchar(36) not null,
    name       varchar(255) not null,
    value      varchar(500) not null,
    constraint input_tags_pk primary key (input_uuid, name)
);

-- Logged models.

-- `status`: 0 unspecified, 1 pending, 2 ready, 3 upload failed.
create table logged_models (
    model_id                  varchar(36) not null,
    experiment_id             int not null,
    name                      varchar(500) not null,
    artifact_location         varchar(1000) not null,
    creation_timestamp_ms     bigint not null,
    last_updated_timestamp_ms bigint not null,
    status                    int not null,
    lifecycle_stage           varchar(32),
    model_type                varchar(500),
    source_run_id             varchar(32),
    status_message            varchar(1000),
    constraint logged_models_pk primary key (model_id),
    constraint logged_models_lifecycle_stage_check check (lifecycle_stage in ('active', 'deleted')),
    constraint fk_logged_models_experiment_id foreign key (experiment_id) references experiments (experiment_id) on delete cascade
);

create table logged_model_metrics (
    model_id            varchar(36) not null,
    metric_name         varchar(500) not null,
    metric_timestamp_ms bigint not null,
    metric_step         bigint not null,
    metric_value        double,
    experiment_id       int not null,
    run_id              varchar(32) not null,
    dataset_uuid        varchar(36),
    dataset_name        varchar(500),
    dataset_digest      varchar(36),
    constraint logged_model_metrics_pk primary key (model_id, metric_name, metric_timestamp_ms, metric_step, run_id),
    constraint fk_logged_model_metrics_experiment_id foreign key (experiment_id) references experiments (experiment_id),
    constraint fk_logged_model_metrics_model_id foreign key (model_id) references logged_models (model_id) on delete cascade,
    constraint fk_logged_model_metrics_run_id foreign key (run_id) references runs (run_uuid) on delete cascade
);

create index index_logged_model_metrics_model_id on logged_model_metrics (model_id);

create table logged_model_params (
    model_id      varchar(36) not null,
    experiment_id int not null,
    param_key     varchar(255) not null,
    param_value   text not null,
    constraint logged_model_params_pk primary key (model_id, param_key),
    constraint fk_logged_model_params_experiment_id foreign key (experiment_id) references experiments (experiment_id),
    constraint fk_logged_model_params_model_id foreign key (model_id) references logged_models (model_id) on delete cascade
);

create table logged_model_tags (
    model_id      varchar(36) not null,
    experiment_id int not null,
    tag_key       varchar(255) not null,
    tag_value     text not null,
    constraint logged_model_tags_pk primary key (model_id, tag_key),
    constraint fk_logged_model_tags_experiment_id foreign key (experiment_id) references experiments (experiment_id),
    constraint fk_logged_model_tags_model_id foreign key (model_id) references logged_models (model_id) on delete cascade
);

-- Traces, spans and assessments.

-- Name, session, token counts and costs are columns here, not rows of the tables below.
create table trace_info (
    request_id                            varchar(50) not null,
    experiment_id                         int not null,
    timestamp_ms                          bigint not null,
    execution_time_ms                     bigint,
    status                                varchar(50) not null,
    client_request_id                     varchar(50),
    request_preview                       varchar(1000),
    response_preview                      varchar(1000),
    db_payload_generation                 int not null default 0,
    trace_name                            varchar(4096),
    session_id                            varchar(250),
    input_tokens                          bigint,
    output_tokens                         bigint,
    total_tokens                          bigint,
    cache_read_input_tokens               bigint,
    cache_creation_input_tokens           bigint,
    cache_creation_input_tokens_above_1hr bigint,
    input_cost                            double,
    output_cost                           double,
    total_cost                            double,
    constraint trace_info_pk primary key (request_id),
    constraint fk_trace_info_experiment_id foreign key (experiment_id) references experiments (experiment_id) on delete cascade
);

create index index_trace_info_experiment_id_timestamp_ms on trace_info (experiment_id, timestamp_ms);
create index index_trace_info_timestamp_ms_request_id on trace_info (timestamp_ms, request_id);
create index index_trace_info_experiment_id_session_id on trace_info (experiment_id, session_id);

create table trace_tags (
    `key`      varchar(250) not null,
    value      varchar(8000),
    request_id varchar(50) not null,
    constraint trace_tag_pk primary key (`key`, request_id),
    constraint fk_trace_tags_request_id foreign key (request_id) references trace_info (request_id) on delete cascade
);

create index index_trace_tags_request_id on trace_tags (request_id);

create table trace_request_metadata (
    `key`      varchar(250) not null,
    value      varchar(8000),
    request_id varchar(50) not null,
    constraint trace_request_metadata_pk primary key (`key`, request_id),
    constraint fk_trace_request_metadata_request_id foreign key (request_id) references trace_info (request_id) on delete cascade
);

create index index_trace_request_metadata_request_id on trace_request_metadata (request_id);

create table trace_metrics (
    request_id varchar(50) not null,
    `key`      varchar(250) not null,
    value      double,
    constraint trace_metrics_pk primary key (request_id, `key`),
    constraint fk_trace_metrics_request_id foreign key (request_id) references trace_info (request_id) on delete cascade
);

create index index_trace_metrics_request_id on trace_metrics (request_id);

-- `content` is the whole span as JSON; the other columns exist to be searched.
create table spans (
    trace_id             varchar(50) not null,
    experiment_id        int not null,
    span_id              varchar(50) not null,
    parent_span_id       varchar(50),
    name                 text,
    type                 varchar(500),
    status               varchar(50) not null,
    start_time_unix_nano bigint not null,
    end_time_unix_nano   bigint,
    duration_ns          bigint generated always as (end_time_unix_nano - start_time_unix_nano) stored,
    content              longtext not null,
    input_cost           double,
    output_cost          double,
    total_cost           double,
    model_name           varchar(500),
    model_provider       varchar(500),
    constraint spans_pk primary key (trace_id, span_id),
    constraint fk_spans_experiment_id foreign key (experiment_id) references experiments (experiment_id),
    constraint fk_spans_trace_id foreign key (trace_id) references trace_info (request_id) on delete cascade
);

create index index_spans_experiment_id_duration on spans (experiment_id, duration_ns);
create index index_spans_experiment_id_status_type on spans (experiment_id, status, type);
create index index_spans_experiment_id_start_time on spans (experiment_id, start_time_unix_nano);
create index index_spans_experiment_id_type_status on spans (experiment_id, type, status);
create index idx_spans_cost_trace_time_cover on spans (trace_id, start_time_unix_nano);
create index idx_spans_cost_exp_time_cover on spans (experiment_id, start_time_unix_nano);

create table span_metrics (
    trace_id varchar(50) not null,
    span_id  varchar(50) not null,
    `key`    varchar(250) not null,
    value    double,
    constraint span_metrics_pk primary key (trace_id, span_id, `key`),
    constraint fk_span_metrics_span foreign key (trace_id, span_id) references spans (trace_id, span_id) on delete cascade
);

create index index_span_metrics_trace_id_span_id on span_metrics (trace_id, span_id);

create table assessments (
    assessment_id          varchar(50) not null,
    trace_id               varchar(50) not null,
    name                   varchar(250) not null,
    assessment_type        varchar(20) not null,
    value                  text not null,
    error                  text,
    created_timestamp      bigint not null,
    last_updated_timestamp bigint not null,
    source_type            varchar(50) not null,
    source_id              varchar(250),
    run_id                 varchar(32),
    span_id                varchar(50),
    rationale              text,
    overrides              varchar(50),
    valid                  tinyint(1) not null,
    assessment_metadata    text,
    experiment_id          int,
    trace_timestamp_ms     bigint,
    aggregate_value        double,
    is_numeric_value       tinyint(1) not null default 0,
    constraint assessments_pk primary key (assessment_id),
    constraint fk_assessments_trace_id foreign key (trace_id) references trace_info (request_id) on delete cascade
);

create index index_assessments_trace_id_created_timestamp
    on assessments (trace_id, created_timestamp);
create index index_assessments_last_updated_timestamp on assessments (last_updated_timestamp);
create index index_assessments_run_id_created_timestamp on assessments (run_id, created_timestamp);
create index index_assessments_assessment_type on assessments (assessment_type);
create index idx_assessments_exp_trace_ts on assessments (experiment_id, trace_timestamp_ms);
create index idx_assessments_exp_trace_ts_name
    on assessments (experiment_id, trace_timestamp_ms, name);
create index idx_assessments_exp_name_valid on assessments (experiment_id, name, valid);

create table entity_associations (
    association_id   varchar(36) not null,
    source_type      varchar(36) not null,
    source_id        varchar(36) not null,
    destination_type varchar(36) not null,
    destination_id   varchar(36) not null,
    created_time     bigint,
    constraint entity_associations_pk primary key (source_type, source_id, destination_type, destination_id)
);

create index index_entity_associations_association_id on entity_associations (association_id);
create index index_entity_associations_reverse_lookup
    on entity_associations (destination_type, destination_id, source_type, source_id);

-- Daily roll-ups of traces for the charts, and the days that must be computed again.

create table sql_trace_metric_daily_rollups (
    id            bigint not null auto_increment,
    experiment_id int not null,
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

create index idx_trace_rollups_lookup
    on sql_trace_metric_daily_rollups (experiment_id, rollup_day, metric_name, grouping_set, trace_status);

create table sql_span_cost_daily_rollups (
    id             bigint not null auto_increment,
    experiment_id  int not null,
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

create index idx_span_cost_rollups_lookup
    on sql_span_cost_daily_rollups (experiment_id, rollup_day, metric_name, grouping_set, model_name(64), model_provider(64));

create table sql_assessment_daily_rollups (
    id            bigint not null auto_increment,
    experiment_id int not null,
    rollup_day    date not null,
    metric_name   varchar(250) not null,
    grouping_set  varchar(50) not null,
    sample_count  bigint not null,
    sum_value     double,
    min_value     double,
    max_value     double,
    constraint sql_assessment_daily_rollups_pk primary key (id)
);

create index idx_assessment_rollups_lookup
    on sql_assessment_daily_rollups (experiment_id, rollup_day, metric_name, grouping_set);

create table sql_trace_rollup_rebuild_queue (
    experiment_id int not null,
    rollup_day    date not null,
    rollup_family varchar(50) not null,
    constraint sql_trace_rollup_rebuild_queue_pk primary key (experiment_id, rollup_day, rollup_family)
);

-- Model registry. A rename reaches the children by `on update cascade`.

create table registered_models (
    name              varchar(256) not null,
    creation_time     bigint,
    last_updated_time bigint,
    description       varchar(5000),
    workspace         varchar(63) not null default 'default',
    constraint registered_model_pk primary key (workspace, name)
);

create index idx_registered_models_workspace on registered_models (workspace);

create table registered_model_tags (
    `key`     varchar(250) not null,
    value     varchar(5000),
    name      varchar(256) not null,
    workspace varchar(63) not null default 'default',
    constraint registered_model_tag_pk primary key (workspace, `key`, name),
    constraint fk_registered_model_tags_registered_models foreign key (workspace, name) references registered_models (workspace, name) on update cascade,
    -- Left over from a foreign key that MLflow has replaced.
    key name (name)
);

create index idx_registered_model_tags_workspace_name on registered_model_tags (workspace, name);

create table registered_model_aliases (
    alias     varchar(256) not null,
    version   int not null,
    name      varchar(256) not null,
    workspace varchar(63) not null default 'default',
    constraint registered_model_alias_pk primary key (workspace, name, alias),
    constraint fk_registered_model_aliases_registered_models foreign key (workspace, name) references registered_models (workspace, name) on delete cascade on update cascade
);

create table model_versions (
    name              varchar(256) not null,
    version           int not null,
    creation_time     bigint,
    last_updated_time bigint,
    description       varchar(5000),
    user_id           varchar(256),
    current_stage     varchar(20),
    source            varchar(500),
    run_id            varchar(32),
    status            varchar(20),
    status_message    varchar(500),
    run_link          varchar(500),
    storage_location  varchar(500),
    workspace         varchar(63) not null default 'default',
    constraint model_version_pk primary key (workspace, name, version),
    constraint fk_model_versions_registered_models foreign key (workspace, name) references registered_models (workspace, name) on update cascade
);

create table model_version_tags (
    `key`     varchar(250) not null,
    value     text,
    name      varchar(256) not null,
    version   int not null,
    workspace varchar(63) not null default 'default',
    constraint model_version_tag_pk primary key (workspace, `key`, name, version),
    constraint fk_model_version_tags_model_versions foreign key (workspace, name, version) references model_versions (workspace, name, version) on update cascade,
    -- Left over from a foreign key that MLflow has replaced.
    key name (name, version)
);

create index idx_model_version_tags_workspace_name_version
    on model_version_tags (workspace, name, version);

-- Webhooks.

create table webhooks (
    webhook_id             varchar(256) not null,
    name                   varchar(256) not null,
    description            varchar(1000),
    url                    varchar(500) not null,
    status                 varchar(20) not null default 'ACTIVE',
    secret                 varchar(1000),
    creation_timestamp     bigint,
    last_updated_timestamp bigint,
    deleted_timestamp      bigint,
    workspace              varchar(63) not null default 'default',
    constraint webhook_pk primary key (webhook_id)
);

create index idx_webhooks_name on webhooks (name);
create index idx_webhooks_status on webhooks (status);
create index idx_webhooks_workspace on webhooks (workspace);

create table webhook_events (
    webhook_id varchar(256) not null,
    entity     varchar(50) not null,
    action     varchar(50) not null,
    constraint webhook_event_pk primary key (webhook_id, entity, action),
    foreign key (webhook_id) references webhooks (webhook_id) on delete cascade
);

create index idx_webhook_events_entity on webhook_events (entity);
create index idx_webhook_events_action on webhook_events (action);
create index idx_webhook_events_entity_action on webhook_events (entity, action);

-- Evaluation: datasets, scorers, issues.

create table evaluation_datasets (
    dataset_id       varchar(36) not null,
    name             varchar(255) not null,
    schema           text,
    profile          text,
    digest           varchar(64),
    created_time     bigint,
    last_update_time bigint,
    created_by       varchar(255),
    last_updated_by  varchar(255),
    workspace        varchar(63) not null default 'default',
    constraint evaluation_datasets_pk primary key (dataset_id)
);

create index index_evaluation_datasets_name on evaluation_datasets (name);
create index index_evaluation_datasets_created_time on evaluation_datasets (created_time);
create index idx_evaluation_datasets_workspace on evaluation_datasets (workspace);

create table evaluation_dataset_tags (
    dataset_id varchar(36) not null,
    `key`      varchar(255) not null,
    value      varchar(5000),
    constraint evaluation_dataset_tags_pk primary key (dataset_id, `key`),
    constraint fk_evaluation_dataset_tags_dataset_id foreign key (dataset_id) references evaluation_datasets (dataset_id) on delete cascade
);

create index index_evaluation_dataset_tags_dataset_id on evaluation_dataset_tags (dataset_id);

create table evaluation_dataset_records (
    dataset_record_id varchar(36) not null,
    dataset_id        varchar(36) not null,
    inputs            json not null,
    expectations      json,
    tags              json,
    source            json,
    source_id         varchar(36),
    source_type       varchar(255),
    created_time      bigint,
    last_update_time  bigint,
    created_by        varchar(255),
    last_updated_by   varchar(255),
    input_hash        varchar(64) not null,
    outputs           json,
    constraint evaluation_dataset_records_pk primary key (dataset_record_id),
    constraint fk_evaluation_dataset_records_dataset_id foreign key (dataset_id) references evaluation_datasets (dataset_id) on delete cascade,
    constraint unique_dataset_input unique (dataset_id, input_hash)
);

create index index_evaluation_dataset_records_dataset_id on evaluation_dataset_records (dataset_id);

create table scorers (
    experiment_id int not null,
    scorer_name   varchar(256) not null,
    scorer_id     varchar(36) not null,
    constraint scorer_pk primary key (scorer_id),
    constraint fk_scorers_experiment_id foreign key (experiment_id) references experiments (experiment_id) on delete cascade
);

create unique index index_scorers_experiment_id_scorer_name on scorers (experiment_id, scorer_name);

create table scorer_versions (
    scorer_id         varchar(36) not null,
    scorer_version    int not null,
    serialized_scorer text not null,
    creation_time     bigint,
    constraint scorer_version_pk primary key (scorer_id, scorer_version),
    constraint fk_scorer_versions_scorer_id foreign key (scorer_id) references scorers (scorer_id) on delete cascade
);

create index index_scorer_versions_scorer_id on scorer_versions (scorer_id);

create table online_scoring_configs (
    online_scoring_config_id varchar(36) not null,
    scorer_id                varchar(36) not null,
    sample_rate              double not null,
    experiment_id            int not null,
    filter_string            text,
    constraint online_scoring_config_pk primary key (online_scoring_config_id),
    constraint fk_online_scoring_configs_scorer_id foreign key (scorer_id) references scorers (scorer_id) on delete cascade,
    constraint fk_online_scoring_configs_experiment_id foreign key (experiment_id) references experiments (experiment_id)
);

create table issues (
    issue_id               varchar(36) not null,
    experiment_id          int not null,
    name                   varchar(250) not null,
    description            text not null,
    status                 varchar(50) not null,
    severity               varchar(50),
    root_causes            text,
    source_run_id          varchar(32),
    categories             text,
    created_timestamp      bigint not null,
    last_updated_timestamp bigint not null,
    created_by             varchar(255),
    constraint issues_pk primary key (issue_id),
    constraint fk_issues_experiment_id foreign key (experiment_id) references experiments (experiment_id) on delete cascade,
    constraint fk_issues_source_run_id foreign key (source_run_id) references runs (run_uuid) on delete set null
);

create index index_issues_experiment_id on issues (experiment_id);
create index index_issues_source_run_id on issues (source_run_id);
create index index_issues_status on issues (status);

-- Human review: label schemas and queues.

create table label_schemas (
    schema_id        varchar(36) not null,
    experiment_id    int not null,
    name             varchar(250) not null,
    type             varchar(16) not null,
    instruction      text,
    enable_comment   tinyint(1) not null default 0,
    input_type       varchar(32) not null,
    input_config     text not null,
    created_by       varchar(255),
    created_time     bigint not null,
    last_update_time bigint not null,
    is_default       tinyint(1) not null default 0,
    constraint label_schemas_pk primary key (schema_id),
    constraint fk_label_schemas_experiment_id foreign key (experiment_id) references experiments (experiment_id) on delete cascade,
    constraint uq_label_schemas_exp_name unique (experiment_id, name)
);

create index index_label_schemas_experiment_id on label_schemas (experiment_id);

create table review_queues (
    queue_id            varchar(36) not null,
    experiment_id       int not null,
    name                varchar(250) not null,
    queue_type          varchar(16) not null,
    created_by          varchar(255),
    creation_time_ms    bigint not null,
    last_update_time_ms bigint not null,
    name_key            varchar(250) not null,
    constraint review_queues_pk primary key (queue_id),
    constraint fk_review_queues_experiment_id foreign key (experiment_id) references experiments (experiment_id) on delete cascade,
    constraint uq_review_queues_experiment_name_key unique (experiment_id, name_key)
);

create index index_review_queues_experiment_id on review_queues (experiment_id);

create table review_queue_users (
    queue_id varchar(36) not null,
    user_id  varchar(250) not null,
    constraint review_queue_users_pk primary key (queue_id, user_id),
    constraint fk_review_queue_users_queue_id foreign key (queue_id) references review_queues (queue_id) on delete cascade
);

create index index_review_queue_users_user_id on review_queue_users (user_id);

create table review_queue_items (
    queue_id            varchar(36) not null,
    item_type           varchar(16) not null,
    item_id             varchar(50) not null,
    status              varchar(16) not null,
    completed_by        varchar(250),
    completed_time_ms   bigint,
    creation_time_ms    bigint not null,
    last_update_time_ms bigint not null,
    constraint review_queue_items_pk primary key (queue_id, item_id),
    constraint fk_review_queue_items_queue_id foreign key (queue_id) references review_queues (queue_id) on delete cascade
);

create index index_review_queue_items_queue_id_status on review_queue_items (queue_id, status);
create index index_review_queue_items_item_id on review_queue_items (item_id);

create table review_queue_label_schemas (
    queue_id  varchar(36) not null,
    schema_id varchar(36) not null,
    constraint review_queue_label_schemas_pk primary key (queue_id, schema_id),
    constraint fk_review_queue_label_schemas_queue_id foreign key (queue_id) references review_queues (queue_id) on delete cascade
);

create index index_review_queue_label_schemas_schema_id on review_queue_label_schemas (schema_id);

-- AI gateway: secrets, endpoints, budgets, guardrails.

create table secrets (
    secret_id       varchar(36) not null,
    secret_name     varchar(255) not null,
    encrypted_value blob not null,
    wrapped_dek     blob not null,
    kek_version     int not null,
    masked_value    varchar(500) not null,
    provider        varchar(64),
    auth_config     text,
    description     text,
    created_by      varchar(255),
    created_at      bigint not null,
    last_updated_by varchar(255),
    last_updated_at bigint not null,
    workspace       varchar(63) not null default 'default',
    constraint secrets_pk primary key (secret_id),
    constraint uq_secrets_workspace_secret_name unique (workspace, secret_name)
);

create index idx_secrets_workspace on secrets (workspace);

-- Both columns are bound into the ciphertext: changing either would make it undecryptable.
create trigger prevent_secrets_aad_mutation
before update on secrets
for each row
begin
    if old.secret_id != new.secret_id or old.secret_name != new.secret_name then
        signal sqlstate '45000'
        set message_text = 'secret_id and secret_name are immutable (used as AAD in encryption)';
    end if;
end;

create table model_definitions (
    model_definition_id varchar(36) not null,
    name                varchar(255) not null,
    secret_id           varchar(36),
    provider            varchar(64) not null,
    model_name          varchar(256) not null,
    created_by          varchar(255),
    created_at          bigint not null,
    last_updated_by     varchar(255),
    last_updated_at     bigint not null,
    workspace           varchar(63) not null default 'default',
    constraint model_definitions_pk primary key (model_definition_id),
    constraint fk_model_definitions_secret_id foreign key (secret_id) references secrets (secret_id) on delete set null,
    constraint uq_model_definitions_workspace_name unique (workspace, name)
);

create index index_model_definitions_secret_id on model_definitions (secret_id);
create index index_model_definitions_provider on model_definitions (provider);
create index idx_model_definitions_workspace on model_definitions (workspace);

create table endpoints (
    endpoint_id          varchar(36) not null,
    name                 varchar(255),
    created_by           varchar(255),
    created_at           bigint not null,
    last_updated_by      varchar(255),
    last_updated_at      bigint not null,
    routing_strategy     varchar(64),
    fallback_config_json text,
    experiment_id        int,
    usage_tracking       tinyint(1) not null default 0,
    workspace            varchar(63) not null default 'default',
    constraint endpoints_pk primary key (endpoint_id),
    constraint fk_endpoints_experiment_id foreign key (experiment_id) references experiments (experiment_id) on delete set null,
    constraint uq_endpoints_workspace_name unique (workspace, name)
);

create index idx_endpoints_workspace on endpoints (workspace);

create table endpoint_model_mappings (
    mapping_id          varchar(36) not null,
    endpoint_id         varchar(36) not null,
    model_definition_id varchar(36) not null,
    weight              float not null,
    created_by          varchar(255),
    created_at          bigint not null,
    linkage_type        varchar(64) not null default 'PRIMARY',
    fallback_order      int,
    constraint endpoint_model_mappings_pk primary key (mapping_id),
    constraint fk_endpoint_model_mappings_endpoint_id foreign key (endpoint_id) references endpoints (endpoint_id) on delete cascade,
    constraint fk_endpoint_model_mappings_model_definition_id foreign key (model_definition_id) references model_definitions (model_definition_id)
);

create index index_endpoint_model_mappings_endpoint_id on endpoint_model_mappings (endpoint_id);
create index index_endpoint_model_mappings_model_definition_id
    on endpoint_model_mappings (model_definition_id);
create unique index unique_endpoint_model_linkage_mapping
    on endpoint_model_mappings (endpoint_id, model_definition_id, linkage_type);

create table endpoint_bindings (
    endpoint_id     varchar(36) not null,
    resource_type   varchar(50) not null,
    resource_id     varchar(255) not null,
    created_at      bigint not null,
    created_by      varchar(255),
    last_updated_at bigint not null,
    last_updated_by varchar(255),
    display_name    varchar(255),
    constraint endpoint_bindings_pk primary key (endpoint_id, resource_type, resource_id),
    constraint fk_endpoint_bindings_endpoint_id foreign key (endpoint_id) references endpoints (endpoint_id) on delete cascade
);

create table endpoint_tags (
    `key`       varchar(250) not null,
    value       varchar(5000),
    endpoint_id varchar(36) not null,
    constraint endpoint_tag_pk primary key (`key`, endpoint_id),
    constraint fk_endpoint_tags_endpoint_id foreign key (endpoint_id) references endpoints (endpoint_id) on delete cascade
);

create index index_endpoint_tags_endpoint_id on endpoint_tags (endpoint_id);

create table budget_policies (
    budget_policy_id varchar(36) not null,
    budget_unit      varchar(32) not null,
    budget_amount    float not null,
    duration_unit    varchar(32) not null,
    duration_value   int not null,
    target_scope     varchar(32) not null,
    budget_action    varchar(32) not null,
    created_by       varchar(255),
    created_at       bigint not null,
    last_updated_by  varchar(255),
    last_updated_at  bigint not null,
    workspace        varchar(63) not null default 'default',
    target_value     varchar(255),
    constraint budget_policies_pk primary key (budget_policy_id)
);

create index idx_budget_policies_workspace on budget_policies (workspace);
create index idx_budget_policies_target_value on budget_policies (target_value);

create table guardrails (
    guardrail_id       varchar(36) not null,
    name               varchar(255) not null,
    scorer_id          varchar(36) not null,
    scorer_version     int not null,
    stage              varchar(32) not null,
    action             varchar(32) not null,
    action_endpoint_id varchar(36),
    created_by         varchar(255),
    created_at         bigint not null,
    last_updated_by    varchar(255),
    last_updated_at    bigint not null,
    workspace          varchar(63) not null default 'default',
    constraint guardrails_pk primary key (guardrail_id),
    constraint fk_guardrails_scorer_version foreign key (scorer_id, scorer_version) references scorer_versions (scorer_id, scorer_version),
    constraint fk_guardrails_action_endpoint_id foreign key (action_endpoint_id) references endpoints (endpoint_id) on delete set null
);

create index idx_guardrails_workspace on guardrails (workspace);
create index idx_guardrails_scorer on guardrails (scorer_id, scorer_version);

create table guardrail_configs (
    endpoint_id     varchar(36) not null,
    guardrail_id    varchar(36) not null,
    execution_order int,
    created_by      varchar(255),
    created_at      bigint not null,
    workspace       varchar(63) not null default 'default',
    constraint guardrail_configs_pk primary key (endpoint_id, guardrail_id),
    constraint fk_guardrail_configs_endpoint_id foreign key (endpoint_id) references endpoints (endpoint_id) on delete cascade,
    constraint fk_guardrail_configs_guardrail_id foreign key (guardrail_id) references guardrails (guardrail_id) on delete cascade
);

create index idx_guardrail_configs_endpoint_id on guardrail_configs (endpoint_id);
create index idx_guardrail_configs_guardrail_id on guardrail_configs (guardrail_id);

-- MCP servers.

create table mcp_servers (
    workspace       varchar(63) not null default 'default',
    name            varchar(256) not null,
    display_name    varchar(256),
    description     text,
    icons           json,
    created_by      varchar(256),
    last_updated_by varchar(256),
    created_at      bigint not null,
    last_updated_at bigint not null,
    constraint mcp_servers_pk primary key (workspace, name)
);

create table mcp_server_versions (
    workspace                   varchar(63) not null default 'default',
    name                        varchar(256) not null,
    version                     varchar(128) not null,
    version_major               int not null,
    version_minor               int not null,
    version_patch               int not null,
    version_prerelease_sort_key varchar(512) not null,
    server_json                 json not null,
    status                      varchar(20) not null default 'draft',
    tools                       json,
    source                      varchar(512),
    connect_options             json,
    created_by                  varchar(256),
    last_updated_by             varchar(256),
    created_at                  bigint not null,
    last_updated_at             bigint not null,
    constraint mcp_server_versions_pk primary key (workspace, name, version),
    constraint mcp_server_versions_server_fkey foreign key (workspace, name) references mcp_servers (workspace, name) on delete cascade on update cascade
);

create index idx_mcp_server_versions_latest
    on mcp_server_versions (workspace, name, status, version_major desc, version_minor desc, version_patch desc);

create table mcp_server_tags (
    workspace varchar(63) not null default 'default',
    name      varchar(256) not null,
    `key`     varchar(250) not null,
    value     varchar(5000),
    constraint mcp_server_tags_pk primary key (workspace, name, `key`),
    constraint mcp_server_tags_server_fkey foreign key (workspace, name) references mcp_servers (workspace, name) on delete cascade on update cascade
);

create table mcp_server_version_tags (
    workspace varchar(63) not null default 'default',
    name      varchar(256) not null,
    version   varchar(128) not null,
    `key`     varchar(250) not null,
    value     varchar(5000),
    constraint mcp_server_version_tags_pk primary key (workspace, name, version, `key`),
    constraint mcp_server_version_tags_version_fkey foreign key (workspace, name, version) references mcp_server_versions (workspace, name, version) on delete cascade on update cascade
);

create table mcp_server_aliases (
    workspace varchar(63) not null default 'default',
    name      varchar(256) not null,
    alias     varchar(256) not null,
    version   varchar(128) not null,
    constraint mcp_server_aliases_pk primary key (workspace, name, alias),
    constraint mcp_server_aliases_server_fkey foreign key (workspace, name) references mcp_servers (workspace, name) on delete cascade on update cascade
);

create table mcp_access_endpoints (
    id              varchar(36) not null,
    workspace       varchar(63) not null default 'default',
    server_name     varchar(256) not null,
    server_version  varchar(128),
    server_alias    varchar(256),
    url             varchar(2048) not null,
    transport_type  varchar(32) not null default 'streamable-http',
    created_by      varchar(256),
    last_updated_by varchar(256),
    created_at      bigint not null,
    last_updated_at bigint not null,
    constraint mcp_access_endpoints_pk primary key (id),
    constraint mcp_access_endpoints_server_fkey foreign key (workspace, server_name) references mcp_servers (workspace, name) on delete cascade on update cascade
);

create index ix_mcp_access_endpoints_server_name on mcp_access_endpoints (workspace, server_name);
create index ix_mcp_access_endpoints_version
    on mcp_access_endpoints (workspace, server_name, server_version);
create index ix_mcp_access_endpoints_alias
    on mcp_access_endpoints (workspace, server_name, server_alias);

-- Background jobs.

create table jobs (
    id                  varchar(36) not null,
    creation_time       bigint not null,
    job_name            varchar(500),
    params              text not null,
    timeout             double,
    status              int not null,
    result              text,
    retry_count         int not null,
    last_update_time    bigint not null,
    workspace           varchar(63) not null default 'default',
    status_details      json,
    creator             varchar(255),
    executor_backend    varchar(255),
    lease_expires_at    bigint,
    status_message      text,
    progress            json,
    progress_updated_at bigint,
    token_hash          varchar(64),
    scoped_permissions  json,
    next_attempt_at     bigint,
    constraint jobs_pk primary key (id)
);

create index index_jobs_name_status_creation_time
    on jobs (job_name, workspace, status, creation_time);
create index index_jobs_status_lease_expires_at on jobs (status, lease_expires_at);

create table job_locks (
    lock_key    varchar(255) not null,
    job_id      varchar(36) not null,
    acquired_at bigint not null,
    constraint job_locks_pk primary key (lock_key),
    constraint fk_job_locks_job_id foreign key (job_id) references jobs (id) on delete cascade
);

create index index_job_locks_job_id on job_locks (job_id);

create table scheduler_leases (
    lease_key   varchar(255) not null,
    acquired_at bigint not null,
    ttl_seconds int not null,
    constraint scheduler_leases_pk primary key (lease_key)
);

insert into alembic_version (version_num) values ('dc11669786a5');
