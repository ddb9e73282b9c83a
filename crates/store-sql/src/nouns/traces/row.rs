//! A row of the table of traces, and what it means.

use std::collections::BTreeMap;

use diesel::sql_types::{BigInt, Double, Integer, Nullable, Text};
use runledger_entities::{
    Cost, ExperimentId, TokenUsage, TraceId, TraceInfo, TraceState, quote, trace_keys, validate,
};
use runledger_store::StoreError;

use crate::values::SerialId;

/// The columns that [`Row`] reads, of the table `trace_info t`.
pub(crate) const COLUMNS: &str = "t.request_id, t.experiment_id, t.timestamp_ms, \
    t.execution_time_ms, t.status, t.client_request_id, t.request_preview, t.response_preview, \
    t.trace_name, t.session_id, t.input_tokens, t.output_tokens, t.total_tokens, \
    t.cache_read_input_tokens, t.cache_creation_input_tokens, \
    t.cache_creation_input_tokens_above_1hr, t.input_cost, t.output_cost, t.total_cost";

/// The SQL types of [`COLUMNS`].
pub(crate) type Columns = (
    (Text, Integer, BigInt, Nullable<BigInt>, Text),
    (
        Nullable<Text>,
        Nullable<Text>,
        Nullable<Text>,
        Nullable<Text>,
        Nullable<Text>,
    ),
    (
        Nullable<BigInt>,
        Nullable<BigInt>,
        Nullable<BigInt>,
        Nullable<BigInt>,
        Nullable<BigInt>,
        Nullable<BigInt>,
    ),
    (Nullable<Double>, Nullable<Double>, Nullable<Double>),
);

type Texts = (
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

type Counts = (
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
);

/// A row of [`COLUMNS`].
pub(crate) type Row = (
    (String, SerialId, i64, Option<i64>, String),
    Texts,
    Counts,
    (Option<f64>, Option<f64>, Option<f64>),
);

pub(super) fn info(
    ((id, experiment, time, duration, status), texts, counts, costs): Row,
    mut tags: BTreeMap<String, String>,
    mut metadata: BTreeMap<String, String>,
) -> Result<TraceInfo, StoreError> {
    let (client_request_id, request_preview, response_preview, name, session) = texts;
    let state = TraceState::from_name(&status).ok_or_else(|| StoreError::Corrupt {
        place: "trace_info",
        key: id.clone(),
        reason: format!("status is '{status}'"),
    })?;
    let put = |into: &mut BTreeMap<String, String>, key: &str, value: Option<String>| {
        into.remove(key);
        into.extend(value.map(|value| (key.to_owned(), value)));
    };
    put(&mut tags, trace_keys::NAME, name);
    put(&mut metadata, trace_keys::SESSION, session);
    let counts = [counts.0, counts.1, counts.2, counts.3, counts.4, counts.5];
    let counts = counts.map(|count| count.map(|count| count.to_string()));
    let names = TokenUsage::MEMBERS.map(|(name, _)| name);
    put(
        &mut metadata,
        trace_keys::TOKEN_USAGE,
        quote::numbers(names, counts),
    );
    let costs = [costs.0, costs.1, costs.2].map(|cost| cost.map(validate::python_float));
    let names = Cost::MEMBERS.map(|(name, _)| name);
    put(
        &mut metadata,
        trace_keys::COST,
        quote::numbers(names, costs),
    );
    Ok(TraceInfo {
        trace_id: TraceId::new(id),
        experiment_id: ExperimentId(experiment.0),
        request_time: time,
        execution_duration: duration,
        state,
        client_request_id,
        request_preview,
        response_preview,
        metadata,
        tags,
        assessments: Vec::new(),
    })
}
