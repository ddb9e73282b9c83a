-- 6f8d9c3b2a1e: traces are deleted with their experiment.

alter table trace_info drop foreign key fk_trace_info_experiment_id;
alter table trace_info add constraint fk_trace_info_experiment_id
    foreign key (experiment_id) references experiments (experiment_id) on delete cascade;
