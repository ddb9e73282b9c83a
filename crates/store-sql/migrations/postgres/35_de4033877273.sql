-- de4033877273: associations between entities.

create table entity_associations (
    association_id   varchar(36) not null,
    source_type      varchar(36) not null,
    source_id        varchar(36) not null,
    destination_type varchar(36) not null,
    destination_id   varchar(36) not null,
    created_time     bigint,
    constraint entity_associations_pk primary key (source_type, source_id, destination_type, destination_id)
);

create index index_entity_associations_association_id on entity_associations (association_id);
create index index_entity_associations_reverse_lookup
    on entity_associations (destination_type, destination_id, source_type, source_id);
