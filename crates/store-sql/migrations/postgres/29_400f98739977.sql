-- 400f98739977: logged models.

create table logged_models (
    model_id                  varchar(36) not null,
    experiment_id             integer not null,
    name                      varchar(500) not null,
    artifact_location         varchar(1000) not null,
    creation_timestamp_ms     bigint not null,
    last_updated_timestamp_ms bigint not null,
    status                    integer not null,
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
    metric_value        double precision,
    experiment_id       integer not null,
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
    experiment_id integer not null,
    param_key     varchar(255) not null,
    param_value   text not null,
    constraint logged_model_params_pk primary key (model_id, param_key),
    constraint fk_logged_model_params_experiment_id foreign key (experiment_id) references experiments (experiment_id),
    constraint fk_logged_model_params_model_id foreign key (model_id) references logged_models (model_id) on delete cascade
);

create table logged_model_tags (
    model_id      varchar(36) not null,
    experiment_id integer not null,
    tag_key       varchar(255) not null,
    tag_value     text not null,
    constraint logged_model_tags_pk primary key (model_id, tag_key),
    constraint fk_logged_model_tags_experiment_id foreign key (experiment_id) references experiments (experiment_id),
    constraint fk_logged_model_tags_model_id foreign key (model_id) references logged_models (model_id) on delete cascade
);
