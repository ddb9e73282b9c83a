-- b7e4c1a90f23: review queues.

create table review_queues (
    queue_id            VARCHAR(36) not null,
    experiment_id       INTEGER not null,
    name                VARCHAR(250) not null,
    queue_type          VARCHAR(16) not null,
    created_by          VARCHAR(255),
    creation_time_ms    BIGINT not null,
    last_update_time_ms BIGINT not null,
    name_key            VARCHAR(250) not null,
    constraint review_queues_pk primary key (queue_id),
    constraint fk_review_queues_experiment_id foreign key (experiment_id) references experiments (experiment_id) on delete cascade,
    constraint uq_review_queues_experiment_name_key unique (experiment_id, name_key)
);

create index index_review_queues_experiment_id on review_queues (experiment_id);

create table review_queue_users (
    queue_id VARCHAR(36) not null,
    user_id  VARCHAR(250) not null,
    constraint review_queue_users_pk primary key (queue_id, user_id),
    constraint fk_review_queue_users_queue_id foreign key (queue_id) references review_queues (queue_id) on delete cascade
);

create index index_review_queue_users_user_id on review_queue_users (user_id);

create table review_queue_items (
    queue_id            VARCHAR(36) not null,
    item_type           VARCHAR(16) not null,
    item_id             VARCHAR(50) not null,
    status              VARCHAR(16) not null,
    completed_by        VARCHAR(250),
    completed_time_ms   BIGINT,
    creation_time_ms    BIGINT not null,
    last_update_time_ms BIGINT not null,
    constraint review_queue_items_pk primary key (queue_id, item_id),
    constraint fk_review_queue_items_queue_id foreign key (queue_id) references review_queues (queue_id) on delete cascade
);

create index index_review_queue_items_queue_id_status on review_queue_items (queue_id, status);
create index index_review_queue_items_item_id on review_queue_items (item_id);

create table review_queue_label_schemas (
    queue_id  VARCHAR(36) not null,
    schema_id VARCHAR(36) not null,
    constraint review_queue_label_schemas_pk primary key (queue_id, schema_id),
    constraint fk_review_queue_label_schemas_queue_id foreign key (queue_id) references review_queues (queue_id) on delete cascade
);

create index index_review_queue_label_schemas_schema_id on review_queue_label_schemas (schema_id);
