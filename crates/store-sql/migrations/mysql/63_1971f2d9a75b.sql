-- 1971f2d9a75b: index for traces by time.

create index index_trace_info_timestamp_ms_request_id on trace_info (timestamp_ms, request_id);
