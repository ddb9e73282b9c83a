-- 534353b11cbc: scorers.

create table scorers (
    experiment_id INTEGER not null,
    scorer_name   VARCHAR(256) not null,
    scorer_id     VARCHAR(36) not null,
    constraint scorer_pk primary key (scorer_id),
    constraint fk_scorers_experiment_id foreign key (experiment_id) references experiments (experiment_id) on delete cascade
);

create table scorer_versions (
    scorer_id         VARCHAR(36) not null,
    scorer_version    INTEGER not null,
    serialized_scorer TEXT not null,
    creation_time     BIGINT,
    constraint scorer_version_pk primary key (scorer_id, scorer_version),
    constraint fk_scorer_versions_scorer_id foreign key (scorer_id) references scorers (scorer_id) on delete cascade
);

create unique index index_scorers_experiment_id_scorer_name on scorers (experiment_id, scorer_name);
create index index_scorer_versions_scorer_id on scorer_versions (scorer_id);
