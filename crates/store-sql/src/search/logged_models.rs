//! The search of logged models.

use runledger_entities::LoggedModel;
use runledger_search::{LoggedModelClause, LoggedModelKey, LoggedModelNumber, LoggedModelText};
use runledger_store::{DatasetFilter, LoggedModelQuery, Page, StoreError};

use super::{page::OffsetPage, predicates};
use crate::{
    connection::Connection,
    dialect::Dialect,
    nouns::{OrStoreError as _, logged_models},
    sql::Sql,
};

/// A page of logged models.
pub(crate) fn search(
    connection: &mut Connection,
    query: &LoggedModelQuery,
) -> Result<Page<LoggedModel>, StoreError> {
    if query.experiment_ids.is_empty() || !connection.schema().logged_models {
        return Ok(Page::empty());
    }
    let offset = OffsetPage::of(&query.page)?;
    let rows = offset
        .limit(statement(connection.dialect(), query))
        .rows::<logged_models::Columns, logged_models::Row>(connection)
        .or_store_error()?;
    let Page { items, next_token } = offset.page(rows);
    Ok(Page {
        items: logged_models::complete(connection, items)?,
        next_token,
    })
}

fn statement(dialect: Dialect, query: &LoggedModelQuery) -> Sql {
    let mut sql = Sql::varying("select ")
        .sql(logged_models::COLUMNS)
        .sql(" from logged_models l where l.lifecycle_stage = 'active' and l.experiment_id")
        .in_ints(false, query.experiment_ids.iter().map(|id| id.0).collect());
    let mut of_metrics = false;
    for clause in &query.filter {
        of_metrics |= matches!(clause, LoggedModelClause::Metric { .. });
        sql.push(" and ");
        sql.append(condition(dialect, clause, &query.datasets));
    }
    if !of_metrics && !query.datasets.is_empty() {
        sql.push(" and exists (select 1 from logged_model_metrics m where m.model_id = l.model_id");
        sql.append(on_datasets(&query.datasets));
        sql.push(")");
    }
    sql.push(" order by ");
    let mut by_creation = false;
    for by in &query.order_by {
        let key = match &by.key {
            LoggedModelKey::Metric {
                key,
                dataset_name,
                dataset_digest,
            } => latest_metric(key, dataset_name.as_deref(), dataset_digest.as_deref()),
            LoggedModelKey::Text(column) => Sql::varying(text_column(*column)),
            LoggedModelKey::Number(column) => {
                by_creation |= *column == LoggedModelNumber::CreationTimestamp;
                Sql::varying(number_column(*column))
            }
        };
        // Null orders differently from one database to the next.
        sql.append(key.clone());
        sql.push(" is null, ");
        sql.append(key);
        sql.push(if by.descending { " desc, " } else { ", " });
    }
    if !by_creation {
        sql.push("l.creation_timestamp_ms desc, ");
    }
    sql.sql("l.model_id")
}

fn condition(dialect: Dialect, clause: &LoggedModelClause, datasets: &[DatasetFilter]) -> Sql {
    match clause {
        LoggedModelClause::Metric { key, test } => {
            let row = Sql::varying(
                "select 1 from logged_model_metrics m where m.model_id = l.model_id \
                 and m.metric_name = ",
            )
            .text(&**key)
            .sql(" and ")
            .with(predicates::number("m.metric_value", *test))
            .with(on_datasets(datasets));
            dialect.exists().of(row)
        }
        LoggedModelClause::Param { key, test } => {
            let select = Sql::varying(
                "select 1 from logged_model_params p where p.model_id = l.model_id \
                 and p.param_key = ",
            )
            .text(&**key);
            predicates::row_text(dialect, dialect.exists(), select, "p.param_value", test)
        }
        LoggedModelClause::Tag { key, test } => {
            let select = Sql::varying(
                "select 1 from logged_model_tags t where t.model_id = l.model_id and t.tag_key = ",
            )
            .text(&**key);
            predicates::row_text(dialect, dialect.exists(), select, "t.tag_value", test)
        }
        LoggedModelClause::Text { attribute, test } => {
            predicates::text(dialect, text_column(*attribute), test)
        }
        LoggedModelClause::Number { attribute, test } => {
            predicates::number(number_column(*attribute), *test)
        }
    }
}

/// Keeps rows of `logged_model_metrics m` on one of these datasets.
fn on_datasets(datasets: &[DatasetFilter]) -> Sql {
    let mut sql = Sql::varying("");
    for (number, dataset) in datasets.iter().enumerate() {
        let before = if number == 0 { " and (" } else { " or " };
        let mut one = Sql::varying(before)
            .sql("(m.dataset_name = ")
            .text(&*dataset.name);
        if let Some(digest) = &dataset.digest {
            one = one.sql(" and m.dataset_digest = ").text(&**digest);
        }
        one.push(")");
        sql.append(one);
    }
    if !datasets.is_empty() {
        sql.push(")");
    }
    sql
}

/// The latest value of a metric: by time, then step, then run.
fn latest_metric(key: &str, dataset_name: Option<&str>, dataset_digest: Option<&str>) -> Sql {
    let mut sql = Sql::varying(
        "(select m.metric_value from logged_model_metrics m where m.model_id = l.model_id \
         and m.metric_name = ",
    )
    .text(key);
    if let Some(name) = dataset_name {
        sql = sql.sql(" and m.dataset_name = ").text(name);
    }
    if let Some(digest) = dataset_digest {
        sql = sql.sql(" and m.dataset_digest = ").text(digest);
    }
    sql.sql(" order by m.metric_timestamp_ms desc, m.metric_step desc, m.run_id desc limit 1)")
}

fn text_column(column: LoggedModelText) -> &'static str {
    match column {
        LoggedModelText::Name => "l.name",
        LoggedModelText::ModelId => "l.model_id",
        LoggedModelText::ModelType => "l.model_type",
        LoggedModelText::SourceRunId => "l.source_run_id",
        LoggedModelText::ArtifactLocation => "l.artifact_location",
        LoggedModelText::StatusMessage => "l.status_message",
        LoggedModelText::LifecycleStage => "l.lifecycle_stage",
    }
}

fn number_column(column: LoggedModelNumber) -> &'static str {
    match column {
        LoggedModelNumber::CreationTimestamp => "l.creation_timestamp_ms",
        LoggedModelNumber::LastUpdatedTimestamp => "l.last_updated_timestamp_ms",
        // Values of clauses are floats. Ids of folders have 18 digits, more than a float holds: both
        // sides are rounded alike.
        LoggedModelNumber::ExperimentId => "(l.experiment_id + 0e0)",
        LoggedModelNumber::Status => "l.status",
    }
}
