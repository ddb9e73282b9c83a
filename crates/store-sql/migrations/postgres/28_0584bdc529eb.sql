-- 0584bdc529eb: datasets are deleted with their experiment.

drop foreign keys of datasets (experiment_id);
alter table datasets add constraint fk_datasets_experiment_id_experiments
    foreign key (experiment_id) references experiments (experiment_id) on delete cascade;
