//! The error of the client and of the fluent API.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use runledger_entities::{Coded, ErrorCode, ExperimentId, InvalidValue, RunId};
use runledger_search::SearchError;
use runledger_store::StoreError;

use crate::autolog::ScoresError;
use crate::spill::SpillError;
use crate::{ArtifactsError, InvalidOption, InvalidServer};

/// Why something was not tracked.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
/// # let tracker = runledger::Tracker::open(&uri)?;
/// use runledger::TrackingError;
///
/// let run = tracker.start_run()?;
/// // A backslash is in no name.
/// let refused = run.log_metric("a\\b", 1.0);
/// assert!(matches!(refused, Err(TrackingError::Value(_))));
/// let second = tracker.start_run();
/// assert!(matches!(second, Err(TrackingError::RunActive { .. })));
/// run.end()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrackingError {
    /// The store or server refused, or is away.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A name or value breaks a rule.
    #[error(transparent)]
    Value(#[from] InvalidValue),
    /// A filter or an order cannot be read.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// Files were not moved or read.
    #[error(transparent)]
    Artifacts(#[from] ArtifactsError),
    /// A configuration has no params.
    #[error("a configuration cannot be logged as params: {reason}")]
    Config {
        /// Why.
        reason: String,
    },
    /// Predictions have no scores.
    #[error(transparent)]
    Scores(#[from] ScoresError),
    /// An environment variable has a value that it cannot have.
    #[error(transparent)]
    Option(#[from] InvalidOption),
    /// A tracking server cannot be asked.
    #[error(transparent)]
    Server(#[from] InvalidServer),
    /// A tracking URI names nothing that can be opened.
    #[error("the tracking URI '{uri}' cannot be opened: {reason}")]
    Open {
        /// The URI, without a password.
        uri: String,
        /// Why.
        reason: String,
    },
    /// `MLFLOW_EXPERIMENT_ID` is no id.
    #[error("MLFLOW_EXPERIMENT_ID is '{value}', which is no id of an experiment")]
    ExperimentVariable {
        /// Its value.
        value: String,
    },
    /// The experiment is deleted, and cannot get runs.
    #[error(
        "Cannot set a deleted experiment '{name}' (id {id}) as the active experiment. Restore it, \
         or choose another."
    )]
    ExperimentDeleted {
        /// Its name.
        name: String,
        /// Its id.
        id: ExperimentId,
    },
    /// A run is active already where one was to start.
    #[error(
        "run {run_id} is active on this thread already: end it first, or start a child of it with \
         its method `child`"
    )]
    RunActive {
        /// The active run.
        run_id: RunId,
    },
    /// The run has ended, and takes no more metrics.
    #[error("run {run_id} has ended: it takes no more metrics")]
    RunEnded {
        /// The run.
        run_id: RunId,
    },
    /// The store did not take metrics for so long that there is no room for more.
    #[error(
        "a metric of run {run_id} was not taken: {waiting} others have waited for {seconds} s; {reason}"
    )]
    NoRoom {
        /// The run.
        run_id: RunId,
        /// How many metrics wait.
        waiting: usize,
        /// How long there was no room, in seconds.
        seconds: u64,
        /// What went wrong with the last attempt, or that nothing did.
        reason: String,
    },
    /// Metrics were refused, and will not be tried again.
    #[error("{count} metrics of run {run_id} were refused: {source}")]
    MetricsRefused {
        /// The run.
        run_id: RunId,
        /// How many.
        count: usize,
        /// The first refusal.
        source: Arc<StoreError>,
    },
    /// What was logged was not taken, and waits in a file until that is mended: then
    /// `runledger sync` sends it.
    #[error(
        "{count} values of run {run_id} were not taken: {reason}. They wait in '{}': mend that, and \
         send them with `runledger sync`",
        .path.display()
    )]
    MetricsLeft {
        /// The run.
        run_id: RunId,
        /// How many metrics, params and tags.
        count: usize,
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Metrics, or what waits in a file with them, did not arrive in time.
    #[error("{count} values of run {run_id} did not arrive within {seconds} s; {reason}")]
    MetricsWaiting {
        /// The run.
        run_id: RunId,
        /// How many metrics, params and tags.
        count: usize,
        /// How long they were waited for, in seconds.
        seconds: u64,
        /// What went wrong with the last attempt, or that nothing did.
        reason: String,
    },
    /// What could not be sent could not be kept on this machine either.
    #[error(
        "the tracker is away, and what was logged to run {run_id} cannot be kept on this machine: \
         {reason}"
    )]
    NotKept {
        /// The run.
        run_id: RunId,
        /// Why.
        reason: String,
    },
    /// A run was to log what it uses of its machine.
    #[error(
        "this program cannot log system metrics: build it with the feature 'system-metrics' of the \
         crate runledger"
    )]
    NoSystemMetrics,
    /// What an earlier program could not send to the run cannot be sent now either.
    #[error(transparent)]
    Spill(#[from] SpillError),
    /// The threads that talk to stores could not be started, or one of them failed.
    #[error("the background threads of tracking do not work: {0}")]
    Background(#[source] io::Error),
}

impl TrackingError {
    /// MLflow's error code, where the error is one of a store, a value or a filter.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// use runledger::entities::{ErrorCode, RunId};
    ///
    /// let missing = client.get_run(&RunId::new("no such run")).await;
    /// let code = missing.err().and_then(|error| error.code());
    /// assert_eq!(code, Some(ErrorCode::ResourceDoesNotExist));
    /// # Ok(())
    /// # }
    /// ```
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Store(error) => Some(error.code()),
            Self::Value(error) => Some(error.code()),
            Self::Search(error) => Some(error.code()),
            Self::Artifacts(error) => error.code(),
            Self::MetricsRefused { source, .. } => Some(source.code()),
            _ => None,
        }
    }
}
