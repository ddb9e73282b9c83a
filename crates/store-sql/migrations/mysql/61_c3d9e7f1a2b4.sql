-- c3d9e7f1a2b4: target of a budget.

alter table budget_policies add column target_value varchar(255);
create index idx_budget_policies_target_value on budget_policies (target_value);
