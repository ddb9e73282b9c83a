//! `experiments/*`.

use runledger_entities::{ExperimentId, limits, validate};
use runledger_protocol::messages::experiments::{
    self as messages, CreateExperiment, DeleteExperimentTag, ExperimentById, ExperimentByName,
    SearchExperiments, SetExperimentTag, UpdateExperiment,
};
use runledger_search::{parse_experiment_filter, parse_experiment_order};
use runledger_store::{ExperimentQuery, NewExperiment, PageRequest};

use super::Reply;
use crate::{app::Tracking, failure::Failure, reply};

pub(crate) async fn create(tracking: &Tracking, request: CreateExperiment) -> Reply {
    validate::experiment_name(&request.name)?;
    for tag in &request.tags {
        validate::experiment_tag(tag)?;
    }
    let views = request.tags.iter().filter(|tag| is_custom_view(&tag.key));
    if views.count() > MAX_CUSTOM_VIEWS {
        return Err(too_many_custom_views(""));
    }
    if let Some(location) = &request.artifact_location {
        check_artifact_location(tracking, location)?;
    }
    let new = NewExperiment {
        name: request.name,
        artifact_location: request.artifact_location,
        tags: request.tags,
    };
    let id = tracking.store.create_experiment(new).await?;
    Ok(reply::json(messages::created(id)))
}

fn check_artifact_location(tracking: &Tracking, location: &str) -> Result<(), Failure> {
    if location.contains('#') {
        return Err(validate::InvalidValue::ArtifactLocation.into());
    }
    if location.chars().count() > limits::ARTIFACT_LOCATION {
        return Err(Failure::invalid(format!(
            "Invalid artifact path length. The length of the artifact path cannot be greater than \
             {} characters.",
            limits::ARTIFACT_LOCATION
        )));
    }
    if location.starts_with("runs:") {
        return Err(Failure::invalid(format!(
            "Artifact location cannot be a runs:/ URI. Given: '{location}'"
        )));
    }
    tracking.hosts.check(location).map_err(|foreign| {
        Failure::invalid(format!(
            "'artifact_location' cannot use the '{}' scheme: {foreign}",
            foreign.scheme
        ))
    })
}

/// Most custom views (tags of MLflow's UI) that an experiment can have.
const MAX_CUSTOM_VIEWS: usize = 50;

fn is_custom_view(key: &str) -> bool {
    key.starts_with("mlflow.customView.view")
}

fn too_many_custom_views(of: &str) -> Failure {
    Failure::invalid(format!(
        "Unable to create another custom view{of}; the maximum number of custom views per \
         experiment is {MAX_CUSTOM_VIEWS}. Delete an existing custom view before creating a new \
         one."
    ))
}

/// As in MLflow, a view that another request adds meanwhile is not counted.
async fn check_custom_view(
    tracking: &Tracking,
    id: ExperimentId,
    key: &str,
) -> Result<(), Failure> {
    if !is_custom_view(key) {
        return Ok(());
    }
    let tags = tracking.store.get_experiment(id).await?.tags;
    let views = tags.iter().filter(|tag| is_custom_view(&tag.key)).count();
    if views >= MAX_CUSTOM_VIEWS && !tags.iter().any(|tag| tag.key == key) {
        return Err(too_many_custom_views(&format!(" for experiment {id}")));
    }
    Ok(())
}

pub(crate) async fn get(tracking: &Tracking, request: ExperimentById) -> Reply {
    let id: ExperimentId = request.experiment_id.parse()?;
    let experiment = tracking.store.get_experiment(id).await?;
    Ok(reply::json(messages::one(&experiment)))
}

pub(crate) async fn get_by_name(tracking: &Tracking, request: ExperimentByName) -> Reply {
    let experiment = tracking
        .store
        .get_experiment_by_name(&request.experiment_name)
        .await?;
    Ok(reply::json(messages::one(&experiment)))
}

pub(crate) async fn search(tracking: &Tracking, request: SearchExperiments) -> Reply {
    let query = ExperimentQuery {
        view: request.view_type,
        filter: parse_experiment_filter(&request.filter)?,
        order_by: parse_experiment_order(&request.order_by)?,
        page: PageRequest {
            max_results: request.max_results,
            token: request.page_token,
        },
    };
    let page = tracking.store.search_experiments(query).await?;
    Ok(reply::json(messages::page(
        &page.items,
        page.next_token.as_deref(),
    )))
}

pub(crate) async fn delete(tracking: &Tracking, request: ExperimentById) -> Reply {
    let id = request.experiment_id.parse()?;
    tracking.store.delete_experiment(id).await?;
    Ok(reply::empty())
}

pub(crate) async fn restore(tracking: &Tracking, request: ExperimentById) -> Reply {
    let id = request.experiment_id.parse()?;
    tracking.store.restore_experiment(id).await?;
    Ok(reply::empty())
}

pub(crate) async fn update(tracking: &Tracking, request: UpdateExperiment) -> Reply {
    validate::experiment_name(&request.new_name)?;
    let id = request.experiment_id.parse()?;
    tracking
        .store
        .rename_experiment(id, request.new_name)
        .await?;
    Ok(reply::empty())
}

pub(crate) async fn set_tag(tracking: &Tracking, request: SetExperimentTag) -> Reply {
    validate::experiment_tag(&request.tag)?;
    let id = request.experiment_id.parse()?;
    check_custom_view(tracking, id, &request.tag.key).await?;
    tracking.store.set_experiment_tag(id, request.tag).await?;
    Ok(reply::empty())
}

pub(crate) async fn delete_tag(tracking: &Tracking, request: DeleteExperimentTag) -> Reply {
    let id = request.experiment_id.parse()?;
    tracking
        .store
        .delete_experiment_tag(id, &request.key)
        .await?;
    Ok(reply::empty())
}
