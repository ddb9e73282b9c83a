//! The data that version `75868b020152` moves: what charts of traces need goes
//! from tags, metadata and metrics, which are read by key, into columns.
//!
//! Most of it is moved by single statements. Numbers inside JSON texts, which
//! MLflow reads with Python's rules, are read here ([`super::python`]), in pages
//! by primary key.
//!
//! The rows that were moved are deleted afterwards, by the script, once the
//! table [`DONE`] stands. On MySQL, where a step can be cut short in between,
//! that table says that nothing must be moved again: what was deleted would then
//! be missing.

use std::collections::HashMap;

use diesel::sql_types::{Double, Nullable, Text};

use crate::{
    connection::Connection,
    dialect::Dialect,
    sql::{Prepared, Sql},
};

use super::{
    Failure, catalog, count_rows,
    python::{self, Json},
    report::Report,
    script::{self, Statement},
};

/// The last of the tables that the step makes after it has moved everything.
const DONE: &str = "sql_trace_rollup_rebuild_queue";

const TOKEN_USAGE: &str = "mlflow.trace.tokenUsage";
const COST: &str = "mlflow.trace.cost";

/// Names of token counts: members of the JSON text, keys of metrics and columns
/// alike.
const TOKENS: [&str; 6] = [
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation_input_tokens_above_1hr",
];

const COSTS: [&str; 3] = ["input_cost", "output_cost", "total_cost"];

/// Checks that everything can be moved, before anything is.
pub(super) fn check(connection: &mut Connection) -> Result<(), Failure> {
    if catalog::has_table(connection, DONE)? {
        return Ok(());
    }
    for (what, orphan) in [
        (
            "a span",
            "select trace_id from spans left join trace_info on request_id = trace_id \
             where request_id is null limit 1",
        ),
        (
            "an assessment",
            "select trace_id from assessments left join trace_info on request_id = trace_id \
             where request_id is null limit 1",
        ),
    ] {
        if let Some(trace) = Sql::new(orphan).first::<Text, String>(connection)? {
            return Err(Failure::Refused(format!(
                "{what} belongs to the trace `{trace}`, which is missing: delete it first"
            )));
        }
    }
    let unknown = Sql::new(unknown_dimensions(connection.dialect()));
    if let Some((trace, span)) = unknown.first::<(Text, Text), (String, String)>(connection)? {
        return Err(Failure::Refused(format!(
            "the span `{span}` of the trace `{trace}` has `dimension_attributes` other than \
             `mlflow.llm.model` and `mlflow.llm.provider` as texts, which would be lost"
        )));
    }
    Ok(())
}

/// Fills the new columns.
pub(super) fn copy(connection: &mut Connection, report: &mut Report<'_>) -> Result<(), Failure> {
    if catalog::has_table(connection, DONE)? {
        return Ok(());
    }
    for statement in set_based(connection.dialect()) {
        if let Statement::Sql { text, .. } = statement {
            connection.batch_execute(text)?;
        }
    }
    numbers_of_traces(connection, report)?;
    aggregates(connection, report)?;
    connection.batch_execute(COSTS_FROM_SPANS)?;
    Ok(())
}

/// Reads token counts and costs. Of a count, the metric goes before the text.
fn numbers_of_traces(connection: &mut Connection, report: &mut Report<'_>) -> Result<(), Failure> {
    let of = count_rows(connection, "trace_info")?;
    let (mut last, mut done) = (String::new(), 0);
    loop {
        let page: Vec<String> = Sql::new("select request_id from trace_info where request_id > ")
            .text(&*last)
            .sql(" order by request_id limit 500")
            .rows::<Text, _>(connection)?;
        let Some(end) = page.last() else {
            return Ok(());
        };
        last.clone_from(end);
        done += page.len() as u64;
        let mut traces: HashMap<String, Numbers> = HashMap::new();
        let texts: Vec<(String, String, Option<String>)> =
            Sql::new("select request_id, \"key\", value from trace_request_metadata where \"key\" in ('mlflow.trace.tokenUsage', 'mlflow.trace.cost') and request_id")
                .in_texts(false, page.clone())
                .rows::<(Text, Text, Nullable<Text>), _>(connection)?;
        for (trace, key, text) in texts {
            let numbers = traces.entry(trace).or_default();
            if let Some(Json::Object(members)) = text.as_deref().and_then(Json::parse) {
                numbers.read(&key, &members);
            }
        }
        let metrics: Vec<(String, String, Option<f64>)> =
            Sql::new("select request_id, \"key\", value from trace_metrics where \"key\"")
                .in_texts(false, TOKENS.map(str::to_owned).to_vec())
                .sql(" and request_id")
                .in_texts(false, page)
                .rows::<(Text, Text, Nullable<Double>), _>(connection)?;
        for (trace, key, value) in metrics {
            if let Some(place) = TOKENS.iter().position(|token| *token == key) {
                let numbers = traces.entry(trace).or_default();
                numbers.tokens[place] = value.and_then(python::count_of);
            }
        }
        in_transaction(connection, |connection| {
            for (trace, numbers) in &traces {
                numbers.update(trace).run(connection)?;
            }
            Ok(())
        })?;
        report.rows("trace_info", of, done);
    }
}

/// The numbers of a trace, in the order of [`TOKENS`] and [`COSTS`].
#[derive(Debug, Default, PartialEq)]
struct Numbers {
    tokens: [Option<i64>; 6],
    costs: [Option<f64>; 3],
}

impl Numbers {
    fn read(&mut self, key: &str, members: &HashMap<String, Json>) {
        if key == TOKEN_USAGE {
            self.tokens = TOKENS.map(|token| members.get(token).and_then(Json::count));
        } else if key == COST {
            self.costs = COSTS.map(|cost| members.get(cost).and_then(Json::finite));
        }
    }

    fn update(&self, trace: &str) -> Sql {
        let mut sql = Sql::new("update trace_info set request_id = request_id");
        for (column, value) in [
            ", input_tokens = ",
            ", output_tokens = ",
            ", total_tokens = ",
            ", cache_read_input_tokens = ",
            ", cache_creation_input_tokens = ",
            ", cache_creation_input_tokens_above_1hr = ",
        ]
        .into_iter()
        .zip(self.tokens)
        {
            sql = sql.sql(column).optional_int(value);
        }
        for (column, value) in [", input_cost = ", ", output_cost = ", ", total_cost = "]
            .into_iter()
            .zip(self.costs)
        {
            sql.push(column);
            sql = match value {
                Some(value) => sql.real(value),
                None => sql.sql("null"),
            };
        }
        // Which costs are there is part of the text.
        sql.prepared = Prepared::Never;
        sql.sql(" where request_id = ").text(trace)
    }
}

/// Reads the values of assessments.
fn aggregates(connection: &mut Connection, report: &mut Report<'_>) -> Result<(), Failure> {
    let of = count_rows(connection, "assessments")?;
    let (mut last, mut done) = (String::new(), 0);
    loop {
        let page: Vec<(String, String)> =
            Sql::new("select assessment_id, value from assessments where assessment_id > ")
                .text(&*last)
                .sql(" order by assessment_id limit 500")
                .rows::<(Text, Text), _>(connection)?;
        let Some((end, _)) = page.last() else {
            return Ok(());
        };
        last.clone_from(end);
        done += page.len() as u64;
        in_transaction(connection, |connection| {
            for (assessment, value) in &page {
                if let (Some(value), is_number) = python::aggregate(value) {
                    Sql::new("update assessments set aggregate_value = ")
                        .real(value)
                        .sql(", is_numeric_value = ")
                        .bool(is_number)
                        .sql(" where assessment_id = ")
                        .text(&**assessment)
                        .run(connection)?;
                }
            }
            Ok(())
        })?;
        report.rows("assessments", of, done);
    }
}

/// Runs the updates of a page in one transaction: on MySQL each would be one of
/// its own, on the others there already is one.
fn in_transaction(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if connection.dialect() != Dialect::Mysql {
        return work(connection);
    }
    connection.batch_execute("begin")?;
    let worked = work(connection);
    connection.batch_execute(if worked.is_ok() { "commit" } else { "rollback" })?;
    worked
}

/// The first span whose dimensions would be lost: they hold other keys, or
/// values that are no texts.
fn unknown_dimensions(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => {
            "select trace_id, span_id from spans where dimension_attributes is not null \
             and case when not json_valid(dimension_attributes) then 1 \
               when json_type(dimension_attributes) = 'null' then 0 \
               when json_type(dimension_attributes) <> 'object' then 1 \
               else exists (select 1 from json_each(dimension_attributes) as member \
                 where member.key not in ('mlflow.llm.model', 'mlflow.llm.provider') \
                 or member.type not in ('text', 'null')) end limit 1"
        }
        Dialect::Postgres => {
            "select trace_id, span_id from spans where dimension_attributes is not null \
             and case json_typeof(dimension_attributes) when 'null' then false \
               when 'object' then exists (select from json_each(dimension_attributes) as member \
                 where member.key not in ('mlflow.llm.model', 'mlflow.llm.provider') \
                 or json_typeof(member.value) not in ('string', 'null')) else true end limit 1"
        }
        Dialect::Mysql => {
            "select trace_id, span_id from spans where dimension_attributes is not null \
             and case json_type(dimension_attributes) when 'NULL' then 0 when 'OBJECT' then \
               json_length(dimension_attributes) \
                 <> json_contains_path(dimension_attributes, 'one', '$.\"mlflow.llm.model\"') \
                 + json_contains_path(dimension_attributes, 'one', '$.\"mlflow.llm.provider\"') \
               or coalesce(json_type(json_extract(dimension_attributes, \
                 '$.\"mlflow.llm.model\"')), 'NULL') not in ('STRING', 'NULL') \
               or coalesce(json_type(json_extract(dimension_attributes, \
                 '$.\"mlflow.llm.provider\"')), 'NULL') not in ('STRING', 'NULL') \
               else 1 end limit 1"
        }
    }
}

/// Statements that move what a statement can.
fn set_based(dialect: Dialect) -> Vec<Statement> {
    script::parse(match dialect {
        Dialect::Sqlite => include_str!("../../migrations/sqlite/66_move_traces.sql"),
        Dialect::Postgres => include_str!("../../migrations/postgres/66_move_traces.sql"),
        Dialect::Mysql => include_str!("../../migrations/mysql/66_move_traces.sql"),
    })
}

/// Traces of the gateway without a cost cost what their spans do.
const COSTS_FROM_SPANS: &str = "update trace_info \
     set total_cost = (select sum(spans.total_cost) from spans where trace_id = request_id) \
     where total_cost is null \
     and exists (select 1 from spans where trace_id = request_id and spans.total_cost is not null) \
     and exists (select 1 from trace_request_metadata as metadata \
       where metadata.request_id = trace_info.request_id \
       and metadata.\"key\" = 'mlflow.gateway.endpointId')";
