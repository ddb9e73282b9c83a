-- c9d4e5f6a7b8: routing of gateway endpoints.

alter table endpoints add column routing_strategy VARCHAR(64);
alter table endpoints add column fallback_config_json TEXT;
alter table endpoint_model_mappings add column linkage_type VARCHAR(64) default 'PRIMARY' not null;
alter table endpoint_model_mappings add column fallback_order INTEGER;
drop index unique_endpoint_model_mapping;
create unique index unique_endpoint_model_linkage_mapping
    on endpoint_model_mappings (endpoint_id, model_definition_id, linkage_type);
