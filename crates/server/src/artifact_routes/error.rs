//! What can be wrong with a request about artifacts.

use runledger_artifacts::{ArtifactError, InvalidPath};
use runledger_entities::{Coded, ErrorCode};
use runledger_protocol::RequestError;

/// Why a request about artifacts was not served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArtifactRouteError {
    /// The repository says no.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The request cannot be read.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// A model's file was asked for without a path.
    #[error("Request must include the \"artifact_file_path\" query parameter.")]
    NoFilePath,
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
            Self::NoFilePath => ErrorCode::BadRequest,
        }
    }
}
