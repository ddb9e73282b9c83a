-- 3da73c924c2f: outputs of evaluation records.

alter table evaluation_dataset_records add column outputs JSON;
