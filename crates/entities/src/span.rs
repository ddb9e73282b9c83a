//! Spans: the steps of a trace.

use crate::{Cost, Tag, TokenUsage, TraceId};

/// How a span ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SpanStatus {
    /// Nobody said.
    #[default]
    Unset,
    /// Well.
    Ok,
    /// With an error.
    Error,
}

impl SpanStatus {
    /// The name as in MLflow's database and in filters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unset => "UNSET",
            Self::Ok => "OK",
            Self::Error => "ERROR",
        }
    }

    /// The name in OpenTelemetry's protocol.
    pub fn otlp_name(self) -> &'static str {
        match self {
            Self::Unset => "STATUS_CODE_UNSET",
            Self::Ok => "STATUS_CODE_OK",
            Self::Error => "STATUS_CODE_ERROR",
        }
    }
}

/// A span to keep, with what it says about its trace.
///
/// The content is the span itself, as JSON in MLflow's form; a store keeps the
/// text as it is. All the other fields were read from the span before.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// The trace that it belongs to.
    pub trace_id: TraceId,
    /// Its id, unique within the trace: 16 hexadecimal digits.
    pub span_id: String,
    /// The span that it is a part of; absent for a root.
    pub parent_id: Option<String>,
    /// What it does.
    pub name: String,
    /// The kind of step, such as `LLM`.
    pub span_type: Option<String>,
    /// How it ended.
    pub status: SpanStatus,
    /// When it began, in nanoseconds since the epoch.
    pub start_time_unix_nano: i64,
    /// When it ended; 0 while it goes on.
    pub end_time_unix_nano: i64,
    /// The span as JSON.
    pub content: String,
    /// The tokens that it used, together with the spans below it.
    pub token_usage: Option<TokenUsage>,
    /// What it cost, together with the spans below it.
    pub cost: Option<Cost>,
    /// The model that it called.
    pub model_name: Option<String>,
    /// Who provides that model.
    pub model_provider: Option<String>,
    /// The session that its trace belongs to.
    pub session_id: Option<String>,
    /// The user that its trace belongs to.
    pub user_id: Option<String>,
    /// Of a root: the beginning of its inputs.
    pub request_preview: Option<String>,
    /// Of a root: the beginning of its outputs.
    pub response_preview: Option<String>,
    /// Of a root: tags that its trace is to get.
    pub trace_tags: Vec<Tag>,
    /// What produced it; these become tags of its trace as well.
    pub resource_tags: Vec<Tag>,
}

/// A span as a store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSpan {
    /// The span as JSON in MLflow's form.
    pub content: String,
}
