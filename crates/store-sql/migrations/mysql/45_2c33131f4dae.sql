-- 2c33131f4dae: online scoring.

create table online_scoring_configs (
    online_scoring_config_id varchar(36) not null,
    scorer_id                varchar(36) not null,
    sample_rate              double not null,
    experiment_id            integer not null,
    filter_string            text,
    constraint online_scoring_config_pk primary key (online_scoring_config_id),
    constraint fk_online_scoring_configs_scorer_id foreign key (scorer_id) references scorers (scorer_id) on delete cascade,
    constraint fk_online_scoring_configs_experiment_id foreign key (experiment_id) references experiments (experiment_id)
);
