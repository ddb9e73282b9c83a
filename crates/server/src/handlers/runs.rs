//! The life of runs.

use runledger_entities::{Tag, limits, validate, validate::InvalidValue};
use runledger_protocol::messages::runs::{
    self as messages, CreateRun, RunById, RunToChange, SearchRuns, UpdateRun,
};
use runledger_search::{parse_run_filter, parse_run_order};
use runledger_store::{NewRun, PageRequest, RunPatch, RunQuery};

use super::{Reply, experiment_ids};
use crate::{app::Tracking, failure::Failure, reply};

pub(crate) async fn create(tracking: &Tracking, mut request: CreateRun) -> Reply {
    // MLflow checks the characters of tag keys when they are set, and not here.
    for tag in &mut request.tags {
        validate::length("key", &tag.key, limits::KEY)?;
        validate::truncate(
            "value",
            &mut tag.value,
            limits::TAG_VALUE,
            tracking.long_values,
        )?;
    }
    if let Some(name) = &request.run_name {
        check_name(name, &request.tags)?;
    }
    let new = NewRun {
        experiment_id: request.experiment_id.parse()?,
        user_id: request.user_id,
        run_name: request.run_name,
        start_time: request.start_time,
        tags: request.tags,
    };
    let run = tracking.store.create_run(new).await?;
    Ok(reply::json(messages::created(&run)))
}

/// A name is also the value of a tag; on SQLite, MLflow has no other limit.
fn check_length(name: &str) -> Result<(), Failure> {
    Ok(validate::length("run_name", name, limits::TAG_VALUE)?)
}

fn check_name(name: &str, tags: &[Tag]) -> Result<(), Failure> {
    check_length(name)?;
    match tags.iter().find(|tag| tag.key == Tag::RUN_NAME) {
        Some(tag) if tag.value != name => Err(InvalidValue::TwoRunNames {
            run_name: name.to_owned(),
            tag: tag.value.clone(),
        }
        .into()),
        _ => Ok(()),
    }
}

pub(crate) async fn get(tracking: &Tracking, request: RunById) -> Reply {
    let run = tracking.store.get_run(&request.run_id).await?;
    Ok(reply::json(messages::one(&run)))
}

pub(crate) async fn update(tracking: &Tracking, request: UpdateRun) -> Reply {
    if let Some(name) = &request.run_name {
        check_length(name)?;
    }
    let patch = RunPatch {
        status: request.status,
        end_time: request.end_time,
        run_name: request.run_name,
    };
    let info = tracking.store.update_run(&request.run_id, patch).await?;
    Ok(reply::json(messages::updated(&info)))
}

pub(crate) async fn delete(tracking: &Tracking, request: RunToChange) -> Reply {
    tracking.store.delete_run(&request.run_id).await?;
    Ok(reply::empty())
}

pub(crate) async fn restore(tracking: &Tracking, request: RunToChange) -> Reply {
    tracking.store.restore_run(&request.run_id).await?;
    Ok(reply::empty())
}

pub(crate) async fn search(tracking: &Tracking, request: SearchRuns) -> Reply {
    let query = RunQuery {
        filter: parse_run_filter(&request.filter)?,
        order_by: parse_run_order(&request.order_by)?,
        experiment_ids: experiment_ids(&request.experiment_ids)?,
        view: request.run_view_type,
        page: PageRequest {
            max_results: request.max_results,
            token: request.page_token,
        },
    };
    let page = tracking.store.search_runs(query).await?;
    Ok(reply::json(messages::page(
        &page.items,
        page.next_token.as_deref(),
    )))
}
