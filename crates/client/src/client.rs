//! The asynchronous client: every call of a tracking store, with checks, MLflow's
//! defaults, and filters as text.
//!
//! Calls about models and traces are in files of their own.

mod batch;
mod models;
mod registry;
mod traces;

pub(crate) use self::batch::check;

use std::env;
use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use runledger_entities::{
    Coded, ErrorCode, Experiment, ExperimentId, LongValues, Metric, Param, Run, RunId, RunInfo,
    RunStatus, Tag, ViewType, limits, validate,
};
use runledger_search::{
    parse_experiment_filter, parse_experiment_order, parse_run_filter, parse_run_order,
};
use runledger_store::{
    Batch, ExperimentQuery, HistoryQuery, LoggedModelStore, ModelRegistryStore, NewExperiment,
    NewRun, PageRequest, RunPatch, RunQuery, StorePlace, TraceStore, TrackingStore,
};

use self::batch::parts;
use crate::artifacts::ArtifactPlaces;
use crate::place::{Opened, Place};
use crate::rest::shown_address;
use crate::system_metrics::SystemMetrics;
use crate::{RestOptions, RestStore, TrackingError, background, context};

/// The tag that holds the description of a run.
const NOTE: &str = "mlflow.note.content";

/// A client of a tracking server, a database or an `mlruns` folder.
///
/// Clones are cheap, and share the connections. Unlike the guards of
/// [`Tracker`](crate::Tracker) it sends everything at once, and adds no tags of its
/// own.
///
/// ```no_run
/// # async fn example() -> Result<(), runledger::TrackingError> {
/// use runledger::{Client, RunOptions, entities::RunStatus};
///
/// let client = Client::open("http://localhost:5000").await?;
/// let experiment = client.experiment_named("digits").await?;
/// let run = client.create_run(experiment.experiment_id, RunOptions::named("first")).await?;
/// client.log_param(&run.info.run_id, "depth", "7").await?;
/// client.log_metric(&run.info.run_id, "loss", 0.25, 1).await?;
/// client.end_run(&run.info.run_id, RunStatus::Finished).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    store: Arc<dyn TrackingStore>,
    models: Arc<dyn LoggedModelStore>,
    registry: Arc<dyn ModelRegistryStore>,
    /// Whether the registry is a server's, wherever the runs are.
    is_registry_of_server: bool,
    traces: Arc<dyn TraceStore>,
    rest: Option<RestStore>,
    places: ArtifactPlaces,
    uri: Arc<str>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.uri()).finish()
    }
}

/// How a tracking URI is opened; the default is [`Client::open`]'s.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
/// # let client = runledger::Client::open(&uri).await?;
/// use runledger::{Client, OpenOptions};
///
/// let options = OpenOptions {
///     read_only: true,
///     ..OpenOptions::default()
/// };
/// let reader = Client::open_with(&uri, options).await?;
/// assert!(reader.create_experiment("digits").await.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpenOptions {
    /// Whether a database or folder is only read: then it is not made if it is not
    /// there, a database may have an older schema (since MLflow 2.0), and every write
    /// is refused. A server decides for itself.
    pub read_only: bool,
    /// How a server is asked; as the environment says if absent.
    pub rest: Option<RestOptions>,
}

/// What a new run is like; the default has a random name and nothing else.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
/// # let tracker = runledger::Tracker::open(&uri)?;
/// use runledger::RunOptions;
/// use runledger::entities::Tag;
///
/// let options = RunOptions {
///     description: Some("half the learning rate".to_owned()),
///     tags: vec![Tag::new("team", "vision")],
///     ..RunOptions::named("second try")
/// };
/// let run = tracker.start_run_with(options)?;
/// assert!(run.get()?.data.tags.contains(&Tag::new("team", "vision")));
/// run.end()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunOptions {
    /// Its name; random if absent.
    pub name: Option<String>,
    /// What it is about, which pages show (the tag `mlflow.note.content`).
    pub description: Option<String>,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// The run whose child it is (the tag `mlflow.parentRunId`).
    pub parent: Option<RunId>,
    /// Whether it logs what it uses of its machine; [`Client::create_run`] does not look
    /// at it.
    pub system_metrics: SystemMetrics,
}

impl RunOptions {
    /// Of a run with this name.
    ///
    /// ```
    /// let options = runledger::RunOptions::named("second try");
    /// assert_eq!(options.name.as_deref(), Some("second try"));
    /// assert!(options.tags.is_empty());
    /// ```
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()),
            ..Self::default()
        }
    }
}

impl Client {
    /// A client of what `MLFLOW_TRACKING_URI` names. Without it: `./mlflow.db` if it
    /// is there, else `./mlruns`. Its registry of models is what `MLFLOW_REGISTRY_URI`
    /// names, if that is set.
    ///
    /// ```no_run
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = runledger::Client::from_env().await?;
    /// println!("runs go to {}", client.uri());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Client::open`].
    pub async fn from_env() -> Result<Self, TrackingError> {
        let client = Self::open(&background::apart(Place::uri_from_env).await?).await?;
        match env::var("MLFLOW_REGISTRY_URI") {
            Ok(uri) if !uri.is_empty() => client.with_registry(&uri).await,
            _ => Ok(client),
        }
    }

    /// A client of what a tracking URI names: a server (`http://`, `https://`), a
    /// database (`sqlite:///mlflow.db`, `postgresql://…`, `mysql://…`), or a folder
    /// (a path or `file:`). Databases and folders that are not there are made.
    ///
    /// Servers are asked as [`RestOptions::from_env`](crate::RestOptions::from_env)
    /// says, and not before the first call.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// use runledger::Client;
    /// use runledger::entities::ExperimentId;
    ///
    /// let database = folder.path().join("mlflow.db");
    /// let client = Client::open(&format!("sqlite:///{}", database.display())).await?;
    /// // What is new has one experiment.
    /// let experiment = client.get_experiment(ExperimentId::DEFAULT).await?;
    /// assert_eq!(experiment.name, "Default");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Open`], [`TrackingError::Server`] or
    /// [`TrackingError::Option`] if there is nothing to open.
    pub async fn open(uri: &str) -> Result<Self, TrackingError> {
        Self::open_with(uri, OpenOptions::default()).await
    }

    /// The same, opened in a way of its own.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    ///
    /// use runledger::{Client, OpenOptions, RestOptions};
    ///
    /// let rest = RestOptions {
    ///     timeout: Duration::from_secs(10),
    ///     max_retries: 1,
    ///     ..RestOptions::default()
    /// };
    /// let options = OpenOptions {
    ///     rest: Some(rest),
    ///     ..OpenOptions::default()
    /// };
    /// let client = Client::open_with("http://localhost:5000", options).await?;
    /// assert!(client.rest().is_some());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Client::open`]; with [`OpenOptions::read_only`] also if a database is
    /// not there.
    pub async fn open_with(uri: &str, options: OpenOptions) -> Result<Self, TrackingError> {
        let read_only = options.read_only;
        let mut client = Self::of(Place::of(uri).open(options).await?, uri);
        // Of a server's files, too, it decides for itself.
        client.places = client.places.read_only(read_only && client.rest.is_none());
        Ok(client)
    }

    /// The same client, which has its registry of models elsewhere: at a URI as
    /// [`Client::open`] takes it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let other = format!("sqlite:///{}", folder.path().join("registry.db").display());
    /// use runledger::store::NewRegisteredModel;
    ///
    /// let split = client.clone().with_registry(&other).await?;
    /// let model = NewRegisteredModel {
    ///     name: "digits".to_owned(),
    ///     ..NewRegisteredModel::default()
    /// };
    /// split.create_registered_model(model).await?;
    /// // It is in the other database, and not in that of the runs.
    /// assert!(client.get_registered_model("digits").await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As those of [`Client::open`].
    pub async fn with_registry(mut self, uri: &str) -> Result<Self, TrackingError> {
        let opened = Place::of(uri).open(OpenOptions::default()).await?;
        self.registry = opened.registry;
        self.is_registry_of_server = opened.rest.is_some();
        Ok(self)
    }

    fn of(opened: Opened, uri: &str) -> Self {
        Self {
            store: opened.store,
            models: opened.models,
            registry: opened.registry,
            is_registry_of_server: opened.rest.is_some(),
            traces: opened.traces,
            places: ArtifactPlaces::from_env(opened.rest.clone()),
            rest: opened.rest,
            uri: uri.into(),
        }
    }

    /// A client of a server that is asked in a way of its own.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use runledger::{Client, RestOptions, RestStore};
    ///
    /// let options = RestOptions {
    ///     token: Some("a secret".to_owned()),
    ///     ..RestOptions::default()
    /// };
    /// let client = Client::of_server(RestStore::new("http://localhost:5000", options)?);
    /// assert_eq!(client.uri(), "http://localhost:5000");
    /// # Ok(())
    /// # }
    /// ```
    pub fn of_server(store: RestStore) -> Self {
        let address = store.address().to_owned();
        Self::of(Opened::server(store), &address)
    }

    /// The tracking URI, without an account or password.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let client = runledger::Client::open("http://ada:secret@localhost:5000/ml/").await?;
    /// assert_eq!(client.uri(), "http://localhost:5000/ml");
    /// # Ok(())
    /// # }
    /// ```
    pub fn uri(&self) -> String {
        match &self.rest {
            Some(rest) => rest.address().to_owned(),
            None => without_account(&self.uri),
        }
    }

    /// Whether the store is on another machine, or may be: it can be away.
    pub(crate) fn can_be_away(&self) -> bool {
        let is_local = |uri: &str| uri.starts_with("sqlite:");
        match (&self.rest, StorePlace::of(&self.uri)) {
            (Some(_), _) => true,
            (None, StorePlace::Folder(_)) => false,
            (None, StorePlace::Database(uri)) => !is_local(&uri),
        }
    }

    /// The store below, which has every call that there is.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// use runledger::entities::ExperimentId;
    ///
    /// let datasets = client.store().search_datasets(&[ExperimentId::DEFAULT]).await?;
    /// assert!(datasets.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn store(&self) -> &Arc<dyn TrackingStore> {
        &self.store
    }

    /// The store of logged models (MLflow 3).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// use runledger::entities::{ExperimentId, LoggedModelStatus};
    /// use runledger::store::NewLoggedModel;
    ///
    /// let new = NewLoggedModel {
    ///     experiment_id: ExperimentId::DEFAULT,
    ///     name: Some("net".to_owned()),
    ///     model_type: None,
    ///     source_run_id: None,
    ///     params: Vec::new(),
    ///     tags: Vec::new(),
    /// };
    /// let model = client.models().create_logged_model(new).await?;
    /// assert_eq!(model.status, LoggedModelStatus::Pending);
    /// # Ok(())
    /// # }
    /// ```
    pub fn models(&self) -> &Arc<dyn LoggedModelStore> {
        &self.models
    }

    pub(crate) fn places(&self) -> &ArtifactPlaces {
        &self.places
    }

    /// The store of registered models and their versions.
    ///
    /// ```no_run
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// use runledger::Client;
    ///
    /// let client = Client::open("sqlite:///mlflow.db").await?;
    /// let model = client.registry().get_registered_model("digits").await?;
    /// println!("{} versions are the newest of their stages", model.latest_versions.len());
    /// # Ok(())
    /// # }
    /// ```
    pub fn registry(&self) -> &Arc<dyn ModelRegistryStore> {
        &self.registry
    }

    /// The store of traces.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// use runledger::entities::TraceId;
    ///
    /// let ids = vec![TraceId::new("tr-1"), TraceId::new("tr-2")];
    /// let found = client.traces().get_trace_infos(ids, None).await?;
    /// assert!(found.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn traces(&self) -> &Arc<dyn TraceStore> {
        &self.traces
    }

    /// The same, which repeats no call to a server.
    pub(crate) fn asking_once(&self) -> Self {
        match &self.rest {
            None => self.clone(),
            Some(rest) => Self {
                uri: Arc::clone(&self.uri),
                registry: Arc::clone(&self.registry),
                is_registry_of_server: self.is_registry_of_server,
                ..Self::of_server(rest.asking_once())
            },
        }
    }

    /// The store, if it is a server.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// // A database is no server.
    /// assert!(client.rest().is_none());
    /// # Ok(())
    /// # }
    /// ```
    pub fn rest(&self) -> Option<&RestStore> {
        self.rest.as_ref()
    }

    /// Creates an experiment of this name.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// use runledger::entities::ErrorCode;
    ///
    /// let id = client.create_experiment("digits").await?;
    /// assert_eq!(client.get_experiment(id).await?.name, "digits");
    /// let again = client.create_experiment("digits").await;
    /// let code = again.err().and_then(|error| error.code());
    /// assert_eq!(code, Some(ErrorCode::ResourceAlreadyExists));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if the name is empty or too long, and
    /// [`TrackingError::Store`] (`RESOURCE_ALREADY_EXISTS`) if an experiment has it, active or
    /// deleted.
    pub async fn create_experiment(&self, name: &str) -> Result<ExperimentId, TrackingError> {
        validate::experiment_name(name)?;
        let new = NewExperiment {
            name: name.to_owned(),
            ..NewExperiment::default()
        };
        Ok(self.store.create_experiment(new).await?)
    }

    /// An experiment, active or deleted.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// use runledger::entities::ExperimentId;
    ///
    /// let experiment = client.get_experiment(ExperimentId::DEFAULT).await?;
    /// println!("files of its runs are below {}", experiment.artifact_location);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if there is none of this id.
    pub async fn get_experiment(&self, id: ExperimentId) -> Result<Experiment, TrackingError> {
        Ok(self.store.get_experiment(id).await?)
    }

    /// The experiment of this name, active or deleted, if there is one.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// assert!(client.get_experiment_by_name("Default").await?.is_some());
    /// assert!(client.get_experiment_by_name("digits").await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if the store cannot be asked.
    pub async fn get_experiment_by_name(
        &self,
        name: &str,
    ) -> Result<Option<Experiment>, TrackingError> {
        match self.store.get_experiment_by_name(name).await {
            Ok(experiment) => Ok(Some(experiment)),
            Err(error) if error.code() == ErrorCode::ResourceDoesNotExist => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The experiment of this name, which is created if it is not there.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// let made = client.experiment_named("digits").await?;
    /// let found = client.experiment_named("digits").await?;
    /// assert_eq!(made.experiment_id, found.experiment_id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::ExperimentDeleted`] if it is deleted.
    pub async fn experiment_named(&self, name: &str) -> Result<Experiment, TrackingError> {
        let found = match self.get_experiment_by_name(name).await? {
            Some(found) => found,
            None => match self.create_experiment(name).await {
                Ok(id) => self.get_experiment(id).await?,
                // Somebody was faster.
                Err(error) if error.code() == Some(ErrorCode::ResourceAlreadyExists) => {
                    self.store.get_experiment_by_name(name).await?
                }
                Err(error) => return Err(error),
            },
        };
        active(found)
    }

    /// The active experiment of this id.
    pub(crate) async fn active_experiment(
        &self,
        id: ExperimentId,
    ) -> Result<Experiment, TrackingError> {
        active(self.get_experiment(id).await?)
    }

    /// Active experiments that fulfil a filter (`name LIKE 'a%'`, `tags.team = 'x'`;
    /// all if it is empty), ordered by clauses such as `name DESC`, newest first
    /// without any.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// for name in ["digits", "letters", "digits, larger"] {
    ///     client.create_experiment(name).await?;
    /// }
    /// let found = client.search_experiments("name LIKE 'digits%'", &["name ASC"]).await?;
    /// assert_eq!(found.len(), 2);
    /// assert_eq!(found[0].name, "digits");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Search`] if the filter or the order cannot be read.
    pub async fn search_experiments(
        &self,
        filter: &str,
        order_by: &[&str],
    ) -> Result<Vec<Experiment>, TrackingError> {
        let mut query = ExperimentQuery {
            view: ViewType::ActiveOnly,
            filter: parse_experiment_filter(filter)?,
            order_by: parse_experiment_order(&owned(order_by))?,
            page: first_page(limits::SEARCH_DEFAULT_RESULTS),
        };
        let mut found = Vec::new();
        loop {
            let page = self.store.search_experiments(query.clone()).await?;
            found.extend(page.items);
            query.page.token = page.next_token;
            if query.page.token.is_none() {
                return Ok(found);
            }
        }
    }

    /// Deletes an experiment and its runs, softly.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// use runledger::entities::LifecycleStage;
    ///
    /// let id = client.create_experiment("digits").await?;
    /// client.delete_experiment(id).await?;
    /// let experiment = client.get_experiment(id).await?;
    /// assert_eq!(experiment.lifecycle_stage, LifecycleStage::Deleted);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if it is not there, or deleted already.
    pub async fn delete_experiment(&self, id: ExperimentId) -> Result<(), TrackingError> {
        Ok(self.store.delete_experiment(id).await?)
    }

    /// Restores a deleted experiment and its runs.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// let id = client.create_experiment("digits").await?;
    /// client.delete_experiment(id).await?;
    /// client.restore_experiment(id).await?;
    /// assert_eq!(client.experiment_named("digits").await?.experiment_id, id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if it is not there, or not deleted.
    pub async fn restore_experiment(&self, id: ExperimentId) -> Result<(), TrackingError> {
        Ok(self.store.restore_experiment(id).await?)
    }

    /// Renames an experiment.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// let id = client.create_experiment("digits").await?;
    /// client.rename_experiment(id, "figures").await?;
    /// assert_eq!(client.get_experiment(id).await?.name, "figures");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if the name is empty or too long, and
    /// [`TrackingError::Store`] if the experiment is not there or deleted, or another one has
    /// the name.
    pub async fn rename_experiment(
        &self,
        id: ExperimentId,
        name: &str,
    ) -> Result<(), TrackingError> {
        validate::experiment_name(name)?;
        Ok(self.store.rename_experiment(id, name.to_owned()).await?)
    }

    /// Sets a tag of an experiment.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// let id = client.create_experiment("digits").await?;
    /// client.set_experiment_tag(id, "team", "vision").await?;
    /// let found = client.search_experiments("tags.team = 'vision'", &[]).await?;
    /// assert_eq!(found[0].experiment_id, id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if the key breaks a rule or a text is too long, and
    /// [`TrackingError::Store`] if the experiment is not there or deleted.
    pub async fn set_experiment_tag(
        &self,
        id: ExperimentId,
        key: &str,
        value: &str,
    ) -> Result<(), TrackingError> {
        let tag = Tag::new(key, value);
        validate::experiment_tag(&tag)?;
        Ok(self.store.set_experiment_tag(id, tag).await?)
    }

    /// Creates a run, which begins now.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// use runledger::RunOptions;
    /// use runledger::entities::{ExperimentId, RunStatus};
    ///
    /// let options = RunOptions::named("first");
    /// let run = client.create_run(ExperimentId::DEFAULT, options).await?;
    /// assert_eq!(run.info.status, RunStatus::Running);
    /// println!("it began at {} ms", run.info.start_time);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if a tag breaks a rule, and [`TrackingError::Store`] if the
    /// experiment is not there or deleted, or a tag is given twice.
    pub async fn create_run(
        &self,
        experiment_id: ExperimentId,
        options: RunOptions,
    ) -> Result<Run, TrackingError> {
        let mut tags = options.tags;
        let named = [
            (NOTE, options.description),
            (Tag::PARENT_RUN_ID, options.parent.map(RunId::into_string)),
        ];
        for (key, value) in named {
            tags.extend(value.map(|value| Tag::new(key, value)));
        }
        for (n, tag) in tags.iter_mut().enumerate() {
            validate::tag(&format!("tags[{n}]."), tag, LongValues::Truncate)?;
        }
        let new = NewRun {
            experiment_id,
            user_id: background::apart(context::user).await?,
            run_name: options.name,
            start_time: now(),
            tags,
        };
        Ok(self.store.create_run(new).await?)
    }

    /// A run with all that it logged.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let experiment = runledger::entities::ExperimentId::DEFAULT;
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// client.log_metric(&run, "loss", 0.25, 1).await?;
    /// let read = client.get_run(&run).await?;
    /// assert_eq!(read.data.metrics[0].value, 0.25);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if there is none of this id.
    pub async fn get_run(&self, id: &RunId) -> Result<Run, TrackingError> {
        Ok(self.store.get_run(id).await?)
    }

    /// The run whose child this one is, if it is one.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let experiment = runledger::entities::ExperimentId::DEFAULT;
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// use runledger::RunOptions;
    /// use runledger::entities::ExperimentId;
    ///
    /// let options = RunOptions {
    ///     parent: Some(run.clone()),
    ///     ..RunOptions::default()
    /// };
    /// let child = client.create_run(ExperimentId::DEFAULT, options).await?;
    /// let parent = client.get_parent_run(&child.info.run_id).await?;
    /// assert_eq!(parent.map(|parent| parent.info.run_id), Some(run));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if the run or its parent is not
    /// there.
    pub async fn get_parent_run(&self, id: &RunId) -> Result<Option<Run>, TrackingError> {
        let run = self.get_run(id).await?;
        let mut tags = run.data.tags.into_iter();
        match tags.find(|tag| tag.key == Tag::PARENT_RUN_ID) {
            Some(parent) => Ok(Some(self.get_run(&RunId::new(parent.value)).await?)),
            None => Ok(None),
        }
    }

    /// Changes the status of a run; the end of one ends now.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let experiment = runledger::entities::ExperimentId::DEFAULT;
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// use runledger::entities::RunStatus;
    ///
    /// let ended = client.end_run(&run, RunStatus::Finished).await?;
    /// let took = ended.end_time.map(|end| end - ended.start_time);
    /// println!("it took {} ms", took.unwrap_or_default());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if the run is not there or deleted.
    pub async fn end_run(&self, id: &RunId, status: RunStatus) -> Result<RunInfo, TrackingError> {
        let is_end = !matches!(status, RunStatus::Running | RunStatus::Scheduled);
        let patch = RunPatch {
            status: Some(status),
            end_time: is_end.then(now),
            run_name: None,
        };
        Ok(self.store.update_run(id, patch).await?)
    }

    /// Deletes a run, softly.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let experiment = runledger::entities::ExperimentId::DEFAULT;
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// use runledger::entities::{ExperimentId, LifecycleStage};
    ///
    /// client.delete_run(&run).await?;
    /// assert!(client.search_runs(&[ExperimentId::DEFAULT], "", &[], 10).await?.is_empty());
    /// let deleted = client.get_run(&run).await?;
    /// assert_eq!(deleted.info.lifecycle_stage, LifecycleStage::Deleted);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if it is not there.
    pub async fn delete_run(&self, id: &RunId) -> Result<(), TrackingError> {
        Ok(self.store.delete_run(id).await?)
    }

    /// Restores a deleted run.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let experiment = runledger::entities::ExperimentId::DEFAULT;
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// use runledger::entities::ExperimentId;
    ///
    /// client.delete_run(&run).await?;
    /// client.restore_run(&run).await?;
    /// let found = client.search_runs(&[ExperimentId::DEFAULT], "", &[], 10).await?;
    /// assert_eq!(found[0].info.run_id, run);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if it is not there.
    pub async fn restore_run(&self, id: &RunId) -> Result<(), TrackingError> {
        Ok(self.store.restore_run(id).await?)
    }

    /// Active runs of some experiments that fulfil a filter (`metrics.loss < 0.1 AND
    /// params.depth = '7'`; all if it is empty), ordered by clauses such as
    /// `metrics.loss ASC`, then newest first. At most `max_results`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let experiment = runledger::entities::ExperimentId::DEFAULT;
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// use runledger::entities::ExperimentId;
    ///
    /// client.log_param(&run, "depth", 7).await?;
    /// client.log_metric(&run, "loss", 0.05, 1).await?;
    /// let filter = "metrics.loss < 0.1 AND params.depth = '7'";
    /// let best = client
    ///     .search_runs(&[ExperimentId::DEFAULT], filter, &["metrics.loss ASC"], 1)
    ///     .await?;
    /// assert_eq!(best[0].info.run_id, run);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Search`] if the filter or the order cannot be read.
    pub async fn search_runs(
        &self,
        experiments: &[ExperimentId],
        filter: &str,
        order_by: &[&str],
        max_results: usize,
    ) -> Result<Vec<Run>, TrackingError> {
        let mut query = RunQuery {
            experiment_ids: experiments.to_vec(),
            view: ViewType::ActiveOnly,
            filter: parse_run_filter(filter)?,
            order_by: parse_run_order(&owned(order_by))?,
            page: first_page(0),
        };
        let mut found: Vec<Run> = Vec::new();
        loop {
            let wanting = max_results.saturating_sub(found.len());
            let wanting = u32::try_from(wanting).unwrap_or(u32::MAX);
            if wanting == 0 {
                return Ok(found);
            }
            query.page.max_results = wanting.min(limits::SEARCH_DEFAULT_RESULTS);
            let page = self.store.search_runs(query.clone()).await?;
            found.extend(page.items);
            query.page.token = page.next_token;
            if query.page.token.is_none() {
                return Ok(found);
            }
        }
    }

    /// Logs a param. Once logged, its value cannot change.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let experiment = runledger::entities::ExperimentId::DEFAULT;
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// client.log_param(&run, "learning rate", 0.01).await?;
    /// let changed = client.log_param(&run, "learning rate", 0.1).await;
    /// assert!(changed.is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if the key breaks a rule, and [`TrackingError::Store`] if the
    /// run is not there or deleted, or has another value of it.
    pub async fn log_param(
        &self,
        run: &RunId,
        key: &str,
        value: impl fmt::Display,
    ) -> Result<(), TrackingError> {
        let mut param = Param::new(key, value.to_string());
        validate::param("", &mut param, LongValues::Truncate)?;
        Ok(self.store.log_param(run, param).await?)
    }

    /// Logs a metric, measured now.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let experiment = runledger::entities::ExperimentId::DEFAULT;
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// for step in 0..3_u32 {
    ///     client.log_metric(&run, "loss", 1.0 / f64::from(step + 1), step.into()).await?;
    /// }
    /// assert_eq!(client.metric_history(&run, "loss").await?.len(), 3);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if the key breaks a rule, and [`TrackingError::Store`] if the
    /// run is not there or deleted.
    pub async fn log_metric(
        &self,
        run: &RunId,
        key: &str,
        value: f64,
        step: i64,
    ) -> Result<(), TrackingError> {
        let batch = Batch {
            metrics: vec![Metric::new(key, value, now(), step)],
            ..Batch::default()
        };
        self.log_batch(run, batch).await
    }

    /// Sets a tag of a run.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let experiment = runledger::entities::ExperimentId::DEFAULT;
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// client.set_tag(&run, "reviewed", true).await?;
    /// let tags = client.get_run(&run).await?.data.tags;
    /// assert!(tags.iter().any(|tag| tag.key == "reviewed" && tag.value == "true"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Client::log_metric`].
    pub async fn set_tag(
        &self,
        run: &RunId,
        key: &str,
        value: impl fmt::Display,
    ) -> Result<(), TrackingError> {
        let batch = Batch {
            tags: vec![Tag::new(key, value.to_string())],
            ..Batch::default()
        };
        self.log_batch(run, batch).await
    }

    /// Deletes a tag of a run.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let experiment = runledger::entities::ExperimentId::DEFAULT;
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// client.set_tag(&run, "reviewed", true).await?;
    /// client.delete_tag(&run, "reviewed").await?;
    /// assert!(client.delete_tag(&run, "reviewed").await.is_err(), "it is gone");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if the run is not there or deleted, or has no such tag
    /// (`RESOURCE_DOES_NOT_EXIST`).
    pub async fn delete_tag(&self, run: &RunId, key: &str) -> Result<(), TrackingError> {
        Ok(self.store.delete_tag(run, key).await?)
    }

    /// Logs metrics, params and tags, however many: in as many batches as MLflow's
    /// limits ask for. Each of them is logged whole or not at all.
    ///
    /// Nothing is sent if a name or value breaks a rule; over-long values are cut, as
    /// MLflow's client cuts them.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let experiment = runledger::entities::ExperimentId::DEFAULT;
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// use runledger::entities::{Metric, Param};
    /// use runledger::store::Batch;
    ///
    /// let points = (0..2_500_u32).map(|step| {
    ///     let time = 1_700_000_000_000 + i64::from(step);
    ///     Metric::new("loss", 1.0 / f64::from(step + 1), time, step.into())
    /// });
    /// let batch = Batch {
    ///     metrics: points.collect(),
    ///     params: vec![Param::new("depth", "7")],
    ///     ..Batch::default()
    /// };
    /// client.log_batch(&run, batch).await?;
    /// assert_eq!(client.metric_history(&run, "loss").await?.len(), 2_500);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if a name or value breaks a rule, and [`TrackingError::Store`]
    /// if the run is not there or deleted, or a param has another value already. Batches before
    /// the one at fault are logged.
    pub async fn log_batch(&self, run: &RunId, mut batch: Batch) -> Result<(), TrackingError> {
        check(&mut batch)?;
        self.log_checked(run, batch).await
    }

    /// The same, of what keeps the rules.
    pub(crate) async fn log_checked(&self, run: &RunId, batch: Batch) -> Result<(), TrackingError> {
        for part in parts(batch) {
            self.store.log_batch(run, part).await?;
        }
        Ok(())
    }

    /// All points of a metric, ordered by timestamp, step and value.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let experiment = runledger::entities::ExperimentId::DEFAULT;
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// client.log_metric(&run, "loss", 0.5, 1).await?;
    /// client.log_metric(&run, "loss", 0.25, 2).await?;
    /// for point in client.metric_history(&run, "loss").await? {
    ///     println!("step {} at {} ms: {}", point.step, point.timestamp, point.value);
    /// }
    /// assert!(client.metric_history(&run, "no such metric").await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if the store cannot be asked.
    pub async fn metric_history(
        &self,
        run: &RunId,
        key: &str,
    ) -> Result<Vec<Metric>, TrackingError> {
        let mut query = HistoryQuery {
            run_id: run.clone(),
            key: key.to_owned(),
            page: first_page(limits::HISTORY_MAX_RESULTS),
        };
        let mut found = Vec::new();
        loop {
            let page = self.store.metric_history(query.clone()).await?;
            found.extend(page.items);
            query.page.token = page.next_token;
            if query.page.token.is_none() {
                return Ok(found);
            }
        }
    }
}

/// A tracking URI without an account or password, as messages and files show it.
///
/// ```
/// use runledger::without_account;
///
/// assert_eq!(without_account("http://ada:secret@host:5000/ml"), "http://host:5000/ml");
/// assert_eq!(without_account("postgresql://ada:secret@host/runs"), "postgresql://host/runs");
/// assert_eq!(without_account("./mlruns"), "./mlruns");
/// ```
pub fn without_account(uri: &str) -> String {
    match Place::of(uri) {
        Place::Server(address) => shown_address(&address),
        Place::Store(StorePlace::Folder(_)) => uri.to_owned(),
        Place::Store(database) => database.to_string(),
    }
}

fn active(experiment: Experiment) -> Result<Experiment, TrackingError> {
    if ViewType::ActiveOnly.includes(experiment.lifecycle_stage) {
        return Ok(experiment);
    }
    Err(TrackingError::ExperimentDeleted {
        name: experiment.name,
        id: experiment.experiment_id,
    })
}

fn first_page(max_results: u32) -> PageRequest {
    PageRequest {
        max_results,
        token: None,
    }
}

/// The page that is to be asked for next of what several give, up to so many; nothing if
/// all are there.
fn next_page(
    found: usize,
    max_results: usize,
    most: u32,
    token: Option<String>,
) -> Option<PageRequest> {
    let wanting = u32::try_from(max_results.saturating_sub(found)).unwrap_or(u32::MAX);
    let is_more = found == 0 || token.is_some();
    (is_more && wanting > 0).then(|| PageRequest {
        max_results: wanting.min(most),
        token,
    })
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Milliseconds since the epoch.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
