//! Entities from the JSON of MLflow's REST API, for programs that keep it in files.

use runledger_entities::{Experiment, LoggedModel, Metric, ModelVersion, RegisteredModel, Run};
use runledger_store::StoreError;
use serde_json::Value;

use super::answers;

/// An experiment, as in `{"experiment": …}` of `experiments/get`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let answer = serde_json::json!({"experiment": {
///     "experiment_id": "7",
///     "name": "digits",
///     "artifact_location": "mlflow-artifacts:/7",
///     "lifecycle_stage": "active",
/// }});
/// let experiment = runledger::rest::read::experiment(&answer["experiment"])?;
/// assert_eq!(experiment.experiment_id.0, 7);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`StoreError::Answered`] if a member is missing or of the wrong type.
pub fn experiment(value: &Value) -> Result<Experiment, StoreError> {
    answers::experiment(value)
}

/// A run, as in `{"run": …}` of `runs/get`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let answer = serde_json::json!({"run": {
///     "info": {
///         "run_id": "7f3a",
///         "experiment_id": "7",
///         "status": "FINISHED",
///         "start_time": 1_700_000_000_000_i64,
///         "end_time": 1_700_000_060_000_i64,
///         "lifecycle_stage": "active",
///     },
///     "data": {"params": [{"key": "depth", "value": "7"}]},
/// }});
/// let run = runledger::rest::read::run(&answer["run"])?;
/// assert_eq!(run.info.end_time, Some(1_700_000_060_000));
/// assert_eq!(run.data.params[0].value, "7");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`experiment`].
pub fn run(value: &Value) -> Result<Run, StoreError> {
    answers::run(value)
}

/// A point of a metric, as in `{"metrics": [ … ]}` of `metrics/get-history`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let point = serde_json::json!({
///     "key": "loss",
///     "value": "NaN",
///     "timestamp": 1_700_000_000_000_i64,
///     "step": "3",
/// });
/// let metric = runledger::rest::read::metric(&point)?;
/// assert!(metric.value.is_nan() && metric.step == 3);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`experiment`].
pub fn metric(value: &Value) -> Result<Metric, StoreError> {
    answers::metric(value)
}

/// A logged model, as in `{"model": …}` of `logged-models/{model_id}`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let answer = serde_json::json!({"model": {
///     "info": {
///         "model_id": "m-1",
///         "experiment_id": "7",
///         "name": "net",
///         "artifact_uri": "mlflow-artifacts:/7/models/m-1/artifacts",
///         "creation_timestamp_ms": 1_700_000_000_000_i64,
///         "last_updated_timestamp_ms": 1_700_000_060_000_i64,
///         "status": "LOGGED_MODEL_READY",
///     },
///     "data": {"params": [{"key": "depth", "value": "7"}]},
/// }});
/// let model = runledger::rest::read::logged_model(&answer["model"])?;
/// assert_eq!(model.name, "net");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`experiment`].
pub fn logged_model(value: &Value) -> Result<LoggedModel, StoreError> {
    answers::logged_model(value)
}

/// A registered model, as in `{"registered_model": …}` of `registered-models/get`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let answer = serde_json::json!({"registered_model": {
///     "name": "digits",
///     "creation_timestamp": 1_700_000_000_000_i64,
///     "aliases": [{"alias": "best", "version": "3"}],
/// }});
/// let model = runledger::rest::read::registered_model(&answer["registered_model"])?;
/// assert_eq!(model.aliases[0].version.0, 3);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`experiment`].
pub fn registered_model(value: &Value) -> Result<RegisteredModel, StoreError> {
    answers::registered_model(value)
}

/// A version of a registered model, as in `{"model_version": …}` of `model-versions/get`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let answer = serde_json::json!({"model_version": {
///     "name": "digits",
///     "version": "3",
///     "creation_timestamp": 1_700_000_000_000_i64,
///     "source": "models:/m-1",
/// }});
/// let version = runledger::rest::read::model_version(&answer["model_version"])?;
/// assert_eq!(version.source.as_deref(), Some("models:/m-1"));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`experiment`].
pub fn model_version(value: &Value) -> Result<ModelVersion, StoreError> {
    answers::model_version(value)
}
