//! Spans, and the traces that they make or widen.
//!
//! What a trace gets from its spans is what a database gives it: see
//! [`widened`].

use std::collections::BTreeMap;

use runledger_entities::{
    Cost, ExperimentId, Span, SpanStatus, TokenUsage, TraceId, TraceInfo, TraceState, UsageNode,
    UsageTree, trace_keys,
};
use runledger_store::StoreError;

use super::{
    Files,
    traces::{locate, trace_error},
    unreadable,
};
use crate::folder::{
    spans::{append_spans, read_usage},
    trace_numbers,
    traces::{create_trace, is_key, update_trace},
};

impl Files {
    pub(super) fn log_spans(
        &self,
        experiment: ExperimentId,
        spans: &[Span],
    ) -> Result<(), StoreError> {
        let news = news_of(spans);
        self.refuse_elsewhere(&news, experiment)?;
        for news in news.values() {
            self.log_spans_of(experiment, news)?;
        }
        Ok(())
    }

    /// Refuses all of a call of which something cannot be kept.
    fn refuse_elsewhere(
        &self,
        news: &BTreeMap<&str, News<'_>>,
        experiment: ExperimentId,
    ) -> Result<(), StoreError> {
        let (mut archived, mut other) = (Vec::new(), Vec::new());
        let mut makes_one = false;
        for news in news.values() {
            let stored = match self.trace(&news.id) {
                Err(StoreError::NotFound { .. }) => {
                    makes_one = true;
                    continue;
                }
                stored => stored?.1,
            };
            match stored.info.tags.get(trace_keys::SPANS_LOCATION) {
                Some(place) if place == trace_keys::IN_ARCHIVE => archived.push(&news.id),
                Some(place) if place != trace_keys::IN_STORE => other.push(&news.id),
                _ => {}
            }
        }
        if makes_one {
            self.experiment_of_new(experiment)?;
        }
        let list = |ids: &[&TraceId]| {
            let ids: Vec<String> = ids.iter().map(|id| format!("'{id}'")).collect();
            ids.join(", ")
        };
        let message = match (archived.is_empty(), other.is_empty()) {
            (true, true) => return Ok(()),
            (false, true) => {
                format!("Cannot log spans to archived traces: {}.", list(&archived))
            }
            (no_archived, _) => {
                let archived = if no_archived {
                    String::new()
                } else {
                    format!("archived={}; ", list(&archived))
                };
                format!(
                    "Cannot log spans because one or more traces are unavailable for DB-backed \
                     span writes: {archived}other={}",
                    list(&other)
                )
            }
        };
        Err(StoreError::InvalidState { message })
    }

    /// Keeps the spans of one trace.
    fn log_spans_of(&self, experiment: ExperimentId, news: &News<'_>) -> Result<(), StoreError> {
        let _lock = self.locks.trace(&news.id);
        let spans = news.spans.values().copied();
        let (trace, stored) = match self.trace(&news.id) {
            Err(StoreError::NotFound { .. }) => {
                let (folder, experiment) = self.experiment_of_new(experiment)?;
                let mut info = begun(news, experiment.experiment_id);
                locate(&mut info, &experiment);
                let info = widened(news, &info, &[]);
                let put_spans = |trace: &_| append_spans(trace, spans, self.sync);
                return create_trace(&folder, &info, put_spans, self.sync)
                    .map(drop)
                    .map_err(trace_error);
            }
            known => known?,
        };
        // Spans that say nothing of what they used change no sum.
        let kept = if news.usage().is_some() || news.cost().is_some() {
            read_usage(&trace).map_err(|error| unreadable(&error))?
        } else {
            Vec::new()
        };
        let info = widened(news, &stored.info, &kept);
        append_spans(&trace, spans, self.sync).map_err(trace_error)?;
        update_trace(&trace, &stored, &info, self.sync).map_err(trace_error)
    }
}

/// What the spans of a call say about one trace.
struct News<'a> {
    id: TraceId,
    /// Of equal spans the last one.
    spans: BTreeMap<&'a str, &'a Span>,
}

fn news_of(spans: &[Span]) -> BTreeMap<&str, News<'_>> {
    let mut news: BTreeMap<&str, News<'_>> = BTreeMap::new();
    for span in spans {
        let of = news.entry(span.trace_id.as_str()).or_insert_with(|| News {
            id: span.trace_id.clone(),
            spans: BTreeMap::new(),
        });
        of.spans.insert(&span.span_id, span);
    }
    news
}

const MILLI: i64 = 1_000_000;

impl<'a> News<'a> {
    /// The spans as they began.
    fn in_time(&self) -> impl Iterator<Item = &'a Span> {
        let mut spans: Vec<&Span> = self.spans.values().copied().collect();
        spans.sort_by_key(|span| span.start_time_unix_nano);
        spans.into_iter()
    }

    /// The first value that a span has.
    fn first<T>(&self, value: impl Fn(&'a Span) -> Option<T>) -> Option<T> {
        self.in_time().find_map(value)
    }

    fn start(&self) -> i64 {
        let starts = self.spans.values().map(|span| span.start_time_unix_nano);
        starts.min().unwrap_or_default() / MILLI
    }

    /// Absent while no span has ended.
    fn end(&self) -> Option<i64> {
        let ends = self.spans.values().map(|span| span.end_time_unix_nano);
        ends.filter(|end| *end > 0).max().map(|end| end / MILLI)
    }

    /// What a root says.
    fn state(&self) -> Option<TraceState> {
        let root = self.spans.values().find(|span| span.parent_id.is_none())?;
        Some(match root.status {
            SpanStatus::Error => TraceState::Error,
            SpanStatus::Unset | SpanStatus::Ok => TraceState::Ok,
        })
    }

    fn usage(&self) -> Option<TokenUsage> {
        UsageTree::new(&self.nodes(&[])).token_usage()
    }

    fn cost(&self) -> Option<Cost> {
        UsageTree::new(&self.nodes(&[])).cost()
    }

    /// These spans, and those that are kept already.
    fn nodes(&self, kept: &[UsageNode]) -> Vec<UsageNode> {
        let kept = kept
            .iter()
            .filter(|node| !self.spans.contains_key(node.span_id.as_str()));
        let spans = self.spans.values().map(|span| UsageNode {
            span_id: span.span_id.clone(),
            parent_id: span.parent_id.clone(),
            token_usage: span.token_usage,
            cost: span.cost,
        });
        spans.chain(kept.cloned()).collect()
    }
}

/// A trace that spans make, before it is widened by them.
fn begun(news: &News<'_>, experiment: ExperimentId) -> TraceInfo {
    TraceInfo {
        trace_id: news.id.clone(),
        experiment_id: experiment,
        request_time: news.start(),
        execution_duration: None,
        state: TraceState::InProgress,
        client_request_id: None,
        request_preview: None,
        response_preview: None,
        metadata: BTreeMap::new(),
        tags: BTreeMap::new(),
        assessments: Vec::new(),
    }
}

/// A trace after spans came, beside those that are `kept`.
fn widened(news: &News<'_>, known: &TraceInfo, kept: &[UsageNode]) -> TraceInfo {
    let mut info = known.clone();
    let (usage, cost) = (news.usage(), news.cost());
    let session = news.first(|span| span.session_id.as_ref());
    // Others are not asked whether a client has told all about them, as in MLflow.
    let is_asked = usage.is_some() || cost.is_some() || session.is_some();
    let is_finalized = is_asked && known.metadata.contains_key(trace_keys::FINALIZED);
    if !is_finalized {
        info.request_time = known.request_time.min(news.start());
        if let Some(end) = news.end() {
            let before = known
                .execution_duration
                .map(|it| known.request_time.saturating_add(it));
            let end = before.map_or(end, |before| before.max(end));
            info.execution_duration = Some(end.saturating_sub(info.request_time));
        }
    }
    if let Some(state) = news.state().filter(|_| known.state.is_open()) {
        info.state = state;
    }
    let previews = [
        (
            &mut info.request_preview,
            news.first(|span| span.request_preview.as_ref()),
        ),
        (
            &mut info.response_preview,
            news.first(|span| span.response_preview.as_ref()),
        ),
    ];
    for (preview, told) in previews {
        if preview.is_none() {
            *preview = told.cloned();
        }
    }
    let nodes = news.nodes(kept);
    let tree = UsageTree::new(&nodes);
    let told = |key: &str| is_finalized && known.metadata.contains_key(key);
    if usage.is_some() && !told(trace_keys::TOKEN_USAGE) {
        add_usage(&mut info, &tree);
    }
    if cost.is_some() && !told(trace_keys::COST) {
        add_cost(&mut info, &tree);
    }
    let user = news.first(|span| span.user_id.as_ref());
    for (key, told) in [(trace_keys::SESSION, session), (trace_keys::USER, user)] {
        if let Some(told) = told {
            info.metadata
                .entry(key.to_owned())
                .or_insert_with(|| told.clone());
        }
    }
    add_tags(&mut info, news);
    info
}

fn add_usage(info: &mut TraceInfo, tree: &UsageTree<'_>) {
    let known = info.metadata.get(trace_keys::TOKEN_USAGE);
    let mut usage = known
        .map(|json| trace_numbers::usage(json))
        .unwrap_or_default();
    let counts = tree.token_usage().map(TokenUsage::counts);
    for ((_, member), count) in TokenUsage::MEMBERS
        .into_iter()
        .zip(counts.unwrap_or_default())
    {
        let member = member(&mut usage);
        *member = count.or(*member);
    }
    let json = trace_numbers::usage_json(usage);
    info.metadata
        .extend(json.map(|json| (trace_keys::TOKEN_USAGE.to_owned(), json)));
}

fn add_cost(info: &mut TraceInfo, tree: &UsageTree<'_>) {
    let known = info.metadata.get(trace_keys::COST);
    let mut cost = known
        .map(|json| trace_numbers::cost(json))
        .unwrap_or_default();
    let amounts = tree.cost().map(Cost::amounts);
    for ((_, member), amount) in Cost::MEMBERS.into_iter().zip(amounts.unwrap_or_default()) {
        let member = member(&mut cost);
        *member = amount.or(*member);
    }
    let json = trace_numbers::cost_json(cost);
    info.metadata
        .extend(json.map(|json| (trace_keys::COST.to_owned(), json)));
}

/// Tags that spans bring: what their producer says of itself, and then what the
/// trace was given by name. A key that cannot be a file is left out: it must not
/// cost the spans.
fn add_tags(info: &mut TraceInfo, news: &News<'_>) {
    let resource = news
        .in_time()
        .find(|span| !span.resource_tags.is_empty())
        .map_or(&[][..], |span| &span.resource_tags);
    let given = news.in_time().flat_map(|span| &span.trace_tags);
    let name = news.first(|span| {
        let mut tags = span.trace_tags.iter();
        tags.find(|tag| tag.key == trace_keys::NAME)
    });
    for tag in resource.iter().chain(given) {
        if tag.key == trace_keys::NAME {
            continue;
        }
        if is_key(&tag.key) {
            info.tags.insert(tag.key.clone(), tag.value.clone());
        } else {
            tracing::warn!(trace = %news.id, key = %tag.key, "a tag that cannot be a file is left out");
        }
    }
    if let Some(name) = name {
        info.tags.insert(name.key.clone(), name.value.clone());
    }
}
