-- 770bee3ae1dd: assessments.

create table assessments (
    assessment_id          varchar(50) not null,
    trace_id               varchar(50) not null,
    name                   varchar(250) not null,
    assessment_type        varchar(20) not null,
    value                  text not null,
    error                  text,
    created_timestamp      bigint not null,
    last_updated_timestamp bigint not null,
    source_type            varchar(50) not null,
    source_id              varchar(250),
    run_id                 varchar(32),
    span_id                varchar(50),
    rationale              text,
    overrides              varchar(50),
    valid                  boolean not null,
    assessment_metadata    text,
    constraint assessments_pk primary key (assessment_id),
    constraint fk_assessments_trace_id foreign key (trace_id) references trace_info (request_id) on delete cascade
);

create index index_assessments_trace_id_created_timestamp
    on assessments (trace_id, created_timestamp);
create index index_assessments_run_id_created_timestamp on assessments (run_id, created_timestamp);
create index index_assessments_last_updated_timestamp on assessments (last_updated_timestamp);
create index index_assessments_assessment_type on assessments (assessment_type);
