-- 76601a5f987d: issues.

create table issues (
    issue_id               VARCHAR(36) not null,
    experiment_id          INTEGER not null,
    name                   VARCHAR(250) not null,
    description            TEXT not null,
    status                 VARCHAR(50) not null,
    severity               VARCHAR(50),
    root_causes            TEXT,
    source_run_id          VARCHAR(32),
    categories             TEXT,
    created_timestamp      BIGINT not null,
    last_updated_timestamp BIGINT not null,
    created_by             VARCHAR(255),
    constraint issues_pk primary key (issue_id),
    constraint fk_issues_experiment_id foreign key (experiment_id) references experiments (experiment_id) on delete cascade,
    constraint fk_issues_source_run_id foreign key (source_run_id) references runs (run_uuid) on delete set null
);

create index index_issues_experiment_id on issues (experiment_id);
create index index_issues_source_run_id on issues (source_run_id);
create index index_issues_status on issues (status);
