-- 89d3d66ed43f: label schemas.

create table label_schemas (
    schema_id        varchar(36) not null,
    experiment_id    integer not null,
    name             varchar(250) not null,
    type             varchar(16) not null,
    instruction      text,
    enable_comment   boolean not null default '0',
    input_type       varchar(32) not null,
    input_config     text not null,
    created_by       varchar(255),
    created_time     bigint not null,
    last_update_time bigint not null,
    is_default       boolean not null default false,
    constraint label_schemas_pk primary key (schema_id),
    constraint fk_label_schemas_experiment_id foreign key (experiment_id) references experiments (experiment_id) on delete cascade,
    constraint uq_label_schemas_exp_name unique (experiment_id, name)
);

create index index_label_schemas_experiment_id on label_schemas (experiment_id);
