//! Traces in memory: without their spans and their links.

use std::cmp::Ordering;

use runledger_entities::{TraceInfo, trace_keys};

use super::{first_difference, millis, missing_last, number_passes, text_passes};
use crate::{Order, TraceClause, TraceKey, TraceNumber, TraceText};

/// Whether a trace passes all clauses.
///
/// Spans, assessments, prompts and known problems are not looked at: clauses
/// about them are passed by no trace. A trace belongs to the run in which it began.
pub fn trace_matches(trace: &TraceInfo, filter: &[TraceClause]) -> bool {
    let metadata = |key: &str| trace.metadata.get(key).map(String::as_str);
    filter.iter().all(|clause| match clause {
        TraceClause::Text { attribute, test } => text_passes(text(trace, *attribute), test),
        TraceClause::Number { attribute, test } => {
            number(trace, *attribute).is_some_and(|value| number_passes(millis(value), *test))
        }
        TraceClause::Tag { key, test } => {
            text_passes(trace.tags.get(key).map(String::as_str), test)
        }
        TraceClause::Metadata { key, test } => text_passes(metadata(key), test),
        TraceClause::TokenUsage(test) => text_passes(metadata(trace_keys::TOKEN_USAGE), test),
        TraceClause::Cost(test) => text_passes(metadata(trace_keys::COST), test),
        TraceClause::Run(run) => metadata(trace_keys::SOURCE_RUN) == Some(run),
        TraceClause::Prompt(_)
        | TraceClause::Issue(_)
        | TraceClause::Span { .. }
        | TraceClause::Assessment { .. } => false,
    })
}

/// Which of two traces comes first: by the order, then the younger, then by id.
pub fn compare_traces(a: &TraceInfo, b: &TraceInfo, order: &[Order<TraceKey>]) -> Ordering {
    let by_order = order.iter().map(|Order { key, descending }| match key {
        TraceKey::Text(key) => missing_last(text(a, *key), text(b, *key), *descending),
        TraceKey::Number(key) => missing_last(number(a, *key), number(b, *key), *descending),
        TraceKey::ExperimentId => {
            let ids = (Some(a.experiment_id), Some(b.experiment_id));
            missing_last(ids.0, ids.1, *descending)
        }
        TraceKey::Tag(key) => missing_last(a.tags.get(key), b.tags.get(key), *descending),
        TraceKey::Metadata(key) => {
            missing_last(a.metadata.get(key), b.metadata.get(key), *descending)
        }
    });
    first_difference(by_order)
        .then(b.request_time.cmp(&a.request_time))
        .then_with(|| a.trace_id.cmp(&b.trace_id))
}

fn text(trace: &TraceInfo, attribute: TraceText) -> Option<&str> {
    let metadata = |key: &str| trace.metadata.get(key).map(String::as_str);
    match attribute {
        TraceText::RequestId => Some(trace.trace_id.as_str()),
        TraceText::Status => Some(trace.state.name()),
        TraceText::ClientRequestId => trace.client_request_id.as_deref(),
        TraceText::Name => trace.tags.get(trace_keys::NAME).map(String::as_str),
        TraceText::Session => metadata(trace_keys::SESSION),
    }
}

fn number(trace: &TraceInfo, attribute: TraceNumber) -> Option<i64> {
    match attribute {
        TraceNumber::Timestamp => Some(trace.request_time),
        TraceNumber::ExecutionTime => trace.execution_duration,
        TraceNumber::EndTime => {
            let duration = trace.execution_duration.unwrap_or_default();
            Some(trace.request_time.saturating_add(duration))
        }
    }
}
