-- 89d3d66ed43f: label schemas.

create table label_schemas (
    schema_id        VARCHAR(36) not null,
    experiment_id    INTEGER not null,
    name             VARCHAR(250) not null,
    type             VARCHAR(16) not null,
    instruction      TEXT,
    enable_comment   BOOLEAN not null default '0',
    input_type       VARCHAR(32) not null,
    input_config     TEXT not null,
    created_by       VARCHAR(255),
    created_time     BIGINT not null,
    last_update_time BIGINT not null,
    is_default       BOOLEAN not null default 0,
    constraint label_schemas_pk primary key (schema_id),
    constraint fk_label_schemas_experiment_id foreign key (experiment_id) references experiments (experiment_id) on delete cascade,
    constraint uq_label_schemas_exp_name unique (experiment_id, name)
);

create index index_label_schemas_experiment_id on label_schemas (experiment_id);
