//! Around the server: uploads in parts, and signed URLs, by which clients
//! reach the storage themselves.
//!
//! A storage without such a thing is answered with 501; clients of MLflow then
//! send and read files through the server.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use runledger_artifacts::{
    ArtifactError, ArtifactPath, ArtifactRepository, ArtifactRoots, Capabilities, SignedUrl,
    UploadedPart,
};
use runledger_protocol::messages::EMPTY;
use runledger_protocol::messages::multipart::{
    self, AbortMultipart, CompleteMultipart, CreateMultipart,
};
use runledger_protocol::{Input, Request, RequestError};

use super::ArtifactRouteError;
use super::list::json;

/// The longest time in seconds that a URL may hold (the storages' limit).
const MAX_EXPIRATION: u64 = 604_800;

/// `POST mpu/create/<directory>`: where to send each part.
pub(crate) async fn create(
    destination: &Arc<dyn ArtifactRepository>,
    directory: &str,
    body: &[u8],
) -> Result<Response, ArtifactRouteError> {
    let directory = ArtifactPath::parse(directory)?;
    let request: CreateMultipart = decode(body)?;
    let file = file_in(&directory, &request.path)?;
    check(destination, |can| can.multipart_uploads, "Multipart upload")?;
    let parts = u32::try_from(request.parts).unwrap_or(u32::MAX);
    let upload = destination.create_multipart(&file, parts).await?;
    let parts: Vec<_> = upload.parts.iter().map(message).collect();
    Ok(json(multipart::created(
        upload.upload_id.as_deref(),
        &parts,
    )))
}

/// `POST mpu/complete/<directory>`: the parts become a file.
pub(crate) async fn complete(
    destination: &Arc<dyn ArtifactRepository>,
    directory: &str,
    body: &[u8],
) -> Result<Response, ArtifactRouteError> {
    let directory = ArtifactPath::parse(directory)?;
    let request: CompleteMultipart = decode(body)?;
    let file = file_in(&directory, &request.path)?;
    check(destination, |can| can.multipart_uploads, "Multipart upload")?;
    let parts: Vec<_> = request
        .parts
        .into_iter()
        .map(|part| UploadedPart {
            number: part.number,
            etag: part.etag,
            url: part.url,
        })
        .collect();
    destination
        .complete_multipart(&file, &request.upload_id, &parts)
        .await?;
    Ok(json(EMPTY))
}

/// `POST mpu/abort/<directory>`: the parts are removed.
pub(crate) async fn abort(
    destination: &Arc<dyn ArtifactRepository>,
    directory: &str,
    body: &[u8],
) -> Result<Response, ArtifactRouteError> {
    let directory = ArtifactPath::parse(directory)?;
    let request: AbortMultipart = decode(body)?;
    let file = file_in(&directory, &request.path)?;
    check(destination, |can| can.multipart_uploads, "Multipart upload")?;
    destination
        .abort_multipart(&file, &request.upload_id)
        .await?;
    Ok(json(EMPTY))
}

/// `GET presigned/<path>`: where to read a file.
pub(crate) async fn download(
    destination: &Arc<dyn ArtifactRepository>,
    path: &str,
    valid: Duration,
) -> Result<Response, ArtifactRouteError> {
    let file = ArtifactPath::parse(path)?;
    check(
        destination,
        |can| can.presigned_downloads,
        "Multipart download",
    )?;
    let url = destination.presign_download(&file, valid).await?;
    Ok(json(multipart::proxy_download(message(&url))))
}

/// A URL to read the file `path` of the artifacts at `artifact_uri`.
pub(crate) async fn download_of(
    roots: &ArtifactRoots,
    artifact_uri: &str,
    path: &str,
    valid: Duration,
) -> Result<Response, ArtifactRouteError> {
    let path = ArtifactPath::parse(path)?;
    let location = roots.resolve(artifact_uri).await?;
    let repository = &location.repository;
    check(
        repository,
        |can| can.presigned_downloads,
        "Presigned download",
    )?;
    let file = location.path.join(&path)?;
    let url = repository.presign_download(&file, valid).await?;
    Ok(json(multipart::presigned(message(&url))))
}

/// A URL to write the file `path` of the artifacts at `artifact_uri`, for so
/// many seconds.
pub(crate) async fn upload_of(
    roots: &ArtifactRoots,
    artifact_uri: &str,
    path: &str,
    seconds: i64,
) -> Result<Response, ArtifactRouteError> {
    let path = ArtifactPath::parse(path)?;
    let valid = u64::try_from(seconds)
        .ok()
        .filter(|seconds| (1..=MAX_EXPIRATION).contains(seconds))
        .ok_or_else(|| {
            RequestError::rule(format!(
                "expiration must be between 1 and {MAX_EXPIRATION} seconds (got {seconds})."
            ))
        })?;
    let location = roots.resolve(artifact_uri).await?;
    let repository = &location.repository;
    check(repository, |can| can.presigned_uploads, "Presigned upload")?;
    let file = location.path.join(&path)?;
    let url = repository
        .presign_upload(&file, Duration::from_secs(valid))
        .await?;
    Ok(json(multipart::presigned(message(&url))))
}

/// Malformed JSON counts as an empty object (MLflow 3.17).
fn decode<R: Request>(body: &[u8]) -> Result<R, ArtifactRouteError> {
    let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok();
    let body = if is_json { body } else { b"{}" };
    Ok(R::decode(Input::Body(body))?)
}

/// The file that an upload makes. Clients send the path that it has on their
/// own machine; only its name counts.
fn file_in(directory: &ArtifactPath, path: &str) -> Result<ArtifactPath, ArtifactRouteError> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    if name.is_empty() {
        return Err(super::query::file_name_needed().into());
    }
    Ok(directory.join(&ArtifactPath::parse(name)?)?)
}

fn check(
    repository: &Arc<dyn ArtifactRepository>,
    ability: fn(Capabilities) -> bool,
    operation: &'static str,
) -> Result<(), ArtifactError> {
    if ability(repository.capabilities()) {
        return Ok(());
    }
    Err(ArtifactError::Unsupported { operation })
}

fn message(url: &SignedUrl) -> multipart::SignedUrl<'_> {
    multipart::SignedUrl {
        url: &url.url,
        headers: &url.headers,
        file_size: url.file_size,
    }
}

#[cfg(test)]
mod tests {
    use super::{ArtifactPath, file_in};

    #[test]
    fn only_the_name_of_a_clients_path_counts() {
        let directory = ArtifactPath::parse("1/r/artifacts").unwrap();
        for path in ["a.bin", "/tmp/x/a.bin", "C:\\x\\a.bin", "../../a.bin"] {
            let file = file_in(&directory, path).unwrap();
            assert_eq!(file.as_str(), "1/r/artifacts/a.bin", "{path}");
        }
        for path in ["", "x/", "..", "a/..", "a/%2e%2e", "a#b", ".runledger-x"] {
            assert!(file_in(&directory, path).is_err(), "{path}");
        }
    }
}
