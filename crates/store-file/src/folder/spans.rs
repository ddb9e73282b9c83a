//! The spans of a trace that are kept beside it: `spans.jsonl`, a line each.
//!
//! The file is Runledger's own: MLflow's file store keeps no spans, and looks at no
//! file of this name. Lines are only added; of those about one span the last counts.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _};

use runledger_entities::{Cost, Span, SpanStatus, TokenUsage, UsageNode};
use serde::{Deserialize, Serialize};

use crate::FolderError;
use crate::layout::TraceFolder;
use crate::write::{self, Sync, Torn};

const SPANS: &str = "spans.jsonl";
/// The longest line, in bytes, that is written and read.
const MAX_LINE: u64 = 256 << 20;

/// A span as a line has it. What it says about its trace is in the trace.
#[derive(Serialize, Deserialize)]
struct Line<'a> {
    span_id: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent_id: Option<Cow<'a, str>>,
    name: Cow<'a, str>,
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    span_type: Option<Cow<'a, str>>,
    status: Cow<'a, str>,
    start_time_unix_nano: i64,
    end_time_unix_nano: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model_name: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model_provider: Option<Cow<'a, str>>,
    /// In the order of [`TokenUsage::MEMBERS`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tokens: Option<[Option<i64>; 6]>,
    /// In the order of [`Cost::MEMBERS`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cost: Option<[Option<f64>; 3]>,
    /// The span as JSON.
    content: Cow<'a, str>,
}

/// Whether spans are kept beside a trace.
pub(super) fn are_there(trace: &TraceFolder) -> Result<bool, FolderError> {
    Ok(trace.folder.state(SPANS)?.is_some())
}

/// Adds spans, in one write.
pub(crate) fn append_spans<'a>(
    trace: &TraceFolder,
    spans: impl Iterator<Item = &'a Span>,
    sync: Sync,
) -> Result<(), FolderError> {
    let mut lines = Vec::new();
    for span in spans {
        let begin = lines.len();
        let line = Line {
            span_id: Cow::from(&span.span_id),
            parent_id: span.parent_id.as_deref().map(Cow::from),
            name: Cow::from(&span.name),
            span_type: span.span_type.as_deref().map(Cow::from),
            status: Cow::from(span.status.name()),
            start_time_unix_nano: span.start_time_unix_nano,
            end_time_unix_nano: span.end_time_unix_nano,
            model_name: span.model_name.as_deref().map(Cow::from),
            model_provider: span.model_provider.as_deref().map(Cow::from),
            tokens: span.token_usage.map(TokenUsage::counts),
            cost: span.cost.map(Cost::amounts),
            content: Cow::from(&span.content),
        };
        serde_json::to_writer(&mut lines, &line)
            .map_err(|error| FolderError::io("write", trace.folder.path_of(SPANS), error.into()))?;
        lines.push(b'\n');
        if (lines.len() - begin) as u64 >= MAX_LINE {
            return Err(too_long(trace, MAX_LINE));
        }
    }
    write::append_lines(&trace.folder, SPANS, &lines, Torn::Ended, sync)
}

/// The spans of a trace: those without a parent first, then in the order they began.
/// A line that is none is passed over.
///
/// # Errors
/// [`FolderError::TooLong`] if the spans, of which all are in memory, have more than
/// `most` bytes, or had before one was told again.
pub(crate) fn read_spans(trace: &TraceFolder, most: u64) -> Result<Vec<Span>, FolderError> {
    let mut spans: Vec<Span> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut bytes = 0;
    each_line(trace, |line| {
        let span = span_of(trace, line);
        bytes += span.content.len() as u64;
        if let Some(place) = places.get(&span.span_id) {
            bytes -= spans[*place].content.len() as u64;
            spans[*place] = span;
        } else {
            places.insert(span.span_id.clone(), spans.len());
            spans.push(span);
        }
        if bytes > most {
            return Err(too_long(trace, most));
        }
        Ok(())
    })?;
    spans.sort_by(|a, b| order(a).cmp(&order(b)));
    Ok(spans)
}

/// What the spans of a trace used, by their ids, without the spans.
pub(crate) fn read_usage(trace: &TraceFolder) -> Result<Vec<UsageNode>, FolderError> {
    let mut nodes: HashMap<String, UsageNode> = HashMap::new();
    each_line(trace, |line| {
        let span_id = line.span_id.into_owned();
        let node = UsageNode {
            span_id: span_id.clone(),
            parent_id: line.parent_id.map(Cow::into_owned),
            token_usage: line.tokens.map(usage_of),
            cost: line.cost.map(cost_of),
        };
        nodes.insert(span_id, node);
        Ok(())
    })?;
    Ok(nodes.into_values().collect())
}

/// Reads the lines, one at a time.
fn each_line(
    trace: &TraceFolder,
    mut take: impl FnMut(Line<'_>) -> Result<(), FolderError>,
) -> Result<(), FolderError> {
    let file = match trace.folder.open(SPANS) {
        Err(error) if error.is_missing() => return Ok(()),
        file => file?.file,
    };
    let mut reader = BufReader::with_capacity(64 * 1024, file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut line);
        match read {
            Ok(0) => return Ok(()),
            Ok(read) if read as u64 == MAX_LINE => return Err(too_long(trace, MAX_LINE)),
            Ok(_) => {}
            Err(error) => return Err(FolderError::io("read", trace.folder.path_of(SPANS), error)),
        }
        match serde_json::from_slice::<Line<'_>>(&line) {
            Ok(line) => take(line)?,
            Err(error) => {
                // What a crash left, or another program.
                let file = trace.folder.path_of(SPANS);
                tracing::warn!(%file, %error, "a line is no span, and is passed over");
            }
        }
    }
}

fn too_long(trace: &TraceFolder, limit: u64) -> FolderError {
    FolderError::TooLong {
        path: trace.folder.path_of(SPANS),
        limit,
    }
}

fn usage_of(counts: [Option<i64>; 6]) -> TokenUsage {
    let mut usage = TokenUsage::default();
    for ((_, member), count) in TokenUsage::MEMBERS.into_iter().zip(counts) {
        *member(&mut usage) = count;
    }
    usage
}

fn cost_of(amounts: [Option<f64>; 3]) -> Cost {
    let mut cost = Cost::default();
    for ((_, member), amount) in Cost::MEMBERS.into_iter().zip(amounts) {
        *member(&mut cost) = amount;
    }
    cost
}

fn order(span: &Span) -> (bool, i64, &str) {
    let is_root = span.parent_id.is_none();
    (!is_root, span.start_time_unix_nano, &span.span_id)
}

fn span_of(trace: &TraceFolder, line: Line<'_>) -> Span {
    let owned = |text: Option<Cow<'_, str>>| text.map(Cow::into_owned);
    Span {
        trace_id: trace.trace_id.clone(),
        span_id: line.span_id.into_owned(),
        parent_id: owned(line.parent_id),
        name: line.name.into_owned(),
        span_type: owned(line.span_type),
        status: [SpanStatus::Ok, SpanStatus::Error]
            .into_iter()
            .find(|status| status.name() == line.status)
            .unwrap_or_default(),
        start_time_unix_nano: line.start_time_unix_nano,
        end_time_unix_nano: line.end_time_unix_nano,
        token_usage: line.tokens.map(usage_of),
        cost: line.cost.map(cost_of),
        model_name: owned(line.model_name),
        model_provider: owned(line.model_provider),
        content: line.content.into_owned(),
        session_id: None,
        user_id: None,
        request_preview: None,
        response_preview: None,
        trace_tags: Vec::new(),
        resource_tags: Vec::new(),
    }
}
