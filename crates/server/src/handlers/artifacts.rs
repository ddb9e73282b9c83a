//! Artifacts of runs and logged models: finds whose they are, and leaves the
//! rest to [`artifact_routes`].

use std::{sync::Arc, time::Duration};

use http::request::Parts;
use runledger_artifacts::{ArtifactPath, ArtifactRepository};
use runledger_entities::{LoggedModelId, RunId};
use runledger_protocol::messages::artifacts::{
    ListArtifacts, ListLoggedModelArtifacts, PresignDownload, PresignOwner, PresignUpload,
};

use super::Reply;
use crate::{
    app::{App, Tracking},
    artifact_routes::{self, ArtifactQuery, ArtifactRouteError, direct},
    call::Call,
    failure::Failure,
};

async fn uri_of_run(tracking: &Tracking, id: &RunId) -> Result<String, Failure> {
    Ok(tracking.store.get_run(id).await?.info.artifact_uri)
}

async fn uri_of_model(tracking: &Tracking, id: &LoggedModelId) -> Result<String, Failure> {
    Ok(tracking
        .models
        .get_logged_model(id)
        .await?
        .artifact_location)
}

pub(crate) async fn list(app: &App, tracking: &Tracking, request: ListArtifacts) -> Reply {
    let uri = uri_of_run(tracking, &request.run_id).await?;
    Ok(artifact_routes::list(&app.artifacts, &uri, request.path.as_deref()).await?)
}

pub(crate) async fn list_of_model(
    app: &App,
    tracking: &Tracking,
    id: LoggedModelId,
    request: ListLoggedModelArtifacts,
) -> Reply {
    let uri = uri_of_model(tracking, &id).await?;
    let path = request.artifact_directory_path.as_deref();
    Ok(artifact_routes::list(&app.artifacts, &uri, path).await?)
}

pub(crate) async fn get(app: &App, tracking: &Tracking, parts: &Parts) -> Reply {
    let query = ArtifactQuery::of_run(parts.uri.query())?;
    let uri = uri_of_run(tracking, &RunId::new(query.run_id)).await?;
    artifact_routes::file_or_archive(&app.artifacts, &uri, &query.path, parts).await
}

pub(crate) async fn get_of_model(
    app: &App,
    tracking: &Tracking,
    id: LoggedModelId,
    parts: &Parts,
) -> Reply {
    let query = ArtifactQuery::of_model(parts.uri.query())?;
    let uri = uri_of_model(tracking, &id).await?;
    artifact_routes::file_or_archive(&app.artifacts, &uri, &query.path, parts).await
}

pub(crate) async fn upload(app: &App, tracking: &Tracking, mut call: Call) -> Reply {
    let query = ArtifactQuery::of_upload(call.parts.uri.query())?;
    let uri = uri_of_run(tracking, &RunId::new(query.run_id)).await?;
    let body = call.take_body();
    let headers = &call.parts.headers;
    Ok(artifact_routes::upload(&app.artifacts, &uri, &query.path, headers, body).await?)
}

/// `PUT mlflow-artifacts/artifacts/<path>`: a file of any size.
pub(crate) async fn proxy_put(destination: &Arc<dyn ArtifactRepository>, mut call: Call) -> Reply {
    let body = call.take_body();
    let headers = &call.parts.headers;
    Ok(artifact_routes::proxy::put(destination, call.artifact_path(), headers, body).await?)
}

pub(crate) async fn presign_upload(
    app: &App,
    tracking: &Tracking,
    request: PresignUpload,
) -> Reply {
    parse(&request.path)?;
    let uri = match &request.owner {
        PresignOwner::Run(id) => uri_of_run(tracking, id).await?,
        PresignOwner::LoggedModel(id) => uri_of_model(tracking, id).await?,
    };
    refuse_proxied("Presigned upload", &uri)?;
    Ok(direct::upload_of(&app.artifacts, &uri, &request.path, request.expiration).await?)
}

pub(crate) async fn presign_download(
    app: &App,
    tracking: &Tracking,
    request: PresignDownload,
) -> Reply {
    parse(&request.path)?;
    let uri = uri_of_run(tracking, &request.run_id).await?;
    refuse_proxied("Presigned download", &uri)?;
    let asked = request
        .expiration
        .and_then(|seconds| u64::try_from(seconds).ok());
    let valid = asked.map_or(app.limits.download_url_time, Duration::from_secs);
    Ok(direct::download_of(&app.artifacts, &uri, &request.path, valid).await?)
}

fn parse(path: &str) -> Result<ArtifactPath, ArtifactRouteError> {
    Ok(ArtifactPath::parse(path)?)
}

/// Of storage behind a proxy there are no URLs here (MLflow 3.17).
fn refuse_proxied(operation: &'static str, uri: &str) -> Result<(), Failure> {
    let scheme = uri
        .split_once(':')
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some(scheme @ ("mlflow-artifacts" | "http" | "https")) => Err(Failure::invalid(format!(
            "{operation} is not supported for proxied artifact storage (artifact URI scheme: \
             {scheme}). Use the artifact proxy, `mlflow-artifacts/artifacts/<path>`."
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::refuse_proxied;

    #[test]
    fn proxied_storage_has_no_urls_however_it_is_written() {
        for uri in ["mlflow-artifacts:/x", "MLFLOW-ARTIFACTS:/x", "Http://h/x"] {
            assert!(refuse_proxied("Presigned upload", uri).is_err(), "{uri}");
        }
        for uri in ["s3://b/x", "/srv/x"] {
            assert!(refuse_proxied("Presigned upload", uri).is_ok(), "{uri}");
        }
    }
}
