-- 0584bdc529eb: datasets are deleted with their experiment.

rebuild table datasets (
    dataset_uuid        VARCHAR(36) not null,
    experiment_id       INTEGER not null,
    name                VARCHAR(500) not null,
    digest              VARCHAR(36) not null,
    dataset_source_type VARCHAR(36) not null,
    dataset_source      TEXT not null,
    dataset_schema      TEXT,
    dataset_profile     TEXT,
    constraint dataset_pk primary key (experiment_id, name, digest),
    constraint fk_datasets_experiment_id_experiments foreign key (experiment_id) references experiments (experiment_id) on delete cascade
);
