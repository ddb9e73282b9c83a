//! Downloads: of a file, whole or in part, or of a folder.

use std::ops::Range;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, ETAG, LAST_MODIFIED,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use runledger_artifacts::{
    ArtifactError, ArtifactPath, ArtifactRead, ArtifactRepository, ArtifactRoots,
};

use super::{ArtifactRouteError, archive, representation};
use crate::conditions;
use crate::failure::Failure;

/// Streams what the request asks for of the artifacts at `artifact_uri`: the
/// file `path`, or the folder `path` as an archive.
pub(crate) async fn file_or_archive(
    roots: &ArtifactRoots,
    artifact_uri: &str,
    path: &ArtifactPath,
    request: &Parts,
) -> Result<Response, Failure> {
    let location = roots.resolve(artifact_uri).await?;
    let path = location.path.join(path).map_err(ArtifactRouteError::from)?;
    send_either(&location.repository, &path, request).await
}

/// See [`file_or_archive`].
pub(super) async fn send_either(
    repository: &Arc<dyn ArtifactRepository>,
    path: &ArtifactPath,
    request: &Parts,
) -> Result<Response, Failure> {
    if archive::is_wanted(request.uri.query())? {
        return archive::send(repository, path).await;
    }
    Ok(send(repository, path, &request.headers).await?)
}

/// Streams the file `path` of the artifacts at `artifact_uri`.
///
/// Honours `Range` (one range of bytes; others are ignored, which HTTP
/// allows), `If-Range`, `If-None-Match` and `If-Modified-Since`.
pub(crate) async fn download(
    roots: &ArtifactRoots,
    artifact_uri: &str,
    path: &ArtifactPath,
    headers: &HeaderMap,
) -> Result<Response, ArtifactRouteError> {
    let location = roots.resolve(artifact_uri).await?;
    send(&location.repository, &location.path.join(path)?, headers).await
}

/// Streams a file of a repository.
pub(super) async fn send(
    repository: &Arc<dyn ArtifactRepository>,
    path: &ArtifactPath,
    headers: &HeaderMap,
) -> Result<Response, ArtifactRouteError> {
    let range = conditions::range(headers);
    // Conditions come before the range (RFC 9110, 13.2.2): a range that this
    // version has not may be one of the version that the client knows.
    if range.is_none() || conditions::are_there(headers) {
        let whole = repository.get(path, None).await?;
        if conditions::is_unchanged(headers, whole.etag.as_deref(), whole.modified) {
            return Ok(not_modified(path, &whole));
        }
        let etag = whole.etag.as_deref();
        if range.is_none() || !conditions::range_applies(headers, etag, whole.modified) {
            return Ok(content(path, whole));
        }
    }
    let part = match repository.get(path, range).await {
        Err(ArtifactError::RangeNotSatisfiable { size_bytes }) => {
            return Ok(unsatisfiable(size_bytes));
        }
        part => part?,
    };
    // It may have been written anew in between.
    if !conditions::range_applies(headers, part.etag.as_deref(), part.modified) {
        return Ok(content(path, repository.get(path, None).await?));
    }
    // All of the file, too, if that is what was asked for.
    let content_range = content_range(&part.range, part.size);
    let mut response = content(path, part);
    if let Some(value) = content_range {
        response.headers_mut().insert(CONTENT_RANGE, value);
    }
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    Ok(response)
}

fn content(path: &ArtifactPath, read: ArtifactRead) -> Response {
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    describe(headers, path, &read);
    headers.insert(CONTENT_LENGTH, (read.range.end - read.range.start).into());
    *response.body_mut() = Body::from_stream(read.content);
    response
}

fn not_modified(path: &ArtifactPath, read: &ArtifactRead) -> Response {
    let mut response = Response::new(Body::empty());
    describe(response.headers_mut(), path, read);
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response
}

fn unsatisfiable(size: u64) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
    if let Ok(value) = HeaderValue::try_from(format!("bytes */{size}")) {
        response.headers_mut().insert(CONTENT_RANGE, value);
    }
    response
}

fn describe(headers: &mut HeaderMap, path: &ArtifactPath, read: &ArtifactRead) {
    representation::describe(headers, path.file_name().unwrap_or_default());
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Some(Ok(value)) = read.etag.as_ref().map(HeaderValue::try_from) {
        headers.insert(ETAG, value);
    }
    let modified = read
        .modified
        .map(|time| HeaderValue::try_from(httpdate::fmt_http_date(time)));
    if let Some(Ok(value)) = modified {
        headers.insert(LAST_MODIFIED, value);
    }
}

fn content_range(range: &Range<u64>, size: u64) -> Option<HeaderValue> {
    let last = range.end.checked_sub(1)?;
    HeaderValue::try_from(format!("bytes {}-{last}/{size}", range.start)).ok()
}
