//! `model-versions/*`, and the files of versions.

use http::request::Parts;
use runledger_entities::{ModelStage, ModelVersion, ModelVersionNumber, RunId, validate};
use runledger_protocol::messages::model_versions::{
    self as messages, CreateModelVersion, DeleteModelVersionTag, GetDownloadUri,
    ModelVersionByNumber, SearchModelVersions, SetModelVersionTag, TransitionModelVersion,
    UpdateModelVersion,
};
use runledger_search::{parse_model_version_filter, parse_model_version_order};
use runledger_store::{
    DescriptionPatch, ModelVersionQuery, NewModelVersion, PageRequest, StageChange,
};

use super::Reply;
use crate::{
    app::{App, Registry},
    artifact_routes::{self, ModelVersionArtifactQuery},
    failure::Failure,
    model_source::{self, Claimed},
    reply,
};

pub(crate) async fn create(registry: Registry<'_>, request: CreateModelVersion) -> Reply {
    let claimed = Claimed {
        source: request.source,
        run_id: request.run_id,
        model_id: request.model_id,
    };
    let origin = model_source::origin(registry, claimed, &request.tags).await?;
    validate::registered_model_name("name", &request.name)?;
    for tag in &request.tags {
        validate::model_version_tag(tag)?;
    }
    let new = NewModelVersion {
        name: request.name,
        source: origin.source,
        storage_location: Some(origin.storage_location),
        run_id: origin.run_id.map(RunId::new),
        run_link: Some(request.run_link),
        description: Some(request.description),
        tags: request.tags,
    };
    let version = registry.store.create_model_version(new).await?;
    if let Some(model_id) = origin.model_id {
        model_source::link(registry.tracking, &model_id, &version).await?;
    }
    Ok(reply::json(messages::one(&version)))
}

async fn find(registry: Registry<'_>, name: &str, version: &str) -> Result<ModelVersion, Failure> {
    let version = named(name, version)?;
    Ok(registry.store.get_model_version(name, version).await?)
}

/// The number of a version whose model has a legal name.
fn named(name: &str, version: &str) -> Result<ModelVersionNumber, Failure> {
    validate::registered_model_name("name", name)?;
    Ok(version.parse()?)
}

pub(crate) async fn get(registry: Registry<'_>, request: ModelVersionByNumber) -> Reply {
    let version = find(registry, &request.name, &request.version).await?;
    Ok(reply::json(messages::one(&version)))
}

pub(crate) async fn search(registry: Registry<'_>, request: SearchModelVersions) -> Reply {
    let query = ModelVersionQuery {
        filter: parse_model_version_filter(&request.filter)?,
        order_by: parse_model_version_order(&request.order_by)?,
        page: PageRequest {
            max_results: request.max_results,
            token: request.page_token,
        },
    };
    let page = registry.store.search_model_versions(query).await?;
    Ok(reply::json(messages::page(
        &page.items,
        page.next_token.as_deref(),
    )))
}

pub(crate) async fn update(registry: Registry<'_>, request: UpdateModelVersion) -> Reply {
    let version = named(&request.name, &request.version)?;
    let patch = DescriptionPatch {
        description: request.description,
    };
    let version = registry
        .store
        .update_model_version(&request.name, version, patch)
        .await?;
    Ok(reply::json(messages::one(&version)))
}

pub(crate) async fn transition(registry: Registry<'_>, request: TransitionModelVersion) -> Reply {
    let stage: ModelStage = request.stage.parse()?;
    if request.archive_existing_versions {
        validate::archiving(stage, &request.stage)?;
    }
    let version = named(&request.name, &request.version)?;
    let change = StageChange {
        stage,
        archive_others: request.archive_existing_versions,
    };
    let version = registry
        .store
        .transition_model_version(&request.name, version, change)
        .await?;
    Ok(reply::json(messages::one(&version)))
}

pub(crate) async fn delete(registry: Registry<'_>, request: ModelVersionByNumber) -> Reply {
    let version = named(&request.name, &request.version)?;
    registry
        .store
        .delete_model_version(&request.name, version)
        .await?;
    Ok(reply::empty())
}

pub(crate) async fn download_uri(registry: Registry<'_>, request: GetDownloadUri) -> Reply {
    let version = find(registry, &request.name, &request.version).await?;
    Ok(reply::json(messages::download_uri(version.download_uri())))
}

pub(crate) async fn set_tag(registry: Registry<'_>, request: SetModelVersionTag) -> Reply {
    let version = named(&request.name, &request.version)?;
    validate::model_version_tag(&request.tag)?;
    registry
        .store
        .set_model_version_tag(&request.name, version, request.tag)
        .await?;
    Ok(reply::empty())
}

pub(crate) async fn delete_tag(registry: Registry<'_>, request: DeleteModelVersionTag) -> Reply {
    let version = named(&request.name, &request.version)?;
    validate::registry_tag_key(&request.key)?;
    registry
        .store
        .delete_model_version_tag(&request.name, version, &request.key)
        .await?;
    Ok(reply::empty())
}

/// A file of a version, or a folder as an archive.
pub(crate) async fn get_artifact(app: &App, registry: Registry<'_>, parts: &Parts) -> Reply {
    let query = ModelVersionArtifactQuery::of(parts.uri.query())?;
    let version = find(registry, &query.name, &query.version).await?;
    let uri = model_source::files(registry.tracking, &version).await?;
    artifact_routes::file_or_archive(&app.artifacts, &uri, &query.path, parts).await
}
