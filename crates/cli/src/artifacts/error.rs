//! Why a command about artifacts failed.

use std::io;

use runledger::{InvalidOption, InvalidServer};
use runledger_artifacts::transfer::TransferError;
use runledger_artifacts::{ArtifactError, InvalidUri, redacted};
use runledger_store::StoreError;

use crate::serve::RunError;

/// Why a command about artifacts failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArtifactsError {
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] RunError),
    /// The store does not have it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The tracking server cannot be asked.
    #[error(transparent)]
    Server(#[from] InvalidServer),
    /// A variable about the tracking server is wrong.
    #[error(transparent)]
    ServerOption(#[from] InvalidOption),
    /// The storage says no.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// Files were not moved.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// A storage cannot be found.
    #[error(transparent)]
    Place(runledger::ArtifactsError),
    /// A location cannot be read.
    #[error(transparent)]
    Uri(#[from] InvalidUri),
    /// It names no run or model.
    #[error("'{}' is not of the form {form}", redacted(uri))]
    Form {
        /// The location.
        uri: String,
        /// The form.
        form: &'static str,
    },
    /// A model that is a model that is a model, and so on.
    #[error("'{uri}' leads from one model to the next without an end")]
    Endless {
        /// The location.
        uri: String,
    },
    /// The answer cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(#[from] io::Error),
    /// There is nothing at all.
    #[error("{what} has no artifacts")]
    Nothing {
        /// A run, or a model.
        what: String,
    },
    /// The proxy of no server.
    #[error(
        "'{}' is behind a tracking server: set MLFLOW_TRACKING_URI to it, or \
         --artifacts-destination to where it keeps artifacts",
        redacted(uri)
    )]
    NoServer {
        /// The location.
        uri: String,
    },
}

impl From<runledger::ArtifactsError> for ArtifactsError {
    fn from(error: runledger::ArtifactsError) -> Self {
        match error {
            // The command has a flag for it.
            runledger::ArtifactsError::NoServer { uri } => Self::NoServer { uri },
            error => Self::Place(error),
        }
    }
}

impl ArtifactsError {
    /// Whether nobody reads the output any more, which is the reader's business.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// 2 for a command line that cannot be right, 1 for everything else.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Open(error) => error.exit_code(),
            Self::Server(_)
            | Self::ServerOption(_)
            | Self::Uri(_)
            | Self::Place(
                runledger::ArtifactsError::Option(_) | runledger::ArtifactsError::Uri(_),
            )
            | Self::Transfer(TransferError::Path { .. })
            | Self::Form { .. }
            | Self::NoServer { .. } => 2,
            _ => 1,
        }
    }
}
