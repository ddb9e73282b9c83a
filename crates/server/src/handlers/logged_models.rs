//! `logged-models/*` (MLflow 3.x), but for their artifacts.

use runledger_entities::{LoggedModelId, Param, Tag, limits, validate};
use runledger_protocol::messages::logged_models::{
    self as messages, CreateLoggedModel, FinalizeLoggedModel, LogLoggedModelParams,
    SearchLoggedModels, SetLoggedModelTags,
};
use runledger_search::{
    SearchedLoggedModels, SearchedOrder, parse_logged_model_filter, parse_logged_model_order_field,
};
use runledger_store::{
    DatasetFilter, LoggedModelPatch, LoggedModelQuery, NewLoggedModel, PageRequest,
};

use super::{Reply, experiment_ids};
use crate::{app::Tracking, failure::Failure, reply};

pub(crate) async fn create(tracking: &Tracking, request: CreateLoggedModel) -> Reply {
    if let Some(name) = &request.name {
        validate::logged_model_name(name)?;
        validate::length("name", name, limits::LOGGED_MODEL_NAME)?;
    }
    validate::length("model_type", &request.model_type, limits::LOGGED_MODEL_NAME)?;
    check_params(&request.params)?;
    check_tags(&request.tags)?;
    let new = NewLoggedModel {
        experiment_id: request.experiment_id.parse()?,
        name: request.name,
        model_type: Some(request.model_type),
        source_run_id: Some(request.source_run_id),
        params: request.params,
        tags: request.tags,
    };
    let model = tracking.models.create_logged_model(new).await?;
    Ok(reply::json(messages::one(&model)))
}

// The characters of keys are free here, as in MLflow.
fn check_params(params: &[Param]) -> Result<(), Failure> {
    for param in params {
        validate::length("key", &param.key, limits::LOGGED_MODEL_KEY)?;
    }
    Ok(())
}

fn check_tags(tags: &[Tag]) -> Result<(), Failure> {
    for tag in tags {
        validate::length("key", &tag.key, limits::LOGGED_MODEL_KEY)?;
    }
    Ok(())
}

pub(crate) async fn get(tracking: &Tracking, id: LoggedModelId) -> Reply {
    let model = tracking.models.get_logged_model(&id).await?;
    Ok(reply::json(messages::one(&model)))
}

pub(crate) async fn finalize(
    tracking: &Tracking,
    id: LoggedModelId,
    request: FinalizeLoggedModel,
) -> Reply {
    check_named(&request.model_id, &id)?;
    let patch = LoggedModelPatch {
        status: request.status,
    };
    let model = tracking.models.update_logged_model(&id, patch).await?;
    Ok(reply::json(messages::one(&model)))
}

/// Checks that the body means the model of the path.
fn check_named(named: &LoggedModelId, id: &LoggedModelId) -> Result<(), Failure> {
    if named == id {
        return Ok(());
    }
    Err(Failure::invalid(format!(
        "Invalid value '{named}' for parameter 'model_id' supplied: the path names '{id}'."
    )))
}

pub(crate) async fn delete(tracking: &Tracking, id: LoggedModelId) -> Reply {
    tracking.models.delete_logged_model(&id).await?;
    Ok(reply::empty())
}

pub(crate) async fn set_tags(
    tracking: &Tracking,
    id: LoggedModelId,
    request: SetLoggedModelTags,
) -> Reply {
    check_tags(&request.tags)?;
    tracking
        .models
        .set_logged_model_tags(&id, request.tags)
        .await?;
    Ok(reply::empty())
}

pub(crate) async fn delete_tag(tracking: &Tracking, id: LoggedModelId, key: &str) -> Reply {
    tracking.models.delete_logged_model_tag(&id, key).await?;
    Ok(reply::empty())
}

pub(crate) async fn log_params(
    tracking: &Tracking,
    id: LoggedModelId,
    request: LogLoggedModelParams,
) -> Reply {
    check_named(&request.model_id, &id)?;
    check_params(&request.params)?;
    tracking
        .models
        .log_logged_model_params(&id, request.params)
        .await?;
    Ok(reply::empty())
}

pub(crate) async fn search(tracking: &Tracking, request: SearchLoggedModels) -> Reply {
    let searched = searched(&request);
    let token = match &request.page_token {
        Some(token) => Some(searched.page(token)?),
        None => None,
    };
    let filter = parse_logged_model_filter(&request.filter)?;
    let order_by: Result<_, _> = request
        .order_by
        .into_iter()
        .map(|order| {
            parse_logged_model_order_field(
                &order.field_name,
                order.ascending,
                order.dataset_name,
                order.dataset_digest,
            )
        })
        .collect();
    let datasets = request.datasets.into_iter().map(|dataset| DatasetFilter {
        name: dataset.dataset_name,
        digest: dataset.dataset_digest,
    });
    let query = LoggedModelQuery {
        filter,
        order_by: order_by?,
        datasets: datasets.collect(),
        experiment_ids: experiment_ids(&request.experiment_ids)?,
        page: PageRequest {
            max_results: request.max_results,
            token,
        },
    };
    let page = tracking.models.search_logged_models(query).await?;
    let next_token = match &page.next_token {
        Some(token) => Some(searched.token(token)?),
        None => None,
    };
    Ok(reply::json(messages::page(
        &page.items,
        next_token.as_deref(),
    )))
}

/// What the page tokens of a search hold of it.
fn searched(request: &SearchLoggedModels) -> SearchedLoggedModels {
    let order = request.order_by.iter().map(|order| SearchedOrder {
        field_name: order.field_name.clone(),
        ascending: order.ascending,
        dataset_name: order.dataset_name.clone(),
        dataset_digest: order.dataset_digest.clone(),
    });
    SearchedLoggedModels {
        experiment_ids: request.experiment_ids.clone(),
        filter_string: Some(request.filter.clone()).filter(|filter| !filter.is_empty()),
        order_by: Some(order.collect()).filter(|order: &Vec<_>| !order.is_empty()),
    }
}
