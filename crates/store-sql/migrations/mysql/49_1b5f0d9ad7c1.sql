-- 1b5f0d9ad7c1: workspaces.

-- What an older release named, or left to the database to name.
drop foreign keys of model_versions (name);
drop foreign keys of registered_model_tags (name);
drop foreign keys of registered_model_aliases (name);
drop foreign keys of model_version_tags (name, version);
drop unique of experiments (name);
drop unique of registered_models (name);

alter table experiments add column workspace varchar(63) not null default 'default';
alter table experiments add constraint uq_experiments_workspace_name unique (workspace, name);
create index idx_experiments_workspace on experiments (workspace);
create index idx_experiments_workspace_creation_time on experiments (workspace, creation_time);

alter table registered_models add column workspace varchar(63) not null default 'default';
alter table registered_models drop primary key, add constraint registered_model_pk primary key (workspace, name);
create index idx_registered_models_workspace on registered_models (workspace);

alter table model_versions add column workspace varchar(63) not null default 'default';
alter table model_versions drop primary key, add constraint model_version_pk primary key (workspace, name, version);
alter table model_versions add constraint fk_model_versions_registered_models
    foreign key (workspace, name) references registered_models (workspace, name) on update cascade;

alter table registered_model_tags add column workspace varchar(63) not null default 'default';
alter table registered_model_tags drop primary key, add constraint registered_model_tag_pk primary key (workspace, `key`, name);
alter table registered_model_tags add constraint fk_registered_model_tags_registered_models
    foreign key (workspace, name) references registered_models (workspace, name) on update cascade;

alter table model_version_tags add column workspace varchar(63) not null default 'default';
alter table model_version_tags drop primary key, add constraint model_version_tag_pk primary key (workspace, `key`, name, version);
alter table model_version_tags add constraint fk_model_version_tags_model_versions
    foreign key (workspace, name, version) references model_versions (workspace, name, version) on update cascade;

alter table registered_model_aliases add column workspace varchar(63) not null default 'default';
alter table registered_model_aliases drop primary key, add constraint registered_model_alias_pk primary key (workspace, name, alias);
alter table registered_model_aliases add constraint fk_registered_model_aliases_registered_models
    foreign key (workspace, name) references registered_models (workspace, name) on delete cascade on update cascade;

alter table evaluation_datasets add column workspace varchar(63) not null default 'default';
create index idx_evaluation_datasets_workspace on evaluation_datasets (workspace);

alter table webhooks add column workspace varchar(63) not null default 'default';
create index idx_webhooks_workspace on webhooks (workspace);

drop index unique_secret_name on secrets;
alter table secrets add column workspace varchar(63) not null default 'default';
alter table secrets add constraint uq_secrets_workspace_secret_name unique (workspace, secret_name);
create index idx_secrets_workspace on secrets (workspace);

drop index unique_endpoint_name on endpoints;
alter table endpoints add column workspace varchar(63) not null default 'default';
alter table endpoints add constraint uq_endpoints_workspace_name unique (workspace, name);
create index idx_endpoints_workspace on endpoints (workspace);

drop index unique_model_definition_name on model_definitions;
alter table model_definitions add column workspace varchar(63) not null default 'default';
alter table model_definitions add constraint uq_model_definitions_workspace_name unique (workspace, name);
create index idx_model_definitions_workspace on model_definitions (workspace);

drop index index_jobs_name_status_creation_time on jobs;
alter table jobs add column workspace varchar(63) not null default 'default';
create index index_jobs_name_status_creation_time
    on jobs (job_name, workspace, status, creation_time);

create table workspaces (
    name                  varchar(63) not null,
    description           text,
    default_artifact_root text,
    constraint workspaces_pk primary key (name)
);

insert into workspaces (name, description)
select 'default', 'Default workspace for legacy resources' from dual
where not exists (select name from workspaces where name = 'default');
