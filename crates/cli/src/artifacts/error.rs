//! Why a command about artifacts failed.

use std::io;
use std::path::PathBuf;

use runledger::{InvalidOption, InvalidServer};
use runledger_artifacts::{ArtifactError, InvalidPath, InvalidStorageOption, InvalidUri, redacted};
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
    /// A variable about a storage is wrong.
    #[error(transparent)]
    Option(#[from] InvalidStorageOption),
    /// A location cannot be read.
    #[error(transparent)]
    Uri(#[from] InvalidUri),
    /// A path is none that an artifact can have.
    #[error("'{path}' is no path of an artifact: {}", source.reason())]
    Path {
        /// The path.
        path: String,
        /// Why not.
        source: InvalidPath,
    },
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
    /// Something on this machine failed.
    #[error("{}: {source}", path.display())]
    Local {
        /// The file or directory.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// A download ended before its end.
    #[error("the download of '{path}' broke off; run the command again to go on")]
    BrokenOff {
        /// The path.
        path: String,
        /// What the storage says.
        source: ArtifactError,
    },
    /// A file that is being downloaded already.
    #[error("{} is downloaded by another command now", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
}

impl ArtifactsError {
    /// 2 for a command line that cannot be right, 1 for everything else.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Open(error) => error.exit_code(),
            Self::Server(_)
            | Self::ServerOption(_)
            | Self::Option(_)
            | Self::Uri(_)
            | Self::Path { .. }
            | Self::Form { .. }
            | Self::NoServer { .. } => 2,
            _ => 1,
        }
    }

    /// Of something on this machine.
    pub(crate) fn local(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Local { path, source }
    }
}
