-- 3500859a5d39: aliases of registered models.

create table if not exists registered_model_aliases (
    alias   varchar(256) not null,
    version integer not null,
    name    varchar(256) not null,
    constraint registered_model_alias_pk primary key (name, alias),
    constraint registered_model_alias_name_fkey foreign key (name) references registered_models (name) on delete cascade on update cascade
);
