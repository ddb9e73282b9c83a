//! The store: the traits over the folder and its index.
//!
//! Writes go to the files alone, each in a thread that may block. Reads of
//! histories, and of traces by their ids, come from the files; everything else
//! comes from the index, which is first brought up to whatever of the files the
//! answer depends on.

mod assessments;
mod experiments;
mod history;
mod inputs;
mod locks;
mod logged_models;
mod logging;
mod model_registry;
mod open_runs;
mod purge;
mod registry;
mod runs;
mod spans;
mod trace_store;
mod traces;
mod tracking;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

pub(crate) use locks::Locks;
use open_runs::OpenRuns;

use runledger_entities::{Experiment, ExperimentId, LifecycleStage, RunId};
use runledger_store::{ParamChange, StoreError};
use runledger_store_sql::StoreOptions;
use tokio::sync::Semaphore;

use crate::{
    FolderError, OpenError,
    folder::experiments::create_experiment,
    index::{Index, internal},
    layout::Root,
    write::Sync,
};

/// Where the current time comes from: milliseconds since the epoch.
pub type Clock = Arc<dyn Fn() -> i64 + Send + std::marker::Sync>;

/// What an acknowledged write survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The end of this process, by whatever means: the system has the data. What
    /// MLflow's file store does.
    #[default]
    Process,
    /// The loss of power too: each write waits for the disk.
    Power,
}

/// How a file store is opened.
#[derive(Clone)]
pub struct FileStoreOptions {
    /// Under this URI new experiments keep their artifacts, each in a folder
    /// named after its id; the root itself, as a `file:` URI, if absent.
    pub artifact_root: Option<String>,
    /// The folder in which indexes are kept; `RUNLEDGER_CACHE_DIR` or the user's
    /// cache folder if absent.
    pub cache: Option<PathBuf>,
    /// What acknowledged writes survive.
    pub durability: Durability,
    /// Whether every write is refused.
    pub read_only: bool,
    /// The clock; tests set their own.
    pub clock: Clock,
}

impl Default for FileStoreOptions {
    fn default() -> Self {
        Self {
            artifact_root: None,
            cache: None,
            durability: Durability::default(),
            read_only: false,
            clock: Arc::new(system_time),
        }
    }
}

impl fmt::Debug for FileStoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStoreOptions")
            .field("artifact_root", &self.artifact_root)
            .field("cache", &self.cache)
            .field("durability", &self.durability)
            .field("read_only", &self.read_only)
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

/// How many calls work on files at a time.
const WORKERS: usize = 64;

/// How long a call waits for its turn before it is answered with "unavailable".
const TURN_TIMEOUT: Duration = Duration::from_secs(30);

/// A store in an `mlruns` folder.
///
/// Cheap to clone; all clones are one store.
#[derive(Clone)]
pub struct FileStore {
    files: Arc<Files>,
    index: Index,
    turns: Arc<Semaphore>,
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore")
            .field("root", &self.files.path)
            .finish_non_exhaustive()
    }
}

impl FileStore {
    /// Opens a folder. One that is not there is made by the first write, with
    /// the default experiment in it.
    pub async fn open(
        root: impl AsRef<Path>,
        options: FileStoreOptions,
    ) -> Result<Self, OpenError> {
        let path = std::path::absolute(root.as_ref()).map_err(|source| OpenError::Root {
            path: root.as_ref().to_owned(),
            source,
        })?;
        if path.exists() && !path.is_dir() {
            return Err(OpenError::Root {
                source: std::io::Error::from(std::io::ErrorKind::NotADirectory),
                path,
            });
        }
        let clock = Arc::clone(&options.clock);
        let index = StoreOptions {
            is_cache: true,
            clock,
            ..StoreOptions::default()
        };
        let locks = Arc::new(Locks::default());
        let index = Index::open(&path, options.cache.as_deref(), index, &locks).await?;
        let artifact_root = options.artifact_root.unwrap_or_else(|| file_uri(&path));
        Ok(Self {
            files: Arc::new(Files {
                path,
                artifact_root: runledger_store::locations::absolute(&artifact_root),
                sync: match options.durability {
                    Durability::Process => Sync::Process,
                    Durability::Power => Sync::Power,
                },
                read_only: options.read_only,
                clock: options.clock,
                locks,
                creating: Mutex::new(()),
                registering: Mutex::new(()),
                open_runs: OpenRuns::default(),
                index: index.clone(),
            }),
            index,
            turns: Arc::new(Semaphore::new(WORKERS)),
        })
    }

    /// Opens a folder, which is made with its default experiment if it is not
    /// there.
    pub async fn create(
        root: impl AsRef<Path>,
        options: FileStoreOptions,
    ) -> Result<Self, OpenError> {
        let store = Self::open(root, options).await?;
        let made = store.write(|files| files.root().map(drop)).await;
        made.map_err(|error| OpenError::Root {
            path: store.files.path.clone(),
            source: std::io::Error::other(error),
        })?;
        Ok(store)
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.files.path
    }

    /// The default experiment of a folder that is not there yet, as the first
    /// write will make it.
    async fn default_to_be(&self) -> Result<Option<Experiment>, StoreError> {
        self.read(|files| {
            let root = files.existing_root()?;
            Ok(root.is_none().then(|| files.default_experiment()))
        })
        .await
    }

    /// Reads files, in a thread that may block.
    async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Files) -> Result<T, StoreError> + Send + 'static,
    {
        let turn = Arc::clone(&self.turns).acquire_owned();
        let turn = tokio::time::timeout(TURN_TIMEOUT, turn)
            .await
            .map_err(|_| StoreError::Unavailable {
                reason: "too many calls are waiting",
            })?
            .map_err(StoreError::internal)?;
        let files = Arc::clone(&self.files);
        tokio::task::spawn_blocking(move || {
            let done = work(&files);
            drop(turn);
            done
        })
        .await
        .map_err(|error| StoreError::internal(error.to_string()))?
    }

    /// Writes files. Once begun it goes on to its end, whether or not anybody
    /// waits for it.
    async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Files) -> Result<T, StoreError> + Send + 'static,
    {
        if self.files.read_only {
            return Err(StoreError::ReadOnly);
        }
        self.read(work).await
    }
}

/// The folder, for threads that may block.
struct Files {
    path: PathBuf,
    artifact_root: String,
    sync: Sync,
    read_only: bool,
    clock: Clock,
    locks: Arc<Locks>,
    /// Held while a name is looked for and taken.
    creating: Mutex<()>,
    /// Held while the registry is changed.
    registering: Mutex<()>,
    /// Runs that were lately written to.
    open_runs: OpenRuns,
    index: Index,
}

impl Files {
    fn now(&self) -> i64 {
        (self.clock)()
    }

    /// The root, made with its default experiment where it is not there.
    fn root(&self) -> Result<Root, StoreError> {
        match Root::open(&self.path) {
            Err(error) if error.is_missing() => {}
            root => return root.map_err(internal),
        }
        let fill =
            |root: &_| create_experiment(root, &self.default_experiment(), self.sync).map(drop);
        Root::create_with(&self.path, fill, self.sync).map_err(internal)
    }

    fn default_experiment(&self) -> Experiment {
        let (id, now) = (ExperimentId::DEFAULT, self.now());
        Experiment {
            experiment_id: id,
            name: "Default".to_owned(),
            artifact_location: self.location_of(id),
            lifecycle_stage: LifecycleStage::Active,
            creation_time: Some(now),
            last_update_time: Some(now),
            tags: Vec::new(),
        }
    }

    /// The root, where it is there.
    fn existing_root(&self) -> Result<Option<Root>, StoreError> {
        match Root::open(&self.path) {
            Err(error) if error.is_missing() => Ok(None),
            root => root.map(Some).map_err(internal),
        }
    }

    fn location_of(&self, id: ExperimentId) -> String {
        runledger_store::locations::append(&self.artifact_root, &[&id.to_string()])
    }

    /// Keeps others of this process from changing the registry.
    fn registry(&self) -> MutexGuard<'_, ()> {
        self.registering
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn creating(&self) -> MutexGuard<'_, ()> {
        self.creating.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An error of the folder while something is written to a run.
fn refused(run: &RunId, error: FolderError, single: bool) -> StoreError {
    match error {
        FolderError::ParamsChanged(changes) => StoreError::ParamsChanged {
            run_id: run.clone(),
            changes: changes
                .into_iter()
                .map(|change| ParamChange {
                    key: change.key,
                    old: change.old,
                    new: change.new,
                })
                .collect(),
            single,
        },
        FolderError::Key { key } => StoreError::invalid(format!(
            "Invalid name '{key}'. Names are paths of files here, and must not resolve to other \
             names."
        )),
        // `a` and `a/b`: a file cannot be a folder.
        FolderError::WrongKind { path, .. } => StoreError::invalid(format!(
            "The name of '{path}' cannot be used: one name must not be a folder of another, such \
             as `a` and `a/b`, where each is a file."
        )),
        error => internal(error),
    }
}

/// An error of a file that should be readable.
fn unreadable(error: &FolderError) -> StoreError {
    StoreError::Corrupt {
        place: "file",
        key: String::new(),
        reason: error.to_string(),
    }
}

/// A path as a URI of its own.
fn file_uri(path: &Path) -> String {
    const ESCAPED: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'#')
        .add(b'%')
        .add(b'<')
        .add(b'>')
        .add(b'?')
        .add(b'`')
        .add(b'{')
        .add(b'}');
    let path = path.to_string_lossy();
    let escaped = percent_encoding::utf8_percent_encode(&path, ESCAPED);
    format!("file://{escaped}")
}
