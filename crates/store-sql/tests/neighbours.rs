//! The store beside other programs on one database.
#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use runledger_entities::{
    ExperimentId, Metric, RunId, Span, SpanStatus, TraceId, ViewType, limits,
};
use runledger_search::parse_run_order;
use runledger_store::{
    Batch, NewRun, PageRequest, RunQuery, StoreError, TraceStore as _, TrackingStore as _,
    TrackingStoreExt as _,
};
use runledger_store_sql::{SqlStore, StoreOptions};
use tempfile::TempDir;

struct Database {
    folder: TempDir,
    store: Arc<SqlStore>,
}

impl Database {
    async fn new(options: StoreOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
        let store = Arc::new(SqlStore::open(&uri, options).await.unwrap());
        Self { folder, store }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("mlflow.db")
    }

    /// A connection of another program.
    fn neighbour(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.file()).unwrap()
    }

    async fn run(&self, name: &str) -> RunId {
        let new = NewRun {
            experiment_id: ExperimentId::DEFAULT,
            user_id: "u".to_owned(),
            run_name: Some(name.to_owned()),
            start_time: 1,
            tags: Vec::new(),
        };
        self.store.create_run(new).await.unwrap().info.run_id
    }
}

/// All pages of a search, which must end.
async fn pages(store: &SqlStore, order_by: &str) -> Vec<RunId> {
    let order_by = if order_by.is_empty() {
        vec![]
    } else {
        vec![order_by.to_owned()]
    };
    let mut found = Vec::new();
    let mut token = None;
    for _ in 0..20 {
        let query = RunQuery {
            experiment_ids: vec![ExperimentId::DEFAULT],
            view: ViewType::ActiveOnly,
            filter: Vec::new(),
            order_by: parse_run_order(&order_by).unwrap(),
            page: PageRequest {
                max_results: 2,
                token,
            },
        };
        let page = store.search_runs(query).await.unwrap();
        found.extend(page.items.into_iter().map(|run| run.info.run_id));
        token = page.next_token;
        if token.is_none() {
            return found;
        }
    }
    panic!("the pages do not end: {found:?}");
}

#[tokio::test]
async fn columns_that_another_program_left_null_sort_last_and_pages_end() {
    let database = Database::new(StoreOptions::default()).await;
    let mut runs = Vec::new();
    for number in 0..5 {
        runs.push(database.run(&format!("run {number}")).await);
    }
    let neighbour = database.neighbour();
    for column in ["start_time", "user_id", "artifact_uri", "name"] {
        let statement =
            format!("update runs set {column} = null where name <> 'run 0' or name is null");
        neighbour.execute(&statement, []).unwrap();
    }
    neighbour
        .execute("update tags set value = null", [])
        .unwrap();
    let mut all = runs.clone();
    all.sort_unstable();
    for order in [
        "",
        "attributes.start_time ASC",
        "attributes.user_id DESC",
        "attributes.artifact_uri ASC",
        "attributes.run_name ASC",
        "tags.`mlflow.runName` ASC",
    ] {
        let mut found = pages(&database.store, order).await;
        if order.starts_with("attributes") {
            assert_eq!(found[0], runs[0], "{order}");
        }
        found.sort_unstable();
        assert_eq!(found, all, "{order}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_lock_is_waited_for_once_and_leaves_no_late_writes() {
    let options = StoreOptions {
        busy_timeout: Duration::from_millis(300),
        ..StoreOptions::default()
    };
    let database = Database::new(options).await;
    let run = database.run("r").await;
    let neighbour = database.neighbour();
    neighbour.execute_batch("begin immediate").unwrap();
    let mut calls = Vec::new();
    for number in 0..8 {
        let (store, run) = (Arc::clone(&database.store), run.clone());
        calls.push(tokio::spawn(async move {
            store
                .log_metric(&run, Metric::new(format!("m{number}"), 1.0, 1, 0))
                .await
        }));
    }
    let mut kept = 0;
    for call in calls {
        match call.await.unwrap() {
            Err(StoreError::Unavailable { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    neighbour.execute_batch("commit").unwrap();
    // What was refused stays refused; what is asked for now is done.
    database
        .store
        .log_metric(&run, Metric::new("after", 1.0, 1, 0))
        .await
        .unwrap();
    for metric in database.store.get_run(&run).await.unwrap().data.metrics {
        assert_eq!(metric.key, "after");
        kept += 1;
    }
    assert_eq!(kept, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_stays_bounded_while_somebody_always_reads() {
    let database = Database::new(StoreOptions::default()).await;
    let run = database.run("r").await;
    let writing = Arc::new(AtomicBool::new(true));
    // Two readers relieve each other: there is no moment without one.
    let relay = std::thread::spawn({
        let (writing, readers) = (
            Arc::clone(&writing),
            [database.neighbour(), database.neighbour()],
        );
        let read = "begin; select count(*) from runs;";
        move || {
            readers[0].execute_batch(read).unwrap();
            for turn in 1.. {
                readers[turn % 2].execute_batch(read).unwrap();
                readers[(turn + 1) % 2].execute_batch("commit").unwrap();
                if !writing.load(Ordering::Relaxed) {
                    break;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    });
    let log = log_of(&database.file());
    let mut largest = 0;
    for batch in 0..400 {
        let metric = |i: i32| {
            Metric::new(
                format!("m{}", i % 10),
                f64::from(i),
                1,
                batch * 100 + i64::from(i) / 10,
            )
        };
        let metrics = (0..1000).map(metric).collect();
        database
            .store
            .log_batch(
                &run,
                Batch {
                    metrics,
                    ..Batch::default()
                },
            )
            .await
            .unwrap();
        largest = std::fs::metadata(&log)
            .map_or(0, |file| file.len())
            .max(largest);
    }
    writing.store(false, Ordering::Relaxed);
    relay.join().unwrap();
    assert!(
        largest > 16 << 20,
        "too little was written to tell: {largest} bytes"
    );
    assert!(largest < 64 << 20, "the log grew to {largest} bytes");
}

fn log_of(database: &Path) -> PathBuf {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

#[tokio::test]
async fn spans_that_memory_should_not_hold_are_refused() {
    let database = Database::new(StoreOptions::default()).await;
    let store = &database.store;
    let trace_id = TraceId::new("tr-0123");
    let span = Span {
        trace_id: trace_id.clone(),
        span_id: "0123456789abcdef".to_owned(),
        parent_id: None,
        name: "root".to_owned(),
        span_type: None,
        status: SpanStatus::Ok,
        start_time_unix_nano: 1_000_000,
        end_time_unix_nano: 2_000_000,
        content: "{}".to_owned(),
        token_usage: None,
        cost: None,
        model_name: None,
        model_provider: None,
        session_id: None,
        user_id: None,
        request_preview: None,
        response_preview: None,
        trace_tags: Vec::new(),
        resource_tags: Vec::new(),
    };
    store
        .log_spans(ExperimentId::DEFAULT, vec![span])
        .await
        .unwrap();
    let read = || store.get_traces(vec![trace_id.clone()], None);
    assert_eq!(read().await.unwrap()[0].spans.len(), 1);
    let change = "update spans set content = printf('%.*c', ?, 'x')";
    let bytes = [limits::SPANS_READ_BYTES + 1];
    database.neighbour().execute(change, bytes).unwrap();
    let refused = read().await.unwrap_err();
    assert!(
        matches!(refused, StoreError::InvalidArgument { .. }),
        "{refused}"
    );
}
