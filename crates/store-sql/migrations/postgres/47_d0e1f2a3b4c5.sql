-- d0e1f2a3b4c5: experiment of a gateway endpoint.

alter table endpoints add column experiment_id integer;
alter table endpoints add column usage_tracking boolean default '0' not null;
alter table endpoints add constraint fk_endpoints_experiment_id
    foreign key (experiment_id) references experiments (experiment_id) on delete set null;
