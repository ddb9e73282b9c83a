-- cbc13b556ace: previews and client ids of traces.

alter table trace_info add column client_request_id varchar(50);
alter table trace_info add column request_preview varchar(1000);
alter table trace_info add column response_preview varchar(1000);
