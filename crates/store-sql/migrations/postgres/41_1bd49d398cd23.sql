-- 1bd49d398cd23: secrets and endpoints of the gateway.

create table secrets (
    secret_id       varchar(36) not null,
    secret_name     varchar(255) not null,
    encrypted_value bytea not null,
    wrapped_dek     bytea not null,
    kek_version     integer not null,
    masked_value    varchar(500) not null,
    provider        varchar(64),
    auth_config     text,
    description     text,
    created_by      varchar(255),
    created_at      bigint not null,
    last_updated_by varchar(255),
    last_updated_at bigint not null,
    constraint secrets_pk primary key (secret_id)
);

create unique index unique_secret_name on secrets (secret_name);

create table endpoints (
    endpoint_id     varchar(36) not null,
    name            varchar(255),
    created_by      varchar(255),
    created_at      bigint not null,
    last_updated_by varchar(255),
    last_updated_at bigint not null,
    constraint endpoints_pk primary key (endpoint_id)
);

create unique index unique_endpoint_name on endpoints (name);

create table model_definitions (
    model_definition_id varchar(36) not null,
    name                varchar(255) not null,
    secret_id           varchar(36),
    provider            varchar(64) not null,
    model_name          varchar(256) not null,
    created_by          varchar(255),
    created_at          bigint not null,
    last_updated_by     varchar(255),
    last_updated_at     bigint not null,
    constraint model_definitions_pk primary key (model_definition_id),
    constraint fk_model_definitions_secret_id foreign key (secret_id) references secrets (secret_id) on delete set null
);

create unique index unique_model_definition_name on model_definitions (name);
create index index_model_definitions_secret_id on model_definitions (secret_id);
create index index_model_definitions_provider on model_definitions (provider);

create table endpoint_model_mappings (
    mapping_id          varchar(36) not null,
    endpoint_id         varchar(36) not null,
    model_definition_id varchar(36) not null,
    weight              float not null,
    created_by          varchar(255),
    created_at          bigint not null,
    constraint endpoint_model_mappings_pk primary key (mapping_id),
    constraint fk_endpoint_model_mappings_endpoint_id foreign key (endpoint_id) references endpoints (endpoint_id) on delete cascade,
    constraint fk_endpoint_model_mappings_model_definition_id foreign key (model_definition_id) references model_definitions (model_definition_id)
);

create index index_endpoint_model_mappings_endpoint_id on endpoint_model_mappings (endpoint_id);
create index index_endpoint_model_mappings_model_definition_id
    on endpoint_model_mappings (model_definition_id);
create unique index unique_endpoint_model_mapping
    on endpoint_model_mappings (endpoint_id, model_definition_id);

create table endpoint_bindings (
    endpoint_id     varchar(36) not null,
    resource_type   varchar(50) not null,
    resource_id     varchar(255) not null,
    created_at      bigint not null,
    created_by      varchar(255),
    last_updated_at bigint not null,
    last_updated_by varchar(255),
    constraint endpoint_bindings_pk primary key (endpoint_id, resource_type, resource_id),
    constraint fk_endpoint_bindings_endpoint_id foreign key (endpoint_id) references endpoints (endpoint_id) on delete cascade
);

create table endpoint_tags (
    key         varchar(250) not null,
    value       varchar(5000),
    endpoint_id varchar(36) not null,
    constraint endpoint_tag_pk primary key (key, endpoint_id),
    constraint fk_endpoint_tags_endpoint_id foreign key (endpoint_id) references endpoints (endpoint_id) on delete cascade
);

create index index_endpoint_tags_endpoint_id on endpoint_tags (endpoint_id);

-- Both columns are bound into the ciphertext: changing either would make it undecryptable.
create function prevent_secrets_aad_mutation() returns trigger language plpgsql as $$
begin
    if old.secret_id != new.secret_id or old.secret_name != new.secret_name then
        raise exception 'secret_id and secret_name are immutable (used as AAD in encryption)';
    end if;
    return new;
end; $$;

create trigger prevent_secrets_aad_mutation
before update on secrets
for each row execute function prevent_secrets_aad_mutation();
