//! The search of runs.

use diesel::sql_types::Text;
use runledger_entities::{Run, Tag};
use runledger_search::{DatasetField, PageToken, RunClause, RunText, TextOp, TextTest};
use runledger_store::{Page, RunQuery, StoreError};

use super::{
    order::{RunOrder, Stretch, Walk, number_column, text_column},
    page, predicates,
};
use crate::{
    connection::Connection,
    dialect::Dialect,
    nouns::{OrStoreError as _, run_data},
    sql::Sql,
};

/// A page of runs.
pub(crate) fn search(
    connection: &mut Connection,
    query: &RunQuery,
) -> Result<Page<Run>, StoreError> {
    let of_dataset = |clause: &RunClause| matches!(clause, RunClause::Dataset { .. });
    let impossible = !connection.schema().datasets && query.filter.iter().any(of_dataset);
    if query.experiment_ids.is_empty() || impossible {
        return Ok(Page::empty());
    }
    let dialect = connection.dialect();
    let order = RunOrder::new(dialect, &query.order_by)?;
    let start = match query.page.token.as_deref() {
        Some(token) => page::decode(token)?,
        None => PageToken::default(),
    };
    let after = start.after.as_deref();
    let most = i64::from(query.page.max_results) + 1;
    let mut ids: Vec<String> = Vec::new();
    if dialect.has_order_indexes() && (after.is_some() || start.offset == 0) {
        for stretch in order.stretches(after)? {
            let left = most - i64::try_from(ids.len()).unwrap_or(most);
            if left == 0 {
                break;
            }
            ids.extend(of_stretch(connection, query, &stretch, left)?);
        }
    } else {
        let mut sql = statement(dialect, query, &order, after)?
            .sql(" limit ")
            .int(most);
        if after.is_none() {
            sql = sql
                .sql(" offset ")
                .int(i64::try_from(start.offset).unwrap_or(i64::MAX));
        }
        ids = sql.rows::<Text, _>(connection).or_store_error()?;
    }
    let more = ids.len() as u64 > u64::from(query.page.max_results);
    ids.truncate(usize::try_from(query.page.max_results).unwrap_or(usize::MAX));
    let items = run_data::load(connection, &ids)?;
    let next_token = match items.last() {
        Some(last) if more => {
            let offset = start.offset + ids.len() as u64;
            let after = order.place(connection, last)?;
            Some(PageToken { offset, after }.encode())
        }
        _ => None,
    };
    Ok(Page { items, next_token })
}

/// The statement that finds the ids, without its limit.
///
/// Ids only: what is sorted stays narrow, and the rest is read for the page alone.
pub(crate) fn statement(
    dialect: Dialect,
    query: &RunQuery,
    order: &RunOrder,
    after: Option<&[serde_json::Value]>,
) -> Result<Sql, StoreError> {
    let mut sql = matching(dialect, query, order.joins());
    if let Some(after) = after {
        sql.push(" and ");
        sql.append(order.after(after)?);
    }
    sql.append(order.clause());
    Ok(sql)
}

/// The first ids of a stretch of the order.
fn of_stretch(
    connection: &mut Connection,
    query: &RunQuery,
    stretch: &Stretch,
    most: i64,
) -> Result<Vec<String>, StoreError> {
    let dialect = connection.dialect();
    if !query.filter.is_empty()
        && let Some(walk) = &stretch.walk
    {
        for rows in WALKS.map(|times| times * most) {
            let sql = walking(dialect, query, stretch, walk, rows.min(LONGEST_WALK));
            let ids: Vec<String> = sql
                .sql(" limit ")
                .int(most)
                .rows::<Text, _>(connection)
                .or_store_error()?;
            if i64::try_from(ids.len()) == Ok(most) {
                return Ok(ids);
            }
        }
    }
    along(dialect, query, stretch)
        .sql(" limit ")
        .int(most)
        .rows::<Text, String>(connection)
        .or_store_error()
}

/// How many rows are walked along for each one that is wanted: first, and then
/// further where too few of them match.
const WALKS: [i64; 3] = [10, 50, 200];

/// How many rows are walked along at most.
const LONGEST_WALK: i64 = 20_000;

/// The statement that finds the ids of a stretch of the order, without its limit.
pub(crate) fn along(dialect: Dialect, query: &RunQuery, stretch: &Stretch) -> Sql {
    Sql::varying("select r.run_uuid from runs r")
        .with(stretch.joins.clone())
        .sql(" where ")
        .with(scope(query))
        .with(filter(dialect, query))
        .sql(" and ")
        .with(stretch.condition.clone())
        .with(stretch.order.clone())
}

/// As [`along`], among the first rows only.
pub(crate) fn walking(
    dialect: Dialect,
    query: &RunQuery,
    stretch: &Stretch,
    walk: &Walk,
    rows: i64,
) -> Sql {
    let mut sql = Sql::varying("with walked as (").with(walk.rows.clone());
    if walk.of_runs {
        sql = sql.sql(" and ").with(scope(query));
    }
    sql.with(walk.order.clone())
        .sql(" limit ")
        .int(rows)
        .sql(") select r.run_uuid from ")
        .sql(walk.from)
        .with(stretch.rest.clone())
        .sql(" where ")
        .with(scope(query))
        .with(filter(dialect, query))
        .sql(" and ")
        .with(stretch.condition.clone())
        .sql(" and (")
        .with(walk.complete.clone())
        .sql(" or (select count(*) from walked) < ")
        .int(rows)
        .sql(")")
        .with(stretch.order.clone())
}

/// The ids of the runs that match, in no order.
fn matching(dialect: Dialect, query: &RunQuery, joins: Sql) -> Sql {
    Sql::varying("select r.run_uuid from runs r")
        .with(joins)
        .sql(" where ")
        .with(scope(query))
        .with(filter(dialect, query))
}

/// That a run is of the experiments and in the stage that are searched.
fn scope(query: &RunQuery) -> Sql {
    let sql = match query.experiment_ids.as_slice() {
        // An index can give the runs of one experiment in their order.
        [one] => Sql::varying("r.experiment_id = ").int(one.0),
        several => {
            Sql::varying("r.experiment_id").in_ints(false, several.iter().map(|id| id.0).collect())
        }
    };
    match query.view.stage() {
        Some(stage) => sql.sql(" and r.lifecycle_stage = ").text(stage.name()),
        None => sql,
    }
}

/// The clauses of the filter, each behind an `and`.
fn filter(dialect: Dialect, query: &RunQuery) -> Sql {
    let mut sql = Sql::varying("");
    let mut clauses: Vec<&RunClause> = query.filter.iter().collect();
    clauses.sort_by_key(|clause| cost(clause));
    for clause in clauses {
        sql.push(" and ");
        sql.append(condition(dialect, clause));
    }
    sql
}

/// A row of `params` or `tags` of the run.
fn pair(dialect: Dialect, table: &'static str, key: &str) -> Sql {
    Sql::varying("select 1 from ")
        .sql(table)
        .sql(" p where p.run_uuid = r.run_uuid and ")
        .with(dialect.equal("p.key", key))
}

/// What comes first in the statement: columns of the run itself, then the tests
/// that few rows are likely to pass. SQLite tries conditions in their order.
fn cost(clause: &RunClause) -> u8 {
    match clause {
        RunClause::Text { attribute, .. } if *attribute != RunText::RunName => 0,
        RunClause::Number { .. } => 0,
        RunClause::Param { test, .. }
        | RunClause::Tag { test, .. }
        | RunClause::Text { test, .. } => match test {
            TextTest::Compare {
                op: TextOp::Equal, ..
            }
            | TextTest::In { negated: false, .. } => 1,
            TextTest::Compare {
                op: TextOp::Like | TextOp::ILike | TextOp::RLike,
                ..
            }
            | TextTest::IsNull => 2,
            _ => 3,
        },
        RunClause::Metric { .. } => 2,
        RunClause::Dataset { .. } => 4,
    }
}

fn condition(dialect: Dialect, clause: &RunClause) -> Sql {
    match clause {
        RunClause::Metric { key, test } => {
            let mut sql = Sql::varying(dialect.exists())
                .sql("select 1 from latest_metrics m where m.run_uuid = r.run_uuid and ")
                .with(dialect.equal("m.key", key))
                .sql(" and ");
            sql.append(predicates::metric("m.value", "m.is_nan", *test));
            sql.sql(")")
        }
        RunClause::Param { key, test } => {
            predicates::row_text(dialect, pair(dialect, "params", key), "p.value", test)
        }
        RunClause::Tag { key, test } => {
            predicates::row_text(dialect, pair(dialect, "tags", key), "p.value", test)
        }
        RunClause::Text {
            attribute: RunText::RunName,
            test,
        } => predicates::row_text(
            dialect,
            pair(dialect, "tags", Tag::RUN_NAME),
            "p.value",
            test,
        ),
        RunClause::Text { attribute, test } => {
            predicates::text(dialect, text_column(*attribute), test)
        }
        RunClause::Number { attribute, test } => {
            predicates::number(number_column(*attribute), *test)
        }
        RunClause::Dataset { field, test } => {
            let select = Sql::varying(
                "select 1 from inputs i join datasets d on d.dataset_uuid = i.source_id",
            );
            let select = match field {
                DatasetField::Name | DatasetField::Digest => select,
                DatasetField::Context => select
                    .sql(" join input_tags t on t.input_uuid = i.input_uuid and t.name = ")
                    .text(Tag::DATASET_CONTEXT),
            };
            let select = select.sql(
                " where i.destination_type = 'RUN' and i.destination_id = r.run_uuid \
                 and i.source_type = 'DATASET'",
            );
            let column = match field {
                DatasetField::Name => "d.name",
                DatasetField::Digest => "d.digest",
                DatasetField::Context => "t.value",
            };
            predicates::row_text(dialect, select, column, test)
        }
    }
}
