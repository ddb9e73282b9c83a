//! What the spans of a call say about their traces.

use std::collections::BTreeMap;

use runledger_entities::{Cost, Span, TokenUsage, TraceState, UsageNode, UsageTree, trace_keys};

/// What the spans of a call say about one trace.
pub(super) struct News<'a> {
    pub(super) id: &'a str,
    /// Of equal spans the last one.
    pub(super) spans: BTreeMap<&'a str, &'a Span>,
    pub(super) start: i64,
    /// Absent while no span has ended.
    pub(super) end: Option<i64>,
    /// What the root says.
    pub(super) state: Option<TraceState>,
    pub(super) usage: Option<TokenUsage>,
    pub(super) cost: Option<Cost>,
}

pub(super) fn news_of(spans: &[Span]) -> BTreeMap<&str, News<'_>> {
    let mut traces: BTreeMap<&str, BTreeMap<&str, &Span>> = BTreeMap::new();
    for span in spans {
        let of = traces.entry(span.trace_id.as_str()).or_default();
        of.insert(&span.span_id, span);
    }
    traces
        .into_iter()
        .map(|(id, spans)| (id, News::new(id, spans)))
        .collect()
}

impl<'a> News<'a> {
    fn new(id: &'a str, spans: BTreeMap<&'a str, &'a Span>) -> Self {
        const MILLI: i64 = 1_000_000;
        let starts = spans.values().map(|span| span.start_time_unix_nano);
        let ends = spans.values().map(|span| span.end_time_unix_nano);
        let nodes: Vec<UsageNode> = spans.values().map(|span| node(span)).collect();
        let tree = UsageTree::new(&nodes);
        Self {
            start: starts.min().unwrap_or_default() / MILLI,
            end: ends.filter(|end| *end > 0).max().map(|end| end / MILLI),
            state: spans
                .values()
                .find(|span| span.parent_id.is_none())
                .map(|root| match root.status {
                    runledger_entities::SpanStatus::Error => TraceState::Error,
                    _ => TraceState::Ok,
                }),
            usage: tree.token_usage(),
            cost: tree.cost(),
            id,
            spans,
        }
    }

    /// The first value that a span has.
    pub(super) fn first<T>(&self, value: impl Fn(&'a Span) -> Option<T>) -> Option<T> {
        self.in_time().find_map(value)
    }

    /// The spans as they began.
    pub(super) fn in_time(&self) -> impl Iterator<Item = &'a Span> {
        let mut spans: Vec<&Span> = self.spans.values().copied().collect();
        spans.sort_by_key(|span| span.start_time_unix_nano);
        spans.into_iter()
    }

    pub(super) fn name(&self) -> Option<&'a str> {
        self.first(|span| {
            let tags = &span.trace_tags;
            let name = tags.iter().find(|tag| tag.key == trace_keys::NAME)?;
            Some(&*name.value)
        })
    }
}

pub(super) fn node(span: &Span) -> UsageNode {
    UsageNode {
        span_id: span.span_id.clone(),
        parent_id: span.parent_id.clone(),
        token_usage: span.token_usage,
        cost: span.cost,
    }
}
