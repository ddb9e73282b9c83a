-- ae8bbe7743c9: guardrails.

create table guardrails (
    guardrail_id       varchar(36) not null,
    name               varchar(255) not null,
    scorer_id          varchar(36) not null,
    scorer_version     integer not null,
    stage              varchar(32) not null,
    action             varchar(32) not null,
    action_endpoint_id varchar(36),
    created_by         varchar(255),
    created_at         bigint not null,
    last_updated_by    varchar(255),
    last_updated_at    bigint not null,
    workspace          varchar(63) not null default 'default',
    constraint guardrails_pk primary key (guardrail_id),
    constraint fk_guardrails_scorer_version foreign key (scorer_id, scorer_version) references scorer_versions (scorer_id, scorer_version),
    constraint fk_guardrails_action_endpoint_id foreign key (action_endpoint_id) references endpoints (endpoint_id) on delete set null
);

create index idx_guardrails_workspace on guardrails (workspace);
create index idx_guardrails_scorer on guardrails (scorer_id, scorer_version);

create table guardrail_configs (
    endpoint_id     varchar(36) not null,
    guardrail_id    varchar(36) not null,
    execution_order integer,
    created_by      varchar(255),
    created_at      bigint not null,
    workspace       varchar(63) not null default 'default',
    constraint guardrail_configs_pk primary key (endpoint_id, guardrail_id),
    constraint fk_guardrail_configs_endpoint_id foreign key (endpoint_id) references endpoints (endpoint_id) on delete cascade,
    constraint fk_guardrail_configs_guardrail_id foreign key (guardrail_id) references guardrails (guardrail_id) on delete cascade
);

create index idx_guardrail_configs_endpoint_id on guardrail_configs (endpoint_id);
create index idx_guardrail_configs_guardrail_id on guardrail_configs (guardrail_id);
