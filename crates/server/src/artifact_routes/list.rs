//! Lists of artifacts.

use axum::body::Body;
use axum::response::Response;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use runledger_artifacts::{ArtifactPath, ArtifactRoots, FileInfo};
use runledger_protocol::messages::artifacts;

use super::ArtifactRouteError;

/// Lists one level below `path` in the artifacts at `artifact_uri`.
///
/// Paths in the answer are relative to `artifact_uri` (MLflow 3.17).
pub(crate) async fn list(
    roots: &ArtifactRoots,
    artifact_uri: &str,
    path: Option<&str>,
) -> Result<Response, ArtifactRouteError> {
    let path = ArtifactPath::parse(path.unwrap_or_default())?;
    let location = roots.resolve(artifact_uri).await?;
    let entries = location
        .repository
        .list(&location.path.join(&path)?)
        .await?;
    let paths: Vec<_> = entries
        .iter()
        .map(|entry| {
            if path.is_root() {
                entry.name.clone()
            } else {
                format!("{path}/{}", entry.name)
            }
        })
        .collect();
    let files: Vec<_> = entries
        .iter()
        .zip(&paths)
        .map(|(entry, path)| file(entry, path))
        .collect();
    Ok(json(artifacts::list(artifact_uri, &files)))
}

/// An entry of the answer.
pub(super) fn file<'a>(entry: &FileInfo, path: &'a str) -> artifacts::FileInfo<'a> {
    artifacts::FileInfo {
        path,
        is_dir: entry.is_dir,
        file_size: (!entry.is_dir).then_some(entry.file_size),
    }
}

pub(super) fn json(body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    let content_type = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
