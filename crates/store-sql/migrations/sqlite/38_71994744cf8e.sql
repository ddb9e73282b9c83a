-- 71994744cf8e: evaluation datasets.

create table evaluation_datasets (
    dataset_id       VARCHAR(36) not null,
    name             VARCHAR(255) not null,
    schema           TEXT,
    profile          TEXT,
    digest           VARCHAR(64),
    created_time     BIGINT,
    last_update_time BIGINT,
    created_by       VARCHAR(255),
    last_updated_by  VARCHAR(255),
    constraint evaluation_datasets_pk primary key (dataset_id)
);

create index index_evaluation_datasets_name on evaluation_datasets (name);
create index index_evaluation_datasets_created_time on evaluation_datasets (created_time);

create table evaluation_dataset_tags (
    dataset_id VARCHAR(36) not null,
    "key"      VARCHAR(255) not null,
    value      VARCHAR(5000),
    constraint evaluation_dataset_tags_pk primary key (dataset_id, "key"),
    constraint fk_evaluation_dataset_tags_dataset_id foreign key (dataset_id) references evaluation_datasets (dataset_id) on delete cascade
);

create index index_evaluation_dataset_tags_dataset_id on evaluation_dataset_tags (dataset_id);

create table evaluation_dataset_records (
    dataset_record_id VARCHAR(36) not null,
    dataset_id        VARCHAR(36) not null,
    inputs            JSON not null,
    expectations      JSON,
    tags              JSON,
    source            JSON,
    source_id         VARCHAR(36),
    source_type       VARCHAR(255),
    created_time      BIGINT,
    last_update_time  BIGINT,
    created_by        VARCHAR(255),
    last_updated_by   VARCHAR(255),
    input_hash        VARCHAR(64) not null,
    constraint evaluation_dataset_records_pk primary key (dataset_record_id),
    constraint fk_evaluation_dataset_records_dataset_id foreign key (dataset_id) references evaluation_datasets (dataset_id) on delete cascade,
    constraint unique_dataset_input unique (dataset_id, input_hash)
);

create index index_evaluation_dataset_records_dataset_id on evaluation_dataset_records (dataset_id);
