-- bda7b8c39065: model version tags of any length.

alter table model_version_tags modify value text null;
