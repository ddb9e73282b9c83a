-- c1d2e3f4a5b6: index for spans by start time.

drop index index_spans_experiment_id;
create index index_spans_experiment_id_start_time on spans (experiment_id, start_time_unix_nano);
