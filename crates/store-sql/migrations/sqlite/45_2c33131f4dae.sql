-- 2c33131f4dae: online scoring.

create table online_scoring_configs (
    online_scoring_config_id VARCHAR(36) not null,
    scorer_id                VARCHAR(36) not null,
    sample_rate              FLOAT not null,
    experiment_id            INTEGER not null,
    filter_string            TEXT,
    constraint online_scoring_config_pk primary key (online_scoring_config_id),
    constraint fk_online_scoring_configs_scorer_id foreign key (scorer_id) references scorers (scorer_id) on delete cascade,
    constraint fk_online_scoring_configs_experiment_id foreign key (experiment_id) references experiments (experiment_id)
);
