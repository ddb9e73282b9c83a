-- 2d6e25af4d3e: params of up to 8,000 characters.

rebuild table params (
    "key"    VARCHAR(250) not null,
    value    VARCHAR(8000) not null,
    run_uuid VARCHAR(32) not null,
    constraint param_pk primary key ("key", run_uuid),
    foreign key (run_uuid) references runs (run_uuid)
);
