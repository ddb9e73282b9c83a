//! Why files of runs and models were not moved or read.

use runledger_artifacts::transfer::TransferError;
use runledger_artifacts::{ArtifactError, InvalidStorageOption, InvalidUri, redacted};
use runledger_entities::{Coded, ErrorCode};

/// Why files of runs and models were not moved or read.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
/// # let client = runledger::Client::open(&uri).await?;
/// # let new = runledger::store::NewExperiment {
/// #     name: "with files".to_owned(),
/// #     artifact_location: Some(folder.path().join("files").display().to_string()),
/// #     ..Default::default()
/// # };
/// # let experiment = client.store().create_experiment(new).await?;
/// # let options = runledger::RunOptions::default();
/// # let run = client.create_run(experiment, options).await?.info.run_id;
/// # let files = client.run_artifacts(&run).await?;
/// use runledger::artifacts::{ArtifactsError, TransferError};
///
/// let refused = files.log_text("out of the run", "../notes.txt").await;
/// assert!(matches!(
///     refused,
///     Err(ArtifactsError::Transfer(TransferError::Path { .. }))
/// ));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactsError {
    /// The storage says no.
    #[error(transparent)]
    Storage(#[from] ArtifactError),
    /// A path or a file of this machine, or a transfer that broke off.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// A variable about a storage has a value that it cannot have.
    #[error(transparent)]
    Option(#[from] InvalidStorageOption),
    /// The location of a run or a model cannot be read.
    #[error(transparent)]
    Uri(#[from] InvalidUri),
    /// The proxy of no server.
    #[error(
        "'{}' is behind a tracking server: use its address as the tracking URI, or set \
         MLFLOW_ARTIFACTS_DESTINATION to where it keeps artifacts",
        redacted(uri)
    )]
    NoServer {
        /// The location.
        uri: String,
    },
    /// The client was opened to read.
    #[error("the files of runs are only read: open the client without `read_only` to write")]
    ReadOnly,
    /// All files of a run or a model were to be deleted.
    #[error("all files of a run or a model cannot be deleted at once: name a file or a folder")]
    Whole,
    /// A file that is too large to be held in memory.
    #[error(
        "'{path}' has {size} bytes, more than the {max} that are read into memory: download it"
    )]
    TooLarge {
        /// Its path.
        path: String,
        /// Its size in bytes.
        size: u64,
        /// The most that is read, in bytes.
        max: u64,
    },
    /// A file is not what it was read as.
    #[error("'{path}' is no {wanted}: {reason}")]
    Content {
        /// Its path.
        path: String,
        /// What it was read as.
        wanted: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A value cannot be written.
    #[error("it cannot be written to '{path}': {reason}")]
    Value {
        /// The path that it was to have.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An image's key, whose characters end up in names of files.
    #[error(
        "the key '{key}' of an image may only have letters and digits of ASCII, '_', '-', '.', ' ' \
         and '/'"
    )]
    ImageKey {
        /// The key.
        key: String,
    },
}

impl ArtifactsError {
    /// MLflow's error code, where the storage has one.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let new = runledger::store::NewExperiment {
    /// #     name: "with files".to_owned(),
    /// #     artifact_location: Some(folder.path().join("files").display().to_string()),
    /// #     ..Default::default()
    /// # };
    /// # let experiment = client.store().create_experiment(new).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// # let files = client.run_artifacts(&run).await?;
    /// use runledger::entities::ErrorCode;
    ///
    /// let missing = files.load_text("no such file").await;
    /// let code = missing.err().and_then(|error| error.code());
    /// assert_eq!(code, Some(ErrorCode::ResourceDoesNotExist));
    /// # Ok(())
    /// # }
    /// ```
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Storage(error)
            | Self::Transfer(
                TransferError::Artifact(error) | TransferError::BrokenOff { source: error, .. },
            ) => Some(error.code()),
            Self::ReadOnly => Some(ErrorCode::PermissionDenied),
            _ => None,
        }
    }
}
