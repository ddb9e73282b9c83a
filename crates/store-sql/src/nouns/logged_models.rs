//! Logged models, with their params, tags and metrics.

use std::collections::HashMap;

use diesel::sql_types::{BigInt, Double, Integer, Nullable, Text};
use runledger_entities::{
    ExperimentId, LifecycleStage, LoggedModel, LoggedModelId, LoggedModelMetric, LoggedModelStatus,
    Param, RunId, Tag, names,
};
use runledger_store::{NewLoggedModel, Resource, StoreError, locations};

use super::{OrStoreError as _, experiments, stage};
use crate::{connection::Connection, sql::Sql, values::SerialId};

/// The columns that [`Row`] reads, of the table `logged_models l`.
pub(crate) const COLUMNS: &str = "l.model_id, l.experiment_id, l.name, l.artifact_location, \
    l.creation_timestamp_ms, l.last_updated_timestamp_ms, l.status, l.lifecycle_stage, \
    l.model_type, l.source_run_id, l.status_message";

/// The SQL types of [`COLUMNS`].
pub(crate) type Columns = (
    Text,
    Integer,
    Text,
    Text,
    BigInt,
    BigInt,
    Integer,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
);

/// A row of [`COLUMNS`].
pub(crate) type Row = (
    String,
    SerialId,
    String,
    String,
    i64,
    i64,
    i32,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// Creates a model, pending.
pub(crate) fn create(
    connection: &mut Connection,
    new: NewLoggedModel,
    now: i64,
) -> Result<LoggedModel, StoreError> {
    let experiment = new.experiment_id;
    let location = experiments::active_location(connection, experiment)?;
    let id = LoggedModelId::random();
    let location = locations::append(&location, &["models", id.as_str(), "artifacts"]);
    Sql::new(
        "insert into logged_models (model_id, experiment_id, name, artifact_location, \
         creation_timestamp_ms, last_updated_timestamp_ms, status, lifecycle_stage, model_type, \
         source_run_id, status_message) values (",
    )
    .text(id.as_str())
    .sql(", ")
    .int(experiment.0)
    .sql(", ")
    .text(
        new.name
            .filter(|name| !name.is_empty())
            .unwrap_or_else(names::random),
    )
    .sql(", ")
    .text(location)
    .sql(", ")
    .int(now)
    .sql(", ")
    .int(now)
    .sql(", ")
    .int(i64::from(LoggedModelStatus::Pending.number()))
    .sql(", 'active', ")
    .optional_text(new.model_type)
    .sql(", ")
    .optional_text(new.source_run_id.map(RunId::into_string))
    .sql(", null)")
    .run(connection)
    .or_store_error()?;
    for param in &new.params {
        insert_param(connection, &id, experiment, param)?;
    }
    for tag in &new.tags {
        upsert_tag(connection, &id, experiment, tag)?;
    }
    get(connection, &id)
}

/// A model that is not deleted.
pub(crate) fn get(
    connection: &mut Connection,
    id: &LoggedModelId,
) -> Result<LoggedModel, StoreError> {
    if !connection.schema().logged_models {
        return Err(StoreError::not_found(Resource::LoggedModel, id));
    }
    let row = Sql::new("select ")
        .sql(COLUMNS)
        .sql(" from logged_models l where l.lifecycle_stage = 'active' and l.model_id = ")
        .text(id.as_str())
        .first::<Columns, Row>(connection)
        .or_store_error()?
        .ok_or_else(|| StoreError::not_found(Resource::LoggedModel, id))?;
    complete(connection, vec![row])?
        .pop()
        .ok_or_else(|| StoreError::internal("a row became no logged model"))
}

/// The experiment of a model that is not deleted.
fn experiment_of(
    connection: &mut Connection,
    id: &LoggedModelId,
) -> Result<ExperimentId, StoreError> {
    Sql::new(
        "select experiment_id from logged_models where lifecycle_stage = 'active' and model_id = ",
    )
    .text(id.as_str())
    .first::<Integer, SerialId>(connection)
    .or_store_error()?
    .map(|id| ExperimentId(id.0))
    .ok_or_else(|| StoreError::not_found(Resource::LoggedModel, id))
}

/// The models of these rows, in their order, with all that belongs to them.
pub(crate) fn complete(
    connection: &mut Connection,
    rows: Vec<Row>,
) -> Result<Vec<LoggedModel>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids = || -> Vec<String> { rows.iter().map(|row| row.0.clone()).collect() };
    let mut tags: HashMap<String, Vec<Tag>> = HashMap::new();
    let found: Vec<(String, String, String)> =
        Sql::new("select model_id, tag_key, tag_value from logged_model_tags where model_id")
            .in_texts(false, ids())
            .sql(" order by tag_key")
            .rows::<(Text, Text, Text), _>(connection)
            .or_store_error()?;
    for (id, key, value) in found {
        tags.entry(id).or_default().push(Tag { key, value });
    }
    let mut params: HashMap<String, Vec<Param>> = HashMap::new();
    let found: Vec<(String, String, String)> =
        Sql::new("select model_id, param_key, param_value from logged_model_params where model_id")
            .in_texts(false, ids())
            .sql(" order by param_key")
            .rows::<(Text, Text, Text), _>(connection)
            .or_store_error()?;
    for (id, key, value) in found {
        params.entry(id).or_default().push(Param { key, value });
    }
    let mut metrics = metrics_of(connection, ids())?;
    rows.into_iter()
        .map(|row| {
            let (id, SerialId(experiment), name, location, created, updated, status, lifecycle, ..) = row;
            let (.., model_type, source_run_id, status_message) = (row.8, row.9, row.10);
            Ok(LoggedModel {
                experiment_id: ExperimentId(experiment),
                name,
                artifact_location: location,
                creation_timestamp: created,
                last_updated_timestamp: updated,
                status: LoggedModelStatus::from_number(status).ok_or_else(|| {
                    StoreError::Corrupt {
                        place: "logged_models",
                        key: id.clone(),
                        reason: format!("status is {status}"),
                    }
                })?,
                status_message,
                model_type,
                source_run_id: source_run_id.map(RunId::new),
                lifecycle_stage: stage("logged_models", &id, lifecycle.as_deref())?,
                tags: tags.remove(&id).unwrap_or_default(),
                params: params.remove(&id).unwrap_or_default(),
                metrics: metrics.remove(&id).unwrap_or_default(),
                model_id: LoggedModelId::new(id),
            })
        })
        .collect()
}

/// The metrics of models: of each metric on each dataset the latest point.
fn metrics_of(
    connection: &mut Connection,
    ids: Vec<String>,
) -> Result<HashMap<String, Vec<LoggedModelMetric>>, StoreError> {
    type Found = (
        String,
        String,
        i64,
        i64,
        Option<f64>,
        String,
        (Option<String>, Option<String>),
    );
    let found: Vec<Found> = Sql::new(
        "select model_id, metric_name, metric_timestamp_ms, metric_step, metric_value, run_id, \
         dataset_name, dataset_digest from logged_model_metrics where model_id",
    )
    .in_texts(false, ids)
    .sql(" order by metric_name, metric_timestamp_ms, metric_step")
    .rows::<(
        Text,
        Text,
        BigInt,
        BigInt,
        Nullable<Double>,
        Text,
        (Nullable<Text>, Nullable<Text>),
    ), _>(connection)
    .or_store_error()?;
    let mut metrics: HashMap<String, Vec<LoggedModelMetric>> = HashMap::new();
    for (id, key, timestamp, step, value, run, (dataset_name, dataset_digest)) in found {
        metrics.entry(id).or_default().push(LoggedModelMetric {
            key,
            value,
            timestamp,
            step,
            run_id: RunId::new(run),
            dataset_name,
            dataset_digest,
        });
    }
    Ok(metrics)
}

/// Sets the status of a model.
pub(crate) fn set_status(
    connection: &mut Connection,
    id: &LoggedModelId,
    status: LoggedModelStatus,
    now: i64,
) -> Result<LoggedModel, StoreError> {
    experiment_of(connection, id)?;
    Sql::new("update logged_models set status = ")
        .int(i64::from(status.number()))
        .sql(", last_updated_timestamp_ms = ")
        .int(now)
        .sql(" where model_id = ")
        .text(id.as_str())
        .run(connection)
        .or_store_error()?;
    get(connection, id)
}

/// Deletes a model softly.
pub(crate) fn delete(
    connection: &mut Connection,
    id: &LoggedModelId,
    now: i64,
) -> Result<(), StoreError> {
    experiment_of(connection, id)?;
    Sql::new("update logged_models set lifecycle_stage = ")
        .text(LifecycleStage::Deleted.name())
        .sql(", last_updated_timestamp_ms = ")
        .int(now)
        .sql(" where model_id = ")
        .text(id.as_str())
        .run(connection)
        .or_store_error()?;
    Ok(())
}

/// Sets tags of a model.
pub(crate) fn set_tags(
    connection: &mut Connection,
    id: &LoggedModelId,
    tags: &[Tag],
) -> Result<(), StoreError> {
    let experiment = experiment_of(connection, id)?;
    tags.iter()
        .try_for_each(|tag| upsert_tag(connection, id, experiment, tag))
}

fn upsert_tag(
    connection: &mut Connection,
    id: &LoggedModelId,
    experiment: ExperimentId,
    tag: &Tag,
) -> Result<(), StoreError> {
    Sql::new(
        "insert into logged_model_tags (model_id, experiment_id, tag_key, tag_value) values (",
    )
    .text(id.as_str())
    .sql(", ")
    .int(experiment.0)
    .sql(", ")
    .text(&*tag.key)
    .sql(", ")
    .text(&*tag.value)
    .sql(")")
    .with(
        connection
            .dialect()
            .or_replace("model_id, tag_key", "tag_value"),
    )
    .run(connection)
    .or_store_error()?;
    Ok(())
}

/// Deletes a tag of a model.
pub(crate) fn delete_tag(
    connection: &mut Connection,
    id: &LoggedModelId,
    key: &str,
) -> Result<(), StoreError> {
    experiment_of(connection, id)?;
    let deleted = Sql::new("delete from logged_model_tags where model_id = ")
        .text(id.as_str())
        .sql(" and ")
        .with(connection.dialect().equal("tag_key", key))
        .run(connection)
        .or_store_error()?;
    if deleted == 0 {
        return Err(StoreError::not_found_in(Resource::LoggedModelTag, key, id));
    }
    Ok(())
}

/// Adds params to a model.
pub(crate) fn log_params(
    connection: &mut Connection,
    id: &LoggedModelId,
    params: &[Param],
) -> Result<(), StoreError> {
    let experiment = experiment_of(connection, id)?;
    params
        .iter()
        .try_for_each(|param| insert_param(connection, id, experiment, param))
}

fn insert_param(
    connection: &mut Connection,
    id: &LoggedModelId,
    experiment: ExperimentId,
    param: &Param,
) -> Result<(), StoreError> {
    Sql::new(
        "insert into logged_model_params (model_id, experiment_id, param_key, param_value) values (",
    )
    .text(id.as_str())
    .sql(", ")
    .int(experiment.0)
    .sql(", ")
    .text(&*param.key)
    .sql(", ")
    .text(&*param.value)
    .sql(")")
    .with(connection.dialect().or_keep("param_value"))
    .run(connection)
    .or_store_error()?;
    Ok(())
}
