//! What cases of traces begin and end with.

use std::{collections::BTreeMap, fmt::Debug};

use runledger_entities::{
    Assessment, AssessmentId, AssessmentSource, AssessmentValue, Cost, ErrorCode, ExperimentId,
    SourceType, Span, SpanStatus, TokenUsage, TraceId, TraceInfo, TraceState,
};
use runledger_search::{parse_trace_filter, parse_trace_order};
use runledger_store::{StoreError, TraceQuery};

use super::span_text::{span_id, written};
use crate::{
    World,
    setup::{assert_refused, whole},
};

/// When traces of cases begin, in milliseconds since the epoch.
pub(super) const BEGIN: i64 = 1_700_000_000_000;

/// The experiment that every world has.
pub(super) const HERE: ExperimentId = ExperimentId::DEFAULT;

/// The id of a trace, as OpenTelemetry's protocol has it where the name can be the end of one:
/// `tr-1` stands for `tr-fff…f1`.
pub(super) fn id(name: &str) -> TraceId {
    let digits = name.strip_prefix("tr-").unwrap_or_default();
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if digits.is_empty() || !digits.bytes().all(is_digit) {
        return TraceId::new(name);
    }
    TraceId::new(format!("tr-{digits:f>32}"))
}

/// The name that [`id`] has given an id for.
pub(super) fn short(id: &TraceId) -> String {
    match id.as_str().strip_prefix("tr-") {
        Some(digits) => format!("tr-{}", digits.trim_start_matches('f')),
        None => id.as_str().to_owned(),
    }
}

pub(super) fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|&(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// A trace as a client tells it: it began at [`BEGIN`] and took a second.
pub(super) fn told(name: &str) -> TraceInfo {
    TraceInfo {
        trace_id: id(name),
        experiment_id: HERE,
        request_time: BEGIN,
        execution_duration: Some(1000),
        state: TraceState::Ok,
        client_request_id: None,
        request_preview: None,
        response_preview: None,
        metadata: BTreeMap::new(),
        tags: BTreeMap::new(),
        assessments: Vec::new(),
    }
}

/// A span that began so many milliseconds after [`BEGIN`] and took 100.
pub(super) fn span(trace: &str, name: &str, parent: Option<&str>, after: i64) -> Span {
    let start = (BEGIN + after) * 1_000_000;
    let span = Span {
        trace_id: id(trace),
        span_id: span_id(name),
        parent_id: parent.map(span_id),
        name: format!("{name}!"),
        span_type: Some("LLM".to_owned()),
        status: SpanStatus::Ok,
        start_time_unix_nano: start,
        end_time_unix_nano: start + 100_000_000,
        content: String::new(),
        token_usage: None,
        cost: None,
        model_name: None,
        model_provider: None,
        session_id: None,
        user_id: None,
        request_preview: None,
        response_preview: None,
        trace_tags: Vec::new(),
        resource_tags: Vec::new(),
    };
    written(span, &[("k", &format!("\"{name}\""))])
}

/// A span that says that it read and cost so much.
pub(super) fn spending(mut span: Span, tokens: i64, cost: f64) -> Span {
    span.token_usage = Some(TokenUsage {
        input_tokens: Some(tokens),
        ..TokenUsage::default()
    });
    span.cost = Some(Cost {
        total_cost: Some(cost),
        ..Cost::default()
    });
    written(span, &[])
}

/// Feedback on a trace.
pub(super) fn feedback(trace: &str, name: &str, json: &str) -> Assessment {
    Assessment {
        assessment_id: AssessmentId::new(format!("a-{name}")),
        trace_id: id(trace),
        span_id: None,
        name: name.to_owned(),
        source: AssessmentSource {
            source_type: SourceType::Human,
            source_id: Some("ada".to_owned()),
        },
        value: AssessmentValue::Feedback {
            json: json.to_owned(),
            error: None,
        },
        rationale: None,
        metadata: BTreeMap::new(),
        create_time: 0,
        last_update_time: 0,
        overrides: None,
        valid: true,
    }
}

#[track_caller]
pub(super) fn assert_no_trace<T: Debug>(result: Result<T, StoreError>, name: &str) {
    assert_refused(
        result,
        ErrorCode::ResourceDoesNotExist,
        &format!("Trace with ID '{}' not found.", id(name)),
    );
}

impl World {
    /// Keeps a trace as it is told.
    pub(super) async fn tell(&self, info: TraceInfo) -> Result<TraceInfo, StoreError> {
        self.traces()?.start_trace(info).await
    }

    pub(super) async fn log_spans(&self, spans: Vec<Span>) -> Result<(), StoreError> {
        self.traces()?.log_spans(HERE, spans).await
    }

    pub(super) async fn trace(&self, name: &str) -> Result<TraceInfo, StoreError> {
        self.traces()?.get_trace_info(&id(name)).await
    }

    /// The texts of the spans of a trace, in their order.
    pub(super) async fn contents(&self, name: &str) -> Result<Vec<String>, StoreError> {
        let traces = self.traces()?.get_traces(vec![id(name)], None).await?;
        let spans = traces.into_iter().flat_map(|trace| trace.spans);
        Ok(spans.map(|span| span.content).collect())
    }

    /// The ids of the traces that a filter finds, in order.
    pub(super) async fn traces_found(&self, filter: &str) -> Result<Vec<String>, StoreError> {
        self.traces_ordered(filter, &[]).await
    }

    /// The ids of the traces that a filter finds, in this order.
    pub(super) async fn traces_ordered(
        &self,
        filter: &str,
        order_by: &[&str],
    ) -> Result<Vec<String>, StoreError> {
        let order: Vec<String> = order_by.iter().map(ToString::to_string).collect();
        let query = TraceQuery {
            experiment_ids: vec![HERE],
            filter: parse_trace_filter(filter).expect("a filter"),
            order_by: parse_trace_order(&order).expect("an order"),
            page: whole(),
        };
        let page = self.traces()?.search_traces(query).await?;
        assert_eq!(page.next_token, None, "everything fits on one page");
        Ok(page
            .items
            .iter()
            .map(|info| short(&info.trace_id))
            .collect())
    }
}
