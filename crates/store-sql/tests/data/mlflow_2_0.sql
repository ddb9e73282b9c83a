-- A database of MLflow 2.0 (Alembic revision 97727af70f4d) on SQLite, with some rows.

create table alembic_version (
    version_num VARCHAR(32) not null,
    constraint alembic_version_pkc primary key (version_num)
);

create table experiments (
    experiment_id     INTEGER not null,
    name              VARCHAR(256) not null,
    artifact_location VARCHAR(256),
    lifecycle_stage   VARCHAR(32),
    creation_time     BIGINT,
    last_update_time  BIGINT,
    constraint experiment_pk primary key (experiment_id),
    constraint experiments_lifecycle_stage check (lifecycle_stage in ('active', 'deleted')),
    unique (name)
);

create table experiment_tags (
    "key"         VARCHAR(250) not null,
    value         VARCHAR(5000),
    experiment_id INTEGER not null,
    constraint experiment_tag_pk primary key ("key", experiment_id),
    foreign key (experiment_id) references experiments (experiment_id)
);

create table runs (
    run_uuid         VARCHAR(32) not null,
    name             VARCHAR(250),
    source_type      VARCHAR(20),
    source_name      VARCHAR(500),
    entry_point_name VARCHAR(50),
    user_id          VARCHAR(256),
    status           VARCHAR(9),
    start_time       BIGINT,
    end_time         BIGINT,
    source_version   VARCHAR(50),
    lifecycle_stage  VARCHAR(20),
    artifact_uri     VARCHAR(200),
    experiment_id    INTEGER,
    deleted_time     BIGINT,
    constraint run_pk primary key (run_uuid),
    constraint runs_lifecycle_stage check (lifecycle_stage in ('active', 'deleted')),
    constraint source_type check (source_type in ('NOTEBOOK', 'JOB', 'LOCAL', 'UNKNOWN', 'PROJECT')),
    foreign key (experiment_id) references experiments (experiment_id),
    check (status in ('SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING', 'KILLED'))
);

create table params (
    "key"    VARCHAR(250) not null,
    value    VARCHAR(500) not null,
    run_uuid VARCHAR(32) not null,
    constraint param_pk primary key ("key", run_uuid),
    foreign key (run_uuid) references runs (run_uuid)
);

create index index_params_run_uuid on params (run_uuid);

create table tags (
    "key"    VARCHAR(250) not null,
    value    VARCHAR(5000),
    run_uuid VARCHAR(32) not null,
    constraint tag_pk primary key ("key", run_uuid),
    foreign key (run_uuid) references runs (run_uuid)
);

create index index_tags_run_uuid on tags (run_uuid);

create table metrics (
    "key"     VARCHAR(250) not null,
    value     FLOAT not null,
    timestamp BIGINT not null,
    run_uuid  VARCHAR(32) not null,
    step      BIGINT not null default '0',
    is_nan    BOOLEAN not null default '0',
    constraint metric_pk primary key ("key", timestamp, step, run_uuid, value, is_nan),
    foreign key (run_uuid) references runs (run_uuid),
    check (is_nan in (0, 1))
);

create index index_metrics_run_uuid on metrics (run_uuid);

create table latest_metrics (
    "key"     VARCHAR(250) not null,
    value     FLOAT not null,
    timestamp BIGINT,
    step      BIGINT not null,
    is_nan    BOOLEAN not null,
    run_uuid  VARCHAR(32) not null,
    constraint latest_metric_pk primary key ("key", run_uuid),
    foreign key (run_uuid) references runs (run_uuid),
    check (is_nan in (0, 1))
);

create index index_latest_metrics_run_uuid on latest_metrics (run_uuid);

create table registered_models (
    name              VARCHAR(256) not null,
    creation_time     BIGINT,
    last_updated_time BIGINT,
    description       VARCHAR(5000),
    constraint registered_model_pk primary key (name),
    unique (name)
);

create table registered_model_tags (
    "key" VARCHAR(250) not null,
    value VARCHAR(5000),
    name  VARCHAR(256) not null,
    constraint registered_model_tag_pk primary key ("key", name),
    foreign key (name) references registered_models (name) on update cascade
);

create table model_versions (
    name              VARCHAR(256) not null,
    version           INTEGER not null,
    creation_time     BIGINT,
    last_updated_time BIGINT,
    description       VARCHAR(5000),
    user_id           VARCHAR(256),
    current_stage     VARCHAR(20),
    source            VARCHAR(500),
    run_id            VARCHAR(32),
    status            VARCHAR(20),
    status_message    VARCHAR(500),
    run_link          VARCHAR(500),
    constraint model_version_pk primary key (name, version),
    foreign key (name) references registered_models (name) on update cascade
);

create table model_version_tags (
    "key"   VARCHAR(250) not null,
    value   VARCHAR(5000),
    name    VARCHAR(256) not null,
    version INTEGER not null,
    constraint model_version_tag_pk primary key ("key", name, version),
    foreign key (name, version) references model_versions (name, version) on update cascade
);

insert into alembic_version (version_num) values ('97727af70f4d');
insert into experiments (experiment_id, name, lifecycle_stage) values
    (0, 'Default', 'active'), (7, 'iris', 'deleted');
insert into experiment_tags ("key", value, experiment_id) values ('team', 'a', 7);
insert into runs (run_uuid, name, source_type, user_id, status, lifecycle_stage, experiment_id, start_time)
values ('r1', 'first', 'LOCAL', 'me', 'FINISHED', 'active', 7, 1660000000000);
insert into params ("key", value, run_uuid) values ('z', '1', 'r1'), ('a', '2', 'r1');
insert into tags ("key", value, run_uuid) values ('mlflow.runName', 'first', 'r1');
insert into metrics ("key", value, timestamp, run_uuid, step, is_nan) values
    ('loss', 0.0, 5, 'r1', 0, 1), ('loss', 0.25, 6, 'r1', 1, 0);
insert into latest_metrics ("key", value, timestamp, step, is_nan, run_uuid) values
    ('loss', 0.25, 6, 1, 0, 'r1');
insert into registered_models (name, creation_time) values ('m', 1);
insert into registered_model_tags ("key", value, name) values ('k', 'v', 'm');
insert into model_versions (name, version, current_stage, run_id) values ('m', 1, 'None', 'r1');
insert into model_version_tags ("key", value, name, version) values ('k', 'v', 'm', 1);
