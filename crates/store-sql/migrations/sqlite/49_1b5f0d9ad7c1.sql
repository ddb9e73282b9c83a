-- 1b5f0d9ad7c1: workspaces.

rebuild table experiments (
    experiment_id     INTEGER not null,
    name              VARCHAR(256) not null,
    artifact_location VARCHAR(256),
    lifecycle_stage   VARCHAR(32),
    creation_time     BIGINT,
    last_update_time  BIGINT,
    workspace         VARCHAR(63) not null default 'default',
    constraint experiment_pk primary key (experiment_id),
    constraint experiments_lifecycle_stage check (lifecycle_stage in ('active', 'deleted')),
    constraint uq_experiments_workspace_name unique (workspace, name)
);

rebuild table registered_models (
    name              VARCHAR(256) not null,
    creation_time     BIGINT,
    last_updated_time BIGINT,
    description       VARCHAR(5000),
    workspace         VARCHAR(63) not null default 'default',
    constraint registered_model_pk primary key (workspace, name)
);

rebuild table model_versions (
    name              VARCHAR(256) not null,
    version           INTEGER not null,
    creation_time     BIGINT,
    last_updated_time BIGINT,
    description       VARCHAR(5000),
    user_id           VARCHAR(256),
    current_stage     VARCHAR(20),
    source            VARCHAR(500),
    run_id            VARCHAR(32),
    status            VARCHAR(20),
    status_message    VARCHAR(500),
    run_link          VARCHAR(500),
    storage_location  VARCHAR(500),
    workspace         VARCHAR(63) not null default 'default',
    constraint model_version_pk primary key (workspace, name, version),
    constraint fk_model_versions_registered_models foreign key (workspace, name) references registered_models (workspace, name) on update cascade
);

rebuild table registered_model_tags (
    "key"     VARCHAR(250) not null,
    value     VARCHAR(5000),
    name      VARCHAR(256) not null,
    workspace VARCHAR(63) not null default 'default',
    constraint registered_model_tag_pk primary key (workspace, "key", name),
    constraint fk_registered_model_tags_registered_models foreign key (workspace, name) references registered_models (workspace, name) on update cascade
);

rebuild table model_version_tags (
    "key"     VARCHAR(250) not null,
    value     TEXT,
    name      VARCHAR(256) not null,
    version   INTEGER not null,
    workspace VARCHAR(63) not null default 'default',
    constraint model_version_tag_pk primary key (workspace, "key", name, version),
    constraint fk_model_version_tags_model_versions foreign key (workspace, name, version) references model_versions (workspace, name, version) on update cascade
);

rebuild table registered_model_aliases (
    alias     VARCHAR(256) not null,
    version   INTEGER not null,
    name      VARCHAR(256) not null,
    workspace VARCHAR(63) not null default 'default',
    constraint registered_model_alias_pk primary key (workspace, name, alias),
    constraint fk_registered_model_aliases_registered_models foreign key (workspace, name) references registered_models (workspace, name) on delete cascade on update cascade
);

alter table evaluation_datasets add column workspace VARCHAR(63) not null default 'default';
alter table webhooks add column workspace VARCHAR(63) not null default 'default';

drop index unique_secret_name;

rebuild table secrets (
    secret_id       VARCHAR(36) not null,
    secret_name     VARCHAR(255) not null,
    encrypted_value BLOB not null,
    wrapped_dek     BLOB not null,
    kek_version     INTEGER not null,
    masked_value    VARCHAR(500) not null,
    provider        VARCHAR(64),
    auth_config     TEXT,
    description     TEXT,
    created_by      VARCHAR(255),
    created_at      BIGINT not null,
    last_updated_by VARCHAR(255),
    last_updated_at BIGINT not null,
    workspace       VARCHAR(63) not null default 'default',
    constraint secrets_pk primary key (secret_id),
    constraint uq_secrets_workspace_secret_name unique (workspace, secret_name)
);

drop index unique_endpoint_name;

rebuild table endpoints (
    endpoint_id          VARCHAR(36) not null,
    name                 VARCHAR(255),
    created_by           VARCHAR(255),
    created_at           BIGINT not null,
    last_updated_by      VARCHAR(255),
    last_updated_at      BIGINT not null,
    routing_strategy     VARCHAR(64),
    fallback_config_json TEXT,
    experiment_id        INTEGER,
    usage_tracking       BOOLEAN not null default '0',
    workspace            VARCHAR(63) not null default 'default',
    constraint endpoints_pk primary key (endpoint_id),
    constraint fk_endpoints_experiment_id foreign key (experiment_id) references experiments (experiment_id) on delete set null,
    constraint uq_endpoints_workspace_name unique (workspace, name)
);

drop index unique_model_definition_name;

rebuild table model_definitions (
    model_definition_id VARCHAR(36) not null,
    name                VARCHAR(255) not null,
    secret_id           VARCHAR(36),
    provider            VARCHAR(64) not null,
    model_name          VARCHAR(256) not null,
    created_by          VARCHAR(255),
    created_at          BIGINT not null,
    last_updated_by     VARCHAR(255),
    last_updated_at     BIGINT not null,
    workspace           VARCHAR(63) not null default 'default',
    constraint model_definitions_pk primary key (model_definition_id),
    constraint fk_model_definitions_secret_id foreign key (secret_id) references secrets (secret_id) on delete set null,
    constraint uq_model_definitions_workspace_name unique (workspace, name)
);

drop index index_jobs_name_status_creation_time;
alter table jobs add column workspace VARCHAR(63) not null default 'default';
create index index_jobs_name_status_creation_time
    on jobs (job_name, workspace, status, creation_time);
create index idx_experiments_workspace on experiments (workspace);
create index idx_registered_models_workspace on registered_models (workspace);
create index idx_experiments_workspace_creation_time on experiments (workspace, creation_time);
create index idx_evaluation_datasets_workspace on evaluation_datasets (workspace);
create index idx_webhooks_workspace on webhooks (workspace);
create index idx_secrets_workspace on secrets (workspace);
create index idx_endpoints_workspace on endpoints (workspace);
create index idx_model_definitions_workspace on model_definitions (workspace);

create table workspaces (
    name                  VARCHAR(63) not null,
    description           TEXT,
    default_artifact_root TEXT,
    constraint workspaces_pk primary key (name)
);

insert into workspaces (name, description)
values ('default', 'Default workspace for legacy resources');
