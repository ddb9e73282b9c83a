-- 17e22815139b: experiment tags of any length.

rebuild table experiment_tags (
    "key"         VARCHAR(250) not null,
    value         TEXT,
    experiment_id INTEGER not null,
    constraint experiment_tag_pk primary key ("key", experiment_id),
    foreign key (experiment_id) references experiments (experiment_id)
);
