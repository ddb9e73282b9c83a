//! What the endpoints do, by noun.
//!
//! A handler gets a decoded message, checks what the store relies on, calls
//! the store, and writes the answer. It knows neither HTTP nor SQL.

pub(crate) mod artifacts;
pub(crate) mod datasets;
pub(crate) mod experiments;
pub(crate) mod logged_models;
pub(crate) mod logging;
pub(crate) mod metrics;
pub(crate) mod model_versions;
pub(crate) mod otlp;
pub(crate) mod registered_models;
pub(crate) mod runs;
pub(crate) mod server;
pub(crate) mod trace_metrics;
pub(crate) mod traces;
pub(crate) mod webhooks;

use axum::response::Response;
use runledger_entities::ExperimentId;

use crate::failure::Failure;

/// What a handler returns.
pub(crate) type Reply = Result<Response, Failure>;

/// Reads the ids of experiments.
fn experiment_ids(texts: &[String]) -> Result<Vec<ExperimentId>, Failure> {
    texts.iter().map(|text| Ok(text.parse()?)).collect()
}
