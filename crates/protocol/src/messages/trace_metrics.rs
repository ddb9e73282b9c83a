//! Metrics of traces: `traces/metrics`.

use super::{Request, most};
use crate::{
    Input, RequestError,
    json::{
        decode::decode,
        field::List,
        message::messages,
        time,
        write::{self, Object},
    },
};

messages! {
    /// `traces/metrics`
    MetricsBody {
        experiment_ids: List<String, { most::EXPERIMENT_IDS }>,
        view_type: String,
        metric_name: String,
        aggregations: List<AggregationBody, { most::METRIC_PARTS }>,
        dimensions: List<String, { most::METRIC_PARTS }>,
        filters: List<String, { most::METRIC_PARTS }>,
        time_interval_seconds: i64,
        start_time_ms: i64,
        end_time_ms: i64,
        max_results: i32,
        page_token: String,
    }
    /// What becomes of the measurements.
    AggregationBody {
        aggregation_type: String,
        percentile_value: f64,
    }
}

/// Asks for metrics of traces. Names are as the client wrote them.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryTraceMetrics {
    /// The experiments.
    pub experiment_ids: Vec<String>,
    /// `TRACES`, `SPANS` or `ASSESSMENTS`.
    pub view_type: String,
    /// What is measured.
    pub metric_name: String,
    /// What becomes of it, with the percentile where one is asked for.
    pub aggregations: Vec<(String, Option<f64>)>,
    /// What it is grouped by.
    pub dimensions: Vec<String>,
    /// Clauses.
    pub filters: Vec<String>,
    /// The length of intervals.
    pub time_interval_seconds: Option<i64>,
    /// From this time on, in milliseconds since the epoch.
    pub start_time_ms: Option<i64>,
    /// Until this time.
    pub end_time_ms: Option<i64>,
    /// At most so many points.
    pub max_results: Option<i32>,
}

impl Request for QueryTraceMetrics {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: MetricsBody = decode(input)?;
        let experiment_ids = body.experiment_ids.required_all("experiment_ids")?;
        let view_type = body.view_type.required_text("view_type")?;
        let metric_name = body.metric_name.required_text("metric_name")?;
        let mut aggregations = Vec::new();
        for aggregation in body.aggregations.required_all("aggregations")? {
            aggregations.push((
                aggregation
                    .aggregation_type
                    .or_default("aggregation_type")?,
                aggregation.percentile_value.optional("percentile_value")?,
            ));
        }
        Ok(Self {
            experiment_ids,
            view_type,
            metric_name,
            aggregations,
            dimensions: body.dimensions.all("dimensions")?,
            filters: body.filters.all("filters")?,
            time_interval_seconds: body
                .time_interval_seconds
                .optional("time_interval_seconds")?,
            start_time_ms: body.start_time_ms.optional("start_time_ms")?,
            end_time_ms: body.end_time_ms.optional("end_time_ms")?,
            max_results: body.max_results.optional("max_results")?,
        })
    }
}

/// A point of the answer.
#[derive(Clone, Debug, PartialEq)]
pub struct DataPoint {
    /// When its interval begins, in milliseconds since the epoch.
    pub interval_start: Option<i64>,
    /// The names of its dimensions, with their values.
    pub dimensions: Vec<(String, String)>,
    /// The names of its aggregations, with their values.
    pub values: Vec<(String, f64)>,
}

/// The answer to `traces/metrics`.
pub fn points(metric_name: &str, points: &[DataPoint]) -> Vec<u8> {
    let write_point = |o: &mut Object<'_>, point: &DataPoint| {
        o.text("metric_name", metric_name);
        let start = point.interval_start.map(time::iso);
        let bucket = start.iter().map(|start| ("time_bucket", start.as_str()));
        let dimensions = point.dimensions.iter();
        let dimensions = dimensions.map(|(name, value)| (&**name, &**value));
        o.map("dimensions", bucket.chain(dimensions));
        o.doubles("values", &point.values);
    };
    write::object(|o| o.list("data_points", points, write_point))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_has_its_interval_among_its_dimensions() {
        let point = DataPoint {
            interval_start: Some(0),
            dimensions: vec![("trace_status".to_owned(), "OK".to_owned())],
            values: vec![("COUNT".to_owned(), 2.0)],
        };
        assert_eq!(
            String::from_utf8(points("trace_count", &[point])).unwrap(),
            concat!(
                r#"{"data_points":[{"metric_name":"trace_count","dimensions":"#,
                r#"{"time_bucket":"1970-01-01T00:00:00+00:00","trace_status":"OK"},"values":{"COUNT":2.0}}]}"#
            )
        );
    }
}
