//! `registered-models/*`.

use runledger_entities::{ModelStage, validate};
use runledger_protocol::messages::{
    model_versions,
    registered_models::{
        self as messages, CreateRegisteredModel, DeleteRegisteredModelTag, GetLatestVersions,
        RegisteredModelAlias, RegisteredModelByName, RenameRegisteredModel, SearchRegisteredModels,
        SetRegisteredModelAlias, SetRegisteredModelTag, UpdateRegisteredModel,
    },
};
use runledger_search::{parse_registered_model_filter, parse_registered_model_order};
use runledger_store::{
    DescriptionPatch, ModelRegistryStoreExt as _, NewRegisteredModel, PageRequest,
    RegisteredModelQuery,
};

use super::Reply;
use crate::{app::Registry, reply};

pub(crate) async fn create(registry: Registry<'_>, request: CreateRegisteredModel) -> Reply {
    validate::registered_model_name("name", &request.name)?;
    for tag in &request.tags {
        validate::registered_model_tag(tag)?;
    }
    let new = NewRegisteredModel {
        name: request.name,
        description: Some(request.description),
        tags: request.tags,
    };
    let model = registry.store.create_registered_model(new).await?;
    Ok(reply::json(messages::one(&model)))
}

pub(crate) async fn get(registry: Registry<'_>, request: RegisteredModelByName) -> Reply {
    validate::registered_model_name("name", &request.name)?;
    let model = registry.store.get_registered_model(&request.name).await?;
    Ok(reply::json(messages::one(&model)))
}

pub(crate) async fn search(registry: Registry<'_>, request: SearchRegisteredModels) -> Reply {
    let query = RegisteredModelQuery {
        filter: parse_registered_model_filter(&request.filter)?,
        order_by: parse_registered_model_order(&request.order_by)?,
        page: PageRequest {
            max_results: request.max_results,
            token: request.page_token,
        },
    };
    let page = registry.store.search_registered_models(query).await?;
    Ok(reply::json(messages::page(
        &page.items,
        page.next_token.as_deref(),
    )))
}

pub(crate) async fn update(registry: Registry<'_>, request: UpdateRegisteredModel) -> Reply {
    validate::registered_model_name("name", &request.name)?;
    let patch = DescriptionPatch {
        description: Some(request.description),
    };
    let model = registry
        .store
        .update_registered_model(&request.name, patch)
        .await?;
    Ok(reply::json(messages::one(&model)))
}

pub(crate) async fn rename(registry: Registry<'_>, request: RenameRegisteredModel) -> Reply {
    validate::registered_model_name("new_name", &request.new_name)?;
    validate::registered_model_name("name", &request.name)?;
    let model = registry
        .store
        .rename_registered_model(&request.name, &request.new_name)
        .await?;
    Ok(reply::json(messages::one(&model)))
}

pub(crate) async fn delete(registry: Registry<'_>, request: RegisteredModelByName) -> Reply {
    validate::registered_model_name("name", &request.name)?;
    registry
        .store
        .delete_registered_model(&request.name)
        .await?;
    Ok(reply::empty())
}

pub(crate) async fn latest_versions(registry: Registry<'_>, request: GetLatestVersions) -> Reply {
    validate::registered_model_name("name", &request.name)?;
    let stages: Result<Vec<ModelStage>, _> =
        request.stages.iter().map(|stage| stage.parse()).collect();
    // MLflow looks for the model before it looks at the stages.
    let all = if request.stages.is_empty() {
        &ModelStage::ALL[..]
    } else {
        stages.as_deref().unwrap_or_default()
    };
    let versions = registry
        .store
        .latest_model_versions(&request.name, all)
        .await?;
    stages?;
    Ok(reply::json(messages::latest(&versions)))
}

pub(crate) async fn set_tag(registry: Registry<'_>, request: SetRegisteredModelTag) -> Reply {
    validate::registered_model_name("name", &request.name)?;
    validate::registered_model_tag(&request.tag)?;
    registry
        .store
        .set_registered_model_tag(&request.name, request.tag)
        .await?;
    Ok(reply::empty())
}

pub(crate) async fn delete_tag(registry: Registry<'_>, request: DeleteRegisteredModelTag) -> Reply {
    validate::registered_model_name("name", &request.name)?;
    validate::registry_tag_key(&request.key)?;
    registry
        .store
        .delete_registered_model_tag(&request.name, &request.key)
        .await?;
    Ok(reply::empty())
}

pub(crate) async fn set_alias(registry: Registry<'_>, request: SetRegisteredModelAlias) -> Reply {
    validate::registered_model_name("name", &request.name)?;
    validate::new_model_alias(&request.alias)?;
    let version = request.version.parse()?;
    registry
        .store
        .set_model_alias(&request.name, &request.alias, version)
        .await?;
    Ok(reply::empty())
}

pub(crate) async fn delete_alias(registry: Registry<'_>, request: RegisteredModelAlias) -> Reply {
    validate::registered_model_name("name", &request.name)?;
    validate::model_alias(&request.alias)?;
    registry
        .store
        .delete_model_alias(&request.name, &request.alias)
        .await?;
    Ok(reply::empty())
}

pub(crate) async fn by_alias(registry: Registry<'_>, request: RegisteredModelAlias) -> Reply {
    validate::registered_model_name("name", &request.name)?;
    validate::model_alias(&request.alias)?;
    let version = registry
        .store
        .resolve_model_alias(&request.name, &request.alias)
        .await?;
    Ok(reply::json(model_versions::one(&version)))
}
