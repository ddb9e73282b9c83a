-- 770bee3ae1dd: assessments.

create table assessments (
    assessment_id          VARCHAR(50) not null,
    trace_id               VARCHAR(50) not null,
    name                   VARCHAR(250) not null,
    assessment_type        VARCHAR(20) not null,
    value                  TEXT not null,
    error                  TEXT,
    created_timestamp      BIGINT not null,
    last_updated_timestamp BIGINT not null,
    source_type            VARCHAR(50) not null,
    source_id              VARCHAR(250),
    run_id                 VARCHAR(32),
    span_id                VARCHAR(50),
    rationale              TEXT,
    overrides              VARCHAR(50),
    valid                  BOOLEAN not null,
    assessment_metadata    TEXT,
    constraint assessments_pk primary key (assessment_id),
    constraint fk_assessments_trace_id foreign key (trace_id) references trace_info (request_id) on delete cascade
);

create index index_assessments_trace_id_created_timestamp
    on assessments (trace_id, created_timestamp);
create index index_assessments_run_id_created_timestamp on assessments (run_id, created_timestamp);
create index index_assessments_last_updated_timestamp on assessments (last_updated_timestamp);
create index index_assessments_assessment_type on assessments (assessment_type);
