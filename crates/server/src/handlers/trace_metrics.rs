//! `traces/metrics`: which measurements there are, and what can be asked of them.

use runledger_entities::{ErrorCode, limits};
use runledger_protocol::messages::trace_metrics::{self as messages, DataPoint, QueryTraceMetrics};
use runledger_search::{TraceMetricField, parse_trace_metric_filter};
use runledger_store::{Aggregation, TraceDimension as D, TraceMetric as M, TraceMetricQuery};

use super::{Reply, experiment_ids};
use crate::{app::Traces, failure::Failure, reply};

/// A measurement: what becomes of it, and what it is grouped by.
type Measured = (M, &'static [&'static str], &'static [D]);

const COUNT: &[&str] = &["COUNT"];
const VALUES: &[&str] = &["AVG", "MAX", "MIN", "PERCENTILE"];
const SUMS: &[&str] = &["AVG", "MAX", "MIN", "PERCENTILE", "SUM"];

const TRACE_NAME: &[D] = &[D::TraceName];
const TRACE: &[D] = &[D::TraceName, D::TraceStatus];
const SPAN: &[D] = &[
    D::SpanModelName,
    D::SpanModelProvider,
    D::SpanName,
    D::SpanStatus,
    D::SpanType,
];
const SPAN_LATENCY: &[D] = &[D::SpanName, D::SpanStatus];
const MODEL: &[D] = &[D::SpanModelName, D::SpanModelProvider];
const ASSESSMENT_NAME: &[D] = &[D::AssessmentName];
const ASSESSMENT: &[D] = &[D::AssessmentName, D::AssessmentValue];

const TRACES: &[Measured] = &[
    (M::Traces, COUNT, TRACE),
    (M::Sessions, COUNT, &[]),
    (M::TraceLatency, VALUES, TRACE_NAME),
    (M::InputTokens, SUMS, TRACE_NAME),
    (M::OutputTokens, SUMS, TRACE_NAME),
    (M::TotalTokens, SUMS, TRACE_NAME),
    (M::CacheReadInputTokens, SUMS, TRACE_NAME),
    (M::CacheCreationInputTokens, SUMS, TRACE_NAME),
];
const SPANS: &[Measured] = &[
    (M::Spans, COUNT, SPAN),
    (M::SpanLatency, VALUES, SPAN_LATENCY),
    (M::InputCost, SUMS, MODEL),
    (M::OutputCost, SUMS, MODEL),
    (M::TotalCost, SUMS, MODEL),
];
const ASSESSMENTS: &[Measured] = &[
    (M::Assessments, COUNT, ASSESSMENT),
    (M::AssessmentValues, VALUES, ASSESSMENT_NAME),
];

pub(crate) async fn query(traces: Traces<'_>, request: QueryTraceMetrics) -> Reply {
    let experiment_ids = experiment_ids(&request.experiment_ids)?;
    let measured = match request.view_type.as_str() {
        "SPANS" | "2" => SPANS,
        "ASSESSMENTS" | "3" => ASSESSMENTS,
        // A name that nobody knows counts as the first, as in MLflow.
        _ => TRACES,
    };
    let name = request.metric_name.as_str();
    let Some((metric, supported, dimensions)) =
        measured.iter().find(|(metric, ..)| metric.name() == name)
    else {
        let names: Vec<_> = measured.iter().map(|(metric, ..)| metric.name()).collect();
        return Err(Failure::invalid(format!(
            "metric_name must be one of {}, got '{name}'",
            list(&names)
        )));
    };
    let mut aggregations = Vec::new();
    for (name, percentile) in &request.aggregations {
        let aggregation = aggregation(name, *percentile)?;
        let name = aggregation.name();
        // Each is a statement of its own, and the answer has each name once.
        if !aggregations.iter().any(|(known, _)| *known == name) {
            aggregations.push((name, aggregation));
        }
    }
    check(
        request.aggregations.iter().map(|(name, _)| name.as_str()),
        supported,
        "Found invalid aggregation_type(s)",
        "Supported aggregation types",
    )?;
    let known: Vec<_> = dimensions.iter().map(|known| known.name()).collect();
    check(
        request.dimensions.iter().map(String::as_str),
        &known,
        "Found invalid dimension(s)",
        "Supported dimensions",
    )?;
    let mut grouped: Vec<D> = Vec::new();
    for name in &request.dimensions {
        let found = dimensions.iter().find(|known| known.name() == name);
        let found = found.filter(|found| !grouped.contains(found));
        grouped.extend(found);
    }
    let interval = request
        .time_interval_seconds
        .filter(|seconds| *seconds != 0);
    if interval.is_some() && (request.start_time_ms.is_none() || request.end_time_ms.is_none()) {
        return Err(Failure::invalid(
            "start_time_ms and end_time_ms are required if time_interval_seconds is set",
        ));
    }
    let mut filter = Vec::new();
    for text in &request.filters {
        let clause = parse_trace_metric_filter(text)?;
        check_field(&clause.field, measured)?;
        filter.push(clause);
    }
    let points = traces
        .store
        .trace_metrics(TraceMetricQuery {
            experiment_ids,
            metric: *metric,
            aggregations: aggregations.iter().map(|(_, of)| *of).collect(),
            dimensions: grouped.clone(),
            filter,
            interval_seconds: interval,
            start_time: request.start_time_ms,
            end_time: request.end_time_ms,
            max_results: most(request.max_results),
        })
        .await?;
    let points: Vec<DataPoint> = points
        .into_iter()
        .map(|point| DataPoint {
            interval_start: point.interval_start,
            dimensions: grouped
                .iter()
                .map(|dimension| dimension.name().to_owned())
                .zip(point.dimensions)
                .collect(),
            values: aggregations
                .iter()
                .zip(point.values)
                .filter_map(|((name, _), value)| Some((name.clone(), value?)))
                .collect(),
        })
        .collect();
    Ok(reply::json(messages::points(name, &points)))
}

fn most(asked: Option<i32>) -> u32 {
    match asked.and_then(|asked| u32::try_from(asked).ok()) {
        Some(asked) => asked.min(limits::TRACE_METRIC_POINTS),
        None => limits::TRACE_METRIC_POINTS,
    }
}

fn aggregation(name: &str, percentile: Option<f64>) -> Result<Aggregation, Failure> {
    let aggregation = match (name, percentile) {
        ("PERCENTILE", Some(percent)) if (0.0..=100.0).contains(&percent) => {
            return Ok(Aggregation::Percentile(percent));
        }
        ("PERCENTILE", None) => {
            return Err(Failure::invalid(
                "Percentile value is required for PERCENTILE aggregation",
            ));
        }
        ("PERCENTILE", Some(percent)) => {
            return Err(Failure::invalid(format!(
                "Percentile value must be between 0 and 100, got {percent}"
            )));
        }
        (_, Some(_)) => {
            return Err(Failure::invalid(format!(
                "Percentile value is only allowed for PERCENTILE aggregation type, got {name}"
            )));
        }
        ("COUNT", None) => Aggregation::Count,
        ("SUM", None) => Aggregation::Sum,
        ("AVG", None) => Aggregation::Avg,
        ("MIN", None) => Aggregation::Min,
        ("MAX", None) => Aggregation::Max,
        _ => {
            return Err(Failure::new(
                ErrorCode::InvalidParameterValue,
                format!("Unsupported aggregation type: {name}"),
            ));
        }
    };
    Ok(aggregation)
}

/// Refuses names that are none of those that are known.
fn check<'a>(
    names: impl Iterator<Item = &'a str>,
    known: &[&str],
    invalid: &str,
    supported: &str,
) -> Result<(), Failure> {
    let mut unknown: Vec<&str> = names.filter(|name| !known.contains(name)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    unknown.sort_unstable();
    unknown.dedup();
    Err(Failure::invalid(format!(
        "{invalid}: {}. {supported}: {}",
        list(&unknown),
        list(known)
    )))
}

/// A list as Python prints it.
fn list(names: &[&str]) -> String {
    let names: Vec<_> = names
        .iter()
        .map(|name| runledger_entities::quote::python(name))
        .collect();
    format!("[{}]", names.join(", "))
}

/// Spans and assessments are looked at only where they are what is measured.
fn check_field(field: &TraceMetricField, measured: &[Measured]) -> Result<(), Failure> {
    use TraceMetricField as F;

    let view = measured[0].0.view();
    let (what, wanted) = match field {
        F::Status | F::Tag(_) | F::Metadata(_) => return Ok(()),
        F::SpanName | F::SpanStatus | F::SpanType => ("span", "SPANS"),
        F::AssessmentName | F::AssessmentType => ("assessment", "ASSESSMENTS"),
    };
    if view == wanted {
        return Ok(());
    }
    Err(Failure::invalid(format!(
        "Filtering by {what} is only supported for {wanted} view type, got {view}"
    )))
}
