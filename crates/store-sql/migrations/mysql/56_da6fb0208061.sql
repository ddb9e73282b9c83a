-- da6fb0208061: archival of traces.

alter table trace_info add column db_payload_generation integer not null default '0';
alter table workspaces add column trace_archival_location text;
alter table workspaces add column trace_archival_retention varchar(32);
