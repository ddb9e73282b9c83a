-- 3500859a5d39: aliases of registered models.

create table if not exists registered_model_aliases (
    alias   VARCHAR(256) not null,
    version INTEGER not null,
    name    VARCHAR(256) not null,
    constraint registered_model_alias_pk primary key (name, alias),
    constraint registered_model_alias_name_fkey foreign key (name) references registered_models (name) on delete cascade on update cascade
);
