-- d3e4f5a6b7c8: display names of endpoint bindings.

alter table endpoint_bindings add column display_name varchar(255);
