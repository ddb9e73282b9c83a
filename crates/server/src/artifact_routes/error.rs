//! What can be wrong with a request about artifacts.

use runledger_artifacts::{ArtifactError, InvalidPath};
use runledger_entities::{Coded, ErrorCode};
use runledger_protocol::RequestError;

use super::archive::ArchiveError;

/// Why a request about artifacts was not served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArtifactRouteError {
    /// The repository says no.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The request cannot be read.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A folder cannot be sent as an archive.
    #[error(transparent)]
    Archive(ArchiveError),
    /// A model's file was asked for without a path.
    #[error("Request must include the \"artifact_file_path\" query parameter.")]
    NoFilePath,
    /// The spans of no trace were asked for.
    #[error("Request must include the \"request_id\" query parameter.")]
    NoTrace,
}

impl ArtifactRouteError {
    /// Whether it says that there is no such file.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Artifact(ArtifactError::NotFound { .. }))
    }
}

impl From<InvalidPath> for ArtifactRouteError {
    fn from(error: InvalidPath) -> Self {
        tracing::debug!(reason = error.reason(), "an artifact path was refused");
        Self::Artifact(error.into())
    }
}

impl Coded for ArtifactRouteError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::Artifact(error) => error.code(),
            Self::Request(error) => error.code(),
            Self::Archive(error) => error.code(),
            Self::NoFilePath | Self::NoTrace => ErrorCode::BadRequest,
        }
    }
}
