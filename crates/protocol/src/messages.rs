//! Requests and responses, by noun.
//!
//! A request is decoded into plain types of `runledger-entities`; a response
//! is the JSON text of an entity. What a request means (whether a name is
//! allowed, whether an id exists) is left to validation and the stores.

pub mod artifacts;
pub mod assessments;
pub mod datasets;
pub mod experiments;
pub mod logged_models;
pub mod logging;
pub mod metrics;
pub mod model_versions;
pub mod multipart;
mod pairs;
pub mod registered_models;
pub mod runs;
pub mod server;
pub mod spans;
pub mod trace_metrics;
pub mod traces;
pub mod traces_v2;
pub mod webhooks;

use runledger_entities::limits;

use crate::{Input, RequestError, json::value::Json};

/// A request that can be decoded.
pub trait Request: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// The first of the request's faults, in the order of MLflow's checks.
    fn decode(input: Input<'_>) -> Result<Self, RequestError>;
}

/// Items of the lists that MLflow does not bound. They are far beyond what any
/// client sends, and keep the memory of a request near the size of its text.
mod most {
    /// Experiments of a search.
    pub(super) const EXPERIMENT_IDS: usize = 50_000;
    /// Clauses of an order.
    pub(super) const ORDER_BY: usize = 1000;
    /// Params or tags, outside of a batch.
    pub(super) const PAIRS: usize = 10_000;
    /// Events of one webhook, of which there are fifteen.
    pub(super) const WEBHOOK_EVENTS: usize = 100;
    /// Stages of one request, of which there are four.
    pub(super) const STAGES: usize = 1000;
    /// Datasets of one request.
    pub(super) const DATASETS: usize = 1000;
    /// Tags of one dataset of a request.
    pub(super) const DATASET_TAGS: usize = 100;
    /// Models of one request.
    pub(super) const MODELS: usize = 10_000;
    /// Traces of one request.
    pub(super) const TRACES: usize = 10_000;
    /// Assessments of one trace.
    pub(super) const ASSESSMENTS: usize = 1000;
    /// Aggregations, dimensions and filters of a question about metrics.
    pub(super) const METRIC_PARTS: usize = 100;
    /// Items of an answer, which clients bound as a whole: a trace may have been given more
    /// assessments than one request tells.
    pub(super) const OF_ANSWER: usize = usize::MAX;
}

/// The body of responses that say nothing: `{}`.
pub const EMPTY: &[u8] = b"{}";

/// The `max_results` of a search: positive, and at most
/// [`limits::SEARCH_MAX_RESULTS`].
fn search_max_results(value: i64) -> Result<u32, RequestError> {
    let limit = limits::SEARCH_MAX_RESULTS;
    if value <= 0 {
        return Err(RequestError::MaxResultsNotPositive {
            value,
            full_stop: false,
        });
    }
    match u32::try_from(value) {
        Ok(results) if results <= limit => Ok(results),
        _ => Err(RequestError::MaxResultsTooLarge { value, limit }),
    }
}

/// The `max_results` of a search of the registry: positive, and at most `limit`.
fn registry_max_results(value: Option<i64>, default: u32, limit: u32) -> Result<u32, RequestError> {
    let Some(value) = value else {
        return Ok(default);
    };
    if value <= 0 {
        // For registered models MLflow's SQL store answers with a page that never ends.
        return Err(RequestError::rule(format!(
            "Invalid value for max_results. It must be a positive integer, but got {value}"
        )));
    }
    match u32::try_from(value) {
        Ok(results) if results <= limit => Ok(results),
        _ => Err(RequestError::wrong_type("max_results", &Json::Int(value))),
    }
}
