//! The search of registered models.

use runledger_entities::{RegisteredModel, Tag};
use runledger_search::{RegisteredModelClause, RegisteredModelKey};
use runledger_store::{Page, RegisteredModelQuery, StoreError};

use super::{page::OffsetPage, predicates};
use crate::{
    connection::Connection,
    dialect::Dialect,
    nouns::{OrStoreError as _, registered_models},
    schema::Schema,
    sql::Sql,
};

/// A page of registered models.
pub(crate) fn search(
    connection: &mut Connection,
    query: &RegisteredModelQuery,
) -> Result<Page<RegisteredModel>, StoreError> {
    let offset = OffsetPage::of(&query.page)?;
    let rows = offset
        .limit(statement(connection.dialect(), connection.schema(), query))
        .rows::<registered_models::Columns, registered_models::Row>(connection)
        .or_store_error()?;
    let Page { items, next_token } = offset.page(rows);
    Ok(Page {
        items: registered_models::complete(connection, items)?,
        next_token,
    })
}

fn statement(dialect: Dialect, schema: Schema, query: &RegisteredModelQuery) -> Sql {
    let mut sql = Sql::varying("select ")
        .sql(registered_models::COLUMNS)
        .sql(" from registered_models m where ")
        .sql(schema.of_workspace("m.workspace = 'default' and "))
        .sql("1 = 1");
    if !query.filter.prompts {
        sql = sql
            .sql(" and not exists (select 1 from registered_model_tags p where ")
            .sql(schema.of_workspace("p.workspace = m.workspace and "))
            .sql("p.name = m.name and ")
            .with(dialect.equal("p.\"key\"", Tag::IS_PROMPT))
            .sql(" and ")
            .with(dialect.equal("p.value", "true"))
            .sql(")");
    }
    for clause in &query.filter.clauses {
        sql.push(" and ");
        sql.append(condition(dialect, schema, clause));
    }
    sql.push(" order by ");
    for by in &query.order_by {
        let column = match by.key {
            RegisteredModelKey::Name => "m.name",
            RegisteredModelKey::CreationTimestamp => "m.creation_time",
            RegisteredModelKey::LastUpdatedTimestamp => "m.last_updated_time",
        };
        sql.push(column);
        sql.push(" is null, ");
        sql.push(column);
        sql.push(if by.descending { " desc, " } else { ", " });
    }
    sql.sql("m.name")
}

fn condition(dialect: Dialect, schema: Schema, clause: &RegisteredModelClause) -> Sql {
    match clause {
        RegisteredModelClause::Name(test) => predicates::text(dialect, "m.name", test),
        RegisteredModelClause::Tag { key, test } => {
            let select = Sql::varying("select 1 from registered_model_tags t where ")
                .sql(schema.of_workspace("t.workspace = m.workspace and "))
                .sql("t.name = m.name and ")
                .with(dialect.equal("t.\"key\"", key));
            predicates::row_text(dialect, dialect.exists(), select, "t.value", test)
        }
    }
}
