-- 7f2a7d5fae7d: datasets and inputs of runs.

create table datasets (
    dataset_uuid        VARCHAR(36) not null,
    experiment_id       INTEGER not null,
    name                VARCHAR(500) not null,
    digest              VARCHAR(36) not null,
    dataset_source_type VARCHAR(36) not null,
    dataset_source      TEXT not null,
    dataset_schema      TEXT,
    dataset_profile     TEXT,
    constraint dataset_pk primary key (experiment_id, name, digest),
    foreign key (experiment_id) references experiments (experiment_id)
);

create index index_datasets_experiment_id_dataset_source_type
    on datasets (experiment_id, dataset_source_type);
create index index_datasets_dataset_uuid on datasets (dataset_uuid);

create table inputs (
    input_uuid       VARCHAR(36) not null,
    source_type      VARCHAR(36) not null,
    source_id        VARCHAR(36) not null,
    destination_type VARCHAR(36) not null,
    destination_id   VARCHAR(36) not null,
    constraint inputs_pk primary key (source_type, source_id, destination_type, destination_id)
);

create index index_inputs_input_uuid on inputs (input_uuid);
create index index_inputs_destination_type_destination_id_source_type
    on inputs (destination_type, destination_id, source_type);

create table input_tags (
    input_uuid VARCHAR(36) not null,
    name       VARCHAR(255) not null,
    value      VARCHAR(500) not null,
    constraint input_tags_pk primary key (input_uuid, name)
);
