-- 7d34483879f0: indexes for tags of the registry.

create index idx_model_version_tags_workspace_name_version
    on model_version_tags (workspace, name, version);
create index idx_registered_model_tags_workspace_name on registered_model_tags (workspace, name);
