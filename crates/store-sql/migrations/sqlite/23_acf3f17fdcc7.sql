-- acf3f17fdcc7: storage location of model versions.

alter table model_versions add column storage_location VARCHAR(500);
