-- e1f2a3b4c5d6: budgets.

create table budget_policies (
    budget_policy_id varchar(36) not null,
    budget_unit      varchar(32) not null,
    budget_amount    float not null,
    duration_unit    varchar(32) not null,
    duration_value   integer not null,
    target_scope     varchar(32) not null,
    budget_action    varchar(32) not null,
    created_by       varchar(255),
    created_at       bigint not null,
    last_updated_by  varchar(255),
    last_updated_at  bigint not null,
    workspace        varchar(63) not null default 'default',
    constraint budget_policies_pk primary key (budget_policy_id)
);

create index idx_budget_policies_workspace on budget_policies (workspace);
