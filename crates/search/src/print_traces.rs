//! Filters and orders of traces back into text.
//!
//! As in `print`, what is printed is read back as the same tree as far as the grammar can
//! say it. What has a spelling of its own beside those in `print` has none here: tags and
//! metadata whose keys mean something else (`tags.name`, `metadata.run_id`), `IN` for tags'
//! names and metadata, and names of spans' attributes with quotes or line breaks.

use std::fmt::{self, Display, Formatter};

use runledger_entities::trace_keys;

use crate::{
    AssessmentTest, SpanText, TextOp, TextTest, TraceClause, TraceKey, TraceMetricClause,
    TraceMetricField, TraceText,
};

impl Display for TraceText {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::RequestId => f.write_str("request_id"),
            Self::Status => f.write_str("status"),
            Self::ClientRequestId => f.write_str("client_request_id"),
            Self::Name => f.write_str("name"),
            Self::Session => write!(f, "metadata.`{}`", trace_keys::SESSION),
        }
    }
}

impl Display for SpanText {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("span.name"),
            Self::Type => f.write_str("span.type"),
            Self::Status => f.write_str("span.status"),
            Self::Content => f.write_str("span.content"),
            Self::Attribute(name) => write!(f, "span.attributes.`{name}`"),
        }
    }
}

impl Display for AssessmentTest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(test) => test.fmt(f),
            Self::Number(test) => test.fmt(f),
        }
    }
}

impl Display for TraceClause {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text { attribute, test } => write!(f, "{attribute} {test}"),
            Self::Number { attribute, test } => write!(f, "{attribute} {test}"),
            Self::Tag { key, test } => write!(f, "tags.`{key}` {test}"),
            Self::Metadata { key, test } => write!(f, "metadata.`{key}` {test}"),
            Self::TokenUsage(test) => write!(f, "metadata.`{}` {test}", trace_keys::TOKEN_USAGE),
            Self::Cost(test) => write!(f, "metadata.`{}` {test}", trace_keys::COST),
            Self::Run(id) => write!(f, "run_id {}", is(id)),
            Self::Prompt(version) => write!(f, "prompt {}", is(version)),
            Self::Issue(id) => write!(f, "issue.id {}", is(id)),
            Self::Span { field, test } => write!(f, "{field} {test}"),
            Self::Assessment { kind, name, test } => {
                write!(f, "{}.`{name}` {test}", kind.name())
            }
        }
    }
}

impl Display for TraceKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::ExperimentId => f.write_str("experiment_id"),
            Self::Tag(key) => write!(f, "tags.`{key}`"),
            Self::Metadata(key) => write!(f, "metadata.`{key}`"),
        }
    }
}

impl Display for TraceMetricField {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status => f.write_str("trace.status"),
            Self::Tag(key) => write!(f, "trace.tag.`{key}`"),
            Self::Metadata(key) => write!(f, "trace.metadata.`{key}`"),
            Self::SpanName => f.write_str("span.name"),
            Self::SpanStatus => f.write_str("span.status"),
            Self::SpanType => f.write_str("span.type"),
            Self::AssessmentName => f.write_str("assessment.name"),
            Self::AssessmentType => f.write_str("assessment.type"),
        }
    }
}

impl Display for TraceMetricClause {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, is(&self.value))
    }
}

fn is(value: &str) -> TextTest {
    TextTest::Compare {
        op: TextOp::Equal,
        value: value.to_owned(),
    }
}
