-- 5b0e9adcef9c: tags and metadata are deleted with their trace.

rebuild table trace_tags (
    "key"      VARCHAR(250) not null,
    value      VARCHAR(8000),
    request_id VARCHAR(50) not null,
    constraint trace_tag_pk primary key ("key", request_id),
    constraint fk_trace_tags_request_id foreign key (request_id) references trace_info (request_id) on delete cascade
);

rebuild table trace_request_metadata (
    "key"      VARCHAR(250) not null,
    value      VARCHAR(8000),
    request_id VARCHAR(50) not null,
    constraint trace_request_metadata_pk primary key ("key", request_id),
    constraint fk_trace_request_metadata_request_id foreign key (request_id) references trace_info (request_id) on delete cascade
);
