//! Traces as the API answers them.

use runledger_entities::{Assessment, Trace, TraceInfo, limits};

use crate::{
    json::{
        time,
        write::{self, Object},
    },
    messages::{assessments, spans},
};

/// The answer with one trace, without its spans.
pub fn info(info: &TraceInfo) -> Vec<u8> {
    write::object(|o| {
        o.object("trace", |o| {
            o.object("trace_info", |o| write_info(o, info));
        });
    })
}

/// The answer to `traces/batchGetInfos`.
pub fn infos(infos: &[TraceInfo]) -> Vec<u8> {
    write::object(|o| o.list("trace_infos", infos, write_info))
}

/// The answer to `traces/search`.
pub fn page(infos: &[TraceInfo], next_page_token: Option<&str>) -> Vec<u8> {
    write::object(|o| {
        o.list("traces", infos, write_info);
        o.maybe_text("next_page_token", next_page_token);
    })
}

/// The answer to `traces/get`.
pub fn one(trace: &Trace) -> Vec<u8> {
    write::object(|o| o.object("trace", |o| write_trace(o, trace)))
}

/// The answer to `traces/batchGet`.
pub fn all(traces: &[Trace]) -> Vec<u8> {
    write::object(|o| o.list("traces", traces, write_trace))
}

fn write_trace(o: &mut Object<'_>, trace: &Trace) {
    o.object("trace_info", |o| write_info(o, &trace.info));
    if !trace.spans.is_empty() {
        o.raw("spans", &spans::to_otlp(&trace.spans));
    }
}

/// The answer to `traces/delete-traces`.
pub fn deleted(count: u64) -> Vec<u8> {
    write::object(|o| o.uint("traces_deleted", count))
}

fn write_info(o: &mut Object<'_>, info: &TraceInfo) {
    let parts = Parts {
        metadata: shown_metadata(info),
        tags: shown_tags(info),
        assessment: assessments::write_assessment,
    };
    write_parts(o, info, parts);
}

/// What a trace is written with that is not the same in both directions.
pub(super) struct Parts<M, T> {
    pub(super) metadata: M,
    pub(super) tags: T,
    pub(super) assessment: fn(&mut Object<'_>, &Assessment),
}

pub(super) fn write_parts<'t>(
    o: &mut Object<'_>,
    info: &TraceInfo,
    parts: Parts<
        impl Iterator<Item = (&'t str, &'t str)>,
        impl Iterator<Item = (&'t str, &'t str)>,
    >,
) {
    o.text("trace_id", info.trace_id.as_str());
    o.maybe_text("client_request_id", info.client_request_id.as_deref());
    o.object("trace_location", |o| {
        o.text("type", "MLFLOW_EXPERIMENT");
        o.object("mlflow_experiment", |o| {
            o.id("experiment_id", info.experiment_id);
        });
    });
    o.text("request_time", &time::timestamp(info.request_time));
    if let Some(duration) = info.execution_duration {
        o.text("execution_duration", &time::duration(duration));
    }
    o.text("state", info.state.name());
    o.map("trace_metadata", parts.metadata);
    o.list("assessments", &info.assessments, parts.assessment);
    o.map("tags", parts.tags);
    o.maybe_text("request_preview", info.request_preview.as_deref());
    o.maybe_text("response_preview", info.response_preview.as_deref());
}

/// Metadata as it is shown: cut.
pub(in super::super) fn shown_metadata(info: &TraceInfo) -> impl Iterator<Item = (&str, &str)> {
    info.metadata.iter().map(|(key, value)| {
        let limit = limits::TRACE_METADATA_VALUE;
        (cut(key, limit), cut(value, limit))
    })
}

/// Tags as they are shown: cut.
pub(in super::super) fn shown_tags(info: &TraceInfo) -> impl Iterator<Item = (&str, &str)> {
    info.tags
        .iter()
        .map(|(key, value)| (cut(key, limits::KEY), cut(value, limits::TRACE_TAG_VALUE)))
}

fn cut(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    match text.char_indices().nth(limit) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}
