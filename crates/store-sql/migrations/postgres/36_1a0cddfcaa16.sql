-- 1a0cddfcaa16: webhooks.

create table webhooks (
    webhook_id             varchar(256) not null,
    name                   varchar(256) not null,
    description            varchar(1000),
    url                    varchar(500) not null,
    status                 varchar(20) not null default 'ACTIVE',
    secret                 varchar(1000),
    creation_timestamp     bigint,
    last_updated_timestamp bigint,
    deleted_timestamp      bigint,
    constraint webhook_pk primary key (webhook_id)
);

create index idx_webhooks_status on webhooks (status);
create index idx_webhooks_name on webhooks (name);

create table webhook_events (
    webhook_id varchar(256) not null,
    entity     varchar(50) not null,
    action     varchar(50) not null,
    constraint webhook_event_pk primary key (webhook_id, entity, action),
    foreign key (webhook_id) references webhooks (webhook_id) on delete cascade
);

create index idx_webhook_events_entity on webhook_events (entity);
create index idx_webhook_events_action on webhook_events (action);
create index idx_webhook_events_entity_action on webhook_events (entity, action);
