//! The asynchronous client: every call of a tracking store, with checks, MLflow's
//! defaults, and filters as text.
//!
//! Here is how it is opened; the calls are in files of their own, by what they are about.

mod batch;
mod experiments;
mod logging;
mod model_versions;
mod models;
mod registered_models;
mod runs;
mod traces;

pub(crate) use self::batch::check;

use std::env;
use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use runledger_entities::{RunId, Tag};
use runledger_store::{
    LoggedModelStore, ModelRegistryStore, PageRequest, StorePlace, TraceStore, TrackingStore,
};

use crate::artifacts::ArtifactPlaces;
use crate::place::{Opened, Place};
use crate::rest::shown_address;
use crate::system_metrics::SystemMetrics;
use crate::{RestOptions, RestStore, TrackingError, background};

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
