//! Filters of questions about metrics of traces (`traces/metrics`).

use crate::{
    SearchError, TraceMetricClause, TraceMetricField,
    clause::{self, Value},
    grammar::Comparison,
};

/// Reads one clause: a field, `=`, and a quoted text.
///
/// ```
/// use runledger_search::{TraceMetricField, parse_trace_metric_filter};
///
/// let clause = parse_trace_metric_filter("trace.tag.team = 'vision'")?;
/// assert_eq!(clause.field, TraceMetricField::Tag("team".to_owned()));
/// # Ok::<(), runledger_search::SearchError>(())
/// ```
pub fn parse_trace_metric_filter(filter: &str) -> Result<TraceMetricClause, SearchError> {
    let one = || SearchError::NotOneClause {
        filter: filter.to_owned(),
    };
    // `AND` is no clause here, and there is nothing that it could stand between.
    let comparisons = clause::comparisons_alone(filter)?;
    let [comparison] = comparisons.as_slice() else {
        return Err(one());
    };
    let field = field(filter, comparison)?;
    let Some(part) = comparison
        .right
        .as_ref()
        .filter(|_| comparison.comparator == "=")
    else {
        return Err(SearchError::MetricComparator {
            comparator: comparison.comparator.clone(),
            span: comparison.comparator_span.clone(),
        });
    };
    match clause::quoted_text(filter, part)? {
        Some(Value::Text(value)) => Ok(TraceMetricClause { field, value }),
        _ => Err(SearchError::ExpectedText {
            what: match field {
                TraceMetricField::Status | TraceMetricField::SpanStatus => {
                    "status value (e.g. 'my-value')"
                }
                TraceMetricField::Tag(_) => "tag value (e.g. 'my-value')",
                TraceMetricField::Metadata(_) => "metadata value (e.g. 'my-value')",
                TraceMetricField::SpanName | TraceMetricField::AssessmentName => {
                    "name value (e.g. 'my-value')"
                }
                TraceMetricField::SpanType | TraceMetricField::AssessmentType => {
                    "type value (e.g. 'my-value')"
                }
            },
            found: filter[part.span.clone()].to_owned(),
            span: part.span.clone(),
        }),
    }
}

/// What the left side of a comparison names.
fn field(filter: &str, comparison: &Comparison) -> Result<TraceMetricField, SearchError> {
    let name = clause::identifier(filter, comparison)?;
    let error = |message: String| SearchError::MetricField {
        message,
        span: comparison.left.span.clone(),
    };
    let mut parts = name.splitn(3, '.');
    let (Some(view), Some(entity), key) = (parts.next(), parts.next(), parts.next()) else {
        return Err(error(format!(
            "Invalid identifier {}. Columns should be specified as 'trace.<key>', 'span.<key>', \
             'assessment.<key>'.",
            crate::python::text(name)
        )));
    };
    let view = clause::without_backticks(view);
    let entities = match view {
        "trace" => "['status', 'tag', 'metadata']",
        "span" => "['name', 'status', 'type']",
        "assessment" => "['name', 'type']",
        _ => {
            return Err(error(format!(
                "Invalid view type '{view}'. Valid values are dict_keys(['trace', 'span', \
                 'assessment'])"
            )));
        }
    };
    let plain = match (view, entity) {
        ("trace", "tag" | "metadata") => {
            let Some(key) = key.filter(|key| !key.is_empty()) else {
                return Err(error(format!(
                    "Filtering by {entity} requires a key, e.g. '{view}.{entity}.<key> = <value>'"
                )));
            };
            let key = clause::unquoted_key(key).to_owned();
            return Ok(if entity == "tag" {
                TraceMetricField::Tag(key)
            } else {
                TraceMetricField::Metadata(key)
            });
        }
        ("trace", "status") => TraceMetricField::Status,
        ("span", "name") => TraceMetricField::SpanName,
        ("span", "status") => TraceMetricField::SpanStatus,
        ("span", "type") => TraceMetricField::SpanType,
        ("assessment", "name") => TraceMetricField::AssessmentName,
        ("assessment", "type") => TraceMetricField::AssessmentType,
        _ => {
            return Err(error(format!(
                "Invalid entity '{entity}' specified for view type '{view}'. Valid entities are \
                 {entities}"
            )));
        }
    };
    if key.is_some() {
        return Err(error(format!(
            "Filtering by {entity} does not require a key, use '{view}.{entity}' instead"
        )));
    }
    Ok(plain)
}
