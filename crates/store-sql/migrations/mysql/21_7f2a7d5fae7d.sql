-- 7f2a7d5fae7d: datasets and inputs of runs.

create table datasets (
    dataset_uuid        varchar(36) not null,
    experiment_id       integer not null,
    name                varchar(500) not null,
    digest              varchar(36) not null,
    dataset_source_type varchar(36) not null,
    dataset_source      text not null,
    dataset_schema      text,
    dataset_profile     mediumtext,
    constraint dataset_pk primary key (experiment_id, name, digest),
    foreign key (experiment_id) references experiments (experiment_id)
);

create index index_datasets_dataset_uuid on datasets (dataset_uuid);
create index index_datasets_experiment_id_dataset_source_type
    on datasets (experiment_id, dataset_source_type);

create table inputs (
    input_uuid       varchar(36) not null,
    source_type      varchar(36) not null,
    source_id        varchar(36) not null,
    destination_type varchar(36) not null,
    destination_id   varchar(36) not null,
    constraint inputs_pk primary key (source_type, source_id, destination_type, destination_id)
);

create index index_inputs_destination_type_destination_id_source_type
    on inputs (destination_type, destination_id, source_type);
create index index_inputs_input_uuid on inputs (input_uuid);

create table input_tags (
    input_uuid varchar(36) not null,
    name       varchar(255) not null,
    value      varchar(500) not null,
    constraint input_tags_pk primary key (input_uuid, name)
);
