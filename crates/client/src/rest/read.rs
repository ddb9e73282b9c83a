//! Entities from the JSON of MLflow's REST API, for programs that keep it in files.

use runledger_entities::{Experiment, LoggedModel, Metric, ModelVersion, RegisteredModel, Run};
use runledger_store::StoreError;
use serde_json::Value;

use super::answers;

/// An experiment, as in `{"experiment": …}` of `experiments/get`.
///
/// # Errors
/// [`StoreError::Answered`] if a member is missing or of the wrong type.
pub fn experiment(value: &Value) -> Result<Experiment, StoreError> {
    answers::experiment(value)
}

/// A run, as in `{"run": …}` of `runs/get`.
///
/// # Errors
/// As [`experiment`].
pub fn run(value: &Value) -> Result<Run, StoreError> {
    answers::run(value)
}

/// A point of a metric, as in `{"metrics": [ … ]}` of `metrics/get-history`.
///
/// # Errors
/// As [`experiment`].
pub fn metric(value: &Value) -> Result<Metric, StoreError> {
    answers::metric(value)
}

/// A logged model, as in `{"model": …}` of `logged-models/{model_id}`.
///
/// # Errors
/// As [`experiment`].
pub fn logged_model(value: &Value) -> Result<LoggedModel, StoreError> {
    answers::logged_model(value)
}

/// A registered model, as in `{"registered_model": …}` of `registered-models/get`.
///
/// # Errors
/// As [`experiment`].
pub fn registered_model(value: &Value) -> Result<RegisteredModel, StoreError> {
    answers::registered_model(value)
}

/// A version of a registered model, as in `{"model_version": …}` of `model-versions/get`.
///
/// # Errors
/// As [`experiment`].
pub fn model_version(value: &Value) -> Result<ModelVersion, StoreError> {
    answers::model_version(value)
}
