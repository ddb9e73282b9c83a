//! What removing an experiment for good leaves in the tables of a database.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::collections::BTreeMap;

use runledger_entities::ExperimentId;
use runledger_store::{NewExperiment, NewRun, PurgeStore as _, TrackingStore as _};
use runledger_store_sql::{SqlStore, StoreOptions};
use tempfile::TempDir;

/// What other parts of MLflow keep for the experiment `:e` and its run `:r`.
const BELONGINGS: &str = "
    insert into trace_info (request_id, experiment_id, timestamp_ms, status)
        values ('t', :e, 1, 'OK');
    insert into trace_tags (\"key\", value, request_id) values ('k', 'v', 't');
    insert into trace_request_metadata (\"key\", value, request_id) values ('k', 'v', 't');
    insert into trace_metrics (request_id, \"key\", value) values ('t', 'k', 1);
    insert into spans (trace_id, experiment_id, span_id, status, start_time_unix_nano, content)
        values ('t', :e, 's', 'OK', 1, '{}');
    insert into span_metrics (trace_id, span_id, \"key\", value) values ('t', 's', 'k', 1);
    insert into assessments (assessment_id, trace_id, name, assessment_type, value,
            created_timestamp, last_updated_timestamp, source_type, valid, experiment_id)
        values ('a', 't', 'n', 'feedback', '1', 1, 1, 'HUMAN', 1, :e);
    insert into entity_associations
            (association_id, source_type, source_id, destination_type, destination_id)
        values ('1', 'trace', 't', 'run', ':r'), ('2', 'evaluation_dataset', 'd', 'experiment', ':e');
    insert into inputs (input_uuid, source_type, source_id, destination_type, destination_id)
        values ('1', 'DATASET', 'd', 'RUN', ':r'), ('2', 'RUN_OUTPUT', ':r', 'MODEL_OUTPUT', 'm');
    insert into input_tags (input_uuid, name, value) values ('1', 'n', 'v');
    insert into scorers (experiment_id, scorer_name, scorer_id) values (:e, 'n', 'c');
    insert into scorer_versions (scorer_id, scorer_version, serialized_scorer)
        values ('c', 1, '{}');
    insert into online_scoring_configs
            (online_scoring_config_id, scorer_id, sample_rate, experiment_id)
        values ('o', 'c', 1, :e);
    insert into issues (issue_id, experiment_id, name, description, status, source_run_id,
            created_timestamp, last_updated_timestamp)
        values ('i', :e, 'n', 'd', 'open', ':r', 1, 1);
    insert into review_queues (queue_id, experiment_id, name, queue_type, creation_time_ms,
            last_update_time_ms, name_key)
        values ('q', :e, 'n', 'user', 1, 1, 'n');
    insert into review_queue_users (queue_id, user_id) values ('q', 'u');
    insert into sql_trace_rollup_rebuild_queue (experiment_id, rollup_day, rollup_family)
        values (:e, '2026-01-01', 'TRACE');
    insert into sql_trace_metric_daily_rollups
            (experiment_id, rollup_day, metric_name, grouping_set, sample_count)
        values (:e, '2026-01-01', 'm', 'g', 1);
";

struct Database {
    _folder: TempDir,
    store: SqlStore,
    /// A connection of another program.
    neighbour: rusqlite::Connection,
}

impl Database {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mlflow.db");
        let uri = format!("sqlite:///{}", file.display());
        let store = SqlStore::open(&uri, StoreOptions::default()).await.unwrap();
        let neighbour = rusqlite::Connection::open(&file).unwrap();
        Self {
            _folder: folder,
            store,
            neighbour,
        }
    }

    /// A deleted experiment with something in every table.
    async fn experiment(&self) -> ExperimentId {
        let new = NewExperiment {
            name: "e".to_owned(),
            ..NewExperiment::default()
        };
        let experiment_id = self.store.create_experiment(new).await.unwrap();
        let run = NewRun {
            experiment_id,
            user_id: "u".to_owned(),
            run_name: None,
            start_time: 1,
            tags: Vec::new(),
        };
        let run = self.store.create_run(run).await.unwrap().info.run_id;
        let sql = BELONGINGS
            .replace(":e", &experiment_id.to_string())
            .replace(":r", run.as_str());
        self.neighbour.execute_batch(&sql).unwrap();
        self.store.delete_experiment(experiment_id).await.unwrap();
        experiment_id
    }

    /// The number of rows of every table that has some.
    fn rows(&self) -> BTreeMap<String, i64> {
        let mut tables = self
            .neighbour
            .prepare("select name from sqlite_master where type = 'table'")
            .unwrap();
        let tables: Vec<String> = tables
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let count = |table: &String| -> i64 {
            let sql = format!("select count(*) from \"{table}\"");
            self.neighbour
                .query_row(&sql, [], |row| row.get(0))
                .unwrap()
        };
        let counts = tables.into_iter().map(|table| (count(&table), table));
        counts
            .filter(|(count, _)| *count > 0)
            .map(|(count, table)| (table, count))
            .collect()
    }
}

#[tokio::test]
async fn an_experiment_leaves_no_row_behind() {
    let database = Database::new().await;
    let before = database.rows();
    let experiment = database.experiment().await;
    assert!(database.rows().len() > before.len() + 15);
    database.store.purge_experiment(experiment).await.unwrap();
    assert_eq!(database.rows(), before);
}

#[tokio::test]
async fn an_experiment_with_a_scorer_in_use_is_left_whole() {
    let database = Database::new().await;
    let experiment = database.experiment().await;
    let guardrail = "insert into guardrails (guardrail_id, name, scorer_id, scorer_version, stage,
            action, created_at, last_updated_at)
        values ('g', 'n', 'c', 1, 'BEFORE', 'BLOCK', 1, 1)";
    database.neighbour.execute(guardrail, []).unwrap();
    let before = database.rows();
    let refused = database.store.purge_experiment(experiment).await;
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("the guardrail g uses"), "{message}");
    assert_eq!(database.rows(), before);
}
