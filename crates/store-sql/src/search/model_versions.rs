//! The search of versions of registered models.

use runledger_entities::{ModelVersion, Tag};
use runledger_search::{ModelVersionClause, ModelVersionKey, ModelVersionText};
use runledger_store::{ModelVersionQuery, Page, StoreError};

use super::{page::OffsetPage, predicates};
use crate::{
    connection::Connection,
    dialect::Dialect,
    nouns::{OrStoreError as _, model_versions},
    schema::Schema,
    sql::Sql,
};

/// A page of versions.
pub(crate) fn search(
    connection: &mut Connection,
    query: &ModelVersionQuery,
) -> Result<Page<ModelVersion>, StoreError> {
    let offset = OffsetPage::of(&query.page)?;
    let rows = offset
        .limit(statement(connection.dialect(), connection.schema(), query))
        .rows::<model_versions::Columns, model_versions::Row>(connection)
        .or_store_error()?;
    let Page { items, next_token } = offset.page(rows);
    Ok(Page {
        items: model_versions::complete(connection, items)?,
        next_token,
    })
}

fn statement(dialect: Dialect, schema: Schema, query: &ModelVersionQuery) -> Sql {
    let mut sql = Sql::varying("").with(model_versions::select(schema));
    if !query.filter.prompts {
        sql = sql
            .sql(" and not exists (select 1 from model_version_tags p where ")
            .sql(schema.of_workspace("p.workspace = v.workspace and "))
            .sql("p.name = v.name and ")
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
    if query.order_by.is_empty() {
        sql.push("v.last_updated_time is null, v.last_updated_time desc, ");
    }
    for by in &query.order_by {
        let column = match by.key {
            ModelVersionKey::Name => "v.name",
            ModelVersionKey::Number => "v.version",
            ModelVersionKey::CreationTimestamp => "v.creation_time",
            ModelVersionKey::LastUpdatedTimestamp => "v.last_updated_time",
        };
        sql.push(column);
        sql.push(" is null, ");
        sql.push(column);
        sql.push(if by.descending { " desc, " } else { ", " });
    }
    sql.sql("v.name, v.version desc")
}

fn condition(dialect: Dialect, schema: Schema, clause: &ModelVersionClause) -> Sql {
    match clause {
        ModelVersionClause::Text { attribute, test } => {
            let column = match attribute {
                ModelVersionText::Name => "v.name",
                ModelVersionText::RunId => "v.run_id",
                ModelVersionText::SourcePath => "v.source",
            };
            predicates::text(dialect, column, test)
        }
        ModelVersionClause::Number(test) => predicates::number("v.version", *test),
        ModelVersionClause::Tag { key, test } => {
            let select = Sql::varying("select 1 from model_version_tags t where ")
                .sql(schema.of_workspace("t.workspace = v.workspace and "))
                .sql("t.name = v.name and t.version = v.version and ")
                .with(dialect.equal("t.\"key\"", key));
            predicates::row_text(dialect, dialect.exists(), select, "t.value", test)
        }
    }
}
