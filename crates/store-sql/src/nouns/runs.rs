//! Runs: their own row. What they logged is in [`super::run_data`].

use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use runledger_entities::{
    ExperimentId, LifecycleStage, Run, RunData, RunId, RunInfo, RunInputs, RunStatus, Tag,
};
use runledger_store::{NewRun, Resource, RunPatch, SettledRun, StoreError, locations};

use super::{OrStoreError as _, experiments, run_data, stage};
use crate::{connection::Connection, sql::Sql, values::SerialId};

/// The columns that [`Row`] reads, of the table `runs r`.
pub(crate) const COLUMNS: &str = "r.run_uuid, r.experiment_id, r.name, r.user_id, r.status, \
    r.start_time, r.end_time, r.artifact_uri, r.lifecycle_stage";

/// The SQL types of [`COLUMNS`].
pub(crate) type Columns = (
    Text,
    Nullable<Integer>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Nullable<Text>,
    Nullable<Text>,
);

/// A row of [`COLUMNS`].
pub(crate) type Row = (
    String,
    Option<SerialId>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<String>,
);

/// The run of a row.
pub(crate) fn info(row: Row) -> Result<RunInfo, StoreError> {
    let (run_id, experiment_id, name, user, status, start_time, end_time, uri, lifecycle) = row;
    let status = match status.as_deref() {
        None => RunStatus::default(),
        Some(name) => RunStatus::from_name(name).ok_or_else(|| StoreError::Corrupt {
            place: "runs",
            key: run_id.clone(),
            reason: format!("status is '{name}'"),
        })?,
    };
    Ok(RunInfo {
        lifecycle_stage: stage("runs", &run_id, lifecycle.as_deref())?,
        run_id: RunId::new(run_id),
        experiment_id: ExperimentId(experiment_id.map_or(0, |id| id.0)),
        run_name: name,
        user_id: user.unwrap_or_default(),
        status,
        start_time: start_time.unwrap_or_default(),
        end_time,
        artifact_uri: uri.unwrap_or_default(),
    })
}

/// The row of a run.
pub(crate) fn get_info(connection: &mut Connection, id: &RunId) -> Result<RunInfo, StoreError> {
    let row = Sql::new("select ")
        .sql(COLUMNS)
        .sql(" from runs r where r.run_uuid = ")
        .text(id.as_str())
        .first::<Columns, Row>(connection)
        .or_store_error()?
        .ok_or_else(|| StoreError::not_found(Resource::Run, id))?;
    info(row)
}

/// A run with all it logged.
pub(crate) fn get(connection: &mut Connection, id: &RunId) -> Result<Run, StoreError> {
    run_data::load(connection, &[id.as_str().to_owned()])?
        .pop()
        .ok_or_else(|| StoreError::internal("a row became no run"))
}

/// Fails unless a run is there and active; returns its experiment.
pub(crate) fn require_active(
    connection: &mut Connection,
    id: &RunId,
) -> Result<ExperimentId, StoreError> {
    let info = get_info(connection, id)?;
    match info.lifecycle_stage {
        LifecycleStage::Active => Ok(info.experiment_id),
        current @ LifecycleStage::Deleted => Err(StoreError::Lifecycle {
            what: "run",
            id: id.to_string(),
            wanted: LifecycleStage::Active,
            current,
        }),
    }
}

/// Keeps other writers away from a run until the end of the transaction.
fn lock(connection: &mut Connection, id: &RunId) -> Result<(), StoreError> {
    let sql = Sql::new("select run_uuid from runs where run_uuid = ")
        .text(id.as_str())
        .sql(connection.dialect().for_update());
    sql.first::<Text, String>(connection).or_store_error()?;
    Ok(())
}

/// Creates a run.
pub(crate) fn create(connection: &mut Connection, new: NewRun) -> Result<Run, StoreError> {
    let location = experiments::active_location(connection, new.experiment_id)?;
    let SettledRun {
        experiment_id,
        user_id,
        run_name,
        start_time,
        tags,
    } = new.settle()?;
    let run_id = RunId::random();
    let artifact_uri = locations::append(&location, &[run_id.as_str(), "artifacts"]);
    Sql::new(
        "insert into runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, \
         status, start_time, end_time, deleted_time, source_version, lifecycle_stage, \
         artifact_uri, experiment_id) values (",
    )
    .text(run_id.as_str())
    .sql(", ")
    .text(&*run_name)
    .sql(", 'UNKNOWN', '', '', ")
    .text(&*user_id)
    .sql(", 'RUNNING', ")
    .int(start_time)
    .sql(", null, null, '', 'active', ")
    .text(&*artifact_uri)
    .sql(", ")
    .int(experiment_id.0)
    .sql(")")
    .run(connection)
    .or_store_error()?;
    for tag in &tags {
        upsert_tag(connection, &run_id, tag)?;
    }
    Ok(Run {
        info: RunInfo {
            run_id,
            experiment_id,
            run_name: Some(run_name),
            user_id,
            status: RunStatus::Running,
            start_time,
            end_time: None,
            artifact_uri,
            lifecycle_stage: LifecycleStage::Active,
        },
        data: RunData {
            tags,
            ..RunData::default()
        },
        inputs: RunInputs::default(),
        outputs: Vec::new(),
    })
}

/// Changes an active run.
pub(crate) fn update(
    connection: &mut Connection,
    id: &RunId,
    patch: RunPatch,
) -> Result<RunInfo, StoreError> {
    require_active(connection, id)?;
    let RunPatch {
        status,
        end_time,
        run_name,
    } = patch;
    let run_name = run_name.filter(|name| !name.is_empty());
    Sql::new("update runs set status = coalesce(")
        .optional_text(status.map(|status| status.name().to_owned()))
        .sql(", status), end_time = coalesce(")
        .optional_int(end_time)
        .sql(", end_time), name = coalesce(")
        .optional_text(run_name.clone())
        .sql(", name) where run_uuid = ")
        .text(id.as_str())
        .run(connection)
        .or_store_error()?;
    if let Some(name) = run_name {
        upsert_tag(connection, id, &Tag::new(Tag::RUN_NAME, name))?;
    }
    get_info(connection, id)
}

/// Deletes or restores a run.
pub(crate) fn set_stage(
    connection: &mut Connection,
    id: &RunId,
    to: LifecycleStage,
    now: i64,
) -> Result<(), StoreError> {
    let changed = Sql::new("update runs set lifecycle_stage = ")
        .text(to.name())
        .sql(", deleted_time = ")
        .optional_int((to == LifecycleStage::Deleted).then_some(now))
        .sql(" where run_uuid = ")
        .text(id.as_str())
        .run(connection)
        .or_store_error()?;
    if changed == 0 {
        return Err(StoreError::not_found(Resource::Run, id));
    }
    Ok(())
}

/// Sets a tag of a run.
pub(crate) fn upsert_tag(
    connection: &mut Connection,
    id: &RunId,
    tag: &Tag,
) -> Result<(), StoreError> {
    Sql::new("insert into tags (\"key\", value, run_uuid) values (")
        .text(&*tag.key)
        .sql(", ")
        .text(&*tag.value)
        .sql(", ")
        .text(id.as_str())
        .sql(")")
        .with(
            connection
                .dialect()
                .or_replace("\"key\", run_uuid", "value"),
        )
        .run(connection)
        .or_store_error()?;
    Ok(())
}

/// Deletes a tag of an active run.
pub(crate) fn delete_tag(
    connection: &mut Connection,
    id: &RunId,
    key: &str,
) -> Result<(), StoreError> {
    require_active(connection, id)?;
    let deleted = Sql::new("delete from tags where ")
        .with(connection.dialect().equal("\"key\"", key))
        .sql(" and run_uuid = ")
        .text(id.as_str())
        .run(connection)
        .or_store_error()?;
    if deleted == 0 {
        return Err(StoreError::not_found_in(Resource::RunTag, key, id));
    }
    Ok(())
}

/// Appends a model's description to the JSON list in [`Tag::LOGGED_MODELS`].
pub(crate) fn record_logged_model(
    connection: &mut Connection,
    id: &RunId,
    model_json: &str,
) -> Result<(), StoreError> {
    lock(connection, id)?;
    require_active(connection, id)?;
    let model: serde_json::Value = serde_json::from_str(model_json).map_err(|_| {
        StoreError::invalid(format!(
            "Malformed model info. \n {model_json} is not a valid JSON."
        ))
    })?;
    let old: Option<Option<String>> = Sql::new("select value from tags where \"key\" = ")
        .text(Tag::LOGGED_MODELS)
        .sql(" and run_uuid = ")
        .text(id.as_str())
        .first::<Nullable<Text>, _>(connection)
        .or_store_error()?;
    let mut models: Vec<serde_json::Value> = match old.flatten() {
        None => Vec::new(),
        Some(text) => serde_json::from_str(&text).map_err(|_| StoreError::Corrupt {
            place: "tags",
            key: format!("{} of run {id}", Tag::LOGGED_MODELS),
            reason: "it is not a JSON list".to_owned(),
        })?,
    };
    models.push(model);
    let value = serde_json::Value::from(models).to_string();
    upsert_tag(connection, id, &Tag::new(Tag::LOGGED_MODELS, value))
}
