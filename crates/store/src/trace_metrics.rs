//! Questions about metrics of traces: what is measured, and what becomes of it.

use runledger_entities::ExperimentId;
use runledger_search::TraceMetricClause;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TraceMetric {
    /// Traces.
    Traces,
    /// Sessions that traces belong to.
    Sessions,
    /// How long traces took, in milliseconds.
    TraceLatency,
    /// Tokens that models read.
    InputTokens,
    /// Tokens that models wrote.
    OutputTokens,
    /// Both together.
    TotalTokens,
    /// Tokens that models read from a cache.
    CacheReadInputTokens,
    /// Tokens that models wrote to a cache.
    CacheCreationInputTokens,
    /// Spans.
    Spans,
    /// How long spans took, in milliseconds.
    SpanLatency,
    /// What spans cost for what models read.
    InputCost,
    /// What spans cost for what models wrote.
    OutputCost,
    /// What spans cost.
    TotalCost,
    /// Valid assessments.
    Assessments,
    /// The values of valid assessments that are numbers, or yes and no.
    AssessmentValues,
}

impl TraceMetric {
    /// What has it, by MLflow 3.17's name: `TRACES`, `SPANS` or `ASSESSMENTS`.
    pub const fn view(self) -> &'static str {
        match self {
            Self::Spans
            | Self::SpanLatency
            | Self::InputCost
            | Self::OutputCost
            | Self::TotalCost => "SPANS",
            Self::Assessments | Self::AssessmentValues => "ASSESSMENTS",
            _ => "TRACES",
        }
    }

    /// The name in MLflow 3.17's API, unique in its view.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Traces => "trace_count",
            Self::Sessions => "session_count",
            Self::TraceLatency | Self::SpanLatency => "latency",
            Self::InputTokens => "input_tokens",
            Self::OutputTokens => "output_tokens",
            Self::TotalTokens => "total_tokens",
            Self::CacheReadInputTokens => "cache_read_input_tokens",
            Self::CacheCreationInputTokens => "cache_creation_input_tokens",
            Self::Spans => "span_count",
            Self::InputCost => "input_cost",
            Self::OutputCost => "output_cost",
            Self::TotalCost => "total_cost",
            Self::Assessments => "assessment_count",
            Self::AssessmentValues => "assessment_value",
        }
    }
}

/// What measurements are grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TraceDimension {
    /// The name of the trace.
    TraceName,
    /// The name of its state.
    TraceStatus,
    /// The name of the span.
    SpanName,
    /// Its type.
    SpanType,
    /// The name of its status.
    SpanStatus,
    /// The model that it called.
    SpanModelName,
    /// Who provides that.
    SpanModelProvider,
    /// The name of the assessment.
    AssessmentName,
    /// Its value, as JSON.
    AssessmentValue,
}

impl TraceDimension {
    /// The name in MLflow 3.17's API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TraceName => "trace_name",
            Self::TraceStatus => "trace_status",
            Self::SpanName => "span_name",
            Self::SpanType => "span_type",
            Self::SpanStatus => "span_status",
            Self::SpanModelName => "span_model_name",
            Self::SpanModelProvider => "span_model_provider",
            Self::AssessmentName => "assessment_name",
            Self::AssessmentValue => "assessment_value",
        }
    }
}

/// What becomes of the measurements of a group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aggregation {
    /// How many there are.
    Count,
    /// Their sum.
    Sum,
    /// Their mean.
    Avg,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The value below which so many percent of them are, interpolated linearly.
    Percentile(f64),
}

impl Aggregation {
    /// The type in MLflow 3.17's API; a percentile has its percentage beside it.
    pub const fn type_name(self) -> &'static str {
        match self {
            Self::Count => "COUNT",
            Self::Sum => "SUM",
            Self::Avg => "AVG",
            Self::Min => "MIN",
            Self::Max => "MAX",
            Self::Percentile(_) => "PERCENTILE",
        }
    }

    /// The name in answers of MLflow 3.17's API, such as `AVG` or `P99.9`.
    pub fn name(self) -> String {
        match self {
            Self::Percentile(percent) => format!("P{percent:?}"),
            other => other.type_name().to_owned(),
        }
    }
}

/// A question about metrics of traces.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceMetricQuery {
    /// The experiments.
    pub experiment_ids: Vec<ExperimentId>,
    /// What is measured.
    pub metric: TraceMetric,
    /// What becomes of it.
    pub aggregations: Vec<Aggregation>,
    /// What it is grouped by. What has no value there is left out.
    pub dimensions: Vec<TraceDimension>,
    /// All of these must hold.
    pub filter: Vec<TraceMetricClause>,
    /// Groups of so many seconds, too.
    pub interval_seconds: Option<i64>,
    /// From this time on, in milliseconds since the epoch.
    pub start_time: Option<i64>,
    /// Until this time, itself included.
    pub end_time: Option<i64>,
    /// At most so many groups.
    pub max_results: u32,
}

/// The measurements of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceMetricPoint {
    /// When its interval begins, in milliseconds since the epoch.
    pub interval_start: Option<i64>,
    /// What it has in common, in the order of the question.
    pub dimensions: Vec<String>,
    /// What became of its measurements, in the order of the question.
    pub values: Vec<Option<f64>>,
}
