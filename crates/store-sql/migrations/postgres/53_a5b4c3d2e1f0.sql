-- a5b4c3d2e1f0: index for metric histories.

create index index_metrics_run_uuid_key_step on metrics (run_uuid, key, step);
