//! The search of runs.

use diesel::sqlite::SqliteConnection;
use runledger_entities::{Run, Tag};
use runledger_search::{DatasetField, Order, RunClause, RunKey, RunNumber, RunText};
use runledger_store::{Page, RunQuery, StoreError};

use super::{page::OffsetPage, predicates};
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
    if query.order_by.len() > ALIASES.len() {
        return Err(StoreError::invalid(format!(
            "`order_by` has {} clauses, at most {} are possible.",
            query.order_by.len(),
            ALIASES.len()
        )));
    }
    let offset = OffsetPage::of(&query.page)?;
    let rows = offset
        .limit(statement(query))
        .rows::<runs::Columns, runs::Row>(connection)
        .or_store_error()?;
    let Page { items, next_token } = offset.page(rows);
    let infos = items.into_iter().map(runs::info).collect::<Result<_, _>>()?;
    Ok(Page { items: run_data::complete(connection, infos)?, next_token })
}

/// The statement that finds the rows, without its limit.
pub(crate) fn statement(query: &RunQuery) -> Sql {
    let mut joins = Sql::varying("");
    let mut order = Sql::varying(" order by ");
    for (by, alias) in query.order_by.iter().zip(ALIASES) {
        order_by(&mut joins, &mut order, alias, by);
    }
    let by_start = |by: &Order<RunKey>| by.key == RunKey::Number(RunNumber::StartTime);
    if !query.order_by.iter().any(by_start) {
        order.push("r.start_time desc, ");
    }
    order.push("r.run_uuid");

    let mut sql = Sql::varying("select ").sql(runs::COLUMNS).sql(" from runs r");
    sql.append(joins);
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
    sql.append(order);
    sql
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
        RunClause::Text { attribute: RunText::RunName, test } => {
            predicates::row_text(pair("tags", Tag::RUN_NAME), "p.value", test)
        }
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

fn text_column(attribute: RunText) -> &'static str {
    match attribute {
        RunText::RunId => "r.run_uuid",
        RunText::RunName => "r.name",
        RunText::Status => "r.status",
        RunText::UserId => "r.user_id",
        RunText::ArtifactUri => "r.artifact_uri",
    }
}

fn number_column(attribute: RunNumber) -> &'static str {
    match attribute {
        RunNumber::StartTime => "r.start_time",
        RunNumber::EndTime => "r.end_time",
    }
}

/// The names of the joined tables, by the place of their clause: as many clauses
/// as an order may have.
const ALIASES: [&str; 16] = [
    "o0", "o1", "o2", "o3", "o4", "o5", "o6", "o7", "o8", "o9", "o10", "o11", "o12", "o13", "o14",
    "o15",
];

/// Adds one part of an order: `null` and NaN come last in both directions.
fn order_by(joins: &mut Sql, order: &mut Sql, alias: &'static str, by: &Order<RunKey>) {
    let direction = if by.descending { " desc, " } else { " asc, " };
    let (table, key) = match &by.key {
        RunKey::Text(attribute) if *attribute != RunText::RunName => {
            return column_order(order, text_column(*attribute), direction);
        }
        RunKey::Number(attribute) => {
            return column_order(order, number_column(*attribute), direction);
        }
        RunKey::Metric(key) => ("latest_metrics", key.as_str()),
        RunKey::Param(key) => ("params", key.as_str()),
        RunKey::Tag(key) => ("tags", key.as_str()),
        RunKey::Text(_) => ("tags", Tag::RUN_NAME),
    };
    joins.append(
        Sql::varying(" left join ")
            .sql(table)
            .sql(" ")
            .sql(alias)
            .sql(" on ")
            .sql(alias)
            .sql(".run_uuid = r.run_uuid and ")
            .sql(alias)
            .sql(".key = ")
            .text(key),
    );
    if table == "latest_metrics" {
        order.append(
            Sql::varying("case when ")
                .sql(alias)
                .sql(".value is null then 2 when ")
                .sql(alias)
                .sql(".is_nan then 1 else 0 end, "),
        );
    } else {
        order.append(Sql::varying(alias).sql(".value is null, "));
    }
    order.append(Sql::varying(alias).sql(".value").sql(direction));
}

fn column_order(order: &mut Sql, column: &'static str, direction: &'static str) {
    order.append(Sql::varying(column).sql(" is null, ").sql(column).sql(direction));
}
