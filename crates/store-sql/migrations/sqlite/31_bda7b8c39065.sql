-- bda7b8c39065: model version tags of any length.

rebuild table model_version_tags (
    "key"   VARCHAR(250) not null,
    value   TEXT,
    name    VARCHAR(256) not null,
    version INTEGER not null,
    constraint model_version_tag_pk primary key ("key", name, version),
    foreign key (name, version) references model_versions (name, version) on update cascade
);
