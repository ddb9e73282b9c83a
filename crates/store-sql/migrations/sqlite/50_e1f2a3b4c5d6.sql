-- e1f2a3b4c5d6: budgets.

create table budget_policies (
    budget_policy_id VARCHAR(36) not null,
    budget_unit      VARCHAR(32) not null,
    budget_amount    FLOAT not null,
    duration_unit    VARCHAR(32) not null,
    duration_value   INTEGER not null,
    target_scope     VARCHAR(32) not null,
    budget_action    VARCHAR(32) not null,
    created_by       VARCHAR(255),
    created_at       BIGINT not null,
    last_updated_by  VARCHAR(255),
    last_updated_at  BIGINT not null,
    workspace        VARCHAR(63) not null default 'default',
    constraint budget_policies_pk primary key (budget_policy_id)
);

create index idx_budget_policies_workspace on budget_policies (workspace);
