//! The search of traces.
//!
//! The natural order, by time, is walked along the index of an experiment, and
//! its pages continue at a key; every clause is then a lookup by the key of the
//! trace. Other orders go by offset.

use diesel::sql_types::BigInt;
use runledger_entities::{
    AssessmentKind, Cost, ExperimentId, TokenUsage, TraceInfo, quote, trace_keys,
};
use runledger_search::{
    AssessmentTest, NumberOp, NumberTest, Order, PageToken, SpanText, TextOp, TextTest,
    TraceClause, TraceKey, TraceNumber, TraceText,
};
use runledger_store::{Page, StoreError, TraceFilter, TraceQuery};
use serde_json::Value;

use super::{page, predicates};
use crate::{
    connection::Connection,
    dialect::Dialect,
    migrate::python::Json,
    nouns::{OrStoreError as _, traces},
    sql::Sql,
};

/// How much earlier than its trace a span may begin, by the clocks, in
/// milliseconds.
const CLOCKS: i64 = 24 * 60 * 60 * 1000;

/// A page of traces.
pub(crate) fn search(
    connection: &mut Connection,
    query: &TraceQuery,
) -> Result<Page<TraceInfo>, StoreError> {
    traces::require_schema(connection)?;
    let start = match query.page.token.as_deref() {
        Some(token) => page::decode(token)?,
        None => PageToken::default(),
    };
    if query.experiment_ids.is_empty() {
        return Ok(Page {
            items: Vec::new(),
            next_token: None,
        });
    }
    let natural = natural(&query.order_by);
    let after = start.after.as_deref();
    let mut sql = statement(connection.dialect(), query, after)?
        .sql(" limit ")
        .int(i64::from(query.page.max_results) + 1);
    if after.is_none() {
        let offset = i64::try_from(start.offset).unwrap_or(i64::MAX);
        sql = sql.sql(" offset ").int(offset);
    }
    let mut rows = sql
        .rows::<traces::Columns, traces::Row>(connection)
        .or_store_error()?;
    let more = rows.len() as u64 > u64::from(query.page.max_results);
    rows.truncate(usize::try_from(query.page.max_results).unwrap_or(usize::MAX));
    let items = traces::complete(connection, rows)?;
    let next_token = match items.last() {
        Some(last) if more => {
            let place = || vec![last.request_time.into(), last.trace_id.as_str().into()];
            let token = PageToken {
                offset: start.offset.saturating_add(items.len() as u64),
                after: natural.map(|_| place()),
            };
            Some(token.encode())
        }
        _ => None,
    };
    Ok(Page { items, next_token })
}

/// How many traces pass all filters of each list.
pub(crate) fn count(
    connection: &mut Connection,
    experiments: &[ExperimentId],
    lists: &[Vec<TraceFilter>],
) -> Result<Vec<u64>, StoreError> {
    traces::require_schema(connection)?;
    lists
        .iter()
        .map(|filters| {
            let sql = Sql::varying("select count(*) from trace_info t where ").with(matching(
                connection.dialect(),
                experiments,
                filters,
            ));
            let count = sql.first::<BigInt, i64>(connection).or_store_error()?;
            Ok(count.and_then(|count| count.try_into().ok()).unwrap_or(0))
        })
        .collect()
}

/// Whether an order is that of time: and then, whether the youngest come first.
fn natural(order_by: &[Order<TraceKey>]) -> Option<bool> {
    match order_by {
        [] => Some(true),
        [by] if by.key == TraceKey::Number(TraceNumber::Timestamp) => Some(by.descending),
        _ => None,
    }
}

/// The statement of a search, without its limit.
pub(crate) fn statement(
    dialect: Dialect,
    query: &TraceQuery,
    after: Option<&[Value]>,
) -> Result<Sql, StoreError> {
    let mut sql = Sql::varying("select ")
        .sql(traces::COLUMNS)
        .sql(" from trace_info t");
    for (by, alias) in query.order_by.iter().zip(ALIASES) {
        sql.append(join(dialect, &by.key, alias));
    }
    if query.order_by.len() > ALIASES.len() {
        return Err(StoreError::invalid(format!(
            "`order_by` has {} clauses, at most {} are possible.",
            query.order_by.len(),
            ALIASES.len()
        )));
    }
    sql.push(" where ");
    let filter = std::slice::from_ref(&query.filter);
    sql.append(matching(dialect, &query.experiment_ids, filter));
    if let Some(after) = after {
        let (Some(descending), [Value::Number(time), Value::String(id)]) =
            (natural(&query.order_by), after)
        else {
            return Err(page::foreign());
        };
        let time = time.as_i64().ok_or_else(page::foreign)?;
        let (no_later, before) = if descending {
            (" and t.timestamp_ms <= ", " and (t.timestamp_ms < ")
        } else {
            (" and t.timestamp_ms >= ", " and (t.timestamp_ms > ")
        };
        // The first condition is for the index, the second is the whole truth.
        sql = sql
            .sql(no_later)
            .int(time)
            .sql(before)
            .int(time)
            .sql(" or t.request_id > ")
            .text(&**id)
            .sql(")");
    }
    Ok(sql.with(order(&query.order_by)))
}

/// The names of the joined tables, by the place of their clause: as many clauses
/// as an order may have.
const ALIASES: [&str; 8] = ["o0", "o1", "o2", "o3", "o4", "o5", "o6", "o7"];

/// The row that an order needs beside the trace.
fn join(dialect: Dialect, key: &TraceKey, alias: &'static str) -> Sql {
    let (table, key) = match key {
        TraceKey::Tag(key) => (" left join trace_tags ", key),
        TraceKey::Metadata(key) => (" left join trace_request_metadata ", key),
        TraceKey::Text(_) | TraceKey::Number(_) | TraceKey::ExperimentId => {
            return Sql::varying("");
        }
    };
    Sql::varying(table)
        .sql(alias)
        .sql(" on ")
        .sql(alias)
        .sql(".request_id = t.request_id and ")
        .with(dialect.equal_in(alias, ".\"key\"", key))
}

fn order(order_by: &[Order<TraceKey>]) -> Sql {
    let mut sql = Sql::varying(" order by ");
    for (by, alias) in order_by.iter().zip(ALIASES) {
        let value = match &by.key {
            TraceKey::Text(text) => Sql::varying(text_column(*text)),
            TraceKey::Number(number) => Sql::varying(number_column(*number)),
            TraceKey::ExperimentId => Sql::varying("t.experiment_id"),
            TraceKey::Tag(_) | TraceKey::Metadata(_) => Sql::varying(alias).sql(".value"),
        };
        // What is never missing stays bare, for the index.
        let there = matches!(
            by.key,
            TraceKey::Number(TraceNumber::Timestamp)
                | TraceKey::Text(TraceText::RequestId | TraceText::Status)
                | TraceKey::ExperimentId
        );
        if !there {
            sql = sql.sql("case when ").with(value.clone());
            sql.push(" is null then 1 else 0 end, ");
        }
        sql.append(value);
        sql.push(if by.descending { " desc, " } else { ", " });
    }
    let has = |key| order_by.iter().any(|by| by.key == key);
    if !has(TraceKey::Number(TraceNumber::Timestamp)) {
        sql.push("t.timestamp_ms desc, ");
    }
    sql.sql("t.request_id")
}

fn text_column(text: TraceText) -> &'static str {
    match text {
        TraceText::RequestId => "t.request_id",
        TraceText::Status => "t.status",
        TraceText::ClientRequestId => "t.client_request_id",
        TraceText::Name => "t.trace_name",
        TraceText::Session => "t.session_id",
    }
}

fn number_column(number: TraceNumber) -> &'static str {
    match number {
        TraceNumber::Timestamp => "t.timestamp_ms",
        TraceNumber::ExecutionTime => "t.execution_time_ms",
        TraceNumber::EndTime => "(t.timestamp_ms + coalesce(t.execution_time_ms, 0))",
    }
}

/// That a trace is of one of the experiments.
fn scope(experiments: &[ExperimentId]) -> Sql {
    match experiments {
        // By the index of an experiment, in its order.
        [one] => Sql::varying("t.experiment_id = ").int(one.0),
        several => {
            Sql::varying("t.experiment_id").in_ints(false, several.iter().map(|id| id.0).collect())
        }
    }
}

/// That a trace is of the experiments and passes all filters.
fn matching(dialect: Dialect, experiments: &[ExperimentId], filters: &[TraceFilter]) -> Sql {
    filters.iter().fold(scope(experiments), |sql, filter| {
        passing(sql, dialect, experiments, filter)
    })
}

/// And that it passes all clauses of one more; those about spans have one span that does.
fn passing(
    mut sql: Sql,
    dialect: Dialect,
    experiments: &[ExperimentId],
    filter: &[TraceClause],
) -> Sql {
    let mut of_span = Vec::new();
    for clause in filter {
        if let TraceClause::Span { field, test } = clause {
            of_span.push((field, test));
            continue;
        }
        sql.push(" and ");
        sql.append(condition(dialect, experiments, clause));
    }
    if of_span.is_empty() {
        return sql;
    }
    let mut row = Sql::varying("select 1 from spans s where s.trace_id = t.request_id");
    if let Some(time) = earliest(filter) {
        let nanos = time.saturating_sub(CLOCKS).saturating_mul(1_000_000);
        row = row.sql(" and s.start_time_unix_nano >= ").int(nanos);
    }
    for (field, test) in of_span {
        row.push(" and ");
        row.append(span(dialect, field, test));
    }
    sql.sql(" and ").with(dialect.exists().of(row))
}

/// The time that a filter asks traces to have begun after, in milliseconds.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a bound that is less tight finds the same"
)]
fn earliest(filter: &[TraceClause]) -> Option<i64> {
    let bounds = filter.iter().filter_map(|clause| match clause {
        TraceClause::Number {
            attribute: TraceNumber::Timestamp,
            test:
                NumberTest {
                    op: NumberOp::Greater | NumberOp::GreaterOrEqual,
                    value,
                },
        } => Some(*value as i64),
        _ => None,
    });
    bounds.max()
}

fn condition(dialect: Dialect, experiments: &[ExperimentId], clause: &TraceClause) -> Sql {
    match clause {
        TraceClause::Text { attribute, test } => {
            predicates::text(dialect, text_column(*attribute), test)
        }
        TraceClause::Number { attribute, test } => {
            predicates::number(number_column(*attribute), *test)
        }
        TraceClause::Tag { key, test } => {
            let select = "select 1 from trace_tags x where x.request_id = t.request_id and ";
            let select = Sql::varying(select).with(dialect.equal("x.\"key\"", key));
            predicates::row_text(dialect, dialect.exists(), select, "x.value", test)
        }
        TraceClause::Metadata { key, test } => {
            let select =
                "select 1 from trace_request_metadata x where x.request_id = t.request_id and ";
            let select = Sql::varying(select).with(dialect.equal("x.\"key\"", key));
            predicates::row_text(dialect, dialect.exists(), select, "x.value", test)
        }
        TraceClause::TokenUsage(test) => {
            let names = TokenUsage::MEMBERS.map(|(name, _)| name);
            numbers(TOKENS, test, |text| {
                canonical(text, names, |json| {
                    json.count().map(|count| count.to_string())
                })
            })
        }
        TraceClause::Cost(test) => {
            let names = Cost::MEMBERS.map(|(name, _)| name);
            numbers(COSTS, test, |text| {
                canonical(text, names, |json| {
                    json.finite()
                        .map(runledger_entities::validate::python_float)
                })
            })
        }
        TraceClause::Run(run) => of_run(dialect, run),
        TraceClause::Prompt(prompt) => linked(dialect, "prompt_version", prompt),
        TraceClause::Issue(issue) => Sql::varying(
            "exists (select 1 from assessments a where a.trace_id = t.request_id \
             and coalesce(a.assessment_type, '') = 'issue' and ",
        )
        .with(dialect.equal("a.name", issue))
        .sql(")"),
        TraceClause::Assessment { kind, name, test } => {
            assessment(dialect, experiments, *kind, name, test)
        }
        // All spans clauses are one condition.
        TraceClause::Span { .. } => Sql::varying("1 = 1"),
    }
}

/// The columns of tokens, in the order of their names.
const TOKENS: [&str; 6] = [
    "t.input_tokens",
    "t.output_tokens",
    "t.total_tokens",
    "t.cache_read_input_tokens",
    "t.cache_creation_input_tokens",
    "t.cache_creation_input_tokens_above_1hr",
];

/// The columns of costs, in the order of their names.
const COSTS: [&str; 3] = ["t.input_cost", "t.output_cost", "t.total_cost"];

/// The numbers of a text, if it is the one that the API shows for them.
fn canonical<const N: usize>(
    text: &str,
    names: [&'static str; N],
    number: impl Fn(&Json) -> Option<String>,
) -> Option<[Option<f64>; N]> {
    let Some(Json::Object(members)) = Json::parse(text) else {
        return None;
    };
    let numbers = names.map(|name| members.get(name).and_then(&number));
    let shown = quote::numbers(names, numbers.clone())?;
    (shown == text && members.len() == numbers.iter().flatten().count())
        .then(|| numbers.map(|number| number.and_then(|number| number.parse().ok())))
}

/// A test of metadata that is kept as numbers.
fn numbers<const N: usize>(
    columns: [&'static str; N],
    test: &TextTest,
    read: impl Fn(&str) -> Option<[Option<f64>; N]>,
) -> Sql {
    let mut there = Sql::varying("coalesce(");
    for (number, column) in columns.into_iter().enumerate() {
        there.push(if number == 0 { "" } else { ", " });
        there.push(column);
    }
    there.push(")");
    let (op, value) = match test {
        TextTest::IsNull => return there.sql(" is null"),
        TextTest::Compare { op, value } => (*op, value),
        TextTest::In { .. } | TextTest::IsNotNull => return there.sql(" is not null"),
    };
    let equal = read(value).map(|numbers| {
        let mut equal = Sql::varying("(");
        for (place, (column, number)) in columns.into_iter().zip(numbers).enumerate() {
            equal = equal.sql(if place == 0 { "" } else { " and " }).sql(column);
            equal = match number {
                Some(number) => equal
                    .sql(" is not null and ")
                    .sql(column)
                    .sql(" = ")
                    .real(number),
                None => equal.sql(" is null"),
            };
        }
        equal.sql(")")
    });
    match (op, equal) {
        (TextOp::NotEqual, Some(equal)) => Sql::varying("(")
            .with(there)
            .sql(" is not null and not ")
            .with(equal)
            .sql(")"),
        (TextOp::NotEqual, None) => there.sql(" is not null"),
        (_, Some(equal)) => equal,
        (_, None) => Sql::varying("1 = 0"),
    }
}

fn linked(dialect: Dialect, to: &'static str, id: &str) -> Sql {
    Sql::varying(
        "exists (select 1 from entity_associations e where e.source_type = 'trace' and \
         e.source_id = t.request_id and e.destination_type = ",
    )
    .text(to)
    .sql(" and ")
    .with(dialect.equal("e.destination_id", id))
    .sql(")")
}

/// That a trace began in a run, or was linked to it.
pub(crate) fn of_run(dialect: Dialect, run: &str) -> Sql {
    Sql::varying("(")
        .with(linked(dialect, "run", run))
        .sql(
            " or exists (select 1 from trace_request_metadata x where \
             x.request_id = t.request_id and ",
        )
        .with(dialect.equal("x.\"key\"", trace_keys::SOURCE_RUN))
        .sql(" and ")
        .with(dialect.equal("x.value", run))
        .sql("))")
}

/// A test of a span `s`.
fn span(dialect: Dialect, field: &SpanText, test: &TextTest) -> Sql {
    let name = match field {
        SpanText::Name => return predicates::text(dialect, "s.name", test),
        SpanText::Type => return predicates::text(dialect, "s.type", test),
        SpanText::Status => return predicates::text(dialect, "s.status", test),
        SpanText::Content => return predicates::text(dialect, "s.content", test),
        SpanText::Attribute(name) => name,
    };
    // The attribute is looked for in the text of the span, as MLflow does.
    let inside = |value: &str| format!("%\"{name}\"{value}%");
    let test = match test {
        TextTest::Compare {
            op: TextOp::RLike,
            value,
        } => {
            let (prefix, rest) = match value.strip_prefix('^') {
                Some(rest) => (r#""\\""#, rest),
                None => (r#""\\".*"#, &**value),
            };
            let (rest, suffix) = match rest.strip_suffix('$') {
                Some(rest) => (rest, r#"\\""#),
                None => (rest, ""),
            };
            TextTest::Compare {
                op: TextOp::RLike,
                value: format!("\"{name}\": {prefix}{rest}{suffix}"),
            }
        }
        TextTest::Compare { op, value } => TextTest::Compare {
            op: *op,
            value: inside(value),
        },
        TextTest::In { negated, values } => TextTest::In {
            negated: *negated,
            values: values.iter().map(|value| inside(value)).collect(),
        },
        other => other.clone(),
    };
    predicates::text(dialect, "s.content", &test)
}

/// That a trace, or its session, has such an assessment.
fn assessment(
    dialect: Dialect,
    experiments: &[ExperimentId],
    kind: AssessmentKind,
    name: &str,
    test: &AssessmentTest,
) -> Sql {
    let value = match test {
        AssessmentTest::Number(test) => Some(
            Sql::varying("a.is_numeric_value and ")
                .with(predicates::number("a.aggregate_value", *test)),
        ),
        AssessmentTest::Text(TextTest::IsNull | TextTest::IsNotNull) => None,
        AssessmentTest::Text(TextTest::Compare {
            op: op @ (TextOp::Equal | TextOp::NotEqual),
            value,
        }) => {
            // A text is kept with quotes, a number or a truth value without.
            let not = if *op == TextOp::Equal { "(" } else { "not (" };
            let either = Sql::varying(not)
                .with(dialect.compare("a.value", " = ", value))
                .sql(" or ")
                .with(dialect.compare("a.value", " = ", &quote::json_whole(value)))
                .sql(")");
            Some(either)
        }
        AssessmentTest::Text(test) => Some(predicates::text(dialect, "a.value", test)),
    };
    let such = |from: &'static str| {
        let mut sql = Sql::varying(from)
            .text(kind.name())
            .sql(" and ")
            .with(dialect.equal("a.name", name));
        if let Some(value) = &value {
            sql = sql.sql(" and ").with(value.clone());
        }
        sql
    };
    // Without `coalesce` SQLite would go by the index of the type, for every trace.
    let own = such(
        "exists (select 1 from assessments a where a.trace_id = t.request_id and a.valid \
         and coalesce(a.assessment_type, '') = ",
    );
    let of_session = such(
        "t.session_id in (select w.session_id from trace_info w join assessments a \
         on a.trace_id = w.request_id where w.session_id is not null and a.valid \
         and a.assessment_type = ",
    )
    .sql(" and a.assessment_metadata like '%\"mlflow.trace.session\":%' and w.experiment_id")
    .in_ints(false, experiments.iter().map(|id| id.0).collect());
    let negated = *test == AssessmentTest::Text(TextTest::IsNull);
    let mut sql = Sql::varying(if negated { "not (" } else { "(" });
    sql.append(own);
    sql.push(if negated {
        ") or (t.session_id is not null and "
    } else {
        ") or "
    });
    sql.append(of_session);
    sql.sql(if negated { ")))" } else { "))" })
}
