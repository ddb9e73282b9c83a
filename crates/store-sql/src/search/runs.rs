//! The search of runs.

use diesel::{sql_types::Text, sqlite::SqliteConnection};
use runledger_entities::{Run, Tag};
use runledger_search::{DatasetField, PageToken, RunClause, RunText, TextOp, TextTest};
use runledger_store::{Page, RunQuery, StoreError};

use super::{
    order::{RunOrder, number_column, text_column},
    page, predicates,
};
use crate::{
    nouns::{OrStoreError as _, run_data},
    sql::Sql,
};

/// A page of runs.
pub(crate) fn search(
    connection: &mut SqliteConnection,
    query: &RunQuery,
) -> Result<Page<Run>, StoreError> {
    if query.experiment_ids.is_empty() {
        return Ok(Page::empty());
    }
    let order = RunOrder::new(&query.order_by)?;
    let start = match query.page.token.as_deref() {
        Some(token) => page::decode(token)?,
        None => PageToken::default(),
    };
    let mut sql = statement(query, &order, start.after.as_deref())?
        .sql(" limit ")
        .int(i64::from(query.page.max_results) + 1);
    if start.after.is_none() {
        sql = sql
            .sql(" offset ")
            .int(i64::try_from(start.offset).unwrap_or(i64::MAX));
    }
    let mut ids: Vec<String> = sql.rows::<Text, _>(connection).or_store_error()?;
    let more = ids.len() as u64 > u64::from(query.page.max_results);
    ids.truncate(usize::try_from(query.page.max_results).unwrap_or(usize::MAX));
    let items = run_data::load(connection, &ids)?;
    let next_token = match ids.last() {
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
    query: &RunQuery,
    order: &RunOrder,
    after: Option<&[serde_json::Value]>,
) -> Result<Sql, StoreError> {
    let mut sql = Sql::varying("select r.run_uuid from runs r");
    sql.append(order.joins());
    let mut sql = sql
        .sql(" where r.experiment_id in (select value from json_each(")
        .ints(query.experiment_ids.iter().map(|id| id.0))
        .sql("))");
    if let Some(stage) = query.view.stage() {
        sql = sql.sql(" and r.lifecycle_stage = ").text(stage.name());
    }
    let mut clauses: Vec<&RunClause> = query.filter.iter().collect();
    clauses.sort_by_key(|clause| cost(clause));
    for clause in clauses {
        sql.push(" and ");
        sql.append(condition(clause));
    }
    if let Some(after) = after {
        sql.push(" and ");
        sql.append(order.after(after)?);
    }
    sql.append(order.clause());
    Ok(sql)
}

/// A row of `params` or `tags` of the run.
fn pair(table: &'static str, key: &str) -> Sql {
    Sql::varying("select 1 from ")
        .sql(table)
        .sql(" p where p.run_uuid = r.run_uuid and p.key = ")
        .text(key)
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
                op: TextOp::Like | TextOp::ILike,
                ..
            }
            | TextTest::IsNull => 2,
            _ => 3,
        },
        RunClause::Metric { .. } => 2,
        RunClause::Dataset { .. } => 4,
    }
}

fn condition(clause: &RunClause) -> Sql {
    match clause {
        RunClause::Metric { key, test } => {
            let mut sql = Sql::varying(predicates::EXISTS)
                .sql("select 1 from latest_metrics m where m.run_uuid = r.run_uuid and m.key = ")
                .text(&**key)
                .sql(" and ");
            sql.append(predicates::metric("m.value", "m.is_nan", *test));
            sql.sql(")")
        }
        RunClause::Param { key, test } => {
            predicates::row_text(pair("params", key), "p.value", test)
        }
        RunClause::Tag { key, test } => predicates::row_text(pair("tags", key), "p.value", test),
        RunClause::Text {
            attribute: RunText::RunName,
            test,
        } => predicates::row_text(pair("tags", Tag::RUN_NAME), "p.value", test),
        RunClause::Text { attribute, test } => predicates::text(text_column(*attribute), test),
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
            predicates::row_text(select, column, test)
        }
    }
}
