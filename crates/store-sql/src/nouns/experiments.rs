//! Experiments and their tags.

use std::collections::HashMap;

use diesel::{
    QueryResult,
    sql_types::{BigInt, Integer, Nullable, Text},
};
use runledger_entities::{Experiment, ExperimentId, LifecycleStage, Tag};
use runledger_store::{NewExperiment, Resource, StoreError, locations};

use super::{OrStoreError as _, stage};
use crate::{
    connection::Connection, dialect::Dialect, error::is_unique_violation, sql::Sql,
    values::SerialId,
};

/// The columns that [`Row`] reads, of the table `experiments e`.
pub(crate) const COLUMNS: &str = "e.experiment_id, e.name, e.artifact_location, \
    e.lifecycle_stage, e.creation_time, e.last_update_time";

/// The SQL types of [`COLUMNS`].
pub(crate) type Columns = (
    Integer,
    Text,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<BigInt>,
    Nullable<BigInt>,
);

/// A row of [`COLUMNS`].
pub(crate) type Row = (
    SerialId,
    String,
    Option<String>,
    Option<String>,
    Option<i64>,
    Option<i64>,
);

/// Makes experiment 0 where there is none (MLflow 3.17 does so at each start).
pub(crate) fn ensure_default(
    connection: &mut Connection,
    artifact_root: &str,
    now: i64,
) -> Result<(), StoreError> {
    let id = ExperimentId::DEFAULT;
    Sql::new(
        "insert into experiments (experiment_id, name, workspace, artifact_location, \
         lifecycle_stage, creation_time, last_update_time) values (",
    )
    .int(id.0)
    .sql(", 'Default', 'default', ")
    .text(locations::append(artifact_root, &[&id.to_string()]))
    .sql(", 'active', ")
    .int(now)
    .sql(", ")
    .int(now)
    .sql(")")
    .with(connection.dialect().or_keep("name"))
    .run(connection)
    .or_store_error()?;
    Ok(())
}

/// Creates an experiment.
pub(crate) fn create(
    connection: &mut Connection,
    new: &NewExperiment,
    artifact_root: &str,
    now: i64,
) -> Result<ExperimentId, StoreError> {
    let id = match insert(connection, &new.name, now) {
        Err(error) if is_unique_violation(&error) => {
            return Err(StoreError::ExperimentExists {
                name: new.name.clone(),
            });
        }
        inserted => inserted
            .or_store_error()?
            .ok_or_else(|| StoreError::internal("an insert returned no id"))?,
    };
    let location = match &new.artifact_location {
        Some(location) => locations::absolute(location),
        None => locations::append(artifact_root, &[&id.to_string()]),
    };
    Sql::new("update experiments set artifact_location = ")
        .text(location)
        .sql(" where experiment_id = ")
        .int(id)
        .run(connection)
        .or_store_error()?;
    for tag in &new.tags {
        upsert_tag(connection, ExperimentId(id), tag)?;
    }
    Ok(ExperimentId(id))
}

/// Adds the row of an experiment; returns its id.
fn insert(connection: &mut Connection, name: &str, now: i64) -> QueryResult<Option<i64>> {
    let insert = Sql::new(
        "insert into experiments (name, workspace, artifact_location, lifecycle_stage, \
         creation_time, last_update_time) values (",
    )
    .text(name)
    .sql(", 'default', '', 'active', ")
    .int(now)
    .sql(", ")
    .int(now)
    .sql(")");
    if connection.dialect().returns() {
        let id = insert.sql(" returning experiment_id");
        return Ok(id.first::<Integer, SerialId>(connection)?.map(|id| id.0));
    }
    insert.run(connection)?;
    Sql::new(Dialect::LAST_ID).first::<BigInt, i64>(connection)
}

/// An experiment by id.
pub(crate) fn get(connection: &mut Connection, id: ExperimentId) -> Result<Experiment, StoreError> {
    let row = select(connection)
        .sql(" and e.experiment_id = ")
        .int(id.0)
        .first::<Columns, Row>(connection)
        .or_store_error()?;
    one(connection, row, Resource::Experiment, &id)
}

/// An experiment by name.
pub(crate) fn get_by_name(
    connection: &mut Connection,
    name: &str,
) -> Result<Experiment, StoreError> {
    let row = select(connection)
        .sql(" and ")
        .with(connection.dialect().equal("e.name", name))
        .first::<Columns, Row>(connection)
        .or_store_error()?;
    one(connection, row, Resource::ExperimentName, &name)
}

fn select(connection: &Connection) -> Sql {
    Sql::new("select ")
        .sql(COLUMNS)
        .sql(" from experiments e where ")
        .sql(connection.schema().in_workspace())
}

fn one(
    connection: &mut Connection,
    row: Option<Row>,
    what: Resource,
    id: &dyn std::fmt::Display,
) -> Result<Experiment, StoreError> {
    let row = row.ok_or_else(|| StoreError::not_found(what, id))?;
    with_tags(connection, vec![row])?
        .pop()
        .ok_or_else(|| StoreError::internal("a row became no experiment"))
}

/// The experiments of these rows, in their order, with their tags.
pub(crate) fn with_tags(
    connection: &mut Connection,
    rows: Vec<Row>,
) -> Result<Vec<Experiment>, StoreError> {
    let tags: Vec<(SerialId, String, Option<String>)> =
        Sql::new("select experiment_id, \"key\", value from experiment_tags where experiment_id")
            .in_ints(false, rows.iter().map(|row| row.0.0).collect())
            .rows::<(Integer, Text, Nullable<Text>), _>(connection)
            .or_store_error()?;
    let mut by_id: HashMap<i64, Vec<Tag>> = HashMap::new();
    for (SerialId(id), key, value) in tags {
        by_id.entry(id).or_default().push(Tag {
            key,
            value: value.unwrap_or_default(),
        });
    }
    rows.into_iter()
        .map(
            |(SerialId(id), name, location, lifecycle_stage, creation_time, last_update_time)| {
                let mut tags = by_id.remove(&id).unwrap_or_default();
                tags.sort_unstable_by(|a, b| a.key.cmp(&b.key));
                Ok(Experiment {
                    experiment_id: ExperimentId(id),
                    name,
                    artifact_location: location.unwrap_or_default(),
                    lifecycle_stage: stage("experiments", id, lifecycle_stage.as_deref())?,
                    creation_time,
                    last_update_time,
                    tags,
                })
            },
        )
        .collect()
}

/// The stage of an experiment.
fn stage_of(connection: &mut Connection, id: ExperimentId) -> Result<LifecycleStage, StoreError> {
    let found: Option<Option<String>> = Sql::new(
        "select lifecycle_stage from experiments where workspace = 'default' and experiment_id = ",
    )
    .int(id.0)
    .first::<Nullable<Text>, _>(connection)
    .or_store_error()?;
    match found {
        None => Err(StoreError::not_found(Resource::Experiment, id)),
        Some(name) => stage("experiments", id, name.as_deref()),
    }
}

/// Fails unless an experiment is there and active.
pub(crate) fn require_active(
    connection: &mut Connection,
    id: ExperimentId,
) -> Result<(), StoreError> {
    match stage_of(connection, id)? {
        LifecycleStage::Active => Ok(()),
        current @ LifecycleStage::Deleted => Err(StoreError::Lifecycle {
            what: "experiment",
            id: id.to_string(),
            wanted: LifecycleStage::Active,
            current,
        }),
    }
}

/// The artifact location of an active experiment.
pub(crate) fn active_location(
    connection: &mut Connection,
    id: ExperimentId,
) -> Result<String, StoreError> {
    require_active(connection, id)?;
    let location: Option<Option<String>> =
        Sql::new("select artifact_location from experiments where experiment_id = ")
            .int(id.0)
            .first::<Nullable<Text>, _>(connection)
            .or_store_error()?;
    Ok(location.flatten().unwrap_or_default())
}

/// Moves an experiment, and all its runs, from one stage to the other.
pub(crate) fn set_stage(
    connection: &mut Connection,
    id: ExperimentId,
    to: LifecycleStage,
    now: i64,
) -> Result<(), StoreError> {
    if stage_of(connection, id)? == to {
        return Err(StoreError::not_found(Resource::Experiment, id));
    }
    Sql::new("update experiments set lifecycle_stage = ")
        .text(to.name())
        .sql(", last_update_time = ")
        .int(now)
        .sql(" where experiment_id = ")
        .int(id.0)
        .run(connection)
        .or_store_error()?;
    Sql::new("update runs set lifecycle_stage = ")
        .text(to.name())
        .sql(", deleted_time = ")
        .optional_int((to == LifecycleStage::Deleted).then_some(now))
        .sql(" where experiment_id = ")
        .int(id.0)
        .run(connection)
        .or_store_error()?;
    Ok(())
}

/// Renames an active experiment.
pub(crate) fn rename(
    connection: &mut Connection,
    id: ExperimentId,
    name: &str,
    now: i64,
) -> Result<(), StoreError> {
    if stage_of(connection, id)? != LifecycleStage::Active {
        return Err(StoreError::RenameDeleted);
    }
    let renamed = Sql::new("update experiments set name = ")
        .text(name)
        .sql(", last_update_time = ")
        .int(now)
        .sql(" where experiment_id = ")
        .int(id.0)
        .run(connection);
    match renamed {
        Err(error) if is_unique_violation(&error) => Err(StoreError::ExperimentExists {
            name: name.to_owned(),
        }),
        renamed => renamed.or_store_error().map(drop),
    }
}

/// Sets a tag of an active experiment.
pub(crate) fn set_tag(
    connection: &mut Connection,
    id: ExperimentId,
    tag: &Tag,
) -> Result<(), StoreError> {
    require_active(connection, id)?;
    upsert_tag(connection, id, tag)
}

pub(super) fn upsert_tag(
    connection: &mut Connection,
    id: ExperimentId,
    tag: &Tag,
) -> Result<(), StoreError> {
    Sql::new("insert into experiment_tags (\"key\", value, experiment_id) values (")
        .text(&*tag.key)
        .sql(", ")
        .text(&*tag.value)
        .sql(", ")
        .int(id.0)
        .sql(")")
        .with(
            connection
                .dialect()
                .or_replace("\"key\", experiment_id", "value"),
        )
        .run(connection)
        .or_store_error()?;
    Ok(())
}

/// Deletes a tag of an active experiment.
pub(crate) fn delete_tag(
    connection: &mut Connection,
    id: ExperimentId,
    key: &str,
) -> Result<(), StoreError> {
    require_active(connection, id)?;
    let deleted = Sql::new("delete from experiment_tags where ")
        .with(connection.dialect().equal("\"key\"", key))
        .sql(" and experiment_id = ")
        .int(id.0)
        .run(connection)
        .or_store_error()?;
    if deleted == 0 {
        return Err(StoreError::not_found_in(Resource::ExperimentTag, key, id));
    }
    Ok(())
}
