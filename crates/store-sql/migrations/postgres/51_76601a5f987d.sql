-- 76601a5f987d: issues.

create table issues (
    issue_id               varchar(36) not null,
    experiment_id          integer not null,
    name                   varchar(250) not null,
    description            text not null,
    status                 varchar(50) not null,
    severity               varchar(50),
    root_causes            text,
    source_run_id          varchar(32),
    categories             text,
    created_timestamp      bigint not null,
    last_updated_timestamp bigint not null,
    created_by             varchar(255),
    constraint issues_pk primary key (issue_id),
    constraint fk_issues_experiment_id foreign key (experiment_id) references experiments (experiment_id) on delete cascade,
    constraint fk_issues_source_run_id foreign key (source_run_id) references runs (run_uuid) on delete set null
);

create index index_issues_experiment_id on issues (experiment_id);
create index index_issues_source_run_id on issues (source_run_id);
create index index_issues_status on issues (status);
