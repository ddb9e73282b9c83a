-- a8b9c0d1e2f3: MCP servers.

create table mcp_servers (
    workspace       VARCHAR(63) not null default 'default',
    name            VARCHAR(256) not null,
    display_name    VARCHAR(256),
    description     TEXT,
    icons           JSON,
    created_by      VARCHAR(256),
    last_updated_by VARCHAR(256),
    created_at      BIGINT not null,
    last_updated_at BIGINT not null,
    constraint mcp_servers_pk primary key (workspace, name)
);

create table mcp_server_versions (
    workspace                   VARCHAR(63) not null default 'default',
    name                        VARCHAR(256) not null,
    version                     VARCHAR(128) not null,
    version_major               INTEGER not null,
    version_minor               INTEGER not null,
    version_patch               INTEGER not null,
    version_prerelease_sort_key VARCHAR(512) not null,
    server_json                 JSON not null,
    status                      VARCHAR(20) not null default 'draft',
    tools                       JSON,
    source                      VARCHAR(512),
    connect_options             JSON,
    created_by                  VARCHAR(256),
    last_updated_by             VARCHAR(256),
    created_at                  BIGINT not null,
    last_updated_at             BIGINT not null,
    constraint mcp_server_versions_pk primary key (workspace, name, version),
    constraint mcp_server_versions_server_fkey foreign key (workspace, name) references mcp_servers (workspace, name) on delete cascade on update cascade
);

create table mcp_server_tags (
    workspace VARCHAR(63) not null default 'default',
    name      VARCHAR(256) not null,
    "key"     VARCHAR(250) not null,
    value     VARCHAR(5000),
    constraint mcp_server_tags_pk primary key (workspace, name, "key"),
    constraint mcp_server_tags_server_fkey foreign key (workspace, name) references mcp_servers (workspace, name) on delete cascade on update cascade
);

create table mcp_server_version_tags (
    workspace VARCHAR(63) not null default 'default',
    name      VARCHAR(256) not null,
    version   VARCHAR(128) not null,
    "key"     VARCHAR(250) not null,
    value     VARCHAR(5000),
    constraint mcp_server_version_tags_pk primary key (workspace, name, version, "key"),
    constraint mcp_server_version_tags_version_fkey foreign key (workspace, name, version) references mcp_server_versions (workspace, name, version) on delete cascade on update cascade
);

create table mcp_server_aliases (
    workspace VARCHAR(63) not null default 'default',
    name      VARCHAR(256) not null,
    alias     VARCHAR(256) not null,
    version   VARCHAR(128) not null,
    constraint mcp_server_aliases_pk primary key (workspace, name, alias),
    constraint mcp_server_aliases_server_fkey foreign key (workspace, name) references mcp_servers (workspace, name) on delete cascade on update cascade
);

create table mcp_access_endpoints (
    id              VARCHAR(36) not null,
    workspace       VARCHAR(63) not null default 'default',
    server_name     VARCHAR(256) not null,
    server_version  VARCHAR(128),
    server_alias    VARCHAR(256),
    url             VARCHAR(2048) not null,
    transport_type  VARCHAR(32) not null default 'streamable-http',
    created_by      VARCHAR(256),
    last_updated_by VARCHAR(256),
    created_at      BIGINT not null,
    last_updated_at BIGINT not null,
    constraint mcp_access_endpoints_pk primary key (id),
    constraint mcp_access_endpoints_server_fkey foreign key (workspace, server_name) references mcp_servers (workspace, name) on delete cascade on update cascade
);

create index idx_mcp_server_versions_latest
    on mcp_server_versions (workspace, name, status, version_major desc, version_minor desc, version_patch desc);
create index ix_mcp_access_endpoints_server_name on mcp_access_endpoints (workspace, server_name);
create index ix_mcp_access_endpoints_version
    on mcp_access_endpoints (workspace, server_name, server_version);
create index ix_mcp_access_endpoints_alias
    on mcp_access_endpoints (workspace, server_name, server_alias);
