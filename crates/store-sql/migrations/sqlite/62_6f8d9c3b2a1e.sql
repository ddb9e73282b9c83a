-- 6f8d9c3b2a1e: traces are deleted with their experiment.

rebuild table trace_info (
    request_id            VARCHAR(50) not null,
    experiment_id         INTEGER not null,
    timestamp_ms          BIGINT not null,
    execution_time_ms     BIGINT,
    status                VARCHAR(50) not null,
    client_request_id     VARCHAR(50),
    request_preview       VARCHAR(1000),
    response_preview      VARCHAR(1000),
    db_payload_generation INTEGER not null default '0',
    constraint trace_info_pk primary key (request_id),
    constraint fk_trace_info_experiment_id foreign key (experiment_id) references experiments (experiment_id) on delete cascade
);
