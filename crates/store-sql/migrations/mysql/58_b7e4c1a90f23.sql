-- b7e4c1a90f23: review queues.

create table review_queues (
    queue_id            varchar(36) not null,
    experiment_id       integer not null,
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
