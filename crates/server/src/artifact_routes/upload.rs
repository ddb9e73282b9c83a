//! Uploads.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use runledger_artifacts::{
    ArtifactError, ArtifactLocation, ArtifactPath, ArtifactRoots, BodyError, ByteStream,
};
use runledger_protocol::RequestError;

use super::ArtifactRouteError;
use crate::reply;

/// Bytes of an upload through the UI's route (MLflow 3.17: 10 MB).
const MAX_UI_UPLOAD_BYTES: u64 = 10 << 20;

/// Stores the body as the file `path` of the artifacts at `artifact_uri`, for
/// `upload-artifact`: at most 10 MB and not empty.
pub(crate) async fn upload(
    roots: &ArtifactRoots,
    artifact_uri: &str,
    path: &ArtifactPath,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, ArtifactRouteError> {
    refuse_length(headers, MAX_UI_UPLOAD_BYTES)?;
    let mut content = stream_of(body);
    let Some(first) = first_bytes(&mut content).await else {
        return Err(RequestError::rule("Request must specify data.").into());
    };
    let location = roots.resolve(artifact_uri).await?;
    let target = ArtifactLocation {
        path: location.path.join(path)?,
        ..location
    };
    let content = stream::once(async { first }).chain(content).boxed();
    let mut response = store(&target, content, Some(MAX_UI_UPLOAD_BYTES)).await?;
    // Of a body that is not there, as in MLflow.
    response.headers_mut().insert(CONTENT_TYPE, reply::JSON);
    Ok(response)
}

/// Stores a stream; the answer has no body.
pub(super) async fn store(
    target: &ArtifactLocation,
    content: ByteStream,
    max_bytes: Option<u64>,
) -> Result<Response, ArtifactRouteError> {
    target
        .repository
        .put(&target.path, content, max_bytes)
        .await?;
    Ok(Response::new(Body::empty()))
}

/// Refuses a body that says itself that it is too long, before it is read.
pub(super) fn refuse_length(headers: &HeaderMap, max_bytes: u64) -> Result<(), ArtifactError> {
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match length {
        Some(length) if length > max_bytes => Err(ArtifactError::TooLarge { max_bytes }),
        _ => Ok(()),
    }
}

pub(super) fn stream_of(body: Body) -> ByteStream {
    body.into_data_stream().map_err(BodyError::from).boxed()
}

/// The first item that is not an empty chunk.
async fn first_bytes(content: &mut ByteStream) -> Option<Result<Bytes, BodyError>> {
    while let Some(item) = content.next().await {
        if !matches!(&item, Ok(bytes) if bytes.is_empty()) {
            return Some(item);
        }
    }
    None
}
