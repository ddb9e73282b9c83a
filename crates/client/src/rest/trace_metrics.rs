//! Questions about metrics of traces (`traces/metrics`), and their answers.

use runledger_entities::time;
use runledger_search::parse_trace_metric_filter;
use runledger_store::{Aggregation, StoreError, TraceMetricPoint, TraceMetricQuery};
use serde_json::{Map, Value, json};

use super::answers::{self, Read};
use super::refusal::unreadable;
use super::tracking::check_spelling;

/// The question as a message.
pub(super) fn message(query: &TraceMetricQuery) -> Result<Value, StoreError> {
    let ids = query.experiment_ids.iter().map(ToString::to_string);
    let mut filters = Vec::new();
    for clause in &query.filter {
        let text = clause.to_string();
        check_spelling(&text, clause, parse_trace_metric_filter)?;
        filters.push(text);
    }
    let aggregations = query.aggregations.iter().map(|aggregation| {
        let mut object = Map::new();
        object.insert(
            "aggregation_type".to_owned(),
            json!(aggregation.type_name()),
        );
        if let Aggregation::Percentile(percent) = aggregation {
            object.insert("percentile_value".to_owned(), json!(percent));
        }
        Value::Object(object)
    });
    let dimensions = query.dimensions.iter().map(|dimension| dimension.name());
    let mut message = json!({
        "experiment_ids": ids.collect::<Vec<_>>(),
        "view_type": query.metric.view(),
        "metric_name": query.metric.name(),
        "aggregations": aggregations.collect::<Vec<_>>(),
        "dimensions": dimensions.collect::<Vec<_>>(),
        "filters": filters,
        "max_results": i32::try_from(query.max_results).unwrap_or(i32::MAX),
    });
    for (name, value) in [
        ("time_interval_seconds", query.interval_seconds),
        ("start_time_ms", query.start_time),
        ("end_time_ms", query.end_time),
    ] {
        if let Some(value) = value {
            message[name] = json!(value);
        }
    }
    Ok(message)
}

/// The points of an answer to the question.
pub(super) fn points(query: &TraceMetricQuery, answer: &Value) -> Read<Vec<TraceMetricPoint>> {
    answers::list(answer, "data_points", |point| {
        let none = Value::Null;
        let dimensions = point.get("dimensions").unwrap_or(&none);
        let values = point.get("values").unwrap_or(&none);
        let bucket = answers::maybe_text(dimensions, "time_bucket");
        let interval_start = bucket.map(|text| {
            let time = time::parse_timestamp(&text);
            time.ok_or_else(|| unreadable("time_bucket"))
        });
        let dimension =
            |name| answers::maybe_text(dimensions, name).ok_or_else(|| unreadable("dimensions"));
        let value = |aggregation: &Aggregation| {
            let name = aggregation.name();
            let value = values.get(&name).map(|_| answers::double(values, &name));
            value.transpose()
        };
        Ok(TraceMetricPoint {
            interval_start: interval_start.transpose()?,
            dimensions: query
                .dimensions
                .iter()
                .map(|known| dimension(known.name()))
                .collect::<Read<_>>()?,
            values: query.aggregations.iter().map(value).collect::<Read<_>>()?,
        })
    })
}

#[cfg(test)]
mod tests {
    use runledger_entities::ExperimentId;
    use runledger_store::{TraceDimension, TraceMetric};

    use super::*;

    fn question() -> TraceMetricQuery {
        TraceMetricQuery {
            experiment_ids: vec![ExperimentId(7)],
            metric: TraceMetric::SpanLatency,
            aggregations: vec![Aggregation::Percentile(99.0), Aggregation::Avg],
            dimensions: vec![TraceDimension::SpanName],
            filter: vec![parse_trace_metric_filter("span.status = 'OK'").expect("a clause")],
            interval_seconds: Some(60),
            start_time: Some(0),
            end_time: None,
            max_results: 10,
        }
    }

    #[test]
    fn a_question_is_in_the_words_of_mlflow() {
        let message = message(&question()).expect("it can be asked");
        let expected = json!({
            "experiment_ids": ["7"], "view_type": "SPANS", "metric_name": "latency",
            "aggregations": [
                {"aggregation_type": "PERCENTILE", "percentile_value": 99.0},
                {"aggregation_type": "AVG"}
            ],
            "dimensions": ["span_name"], "filters": ["span.status = 'OK'"],
            "time_interval_seconds": 60, "start_time_ms": 0, "max_results": 10
        });
        assert_eq!(message, expected);
    }

    #[test]
    fn values_come_in_the_order_of_the_question() {
        let answer = json!({"data_points": [{
            "metric_name": "latency",
            "dimensions": {"time_bucket": "1970-01-01T00:01:00+00:00", "span_name": "s"},
            "values": {"AVG": "NaN", "P99.0": 2.5}
        }]});
        let points = points(&question(), &answer).expect("it can be read");
        let [point] = &points[..] else {
            panic!("one point: {points:?}");
        };
        assert_eq!(point.interval_start, Some(60_000));
        assert_eq!(point.dimensions, ["s"]);
        assert_eq!(point.values[0], Some(2.5));
        assert!(point.values[1].is_some_and(f64::is_nan));
    }
}
