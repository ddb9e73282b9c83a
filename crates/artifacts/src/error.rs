//! The one error of every artifact repository.

use std::io;

use runledger_entities::{Coded, ErrorCode};

use crate::{ArtifactPath, BodyError, ForeignHost, InvalidPath, InvalidUri, redacted};

/// Why a repository did not do what it was asked.
///
/// The messages are MLflow 3.17's where it has one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactError {
    /// There is no such file.
    #[error("No such artifact: '{path}'")]
    NotFound {
        /// The path.
        path: ArtifactPath,
    },
    /// The path is a directory, where a file is needed.
    #[error("Artifact path refers to a directory, not a file: '{path}'")]
    IsDirectory {
        /// The path.
        path: ArtifactPath,
    },
    /// A parent of the path is a file.
    #[error("Cannot write artifact '{path}': one of its parent directories is a file")]
    ParentIsFile {
        /// The path.
        path: ArtifactPath,
    },
    /// The path would leave its root, or the storage cannot hold it.
    #[error(transparent)]
    InvalidPath(#[from] InvalidPath),
    /// The location of a run or model cannot be read.
    #[error(transparent)]
    InvalidUri(#[from] InvalidUri),
    /// The location is none that this process may open.
    #[error(
        "The artifact location '{}' is not served by this server: it serves \
         'mlflow-artifacts:' locations, local paths under its own artifact root, and storages \
         of its own hosts and of the schemes that it knows{}",
        redacted(uri),
        known()
    )]
    NotServed {
        /// The location.
        uri: String,
    },
    /// The location names a user as whom this process does not act.
    #[error(
        "The artifact location '{}' is not served by this server: {source}",
        redacted(uri)
    )]
    ForeignUser {
        /// The location.
        uri: String,
        /// Which user.
        source: ForeignHost,
    },
    /// The repository has no such operation.
    #[error("{operation} is not supported for the current artifact repository")]
    Unsupported {
        /// What was asked, as MLflow names it.
        operation: &'static str,
    },
    /// The upload is longer than the caller allows.
    #[error("Artifact size is too large. Max size is {}.", size(*.max_bytes))]
    TooLarge {
        /// The limit.
        max_bytes: u64,
    },
    /// The range starts after the end of the file.
    #[error("The requested range is not satisfiable: the artifact has {size_bytes} bytes")]
    RangeNotSatisfiable {
        /// The size of the file.
        size_bytes: u64,
    },
    /// The directory has more entries than one answer may hold.
    #[error("The directory '{path}' has more than {max} entries; list its subdirectories instead")]
    TooManyEntries {
        /// The directory.
        path: ArtifactPath,
        /// The limit.
        max: usize,
    },
    /// The sender of an upload failed or went away. Nothing was stored.
    #[error("The upload of artifact '{path}' broke off; nothing was stored")]
    BrokenUpload {
        /// The path.
        path: ArtifactPath,
        /// What the sender's stream said.
        #[source]
        source: BodyError,
    },
    /// No room is left. Nothing was stored.
    #[error("The artifact storage is full: artifact '{path}' was not stored")]
    StorageFull {
        /// The path.
        path: ArtifactPath,
    },
    /// More parts were asked for than an upload can have.
    #[error("An upload has 1 to {max} parts, not {parts}")]
    TooManyParts {
        /// How many were asked for.
        parts: u32,
        /// The limit.
        max: u32,
    },
    /// The storage has no such upload in parts, or other parts.
    #[error("The upload of artifact '{path}' cannot be ended: there is none of this id and parts")]
    InvalidUpload {
        /// The path.
        path: ArtifactPath,
    },
    /// The storage did not answer, or asks to come back later.
    #[error("The artifact storage is not available now. Try again.")]
    Unavailable {
        /// What was being done.
        operation: &'static str,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A fault of the storage; clients do not see the source.
    #[error("the artifact storage failed: {operation}")]
    Internal {
        /// What was being done.
        operation: &'static str,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

impl ArtifactError {
    pub(crate) fn internal(operation: &'static str, source: impl Into<io::Error>) -> Self {
        Self::Internal {
            operation,
            source: source.into(),
        }
    }
}

impl Coded for ArtifactError {
    fn code(&self) -> ErrorCode {
        match self {
            Self::NotFound { .. } => ErrorCode::ResourceDoesNotExist,
            Self::IsDirectory { .. }
            | Self::ParentIsFile { .. }
            | Self::InvalidPath(_)
            | Self::InvalidUri(_)
            | Self::TooLarge { .. }
            | Self::RangeNotSatisfiable { .. }
            | Self::TooManyEntries { .. }
            | Self::TooManyParts { .. }
            | Self::InvalidUpload { .. } => ErrorCode::InvalidParameterValue,
            Self::BrokenUpload { .. } => ErrorCode::BadRequest,
            Self::NotServed { .. } | Self::ForeignUser { .. } => ErrorCode::PermissionDenied,
            Self::Unsupported { .. } => ErrorCode::NotImplemented,
            Self::StorageFull { .. } | Self::Unavailable { .. } => {
                ErrorCode::TemporarilyUnavailable
            }
            Self::Internal { .. } => ErrorCode::InternalError,
        }
    }
}

fn known() -> String {
    match crate::STORAGE_SCHEMES {
        [] => String::new(),
        schemes => format!(": {}", schemes.join(", ")),
    }
}

/// `10MB` for whole mebibytes, as MLflow writes them, else bytes.
fn size(bytes: u64) -> String {
    const MEBIBYTE: u64 = 1 << 20;
    if bytes >= MEBIBYTE && bytes.is_multiple_of(MEBIBYTE) {
        format!("{}MB", bytes / MEBIBYTE)
    } else {
        format!("{bytes} bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_read_as_in_mlflow() {
        let error = ArtifactError::TooLarge {
            max_bytes: 10 << 20,
        };
        assert_eq!(
            error.to_string(),
            "Artifact size is too large. Max size is 10MB."
        );
    }
}
