//! What runs log.

use runledger_entities::{
    Metric, limits,
    validate::{self, BatchSizes},
};
use runledger_protocol::messages::logging::{
    DeleteTag, LogBatch, LogInputs, LogMetric, LogModel, LogOutputs, LogParam, SetTag,
};
use runledger_store::{Batch, TrackingStoreExt};

use super::Reply;
use crate::{app::Tracking, failure::Failure, reply};

pub(crate) async fn log_metric(tracking: &Tracking, request: LogMetric) -> Reply {
    validate::metric("", &request.metric)?;
    check_dataset_of(&request.metric)?;
    tracking
        .store
        .log_metric(&request.run_id, request.metric)
        .await?;
    Ok(reply::empty())
}

/// Checks the dataset that a metric was measured on.
fn check_dataset_of(metric: &Metric) -> Result<(), Failure> {
    let Some(model) = &metric.model else {
        return Ok(());
    };
    if let Some(name) = &model.dataset_name {
        validate::length("dataset_name", name, limits::DATASET_NAME)?;
    }
    if let Some(digest) = &model.dataset_digest {
        validate::length("dataset_digest", digest, limits::DATASET_DIGEST)?;
    }
    Ok(())
}

pub(crate) async fn log_param(tracking: &Tracking, mut request: LogParam) -> Reply {
    validate::param("", &mut request.param, tracking.long_values)?;
    tracking
        .store
        .log_param(&request.run_id, request.param)
        .await?;
    Ok(reply::empty())
}

pub(crate) async fn set_tag(tracking: &Tracking, mut request: SetTag) -> Reply {
    validate::tag("", &mut request.tag, tracking.long_values)?;
    tracking.store.set_tag(&request.run_id, request.tag).await?;
    Ok(reply::empty())
}

pub(crate) async fn delete_tag(tracking: &Tracking, request: DeleteTag) -> Reply {
    tracking
        .store
        .delete_tag(&request.run_id, &request.key)
        .await?;
    Ok(reply::empty())
}

pub(crate) async fn log_batch(tracking: &Tracking, request: LogBatch) -> Reply {
    if request.run_id.as_str().is_empty() {
        return Err(Failure::invalid(
            "Invalid value \"\" for parameter 'run_id' supplied.",
        ));
    }
    let mut batch = Batch {
        metrics: request.metrics,
        params: request.params,
        tags: request.tags,
    };
    check_batch(&mut batch, request.sizes, tracking)?;
    tracking.store.log_batch(&request.run_id, batch).await?;
    Ok(reply::empty())
}

/// Checks a batch in MLflow's order: the items first, then how many they are.
fn check_batch(batch: &mut Batch, sizes: BatchSizes, tracking: &Tracking) -> Result<(), Failure> {
    for (i, metric) in batch.metrics.iter().enumerate() {
        // Nearly all are valid: the path is for the message of those that are not.
        if validate::metric("", metric).is_err() {
            validate::metric(&format!("metrics[{i}]."), metric)?;
        }
        check_dataset_of(metric)?;
    }
    for (i, param) in batch.params.iter_mut().enumerate() {
        validate::param(&format!("params[{i}]."), param, tracking.long_values)?;
    }
    for (i, tag) in batch.tags.iter_mut().enumerate() {
        validate::tag(&format!("tags[{i}]."), tag, tracking.long_values)?;
    }
    validate::batch_sizes(sizes)?;
    validate::distinct_params(&batch.params)?;
    Ok(())
}

pub(crate) async fn log_model(tracking: &Tracking, request: LogModel) -> Reply {
    tracking
        .store
        .record_logged_model(&request.run_id, &request.model_json)
        .await?;
    Ok(reply::empty())
}

pub(crate) async fn log_inputs(tracking: &Tracking, request: LogInputs) -> Reply {
    for input in &request.datasets {
        validate::dataset_input(input)?;
    }
    tracking
        .store
        .log_inputs(&request.run_id, request.datasets, request.models)
        .await?;
    Ok(reply::empty())
}

pub(crate) async fn log_outputs(tracking: &Tracking, request: LogOutputs) -> Reply {
    tracking
        .store
        .log_outputs(&request.run_id, request.models)
        .await?;
    Ok(reply::empty())
}
