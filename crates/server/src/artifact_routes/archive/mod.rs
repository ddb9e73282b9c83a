//! A folder as one zip archive, streamed while its files are read
//! (`archive=zip` in the query of a route that sends files).
//!
//! [`walk`] finds the files before the answer begins, so that a folder that is
//! not there, or cannot be unpacked, is an error and no torn archive; [`zip`]
//! is the format; [`stream`] reads one file at a time. In memory are the names
//! of the files and one chunk.

mod stream;
mod walk;
mod zip;

use std::sync::{Arc, LazyLock};

use axum::body::Body;
use axum::response::Response;
use http::HeaderValue;
use http::header::CACHE_CONTROL;
use runledger_artifacts::{ArtifactPath, ArtifactRepository};
use runledger_protocol::RequestError;

use super::query::parameter;
use super::{ArtifactRouteError, representation};
use crate::admission::BodyBudget;
use crate::failure::Failure;

/// The most files of an archive.
const MAX_FILES: usize = 100_000;

/// The most folders that are looked into for one.
const MAX_FOLDERS: usize = 100_000;

/// Bytes that the names of all archives hold together, beyond the first 64 KiB
/// of each.
const NAMES_BYTES: usize = 32 << 20;

static NAMES: LazyLock<BodyBudget> = LazyLock::new(|| BodyBudget::new(NAMES_BYTES));

/// Whether the query asks for an archive.
///
/// # Errors
/// [`RequestError`] for a format that there is not.
pub(crate) fn is_wanted(query: Option<&str>) -> Result<bool, RequestError> {
    match parameter(query, "archive").as_deref() {
        None | Some("") => Ok(false),
        Some("zip") => Ok(true),
        Some(other) => Err(RequestError::rule(format!(
            "archive must be 'zip' (got '{other}')."
        ))),
    }
}

/// Sends a folder.
pub(crate) async fn send(
    repository: &Arc<dyn ArtifactRepository>,
    folder: &ArtifactPath,
) -> Result<Response, Failure> {
    send_within(repository, folder, &NAMES).await
}

async fn send_within(
    repository: &Arc<dyn ArtifactRepository>,
    folder: &ArtifactPath,
    names: &BodyBudget,
) -> Result<Response, Failure> {
    let found = walk::files(repository, folder, names).await?;
    let name = format!("{}.zip", folder.file_name().unwrap_or("artifacts"));
    let content = stream::of(Arc::clone(repository), folder.clone(), found);
    let mut response = Response::new(Body::from_stream(content));
    let headers = response.headers_mut();
    representation::describe(headers, &name);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Why a folder is not sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArchiveError {
    /// The path is a file.
    #[error("'{path}' is a file, not a folder: leave out 'archive' to download it")]
    IsFile {
        /// The path.
        path: ArtifactPath,
    },
    /// There is too much in it.
    #[error(
        "The folder '{path}' has more than {max} {what}, which is too much for one archive; \
         download its subfolders, or use `runledger artifacts download` or \
         `mlflow.artifacts.download_artifacts`"
    )]
    TooMany {
        /// The folder.
        path: ArtifactPath,
        /// Files or folders.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// It could not be unpacked, or not safely.
    #[error(
        "The folder cannot be sent as an archive: '{path}' in it {reason}; download it file by file"
    )]
    Name {
        /// The path.
        path: String,
        /// Why not.
        reason: &'static str,
    },
}

impl runledger_entities::Coded for ArchiveError {
    fn code(&self) -> runledger_entities::ErrorCode {
        runledger_entities::ErrorCode::InvalidParameterValue
    }
}

impl From<ArchiveError> for ArtifactRouteError {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(error)
    }
}

#[cfg(test)]
mod tests;
