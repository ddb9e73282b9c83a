//! Measurements of traces, spans and assessments.
//!
//! Each aggregation is a statement of its own, so that its rows have one shape
//! whatever was asked for. All of them group the same rows in the same order.

use std::collections::HashMap;

use diesel::sql_types::{BigInt, Double, Nullable, Text};
use runledger_search::{TraceMetricClause, TraceMetricField};
use runledger_store::{
    Aggregation, StoreError, TraceDimension, TraceMetric, TraceMetricPoint, TraceMetricQuery,
};

use super::OrStoreError as _;
use crate::{connection::Connection, dialect::Dialect, sql::Sql};
use runledger_entities::trace_keys;

/// As many dimensions as a question can have.
const DIMENSIONS: usize = 5;

type Columns = (
    Nullable<BigInt>,
    (
        Nullable<Text>,
        Nullable<Text>,
        Nullable<Text>,
        Nullable<Text>,
        Nullable<Text>,
    ),
    Nullable<Double>,
);

type Texts = (
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

type Row = (Option<i64>, Texts, Option<f64>);

/// Answers a question.
pub(crate) fn query(
    connection: &mut Connection,
    query: &TraceMetricQuery,
) -> Result<Vec<TraceMetricPoint>, StoreError> {
    super::traces::require_schema(connection)?;
    let mut points: Vec<TraceMetricPoint> = Vec::new();
    let mut places: HashMap<(Option<i64>, Vec<String>), usize> = HashMap::new();
    for (number, aggregation) in query.aggregations.iter().enumerate() {
        let rows: Vec<Row> = statement(connection.dialect(), query, *aggregation)
            .sql(" limit ")
            .int(query.max_results.into())
            .rows::<Columns, _>(connection)
            .or_store_error()?;
        for (interval_start, texts, value) in rows {
            let texts = [texts.0, texts.1, texts.2, texts.3, texts.4];
            let dimensions: Vec<String> = texts
                .into_iter()
                .take(query.dimensions.len())
                .map(Option::unwrap_or_default)
                .collect();
            let place = places
                .entry((interval_start, dimensions))
                .or_insert_with_key(|(_, dimensions)| {
                    points.push(TraceMetricPoint {
                        interval_start,
                        dimensions: dimensions.clone(),
                        values: vec![None; query.aggregations.len()],
                    });
                    points.len() - 1
                });
            points[*place].values[number] = value;
        }
    }
    points.retain(|point| point.values.iter().any(Option::is_some));
    Ok(points)
}

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum View {
    Traces,
    Spans,
    Assessments,
}

fn view(metric: TraceMetric) -> View {
    use TraceMetric as M;

    match metric {
        M::Traces
        | M::Sessions
        | M::TraceLatency
        | M::InputTokens
        | M::OutputTokens
        | M::TotalTokens
        | M::CacheReadInputTokens
        | M::CacheCreationInputTokens => View::Traces,
        M::Spans | M::SpanLatency | M::InputCost | M::OutputCost | M::TotalCost => View::Spans,
        M::Assessments | M::AssessmentValues => View::Assessments,
    }
}

fn column(metric: TraceMetric) -> &'static str {
    match metric {
        TraceMetric::Traces => "t.request_id",
        TraceMetric::Sessions => "t.session_id",
        TraceMetric::TraceLatency => "t.execution_time_ms",
        TraceMetric::InputTokens => "t.input_tokens",
        TraceMetric::OutputTokens => "t.output_tokens",
        TraceMetric::TotalTokens => "t.total_tokens",
        TraceMetric::CacheReadInputTokens => "t.cache_read_input_tokens",
        TraceMetric::CacheCreationInputTokens => "t.cache_creation_input_tokens",
        TraceMetric::Spans => "s.span_id",
        // A span that has not ended has none; MLflow's rows have 0 as its end.
        TraceMetric::SpanLatency => {
            "(case when s.end_time_unix_nano > 0 then \
             (s.end_time_unix_nano - s.start_time_unix_nano \
             - (s.end_time_unix_nano - s.start_time_unix_nano) % 1000000) / 1000000 end)"
        }
        TraceMetric::InputCost => "s.input_cost",
        TraceMetric::OutputCost => "s.output_cost",
        TraceMetric::TotalCost => "s.total_cost",
        TraceMetric::Assessments => "a.assessment_id",
        TraceMetric::AssessmentValues => "a.aggregate_value",
    }
}

fn dimension(dimension: TraceDimension) -> &'static str {
    match dimension {
        TraceDimension::TraceName => "t.trace_name",
        TraceDimension::TraceStatus => "t.status",
        TraceDimension::SpanName => "s.name",
        TraceDimension::SpanType => "s.type",
        TraceDimension::SpanStatus => "s.status",
        TraceDimension::SpanModelName => "s.model_name",
        TraceDimension::SpanModelProvider => "s.model_provider",
        TraceDimension::AssessmentName => "a.name",
        TraceDimension::AssessmentValue => "a.value",
    }
}

/// The names of the columns of dimensions.
const NAMES: [&str; DIMENSIONS] = ["d0", "d1", "d2", "d3", "d4"];

fn statement(dialect: Dialect, query: &TraceMetricQuery, aggregation: Aggregation) -> Sql {
    let view = view(query.metric);
    // The rows: their interval, their dimensions, and what is measured.
    let mut rows = Sql::varying("select ").with(interval(dialect, view, query));
    rows.push(" as i");
    for (place, name) in NAMES.into_iter().enumerate() {
        let column = query
            .dimensions
            .get(place)
            .map_or("null", |d| dimension(*d));
        rows = match column {
            // An untyped null cannot be compared everywhere.
            "null" => rows.sql(", cast(null as char(1)) as ").sql(name),
            column => rows.sql(", ").sql(column).sql(" as ").sql(name),
        };
    }
    rows = rows.sql(", ").sql(column(query.metric)).sql(" as v");
    rows.append(matching(dialect, view, query));
    let mut sql = Sql::varying("select i, d0, d1, d2, d3, d4, cast(");
    let group = " group by i, d0, d1, d2, d3, d4 order by i, d0, d1, d2, d3, d4";
    if let Aggregation::Percentile(percent) = aggregation {
        let place = |sql: Sql| sql.real(percent / 100.0).sql(" * (n - 1)");
        // Between the two values around the place, by how near each is.
        sql.push("sum(case when r - 1 <= ");
        sql = place(sql).sql(" and r > ");
        sql = place(sql).sql(" then v * (r - ");
        sql = place(sql).sql(") when r - 2 <= ");
        sql = place(sql).sql(" and r - 1 > ");
        sql = place(sql).sql(" then v * (");
        sql = place(sql).sql(" - (r - 2)) else 0 end) as ");
        return sql
            .sql(dialect.double())
            .sql(
                ") from (select i, d0, d1, d2, d3, d4, v, row_number() over (partition by \
                 i, d0, d1, d2, d3, d4 order by v) as r, count(*) over (partition by \
                 i, d0, d1, d2, d3, d4) as n from (",
            )
            .with(rows)
            .sql(") m) p")
            .sql(group);
    }
    sql.push(match (aggregation, query.metric) {
        (Aggregation::Count, TraceMetric::Sessions) => "count(distinct v)",
        (Aggregation::Count, _) => "count(v)",
        // Whole numbers that a client told may be too large for a sum of whole numbers.
        (Aggregation::Sum, _) => "sum(v * 1.0)",
        (Aggregation::Avg, _) => "avg(v)",
        (Aggregation::Min, _) => "min(v)",
        (Aggregation::Max | Aggregation::Percentile(_), _) => "max(v)",
    });
    sql.sql(" as ")
        .sql(dialect.double())
        .sql(") from (")
        .with(rows)
        .sql(") m")
        .sql(group)
}

/// When the interval of a row begins.
fn interval(dialect: Dialect, view: View, query: &TraceMetricQuery) -> Sql {
    let Some(seconds) = query.interval_seconds.filter(|seconds| *seconds > 0) else {
        return Sql::varying(dialect.no_integer());
    };
    let size = seconds.saturating_mul(1000);
    let time = match view {
        View::Traces => "t.timestamp_ms",
        View::Spans => "((s.start_time_unix_nano - s.start_time_unix_nano % 1000000) / 1000000)",
        View::Assessments => "a.trace_timestamp_ms",
    };
    Sql::varying("(")
        .sql(time)
        .sql(" - ")
        .sql(time)
        .sql(" % ")
        .int(size)
        .sql(")")
}

/// The tables, and the conditions on their rows.
fn matching(dialect: Dialect, view: View, query: &TraceMetricQuery) -> Sql {
    let ids = query.experiment_ids.iter().map(|id| id.0).collect();
    let mut sql = match view {
        View::Traces => Sql::varying(" from trace_info t where t.experiment_id"),
        View::Spans => Sql::varying(
            " from trace_info t join spans s on s.trace_id = t.request_id where t.experiment_id",
        ),
        View::Assessments => Sql::varying(
            " from assessments a join trace_info t on t.request_id = a.trace_id \
             where a.valid and a.experiment_id",
        ),
    }
    .in_ints(false, ids);
    sql = sql
        .sql(" and ")
        .sql(column(query.metric))
        .sql(" is not null");
    for of in &query.dimensions {
        sql = sql.sql(" and ").sql(dimension(*of)).sql(" is not null");
    }
    let costs = matches!(
        query.metric,
        TraceMetric::InputCost | TraceMetric::OutputCost | TraceMetric::TotalCost
    );
    // Costs by when the span began, other spans by when their trace did.
    let (time, unit) = match view {
        View::Spans if costs => ("s.start_time_unix_nano", 1_000_000),
        View::Traces | View::Spans => ("t.timestamp_ms", 1),
        View::Assessments => ("a.trace_timestamp_ms", 1),
    };
    if let Some(start) = query.start_time {
        sql = sql.sql(" and ").sql(time).sql(" >= ");
        sql = sql.int(start.saturating_mul(unit));
    }
    if let Some(end) = query.end_time {
        let end = end.saturating_mul(unit).saturating_add(unit - 1);
        sql = sql.sql(" and ").sql(time).sql(" <= ").int(end);
    }
    for clause in &query.filter {
        sql.push(" and ");
        sql.append(condition(dialect, clause));
    }
    sql
}

fn condition(dialect: Dialect, clause: &TraceMetricClause) -> Sql {
    let value = &*clause.value;
    let pair = |select: &'static str, key: &str| {
        Sql::varying("exists (")
            .sql(select)
            .with(dialect.equal("x.\"key\"", key))
            .sql(" and ")
            .with(dialect.equal("x.value", value))
            .sql(")")
    };
    let tag = "select 1 from trace_tags x where x.request_id = t.request_id and ";
    let metadata = "select 1 from trace_request_metadata x where x.request_id = t.request_id and ";
    match &clause.field {
        TraceMetricField::Status => dialect.equal("t.status", value),
        TraceMetricField::Tag(key) if key == trace_keys::NAME => {
            dialect.equal("t.trace_name", value)
        }
        TraceMetricField::Tag(key) => pair(tag, key),
        TraceMetricField::Metadata(key) if key == trace_keys::SESSION => {
            dialect.equal("t.session_id", value)
        }
        TraceMetricField::Metadata(key) if key == trace_keys::SOURCE_RUN => {
            crate::search::traces::of_run(dialect, value)
        }
        TraceMetricField::Metadata(key) => pair(metadata, key),
        TraceMetricField::SpanName => dialect.equal("s.name", value),
        TraceMetricField::SpanStatus => dialect.equal("s.status", value),
        TraceMetricField::SpanType => dialect.equal("s.type", value),
        TraceMetricField::AssessmentName => dialect.equal("a.name", value),
        TraceMetricField::AssessmentType => dialect.equal("a.assessment_type", value),
    }
}
