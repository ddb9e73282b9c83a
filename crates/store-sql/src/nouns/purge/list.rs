//! What is deleted and can be removed.
//!
//! Pages go by id, so that removing what one page listed does not move the next.

use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use runledger_entities::{ExperimentId, LifecycleStage, LoggedModelId, RunId};
use runledger_store::{
    DeletedExperiment, DeletedLoggedModel, DeletedQuery, DeletedRun, Page, PageRequest, Resource,
    StoreError,
};

use crate::{
    connection::Connection,
    nouns::{OrStoreError as _, stage},
    sql::Sql,
    values::SerialId,
};

/// Run, experiment, artifacts, time of deletion, stage.
type RunColumns = (
    Text,
    Integer,
    Nullable<Text>,
    Nullable<BigInt>,
    Nullable<Text>,
);
type RunRow = (
    String,
    SerialId,
    Option<String>,
    Option<i64>,
    Option<String>,
);

/// Model, experiment, artifacts, time of the last update, stage.
type ModelColumns = (Text, Integer, Text, BigInt, Nullable<Text>);
type ModelRow = (String, SerialId, String, i64, Option<String>);

/// Experiment, name, artifacts, time of the last update.
type ExperimentColumns = (Integer, Text, Nullable<Text>, Nullable<BigInt>);
type ExperimentRow = (SerialId, String, Option<String>, Option<i64>);

/// A page of deleted runs.
pub(crate) fn deleted_runs(
    connection: &mut Connection,
    query: &DeletedQuery,
) -> Result<Page<DeletedRun>, StoreError> {
    let mut sql = runs(connection).sql(" and r.lifecycle_stage = 'deleted'");
    if let Some(before) = query.before_ms {
        sql = sql.sql(" and r.deleted_time <= ").int(before);
    }
    sql = in_experiments(sql, " and r.experiment_id", query);
    if let Some(after) = &query.page.token {
        sql = sql.sql(" and r.run_uuid > ").text(after);
    }
    let rows = limited(sql, " order by r.run_uuid", &query.page)
        .rows::<RunColumns, RunRow>(connection)
        .or_store_error()?;
    let items = rows.into_iter().map(run).collect();
    Ok(page(items, &query.page, |run: &DeletedRun| {
        run.run_id.to_string()
    }))
}

/// One deleted run.
pub(crate) fn deleted_run(
    connection: &mut Connection,
    id: &RunId,
) -> Result<DeletedRun, StoreError> {
    let row = runs(connection)
        .sql(" and r.run_uuid = ")
        .text(id.as_str())
        .first::<RunColumns, RunRow>(connection)
        .or_store_error()?
        .ok_or_else(|| StoreError::not_found(Resource::Run, id))?;
    require_deleted("run", id, stage("runs", id, row.4.as_deref())?)?;
    Ok(run(row))
}

/// A page of deleted logged models.
pub(crate) fn deleted_models(
    connection: &mut Connection,
    query: &DeletedQuery,
) -> Result<Page<DeletedLoggedModel>, StoreError> {
    if !connection.schema().logged_models {
        return Ok(Page::empty());
    }
    let mut sql = models(connection).sql(" and m.lifecycle_stage = 'deleted'");
    if let Some(before) = query.before_ms {
        sql = sql.sql(" and m.last_updated_timestamp_ms <= ").int(before);
    }
    sql = in_experiments(sql, " and m.experiment_id", query);
    if let Some(after) = &query.page.token {
        sql = sql.sql(" and m.model_id > ").text(after);
    }
    let rows = limited(sql, " order by m.model_id", &query.page)
        .rows::<ModelColumns, ModelRow>(connection)
        .or_store_error()?;
    let items = rows.into_iter().map(model).collect();
    Ok(page(items, &query.page, |model: &DeletedLoggedModel| {
        model.model_id.to_string()
    }))
}

/// One deleted logged model.
pub(crate) fn deleted_model(
    connection: &mut Connection,
    id: &LoggedModelId,
) -> Result<DeletedLoggedModel, StoreError> {
    let not_found = || StoreError::not_found(Resource::LoggedModel, id);
    if !connection.schema().logged_models {
        return Err(not_found());
    }
    let row = models(connection)
        .sql(" and m.model_id = ")
        .text(id.as_str())
        .first::<ModelColumns, ModelRow>(connection)
        .or_store_error()?
        .ok_or_else(not_found)?;
    let stage = stage("logged_models", id, row.4.as_deref())?;
    require_deleted("logged model", id, stage)?;
    Ok(model(row))
}

/// A page of deleted experiments.
pub(crate) fn deleted_experiments(
    connection: &mut Connection,
    query: &DeletedQuery,
) -> Result<Page<DeletedExperiment>, StoreError> {
    let mut sql = Sql::varying(
        "select e.experiment_id, e.name, e.artifact_location, e.last_update_time \
         from experiments e where e.lifecycle_stage = 'deleted' and ",
    )
    .sql(connection.schema().in_workspace());
    if let Some(before) = query.before_ms {
        sql = sql.sql(" and e.last_update_time < ").int(before);
    }
    sql = in_experiments(sql, " and e.experiment_id", query);
    if let Some(after) = &query.page.token {
        let after = after.parse().map_err(|_| {
            StoreError::invalid(format!(
                "Invalid page token: '{after}'. Start without a token."
            ))
        })?;
        sql = sql.sql(" and e.experiment_id > ").int(after);
    }
    let rows = limited(sql, " order by e.experiment_id", &query.page)
        .rows::<ExperimentColumns, ExperimentRow>(connection)
        .or_store_error()?;
    let items = rows.into_iter().map(experiment).collect();
    Ok(page(
        items,
        &query.page,
        |experiment: &DeletedExperiment| experiment.experiment_id.to_string(),
    ))
}

/// Fails unless a thing is in the deleted stage.
pub(super) fn require_deleted(
    what: &'static str,
    id: &dyn std::fmt::Display,
    current: LifecycleStage,
) -> Result<(), StoreError> {
    match current {
        LifecycleStage::Deleted => Ok(()),
        LifecycleStage::Active => Err(StoreError::Lifecycle {
            what,
            id: id.to_string(),
            wanted: LifecycleStage::Deleted,
            current,
        }),
    }
}

/// The runs of the workspace that is served; a condition may follow.
fn runs(connection: &Connection) -> Sql {
    Sql::varying(
        "select r.run_uuid, e.experiment_id, r.artifact_uri, r.deleted_time, r.lifecycle_stage \
         from runs r join experiments e on e.experiment_id = r.experiment_id where ",
    )
    .sql(connection.schema().in_workspace())
}

/// The logged models of the workspace that is served; a condition may follow.
fn models(connection: &Connection) -> Sql {
    Sql::varying(
        "select m.model_id, m.experiment_id, m.artifact_location, m.last_updated_timestamp_ms, \
         m.lifecycle_stage \
         from logged_models m join experiments e on e.experiment_id = m.experiment_id where ",
    )
    .sql(connection.schema().in_workspace())
}

fn in_experiments(sql: Sql, and_column: &'static str, query: &DeletedQuery) -> Sql {
    match &query.experiment_ids {
        None => sql,
        Some(ids) => sql
            .sql(and_column)
            .in_ints(false, ids.iter().map(|id| id.0).collect()),
    }
}

/// Appends an order and a limit of one more than the page, which tells whether
/// there is a next one.
fn limited(sql: Sql, order: &'static str, page: &PageRequest) -> Sql {
    sql.sql(order)
        .sql(" limit ")
        .int(i64::from(page.max_results) + 1)
}

fn page<T>(mut items: Vec<T>, request: &PageRequest, id: impl Fn(&T) -> String) -> Page<T> {
    let size = usize::try_from(request.max_results).unwrap_or(usize::MAX);
    let is_last = items.len() <= size;
    items.truncate(size);
    let next_token = if is_last { None } else { items.last().map(id) };
    Page { items, next_token }
}

fn run((run_id, experiment, uri, deleted_time, _): RunRow) -> DeletedRun {
    DeletedRun {
        run_id: RunId::new(run_id),
        experiment_id: ExperimentId(experiment.0),
        artifact_uri: uri.unwrap_or_default(),
        deleted_time,
    }
}

fn model((model_id, experiment, location, deleted_time, _): ModelRow) -> DeletedLoggedModel {
    DeletedLoggedModel {
        model_id: LoggedModelId::new(model_id),
        experiment_id: ExperimentId(experiment.0),
        artifact_location: location,
        deleted_time,
    }
}

fn experiment((id, name, location, last_update_time): ExperimentRow) -> DeletedExperiment {
    DeletedExperiment {
        experiment_id: ExperimentId(id.0),
        name,
        artifact_location: location.unwrap_or_default(),
        last_update_time,
    }
}
