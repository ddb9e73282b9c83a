-- da6fb0208061: archival of traces.

alter table trace_info add column db_payload_generation INTEGER default '0' not null;
alter table workspaces add column trace_archival_location TEXT;
alter table workspaces add column trace_archival_retention VARCHAR(32);
