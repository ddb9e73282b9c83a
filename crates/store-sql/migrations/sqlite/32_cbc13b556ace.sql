-- cbc13b556ace: previews and client ids of traces.

alter table trace_info add column client_request_id VARCHAR(50);
alter table trace_info add column request_preview VARCHAR(1000);
alter table trace_info add column response_preview VARCHAR(1000);
