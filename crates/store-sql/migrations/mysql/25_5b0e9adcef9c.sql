-- 5b0e9adcef9c: tags and metadata are deleted with their trace.

alter table trace_tags drop foreign key fk_trace_tags_request_id;
alter table trace_tags add constraint fk_trace_tags_request_id
    foreign key (request_id) references trace_info (request_id) on delete cascade;
alter table trace_request_metadata drop foreign key fk_trace_request_metadata_request_id;
alter table trace_request_metadata add constraint fk_trace_request_metadata_request_id
    foreign key (request_id) references trace_info (request_id) on delete cascade;
