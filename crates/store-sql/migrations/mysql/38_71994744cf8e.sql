-- 71994744cf8e: evaluation datasets.

create table evaluation_datasets (
    dataset_id       varchar(36) not null,
    name             varchar(255) not null,
    `schema`         text,
    profile          text,
    digest           varchar(64),
    created_time     bigint,
    last_update_time bigint,
    created_by       varchar(255),
    last_updated_by  varchar(255),
    constraint evaluation_datasets_pk primary key (dataset_id)
);

create index index_evaluation_datasets_name on evaluation_datasets (name);
create index index_evaluation_datasets_created_time on evaluation_datasets (created_time);

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
    constraint evaluation_dataset_records_pk primary key (dataset_record_id),
    constraint fk_evaluation_dataset_records_dataset_id foreign key (dataset_id) references evaluation_datasets (dataset_id) on delete cascade,
    constraint unique_dataset_input unique (dataset_id, input_hash)
);

create index index_evaluation_dataset_records_dataset_id on evaluation_dataset_records (dataset_id);
