//! The store: the traits, each method handed to its noun.

mod adopt;
mod model_registry;
mod purge;
mod traces;
mod webhooks;

use std::{
    fmt,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use runledger_entities::{
    DatasetInput, DatasetSummary, Experiment, ExperimentId, LifecycleStage, LoggedModel,
    LoggedModelId, Metric, ModelInput, ModelOutput, Param, Run, RunId, RunInfo, Tag,
};
use runledger_store::{
    Batch, BulkHistoryQuery, ExperimentQuery, HistoryQuery, IntervalQuery, LoggedModelPatch,
    LoggedModelQuery, LoggedModelStore, NewExperiment, NewLoggedModel, NewRun, Page, RunMetric,
    RunPatch, RunQuery, StoreError, StoreKind, TrackingStore, locations,
};

use webhooks::Webhooks;

use crate::{
    DatabaseUri, OpenError, PoolOptions, WebhookKey,
    connection::Connection,
    executor::{Appends, Connect, Executor, OpenAppender, Pool, Readers, Writer},
    indexes, migrate, mysql,
    nouns::{datasets, experiments, history, inputs, logged_models, runs},
    outbox, postgres,
    schema::Schema,
    search,
    sqlite::{Access, connect, connect_for_append},
};

/// Where the current time comes from: milliseconds since the epoch.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// How a store is opened.
#[derive(Clone)]
pub struct StoreOptions {
    /// Under this URI new experiments keep their artifacts, each in a folder
    /// named after its id. A relative path is made absolute.
    pub artifact_root: String,
    /// How many reads run at a time.
    pub readers: usize,
    /// How long a lock that another program holds on the database is waited for.
    pub busy_timeout: Duration,
    /// How many connections to a server are kept, and for how long. Batches are
    /// appended over three more.
    pub pool: PoolOptions,
    /// Whether the database is only read: then it may have an older schema,
    /// since MLflow 2.0, and every write is refused.
    pub read_only: bool,
    /// Whether the database, a SQLite file, holds nothing that cannot be made
    /// again: commits do not wait for the disk, there is no default experiment,
    /// and infinite values that it takes over stay infinite.
    pub is_cache: bool,
    /// What the secrets of webhooks are encrypted with. Without it none is taken.
    pub webhook_key: Option<WebhookKey>,
    /// The clock; tests set their own.
    pub clock: Clock,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            artifact_root: "mlflow-artifacts:/".to_owned(),
            readers: std::thread::available_parallelism()
                .map_or(2, usize::from)
                .clamp(2, 8),
            // As MLflow's SQL store.
            busy_timeout: Duration::from_secs(20),
            pool: PoolOptions::default(),
            read_only: false,
            is_cache: false,
            webhook_key: None,
            clock: Arc::new(system_time),
        }
    }
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreOptions")
            .field("artifact_root", &self.artifact_root)
            .field("readers", &self.readers)
            .field("busy_timeout", &self.busy_timeout)
            .field("pool", &self.pool)
            .field("read_only", &self.read_only)
            .field("is_cache", &self.is_cache)
            .field("webhook_key", &self.webhook_key)
            .finish_non_exhaustive()
    }
}

fn system_time() -> i64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        })
}

/// A store in a database with MLflow's schema.
///
/// Cheap to clone; all clones are one store. When the last one goes, the
/// writes that wait are finished and the database is closed.
#[derive(Clone)]
pub struct SqlStore {
    uri: DatabaseUri,
    artifact_root: Arc<str>,
    executor: Executor,
    is_cache: bool,
    read_only: bool,
    webhooks: Webhooks,
    clock: Clock,
}

impl fmt::Debug for SqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStore")
            .field("uri", &self.uri)
            .finish_non_exhaustive()
    }
}

impl SqlStore {
    /// Opens a database; an empty or missing file becomes a new one.
    ///
    /// `uri` is a SQLAlchemy URI, see [`DatabaseUri::resolve`]. Folders above the
    /// file are not made.
    pub async fn open(uri: &str, options: StoreOptions) -> Result<Self, OpenError> {
        let uri = DatabaseUri::resolve(uri)?;
        let opened = tokio::task::spawn_blocking(move || Self::open_blocking(uri, &options)).await;
        opened.unwrap_or_else(|panicked| {
            Err(OpenError::Database {
                uri: String::new(),
                reason: panicked.to_string(),
            })
        })
    }

    fn open_blocking(uri: DatabaseUri, options: &StoreOptions) -> Result<Self, OpenError> {
        let artifact_root = locations::absolute(&options.artifact_root);
        let (executor, keeps_deliveries) = match &uri {
            DatabaseUri::Sqlite { path, timeout } => {
                let options = StoreOptions {
                    busy_timeout: timeout.unwrap_or(options.busy_timeout),
                    ..options.clone()
                };
                open_file(path, &uri, &artifact_root, &options)?
            }
            DatabaseUri::Postgres(server) => {
                let server = Arc::new(server.clone());
                let for_pool = Arc::clone(&server);
                let append: Arc<OpenAppender> = Arc::new(move || {
                    let opened = postgres::Appender::open(&server)?;
                    Ok(Box::new(opened) as _)
                });
                open_server(
                    Arc::new(move || postgres::connect(&for_pool)),
                    &append,
                    &uri,
                    &artifact_root,
                    options,
                )?
            }
            DatabaseUri::Mysql(server) => {
                let server = Arc::new(server.clone());
                let for_pool = Arc::clone(&server);
                let append: Arc<OpenAppender> = Arc::new(move || {
                    let opened = mysql::Appender::open(&server)?;
                    Ok(Box::new(opened) as _)
                });
                open_server(
                    Arc::new(move || mysql::connect(&for_pool)),
                    &append,
                    &uri,
                    &artifact_root,
                    options,
                )?
            }
        };
        Ok(Self {
            artifact_root: artifact_root.into(),
            executor,
            is_cache: options.is_cache,
            read_only: options.read_only,
            webhooks: Webhooks {
                key: options.webhook_key.clone().map(Arc::new),
                added: keeps_deliveries.then(Arc::default),
            },
            clock: Arc::clone(&options.clock),
            uri,
        })
    }

    /// The database.
    pub fn uri(&self) -> &DatabaseUri {
        &self.uri
    }

    fn now(&self) -> i64 {
        (self.clock)()
    }
}

/// Threads that append to a server: two, so that one gathers and encodes while the
/// server works for the other, and a third where there is a core for it. On two cores
/// a third made groups smaller, and took a tenth of the points a second away
/// (`docs/performance.md`).
fn appenders() -> usize {
    std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 3))
}

fn open_file(
    path: &Path,
    uri: &DatabaseUri,
    artifact_root: &str,
    options: &StoreOptions,
) -> Result<(Executor, bool), OpenError> {
    let of = options.readers.max(1);
    let connect_readers = || {
        (0..of)
            .map(|_| connect(path, Access::Read { of }, options.busy_timeout))
            .collect::<Result<Vec<_>, _>>()
    };
    if options.read_only {
        let look = || connect(path, Access::Look { of }, options.busy_timeout);
        let schema = Schema::at(migrate::level(&mut look()?, &uri.to_string())?);
        let readers = (0..of)
            .map(|_| Ok(look()?.to(schema)))
            .collect::<Result<Vec<_>, OpenError>>()?;
        let executor = Executor::Embedded {
            readers: Readers::new(readers),
            writer: None,
        };
        return Ok((executor, false));
    }
    let mut connection = connect(path, Access::Write, options.busy_timeout)?;
    if options.is_cache {
        // A crash of the machine may break the file, which is then made again. Many
        // rows are taken over at a time: 64 MiB hold their pages until the commit.
        let relaxed =
            connection.batch_execute("pragma synchronous = off; pragma cache_size = -65536;");
        relaxed.map_err(|error| OpenError::Database {
            uri: uri.to_string(),
            reason: error.to_string(),
        })?;
    }
    let keeps_deliveries = prepare(&mut connection, uri, artifact_root, options)?;
    // A statement of many rows keeps what to undo, should a row fail, in a file in /var/tmp: ten
    // times the writes of the rows themselves. Not before the tables are made: an index is sorted
    // in memory then, too.
    let in_memory = connection.batch_execute("pragma temp_store = memory;");
    in_memory.map_err(|error| OpenError::Database {
        uri: uri.to_string(),
        reason: error.to_string(),
    })?;
    let append = connect_for_append(path, options.busy_timeout)?;
    let readers = Readers::new(connect_readers()?);
    let writer =
        Writer::start(path, connection, append, options.busy_timeout).map_err(|error| {
            OpenError::Database {
                uri: uri.to_string(),
                reason: error.to_string(),
            }
        })?;
    let executor = Executor::Embedded {
        readers,
        writer: Some(writer),
    };
    Ok((executor, keeps_deliveries))
}

fn open_server(
    connect: Arc<Connect>,
    append: &Arc<OpenAppender>,
    uri: &DatabaseUri,
    artifact_root: &str,
    options: &StoreOptions,
) -> Result<(Executor, bool), OpenError> {
    let mut first = connect()?;
    if options.read_only {
        let schema = Schema::at(migrate::level(&mut first, &uri.to_string())?);
        let connect = move || Ok(connect()?.to(schema));
        let executor = Executor::Server {
            pool: Pool::new(options.pool, Arc::new(connect), first.to(schema)),
            appends: None,
        };
        return Ok((executor, false));
    }
    let keeps_deliveries = prepare(&mut first, uri, artifact_root, options)?;
    let failed = |reason: String| OpenError::Database {
        uri: uri.to_string(),
        reason,
    };
    match indexes::prepare(&mut first) {
        Ok(false) => {}
        Ok(true) => make_indexes(&connect).map_err(|error| failed(error.to_string()))?,
        Err(error) => indexes_are_missing(&error),
    }
    let appends = Appends::start(appenders(), append).map_err(|error| failed(error.to_string()))?;
    let executor = Executor::Server {
        pool: Pool::new(options.pool, connect, first),
        appends: Some(appends),
    };
    Ok((executor, keeps_deliveries))
}

/// Makes indexes that are missing, in a thread of its own: the store works
/// without them, only slower.
fn make_indexes(connect: &Arc<Connect>) -> std::io::Result<()> {
    let connect = Arc::clone(connect);
    let thread = std::thread::Builder::new().name("indexes".to_owned());
    let made = thread.spawn(move || match connect() {
        Ok(mut connection) => {
            if let Err(error) = indexes::make(&mut connection) {
                indexes_are_missing(&error);
            }
        }
        Err(error) => indexes_are_missing(&error),
    });
    made.map(drop)
}

fn indexes_are_missing(reason: &dyn fmt::Display) {
    tracing::warn!(%reason, "indexes are missing: searches of many runs will be slow");
}

/// Makes or checks the schema, and makes the default experiment. Returns whether
/// deliveries to webhooks can be kept.
fn prepare(
    connection: &mut Connection,
    uri: &DatabaseUri,
    artifact_root: &str,
    options: &StoreOptions,
) -> Result<bool, OpenError> {
    let shown = uri.to_string();
    migrate::prepare(connection, &shown)?;
    if options.is_cache {
        return Ok(false);
    }
    let made = experiments::ensure_default(connection, artifact_root, (options.clock)());
    made.map_err(|error| OpenError::Database {
        uri: shown.clone(),
        reason: error.to_string(),
    })?;
    let missing = outbox::prepare(connection, &shown)?;
    if let Some(reason) = &missing {
        tracing::warn!(%reason, table = outbox::TABLE, "webhooks are told of nothing: no table");
    }
    Ok(missing.is_none())
}

#[async_trait]
impl TrackingStore for SqlStore {
    fn kind(&self) -> StoreKind {
        StoreKind::Sql
    }

    async fn create_experiment(&self, new: NewExperiment) -> Result<ExperimentId, StoreError> {
        let (root, now) = (Arc::clone(&self.artifact_root), self.now());
        self.executor
            .write(move |c| experiments::create(c, &new, &root, now))
            .await
    }

    async fn get_experiment(&self, id: ExperimentId) -> Result<Experiment, StoreError> {
        self.executor.read(move |c| experiments::get(c, id)).await
    }

    async fn get_experiment_by_name(&self, name: &str) -> Result<Experiment, StoreError> {
        let name = name.to_owned();
        self.executor
            .read(move |c| experiments::get_by_name(c, &name))
            .await
    }

    async fn search_experiments(
        &self,
        query: ExperimentQuery,
    ) -> Result<Page<Experiment>, StoreError> {
        self.executor
            .read(move |c| search::experiments::search(c, &query))
            .await
    }

    async fn delete_experiment(&self, id: ExperimentId) -> Result<(), StoreError> {
        let now = self.now();
        self.executor
            .write(move |c| experiments::set_stage(c, id, LifecycleStage::Deleted, now))
            .await
    }

    async fn restore_experiment(&self, id: ExperimentId) -> Result<(), StoreError> {
        let now = self.now();
        self.executor
            .write(move |c| experiments::set_stage(c, id, LifecycleStage::Active, now))
            .await
    }

    async fn rename_experiment(&self, id: ExperimentId, name: String) -> Result<(), StoreError> {
        let now = self.now();
        self.executor
            .write(move |c| experiments::rename(c, id, &name, now))
            .await
    }

    async fn set_experiment_tag(&self, id: ExperimentId, tag: Tag) -> Result<(), StoreError> {
        self.executor
            .write(move |c| experiments::set_tag(c, id, &tag))
            .await
    }

    async fn delete_experiment_tag(&self, id: ExperimentId, key: &str) -> Result<(), StoreError> {
        let key = key.to_owned();
        self.executor
            .write(move |c| experiments::delete_tag(c, id, &key))
            .await
    }

    async fn create_run(&self, new: NewRun) -> Result<Run, StoreError> {
        self.executor
            .write(move |c| runs::create(c, new.clone()))
            .await
    }

    async fn get_run(&self, id: &RunId) -> Result<Run, StoreError> {
        let id = id.clone();
        self.executor.read(move |c| runs::get(c, &id)).await
    }

    async fn update_run(&self, id: &RunId, patch: RunPatch) -> Result<RunInfo, StoreError> {
        let id = id.clone();
        self.executor
            .write(move |c| runs::update(c, &id, patch.clone()))
            .await
    }

    async fn delete_run(&self, id: &RunId) -> Result<(), StoreError> {
        let (id, now) = (id.clone(), self.now());
        self.executor
            .write(move |c| runs::set_stage(c, &id, LifecycleStage::Deleted, now))
            .await
    }

    async fn restore_run(&self, id: &RunId) -> Result<(), StoreError> {
        let (id, now) = (id.clone(), self.now());
        self.executor
            .write(move |c| runs::set_stage(c, &id, LifecycleStage::Active, now))
            .await
    }

    async fn search_runs(&self, query: RunQuery) -> Result<Page<Run>, StoreError> {
        self.executor
            .read(move |c| search::runs::search(c, &query))
            .await
    }

    async fn log_batch(&self, run: &RunId, batch: Batch) -> Result<(), StoreError> {
        self.executor.append(run.clone(), batch, false).await
    }

    async fn log_param(&self, run: &RunId, param: Param) -> Result<(), StoreError> {
        let batch = Batch {
            params: vec![param],
            ..Batch::default()
        };
        self.executor.append(run.clone(), batch, true).await
    }

    async fn delete_tag(&self, run: &RunId, key: &str) -> Result<(), StoreError> {
        let (run, key) = (run.clone(), key.to_owned());
        self.executor
            .write(move |c| runs::delete_tag(c, &run, &key))
            .await
    }

    async fn record_logged_model(&self, run: &RunId, model_json: &str) -> Result<(), StoreError> {
        let (run, model_json) = (run.clone(), model_json.to_owned());
        self.executor
            .write(move |c| runs::record_logged_model(c, &run, &model_json))
            .await
    }

    async fn metric_history(&self, query: HistoryQuery) -> Result<Page<Metric>, StoreError> {
        self.executor.read(move |c| history::page(c, &query)).await
    }

    async fn bulk_metric_history(
        &self,
        query: BulkHistoryQuery,
    ) -> Result<Vec<RunMetric>, StoreError> {
        self.executor.read(move |c| history::bulk(c, &query)).await
    }

    async fn metric_interval(&self, query: IntervalQuery) -> Result<Vec<RunMetric>, StoreError> {
        self.executor
            .read(move |c| history::interval(c, &query))
            .await
    }

    async fn log_inputs(
        &self,
        run: &RunId,
        datasets: Vec<DatasetInput>,
        models: Vec<ModelInput>,
    ) -> Result<(), StoreError> {
        let run = run.clone();
        self.executor
            .write(move |c| inputs::log_inputs(c, &run, &datasets, &models))
            .await
    }

    async fn log_outputs(&self, run: &RunId, models: Vec<ModelOutput>) -> Result<(), StoreError> {
        let run = run.clone();
        self.executor
            .write(move |c| inputs::log_outputs(c, &run, &models))
            .await
    }

    async fn search_datasets(
        &self,
        experiments: &[ExperimentId],
    ) -> Result<Vec<DatasetSummary>, StoreError> {
        let experiments = experiments.to_vec();
        self.executor
            .read(move |c| datasets::search(c, &experiments))
            .await
    }
}

#[async_trait]
impl LoggedModelStore for SqlStore {
    async fn create_logged_model(&self, new: NewLoggedModel) -> Result<LoggedModel, StoreError> {
        let now = self.now();
        self.executor
            .write(move |c| logged_models::create(c, new.clone(), now))
            .await
    }

    async fn get_logged_model(&self, id: &LoggedModelId) -> Result<LoggedModel, StoreError> {
        let id = id.clone();
        self.executor
            .read(move |c| logged_models::get(c, &id))
            .await
    }

    async fn search_logged_models(
        &self,
        query: LoggedModelQuery,
    ) -> Result<Page<LoggedModel>, StoreError> {
        self.executor
            .read(move |c| search::logged_models::search(c, &query))
            .await
    }

    async fn update_logged_model(
        &self,
        id: &LoggedModelId,
        patch: LoggedModelPatch,
    ) -> Result<LoggedModel, StoreError> {
        let (id, now) = (id.clone(), self.now());
        self.executor
            .write(move |c| logged_models::set_status(c, &id, patch.status, now))
            .await
    }

    async fn delete_logged_model(&self, id: &LoggedModelId) -> Result<(), StoreError> {
        let (id, now) = (id.clone(), self.now());
        self.executor
            .write(move |c| logged_models::delete(c, &id, now))
            .await
    }

    async fn set_logged_model_tags(
        &self,
        id: &LoggedModelId,
        tags: Vec<Tag>,
    ) -> Result<(), StoreError> {
        let id = id.clone();
        self.executor
            .write(move |c| logged_models::set_tags(c, &id, &tags))
            .await
    }

    async fn delete_logged_model_tag(
        &self,
        id: &LoggedModelId,
        key: &str,
    ) -> Result<(), StoreError> {
        let (id, key) = (id.clone(), key.to_owned());
        self.executor
            .write(move |c| logged_models::delete_tag(c, &id, &key))
            .await
    }

    async fn log_logged_model_params(
        &self,
        id: &LoggedModelId,
        params: Vec<Param>,
    ) -> Result<(), StoreError> {
        let id = id.clone();
        self.executor
            .write(move |c| logged_models::log_params(c, &id, &params))
            .await
    }
}
