//! The search of runs.

use diesel::sqlite::SqliteConnection;
use runledger_entities::{Run, Tag};
use runledger_search::{DatasetField, PageToken, RunClause, RunText};
use runledger_store::{Page, RunQuery, StoreError};

use super::{
    order::{RunOrder, number_column, text_column},
    page, predicates,
};
use crate::{
    nouns::{OrStoreError as _, run_data, runs},
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
    let mut rows = sql
        .rows::<runs::Columns, runs::Row>(connection)
        .or_store_error()?;
    let more = rows.len() as u64 > u64::from(query.page.max_results);
    rows.truncate(usize::try_from(query.page.max_results).unwrap_or(usize::MAX));
    let infos = rows.into_iter().map(runs::info).collect::<Result<_, _>>()?;
    let items = run_data::complete(connection, infos)?;
    let next_token = items.last().filter(|_| more).map(|last| {
        let offset = start.offset + items.len() as u64;
        PageToken {
            offset,
            after: order.place(last),
        }
        .encode()
    });
    Ok(Page { items, next_token })
}

/// The statement that finds the rows, without its limit.
pub(crate) fn statement(
    query: &RunQuery,
    order: &RunOrder,
    after: Option<&[serde_json::Value]>,
) -> Result<Sql, StoreError> {
    let mut sql = Sql::varying("select ")
        .sql(runs::COLUMNS)
        .sql(" from runs r");
    sql.append(order.joins());
    let mut sql = sql
        .sql(" where r.experiment_id in (select value from json_each(")
        .ints(query.experiment_ids.iter().map(|id| id.0))
        .sql("))");
    if let Some(stage) = query.view.stage() {
        sql = sql.sql(" and r.lifecycle_stage = ").text(stage.name());
    }
    for clause in &query.filter {
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

fn condition(clause: &RunClause) -> Sql {
    match clause {
        RunClause::Metric { key, test } => {
            let mut sql = Sql::varying(
                "exists (select 1 from latest_metrics m where m.run_uuid = r.run_uuid and m.key = ",
            )
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
