//! Metrics of traces, spans and assessments.

use runledger_entities::trace_keys;
use runledger_search::parse_trace_metric_filter;
use runledger_store::{Aggregation, TraceDimension, TraceMetric, TraceMetricQuery};

use super::setup::{BEGIN, HERE, feedback, map, span, spending, told};
use super::span_text::written;
use crate::{
    World,
    case::{Outcome, cases},
};

cases![
    traces_are_counted_by_dimension,
    percentiles_are_interpolated,
    spans_are_measured_by_interval,
    assessments_that_are_valid_are_measured,
    filters_hold_for_what_is_measured,
    a_sum_may_be_more_than_whole_numbers_hold,
];

fn asked(metric: TraceMetric, aggregations: &[Aggregation]) -> TraceMetricQuery {
    TraceMetricQuery {
        experiment_ids: vec![HERE],
        metric,
        aggregations: aggregations.to_vec(),
        dimensions: Vec::new(),
        filter: Vec::new(),
        interval_seconds: None,
        start_time: None,
        end_time: None,
        max_results: 1000,
    }
}

type Point = (Option<i64>, Vec<String>, Vec<Option<f64>>);

impl World {
    async fn measured(&self, query: TraceMetricQuery) -> Result<Vec<Point>, crate::case::Failure> {
        let points = self.traces()?.trace_metrics(query).await?;
        Ok(points
            .into_iter()
            .map(|point| (point.interval_start, point.dimensions, point.values))
            .collect())
    }
}

async fn traces_are_counted_by_dimension(w: &World) -> Outcome {
    for (name, trace_name) in [("tr-1", "b"), ("tr-2", "a"), ("tr-3", "b"), ("tr-4", "")] {
        let mut info = told(name);
        if !trace_name.is_empty() {
            info.tags = map(&[("mlflow.traceName", trace_name)]);
        }
        w.tell(info).await?;
    }
    let mut query = asked(TraceMetric::Traces, &[Aggregation::Count]);
    let none = Vec::new;
    assert_eq!(
        w.measured(query.clone()).await?,
        [(None, none(), vec![Some(4.0)])]
    );
    query.dimensions = vec![TraceDimension::TraceName, TraceDimension::TraceStatus];
    let group = |name: &str| vec![name.to_owned(), "OK".to_owned()];
    assert_eq!(
        w.measured(query.clone()).await?,
        [
            (None, group("a"), vec![Some(1.0)]),
            (None, group("b"), vec![Some(2.0)])
        ]
    );
    query.max_results = 1;
    assert_eq!(w.measured(query).await?.len(), 1);
    Ok(())
}

async fn percentiles_are_interpolated(w: &World) -> Outcome {
    for (name, duration) in [("tr-1", 100), ("tr-2", 200), ("tr-3", 400), ("tr-4", 1000)] {
        let mut info = told(name);
        info.execution_duration = Some(duration);
        w.tell(info).await?;
    }
    let mut none = told("tr-5");
    none.execution_duration = None;
    w.tell(none).await?;
    let aggregations = [
        Aggregation::Avg,
        Aggregation::Min,
        Aggregation::Max,
        Aggregation::Percentile(50.0),
        Aggregation::Percentile(0.0),
        Aggregation::Percentile(100.0),
        Aggregation::Percentile(75.0),
    ];
    let points = w
        .measured(asked(TraceMetric::TraceLatency, &aggregations))
        .await?;
    let expected = [425.0, 100.0, 1000.0, 300.0, 100.0, 1000.0, 550.0].map(Some);
    assert_eq!(points, [(None, Vec::new(), expected.to_vec())]);
    Ok(())
}

async fn spans_are_measured_by_interval(w: &World) -> Outcome {
    let spans = [("a", 0), ("b", 900), ("c", 61_000)];
    let spans = spans.map(|(name, after)| spending(span("tr-1", name, None, after), 1, 0.25));
    w.log_spans(spans.to_vec()).await?;
    let mut query = asked(TraceMetric::TotalCost, &[Aggregation::Sum]);
    query.interval_seconds = Some(60);
    query.start_time = Some(BEGIN);
    query.end_time = Some(BEGIN + 100_000);
    let minute = BEGIN - BEGIN % 60_000;
    assert_eq!(
        w.measured(query.clone()).await?,
        [
            (Some(minute), Vec::new(), vec![Some(0.5)]),
            (Some(minute + 60_000), Vec::new(), vec![Some(0.25)])
        ]
    );
    query.end_time = Some(BEGIN + 900);
    assert_eq!(w.measured(query).await?.len(), 1);
    let mut going_on = span("tr-1", "d", None, 62_000);
    going_on.end_time_unix_nano = 0;
    w.log_spans(vec![written(going_on, &[])]).await?;
    let latency = asked(TraceMetric::SpanLatency, &[Aggregation::Avg]);
    assert_eq!(
        w.measured(latency).await?,
        [(None, Vec::new(), vec![Some(100.0)])]
    );
    Ok(())
}

async fn assessments_that_are_valid_are_measured(w: &World) -> Outcome {
    w.tell(told("tr-1")).await?;
    let traces = w.traces()?;
    for (name, json) in [
        ("q", "1.0"),
        ("r", "true"),
        ("s", "\"no\""),
        ("t", "\"text\""),
    ] {
        traces
            .create_assessment(feedback("tr-1", name, json))
            .await?;
    }
    let mut better = feedback("tr-1", "better", "0.5");
    better.overrides = Some(runledger_entities::AssessmentId::new("a-q"));
    traces.create_assessment(better).await?;
    let count = asked(TraceMetric::Assessments, &[Aggregation::Count]);
    assert_eq!(
        w.measured(count).await?,
        [(None, Vec::new(), vec![Some(4.0)])]
    );
    let mut values = asked(TraceMetric::AssessmentValues, &[Aggregation::Avg]);
    values.dimensions = vec![TraceDimension::AssessmentName];
    let group = |name: &str, value| (None, vec![name.to_owned()], vec![Some(value)]);
    assert_eq!(
        w.measured(values).await?,
        [group("better", 0.5), group("r", 1.0), group("s", 0.0)]
    );
    Ok(())
}

async fn filters_hold_for_what_is_measured(w: &World) -> Outcome {
    for (name, team) in [("tr-1", "a"), ("tr-2", "b")] {
        let mut info = told(name);
        info.tags = map(&[("team", team)]);
        w.tell(info).await?;
        w.log_spans(vec![
            span(name, "x", None, 0),
            span(name, "y", Some("x"), 0),
        ])
        .await?;
    }
    for (filters, count) in [
        (vec!["trace.tag.team = 'a'"], 2.0),
        (vec!["trace.tag.team = 'a'", "span.name = 'x!'"], 1.0),
        (vec!["trace.status = 'OK'", "span.type = 'LLM'"], 4.0),
    ] {
        let mut query = asked(TraceMetric::Spans, &[Aggregation::Count]);
        let clauses = filters.iter().map(|text| parse_trace_metric_filter(text));
        query.filter = clauses.collect::<Result<_, _>>().expect("clauses");
        let found = w.measured(query).await?;
        assert_eq!(
            found,
            [(None, Vec::new(), vec![Some(count)])],
            "{filters:?}"
        );
    }
    Ok(())
}

async fn a_sum_may_be_more_than_whole_numbers_hold(w: &World) -> Outcome {
    for name in ["tr-1", "tr-2"] {
        let mut info = told(name);
        let usage = format!("{{\"input_tokens\": {}}}", i64::MAX);
        info.metadata = map(&[(trace_keys::TOKEN_USAGE, &usage)]);
        w.tell(info).await?;
    }
    let query = asked(TraceMetric::InputTokens, &[Aggregation::Sum]);
    assert_eq!(
        w.measured(query).await?,
        [(None, Vec::new(), vec![Some(2_f64.powi(64))])]
    );
    Ok(())
}
