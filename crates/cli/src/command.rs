//! What commands about experiments and runs share: how they run, and why they fail.

use std::fmt;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use runledger::TrackingError;
use runledger_entities::{Coded, ErrorCode, InvalidValue, LifecycleStage};
use runledger_search::SearchError;
use runledger_store::{Resource, StoreError};

use crate::report;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The store or server refused, or is away.
    #[error("{}", Advised(.0))]
    Tracking(TrackingError),
    /// The answer cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
    /// A file cannot be written or read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// A flag is missing, or contradicts another.
    #[error("{0}")]
    Usage(String),
    /// Something is not as the command needs it.
    #[error("{0}")]
    Refused(String),
    /// The process could not be set up.
    #[error("the command cannot start: {0}")]
    Start(#[source] io::Error),
}

impl CommandError {
    /// 2 for a command line that cannot be right, 1 for everything else.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_)
            | Self::Tracking(
                TrackingError::Search(_)
                | TrackingError::Value(_)
                | TrackingError::Option(_)
                | TrackingError::Server(_),
            ) => 2,
            _ => 1,
        }
    }

    /// Whether nobody reads the output any more, which is the reader's business.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Of a file.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}

impl<E> From<E> for CommandError
where
    TrackingError: From<E>,
    E: IsTracking,
{
    fn from(error: E) -> Self {
        Self::Tracking(error.into())
    }
}

/// Errors that are [`TrackingError`]s, or become ones.
pub(crate) trait IsTracking {}
impl IsTracking for TrackingError {}
impl IsTracking for StoreError {}
impl IsTracking for InvalidValue {}
impl IsTracking for SearchError {}
impl IsTracking for runledger::InvalidOption {}

/// An error, its causes, and what to do about it.
struct Advised<'a>(&'a TrackingError);

impl fmt::Display for Advised<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = report::chain(self.0);
        match advice(self.0) {
            Some(advice) => write!(f, "{}; {advice}", words.trim_end_matches('.')),
            None => f.write_str(&words),
        }
    }
}

fn advice(error: &TrackingError) -> Option<&'static str> {
    let TrackingError::Store(error) = error else {
        return None;
    };
    match error {
        StoreError::NotFound { what, .. } => match what {
            Resource::Experiment | Resource::ExperimentName => {
                Some("`runledger experiments search --view all` lists those that are there")
            }
            Resource::Run => Some("`runledger runs search --view all` lists those that are there"),
            Resource::RegisteredModel => {
                Some("`runledger models search` lists those that are there")
            }
            _ => None,
        },
        StoreError::ExperimentExists { .. } => Some(
            "choose another name, or see which it is with `runledger experiments get \
             --experiment-name`",
        ),
        StoreError::Lifecycle { what, current, .. } => match (*what, current) {
            ("run", LifecycleStage::Deleted) => Some("`runledger runs restore` brings it back"),
            ("experiment", LifecycleStage::Deleted) => {
                Some("`runledger experiments restore` brings it back")
            }
            _ => None,
        },
        StoreError::ParamsChanged { .. } => Some("log it under another name"),
        error if error.code() == ErrorCode::Unauthenticated => Some(
            "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
        ),
        _ => None,
    }
}

/// Runs a command to its end.
pub(crate) fn run(
    command: impl Future<Output = Result<(), CommandError>>,
) -> Result<(), CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(CommandError::Start)?;
    runtime.block_on(command)
}

/// Milliseconds since the epoch.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use runledger_entities::RunId;

    use super::*;

    #[test]
    fn an_error_says_what_to_do() {
        let missing = CommandError::from(StoreError::not_found(Resource::Run, RunId::new("r")));
        let text = missing.to_string();
        assert_eq!(
            text,
            "Run with id=r not found; `runledger runs search --view all` lists those that are there"
        );
        assert_eq!(missing.exit_code(), 1);
        let taken = StoreError::ExperimentExists {
            name: "x".to_owned(),
        };
        let text = CommandError::from(taken).to_string();
        assert!(text.contains("exists; choose another name"), "{text}");
    }
}
