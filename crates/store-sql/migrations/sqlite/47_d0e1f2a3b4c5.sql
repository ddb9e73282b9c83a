-- d0e1f2a3b4c5: experiment of a gateway endpoint.

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
    constraint endpoints_pk primary key (endpoint_id),
    constraint fk_endpoints_experiment_id foreign key (experiment_id) references experiments (experiment_id) on delete set null
);
