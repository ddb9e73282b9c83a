-- f5a4f2784254: run tags of up to 8,000 characters.

rebuild table tags (
    "key"    VARCHAR(250) not null,
    value    VARCHAR(8000),
    run_uuid VARCHAR(32) not null,
    constraint tag_pk primary key ("key", run_uuid),
    foreign key (run_uuid) references runs (run_uuid)
);
