-- a8b9c0d1e2f3: MCP servers.

create table mcp_servers (
    workspace       varchar(63) not null default 'default',
    name            varchar(256) not null,
    display_name    varchar(256),
    description     text,
    icons           json,
    created_by      varchar(256),
    last_updated_by varchar(256),
    created_at      bigint not null,
    last_updated_at bigint not null,
    constraint mcp_servers_pk primary key (workspace, name)
);

create table mcp_server_versions (
    workspace                   varchar(63) not null default 'default',
    name                        varchar(256) not null,
    version                     varchar(128) not null,
    version_major               integer not null,
    version_minor               integer not null,
    version_patch               integer not null,
    version_prerelease_sort_key varchar(512) not null,
    server_json                 json not null,
    status                      varchar(20) not null default 'draft',
    tools                       json,
    source                      varchar(512),
    connect_options             json,
    created_by                  varchar(256),
    last_updated_by             varchar(256),
    created_at                  bigint not null,
    last_updated_at             bigint not null,
    constraint mcp_server_versions_pk primary key (workspace, name, version),
    constraint mcp_server_versions_server_fkey foreign key (workspace, name) references mcp_servers (workspace, name) on delete cascade on update cascade
);

create table mcp_server_tags (
    workspace varchar(63) not null default 'default',
    name      varchar(256) not null,
    key       varchar(250) not null,
    value     varchar(5000),
    constraint mcp_server_tags_pk primary key (workspace, name, key),
    constraint mcp_server_tags_server_fkey foreign key (workspace, name) references mcp_servers (workspace, name) on delete cascade on update cascade
);

create table mcp_server_version_tags (
    workspace varchar(63) not null default 'default',
    name      varchar(256) not null,
    version   varchar(128) not null,
    key       varchar(250) not null,
    value     varchar(5000),
    constraint mcp_server_version_tags_pk primary key (workspace, name, version, key),
    constraint mcp_server_version_tags_version_fkey foreign key (workspace, name, version) references mcp_server_versions (workspace, name, version) on delete cascade on update cascade
);

create table mcp_server_aliases (
    workspace varchar(63) not null default 'default',
    name      varchar(256) not null,
    alias     varchar(256) not null,
    version   varchar(128) not null,
    constraint mcp_server_aliases_pk primary key (workspace, name, alias),
    constraint mcp_server_aliases_server_fkey foreign key (workspace, name) references mcp_servers (workspace, name) on delete cascade on update cascade
);

create table mcp_access_endpoints (
    id              varchar(36) not null,
    workspace       varchar(63) not null default 'default',
    server_name     varchar(256) not null,
    server_version  varchar(128),
    server_alias    varchar(256),
    url             varchar(2048) not null,
    transport_type  varchar(32) not null default 'streamable-http',
    created_by      varchar(256),
    last_updated_by varchar(256),
    created_at      bigint not null,
    last_updated_at bigint not null,
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
