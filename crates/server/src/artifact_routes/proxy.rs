//! The artifact proxy: `mlflow-artifacts/…`, through which clients reach the
//! artifacts destination without credentials for it.
//!
//! `path` is the part of the URL path after `artifacts/` (or `mpu/create/`,
//! `presigned/`), which the router has decoded once; nothing decodes it again.

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use http::HeaderMap;
use http::request::Parts;
use runledger_artifacts::{ArtifactLocation, ArtifactPath, ArtifactRepository};
use runledger_protocol::messages::{EMPTY, artifacts};

use super::list::{file, json};
use super::query::{file_name_needed, parameter};
use super::upload::{refuse_length, store, stream_of};
use super::{ArtifactRouteError, download};
use crate::failure::Failure;

/// `GET artifacts?path=…`: base names (MLflow 3.17).
pub(crate) async fn list(
    destination: &Arc<dyn ArtifactRepository>,
    query: Option<&str>,
) -> Result<Response, ArtifactRouteError> {
    let path = ArtifactPath::parse(&parameter(query, "path").unwrap_or_default())?;
    let entries = destination.list(&path).await?;
    let files: Vec<_> = entries
        .iter()
        .map(|entry| file(entry, &entry.name))
        .collect();
    Ok(json(artifacts::proxy_list(&files)))
}

/// `GET artifacts/<path>`: a file, or a folder with `archive=zip`.
pub(crate) async fn get(
    destination: &Arc<dyn ArtifactRepository>,
    path: &str,
    request: &Parts,
) -> Result<Response, Failure> {
    let path = ArtifactPath::parse(path).map_err(ArtifactRouteError::from)?;
    download::send_either(destination, &path, request).await
}

/// `PUT artifacts/<path>`: the body, streamed; of any length that the storage
/// takes.
pub(crate) async fn put(
    destination: &Arc<dyn ArtifactRepository>,
    path: &str,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, ArtifactRouteError> {
    if path.is_empty() || path.ends_with('/') {
        return Err(file_name_needed().into());
    }
    let path = ArtifactPath::parse(path)?;
    if let Some(max_bytes) = destination.max_file_bytes() {
        refuse_length(headers, max_bytes)?;
    }
    let target = ArtifactLocation {
        repository: Arc::clone(destination),
        path,
    };
    store(&target, stream_of(body), None).await
}

/// `DELETE artifacts/<path>`: a file or a directory; nothing there is fine.
pub(crate) async fn delete(
    destination: &Arc<dyn ArtifactRepository>,
    path: &str,
) -> Result<Response, ArtifactRouteError> {
    destination.delete(&ArtifactPath::parse(path)?).await?;
    Ok(json(EMPTY))
}
