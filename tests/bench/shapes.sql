-- Fills a database that has MLflow's schema with the runs of one shape (shapes.py), by psql with the variables
-- runs, params, metrics, steps, elsewhere and now (ms since epoch).
--
-- Every value follows from its run and key, so that two databases filled alike hold the same. Rows go in as training
-- writes them: run after run, step after step; their ids are random.

\set QUIET on
-- For this session alone: no foreign keys to look up, no waiting for the disk.
set session_replication_role = replica;
set synchronous_commit = off;
set work_mem = '256MB';

-- A number from 0 to 1, the same at each call.
create function pg_temp.unit(i bigint, k bigint) returns double precision language sql immutable as
$$ select (hashint8extended(i, k) & 9007199254740991)::double precision / 9007199254740992 $$;

insert into experiments (name, artifact_location, lifecycle_stage, creation_time, last_update_time)
select name, 'mlflow-artifacts:/' || name, 'active', :now, :now from (values ('shape'), ('elsewhere')) names (name);

-- The runs that are searched, and a little elsewhere: 50 runs of 20 params and 20 metrics, of `elsewhere` steps.
create temporary table seeded as
select experiment_id, i, md5(name || i) as run_uuid, 1700000000000 + i * 60000 as began, params, metrics, steps
from experiments
join (
    values ('shape', :runs, :params, :metrics, :steps), ('elsewhere', 50, 20, 20, :elsewhere)
) sizes (name, runs, params, metrics, steps) using (name)
cross join lateral generate_series(0::bigint, runs - 1) i;
analyze seeded;

insert into runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time,
    source_version, lifecycle_stage, artifact_uri, experiment_id)
select run_uuid, 'run-' || i, 'UNKNOWN', '', '', 'bench', 'FINISHED', began, began + 30000,
    '', 'active', 'mlflow-artifacts:/' || experiment_id || '/' || run_uuid || '/artifacts', experiment_id
from seeded order by experiment_id, i;

insert into tags (key, value, run_uuid)
select key, value, run_uuid
from seeded cross join lateral (
    values ('mlflow.runName', 'run-' || i), ('mlflow.user', 'bench'), ('mlflow.source.type', 'LOCAL'),
        ('mlflow.source.name', 'train.py'), ('split', substr('abcde', 1 + (i % 5)::integer, 1))
) pairs (key, value) order by experiment_id, i;

insert into params (key, value, run_uuid)
select 'p' || k, case k
    when 0 then i::text
    when 1 then substr('xyzw', 1 + floor(4 * pg_temp.unit(i, 7000))::integer, 1)
    else 'value-' || floor(50 * pg_temp.unit(i, 8000 + k))::integer end, run_uuid
from seeded cross join lateral generate_series(0, params - 1) k order by experiment_id, i, k;

insert into metrics (key, value, timestamp, run_uuid, step, is_nan)
select 'm' || k, pg_temp.unit(i, k * 1000 + s), began + s * 1000, run_uuid, s, false
from seeded cross join lateral generate_series(0, steps - 1) s cross join lateral generate_series(0, metrics - 1) k
order by experiment_id, i, s, k;

insert into latest_metrics (key, value, timestamp, run_uuid, step, is_nan)
select 'm' || k, pg_temp.unit(i, k * 1000 + steps - 1), began + (steps - 1) * 1000, run_uuid, steps - 1, false
from seeded cross join lateral generate_series(0, metrics - 1) k
order by experiment_id, i, k;

-- A vacuum marks only those pages as visible to all whose rows are known to be on the disk, which the checkpoint sees to:
-- else the tables would look as if nobody had gone over them since they were written.
checkpoint;
vacuum analyze;
checkpoint;
