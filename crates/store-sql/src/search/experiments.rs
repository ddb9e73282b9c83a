//! The search of experiments.

use runledger_entities::Experiment;
use runledger_search::{ExperimentClause, ExperimentKey, ExperimentNumber};
use runledger_store::{ExperimentQuery, Page, StoreError};

use super::{page::OffsetPage, predicates};
use crate::{
    connection::Connection,
    dialect::Dialect,
    nouns::{OrStoreError as _, experiments},
    sql::Sql,
};

/// A page of experiments.
pub(crate) fn search(
    connection: &mut Connection,
    query: &ExperimentQuery,
) -> Result<Page<Experiment>, StoreError> {
    let offset = OffsetPage::of(&query.page)?;
    let rows = offset
        .limit(statement(connection, query))
        .rows::<experiments::Columns, experiments::Row>(connection)
        .or_store_error()?;
    let Page { items, next_token } = offset.page(rows);
    Ok(Page {
        items: experiments::with_tags(connection, items)?,
        next_token,
    })
}

fn statement(connection: &Connection, query: &ExperimentQuery) -> Sql {
    let dialect = connection.dialect();
    let mut sql = Sql::varying("select ")
        .sql(experiments::COLUMNS)
        .sql(" from experiments e where ")
        .sql(connection.schema().in_workspace());
    if let Some(stage) = query.view.stage() {
        sql = sql.sql(" and e.lifecycle_stage = ").text(stage.name());
    }
    for clause in &query.filter {
        sql.push(" and ");
        sql.append(condition(dialect, clause));
    }
    sql.push(" order by ");
    if query.order_by.is_empty() {
        return sql.sql("e.creation_time desc, e.experiment_id");
    }
    for by in &query.order_by {
        let column = match by.key {
            ExperimentKey::Name => "e.name",
            ExperimentKey::Id => "e.experiment_id",
            ExperimentKey::Number(number) => number_column(number),
        };
        sql.push(column);
        sql.push(" is null, ");
        sql.push(column);
        sql.push(if by.descending { " desc, " } else { ", " });
    }
    sql.sql("e.experiment_id desc")
}

fn number_column(number: ExperimentNumber) -> &'static str {
    match number {
        ExperimentNumber::CreationTime => "e.creation_time",
        ExperimentNumber::LastUpdateTime => "e.last_update_time",
    }
}

fn condition(dialect: Dialect, clause: &ExperimentClause) -> Sql {
    match clause {
        ExperimentClause::Name(test) => predicates::text(dialect, "e.name", test),
        ExperimentClause::Id { negated, values } => {
            let ids = values.iter().filter_map(|value| value.trim().parse().ok());
            Sql::varying("e.experiment_id").in_ints(*negated, ids.collect())
        }
        ExperimentClause::Number { attribute, test } => {
            predicates::number(number_column(*attribute), *test)
        }
        ExperimentClause::Tag { key, test } => {
            let select = Sql::varying(
                "select 1 from experiment_tags t where t.experiment_id = e.experiment_id and t.key = ",
            )
            .text(&**key);
            predicates::row_text(dialect, dialect.exists(), select, "t.value", test)
        }
    }
}
