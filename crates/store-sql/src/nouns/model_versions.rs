//! Versions of registered models.

use std::collections::{BTreeSet, HashMap};

use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use runledger_entities::{
    ModelAlias, ModelStage, ModelVersion, ModelVersionNumber, ModelVersionStatus, RunId, Tag,
};
use runledger_store::{DescriptionPatch, NewModelVersion, Resource, StageChange, StoreError};

use super::{OrStoreError as _, registered_models};
use crate::{
    connection::Connection,
    error::{CONTENTION, is_unique_violation},
    schema::Schema,
    sql::Sql,
    values::SerialId,
};

/// Versions whose tags are read by one statement.
const AT_A_TIME: usize = 10_000;

/// The columns that [`Row`] reads but for the last, of the table `model_versions v`.
const COLUMNS: &str = "v.name, v.version, v.creation_time, v.last_updated_time, v.description, \
    v.user_id, v.current_stage, v.source, v.run_id, v.status, v.status_message, v.run_link, ";

/// The SQL types of the columns that [`select`] selects.
pub(crate) type Columns = (
    Text,
    Integer,
    Nullable<BigInt>,
    Nullable<BigInt>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
    Nullable<Text>,
);

/// A row of what [`select`] selects.
pub(crate) type Row = (
    String,
    SerialId,
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// Begins a statement that reads versions that are not deleted, up to and with
/// its `where`.
pub(crate) fn select(schema: Schema) -> Sql {
    Sql::new("select ")
        .sql(COLUMNS)
        .sql(storage_location(schema))
        .sql(" from model_versions v where ")
        .sql(schema.of_workspace("v.workspace = 'default' and "))
        .sql("v.current_stage <> 'Deleted_Internal'")
}

fn storage_location(schema: Schema) -> &'static str {
    if schema.storage_locations {
        "v.storage_location"
    } else {
        "null"
    }
}

fn missing(name: &str, version: ModelVersionNumber) -> StoreError {
    StoreError::not_found_in(Resource::ModelVersion, version, name)
}

/// Creates a version.
pub(crate) fn create(
    connection: &mut Connection,
    new: &NewModelVersion,
    now: i64,
) -> Result<ModelVersion, StoreError> {
    // First of all: of several that create, the others wait here.
    if !registered_models::touch(connection, &new.name, now)? {
        return Err(StoreError::not_found(Resource::RegisteredModel, &new.name));
    }
    let version = ModelVersionNumber(last(connection, &new.name)?.0 + 1);
    let row = ModelVersion {
        name: new.name.clone(),
        version,
        creation_timestamp: now,
        last_updated_timestamp: Some(now),
        user_id: None,
        current_stage: ModelStage::None,
        description: new.description.clone(),
        source: Some(new.source.clone()),
        storage_location: new.storage_location.clone(),
        run_id: new.run_id.clone(),
        run_link: new.run_link.clone(),
        status: ModelVersionStatus::Ready,
        status_message: None,
        tags: Vec::new(),
        aliases: Vec::new(),
    };
    insert(connection, &row)?;
    for tag in &new.tags {
        upsert_tag(connection, &new.name, version, tag)?;
    }
    get(connection, &new.name, version)
}

/// Adds the row of a version, without what belongs to it.
pub(super) fn insert(
    connection: &mut Connection,
    version: &ModelVersion,
) -> Result<(), StoreError> {
    let inserted = Sql::new(
        "insert into model_versions (workspace, name, version, creation_time, last_updated_time, \
         description, user_id, current_stage, source, storage_location, run_id, run_link, status, \
         status_message) values ('default', ",
    )
    .text(&*version.name)
    .sql(", ")
    .int(version.version.0)
    .sql(", ")
    .int(version.creation_timestamp)
    .sql(", ")
    .optional_int(version.last_updated_timestamp)
    .sql(", ")
    .optional_text(version.description.clone())
    .sql(", ")
    .optional_text(version.user_id.clone())
    .sql(", ")
    .text(version.current_stage.name())
    .sql(", ")
    .optional_text(version.source.clone())
    .sql(", ")
    .optional_text(version.storage_location.clone())
    .sql(", ")
    .optional_text(version.run_id.as_ref().map(ToString::to_string))
    .sql(", ")
    .optional_text(version.run_link.clone())
    .sql(", ")
    .text(version.status.name())
    .sql(", ")
    .optional_text(version.status_message.clone())
    .sql(")")
    .run(connection);
    match inserted {
        // MLflow, which locks nothing, was faster.
        Err(error) if is_unique_violation(&error) => {
            Err(StoreError::Unavailable { reason: CONTENTION })
        }
        inserted => inserted.or_store_error().map(drop),
    }
}

/// The largest number that a version of a model ever had.
pub(crate) fn last(
    connection: &mut Connection,
    name: &str,
) -> Result<ModelVersionNumber, StoreError> {
    let found: Option<Option<SerialId>> =
        Sql::new("select max(v.version) from model_versions v where ")
            .sql(
                connection
                    .schema()
                    .of_workspace("v.workspace = 'default' and "),
            )
            .with(connection.dialect().equal("v.name", name))
            .first::<Nullable<Integer>, _>(connection)
            .or_store_error()?;
    Ok(ModelVersionNumber(found.flatten().map_or(0, |last| last.0)))
}

/// A version.
pub(crate) fn get(
    connection: &mut Connection,
    name: &str,
    version: ModelVersionNumber,
) -> Result<ModelVersion, StoreError> {
    let row = select(connection.schema())
        .sql(" and ")
        .with(connection.dialect().equal("v.name", name))
        .sql(" and v.version = ")
        .int(version.0)
        .first::<Columns, Row>(connection)
        .or_store_error()?
        .ok_or_else(|| missing(name, version))?;
    complete(connection, vec![row])?
        .pop()
        .ok_or_else(|| StoreError::internal("a row became no version"))
}

/// Of each stage of these models the newest version, by name and number.
pub(super) fn latest(
    connection: &mut Connection,
    names: Vec<String>,
) -> Result<Vec<ModelVersion>, StoreError> {
    let schema = connection.schema();
    let rows = Sql::new("select ")
        .sql(COLUMNS)
        .sql(storage_location(schema))
        .sql(
            " from model_versions v join (select l.name as name, max(l.version) as version \
             from model_versions l where ",
        )
        .sql(schema.of_workspace("l.workspace = 'default' and "))
        .sql("l.current_stage <> 'Deleted_Internal' and l.name")
        .in_texts(false, names)
        .sql(
            " group by l.name, l.current_stage) newest on newest.name = v.name \
             and newest.version = v.version where ",
        )
        .sql(schema.of_workspace("v.workspace = 'default' and "))
        .sql("1 = 1 order by v.name, v.version")
        .rows::<Columns, Row>(connection)
        .or_store_error()?;
    complete(connection, rows)
}

/// The versions of these rows, in their order, with all that belongs to them.
pub(crate) fn complete(
    connection: &mut Connection,
    rows: Vec<Row>,
) -> Result<Vec<ModelVersion>, StoreError> {
    let mut versions = Vec::with_capacity(rows.len());
    let mut rows = rows.into_iter();
    loop {
        let some: Vec<Row> = rows.by_ref().take(AT_A_TIME).collect();
        if some.is_empty() {
            return Ok(versions);
        }
        complete_some(connection, some, &mut versions)?;
    }
}

fn complete_some(
    connection: &mut Connection,
    rows: Vec<Row>,
    versions: &mut Vec<ModelVersion>,
) -> Result<(), StoreError> {
    let names: BTreeSet<&str> = rows.iter().map(|row| row.0.as_str()).collect();
    let names = || -> Vec<String> { names.iter().map(|name| (*name).to_owned()).collect() };
    let numbers: BTreeSet<i64> = rows.iter().map(|row| row.1.0).collect();
    let mut tags = tags_of(connection, names(), numbers.into_iter().collect())?;
    let aliases = registered_models::aliases_of(connection, names())?;
    for row in rows {
        let (name, SerialId(number)) = (row.0.clone(), row.1);
        let key = (name, number);
        let tags = tags.remove(&key).unwrap_or_default();
        let aliases = aliases.get(&key.0).map_or(&[][..], Vec::as_slice);
        versions.push(version(row, tags, aliases)?);
    }
    Ok(())
}

fn version(row: Row, tags: Vec<Tag>, aliases: &[ModelAlias]) -> Result<ModelVersion, StoreError> {
    let (name, SerialId(number), created, updated, description, user_id, stage, source, ..) = row;
    let (run_id, status, status_message, run_link, storage_location) =
        (row.8, row.9, row.10, row.11, row.12);
    let corrupt = |column: &str, value: &str| StoreError::Corrupt {
        place: "model_versions",
        key: format!("{name}, {number}"),
        reason: format!("{column} is '{value}'"),
    };
    let current_stage = match stage.as_deref() {
        None => ModelStage::None,
        Some(stage) => {
            ModelStage::from_name(stage).ok_or_else(|| corrupt("current_stage", stage))?
        }
    };
    let status = match status.as_deref() {
        None => ModelVersionStatus::Ready,
        Some(status) => {
            ModelVersionStatus::from_name(status).ok_or_else(|| corrupt("status", status))?
        }
    };
    let version = ModelVersionNumber(number);
    let aliases = aliases.iter().filter(|alias| alias.version == version);
    Ok(ModelVersion {
        aliases: aliases.map(|alias| alias.alias.clone()).collect(),
        name,
        version,
        creation_timestamp: created.unwrap_or_default(),
        last_updated_timestamp: updated,
        user_id,
        current_stage,
        description,
        source,
        storage_location,
        run_id: run_id.map(RunId::new),
        run_link,
        status,
        status_message,
        tags,
    })
}

/// The tags of versions, by name and number, in order. There may be those of
/// others: a number of one model is looked for in all of them.
fn tags_of(
    connection: &mut Connection,
    names: Vec<String>,
    numbers: Vec<i64>,
) -> Result<HashMap<(String, i64), Vec<Tag>>, StoreError> {
    let found: Vec<(String, SerialId, String, Option<String>)> =
        Sql::new("select t.name, t.version, t.\"key\", t.value from model_version_tags t where ")
            .sql(
                connection
                    .schema()
                    .of_workspace("t.workspace = 'default' and "),
            )
            .sql("t.name")
            .in_texts(false, names)
            .sql(" and t.version")
            .in_ints(false, numbers)
            .rows::<(Text, Integer, Text, Nullable<Text>), _>(connection)
            .or_store_error()?;
    let mut tags: HashMap<(String, i64), Vec<Tag>> = HashMap::new();
    for (name, SerialId(number), key, value) in found {
        let value = value.unwrap_or_default();
        tags.entry((name, number))
            .or_default()
            .push(Tag { key, value });
    }
    for tags in tags.values_mut() {
        tags.sort_unstable();
    }
    Ok(tags)
}

/// Fails unless a version is there; keeps others from deleting its model.
pub(super) fn require(
    connection: &mut Connection,
    name: &str,
    version: ModelVersionNumber,
) -> Result<(), StoreError> {
    let found = registered_models::lock(connection, name)? && {
        let found: Option<SerialId> = Sql::new(
            "select version from model_versions where workspace = 'default' \
             and current_stage <> 'Deleted_Internal' and version = ",
        )
        .int(version.0)
        .sql(" and ")
        .with(connection.dialect().equal("name", name))
        .first::<Integer, _>(connection)
        .or_store_error()?;
        found.is_some()
    };
    if found {
        Ok(())
    } else {
        Err(missing(name, version))
    }
}

/// Appends the condition for one version that is not deleted, and runs the
/// update; fails if there is no such version.
fn change(
    connection: &mut Connection,
    update: Sql,
    name: &str,
    version: ModelVersionNumber,
) -> Result<(), StoreError> {
    let changed = update
        .sql(" where workspace = 'default' and current_stage <> 'Deleted_Internal' and version = ")
        .int(version.0)
        .sql(" and ")
        .with(connection.dialect().equal("name", name))
        .run(connection)
        .or_store_error()?;
    if changed == 0 {
        return Err(missing(name, version));
    }
    Ok(())
}

/// Sets the description of a version.
pub(crate) fn update(
    connection: &mut Connection,
    name: &str,
    version: ModelVersionNumber,
    patch: &DescriptionPatch,
    now: i64,
) -> Result<ModelVersion, StoreError> {
    let update = Sql::new("update model_versions set description = ")
        .optional_text(patch.description.clone())
        .sql(", last_updated_time = ")
        .int(now);
    change(connection, update, name, version)?;
    get(connection, name, version)
}

/// Moves a version to a stage.
pub(crate) fn transition(
    connection: &mut Connection,
    name: &str,
    version: ModelVersionNumber,
    to: StageChange,
    now: i64,
) -> Result<ModelVersion, StoreError> {
    registered_models::touch(connection, name, now)?;
    if to.archive_others {
        Sql::new("update model_versions set current_stage = ")
            .text(ModelStage::Archived.name())
            .sql(", last_updated_time = ")
            .int(now)
            .sql(" where workspace = 'default' and version <> ")
            .int(version.0)
            .sql(" and current_stage = ")
            .text(to.stage.name())
            .sql(" and ")
            .with(connection.dialect().equal("name", name))
            .run(connection)
            .or_store_error()?;
    }
    let update = Sql::new("update model_versions set current_stage = ")
        .text(to.stage.name())
        .sql(", last_updated_time = ")
        .int(now);
    change(connection, update, name, version)?;
    get(connection, name, version)
}

/// Deletes a version: its row stays, without what it said, so that its number is
/// not given again. Its tags stay, too, as in MLflow.
pub(crate) fn delete(
    connection: &mut Connection,
    name: &str,
    version: ModelVersionNumber,
    now: i64,
) -> Result<(), StoreError> {
    registered_models::touch(connection, name, now)?;
    let update = Sql::new(
        "update model_versions set current_stage = 'Deleted_Internal', description = null, \
         user_id = null, source = 'REDACTED-SOURCE-PATH', run_id = 'REDACTED-RUN-ID', \
         run_link = 'REDACTED-RUN-LINK', status_message = null, last_updated_time = ",
    )
    .int(now);
    change(connection, update, name, version)?;
    Sql::new("delete from registered_model_aliases where workspace = 'default' and version = ")
        .int(version.0)
        .sql(" and ")
        .with(connection.dialect().equal("name", name))
        .run(connection)
        .or_store_error()?;
    Ok(())
}

/// Sets a tag of a version.
pub(crate) fn set_tag(
    connection: &mut Connection,
    name: &str,
    version: ModelVersionNumber,
    tag: &Tag,
) -> Result<(), StoreError> {
    require(connection, name, version)?;
    upsert_tag(connection, name, version, tag)
}

pub(super) fn upsert_tag(
    connection: &mut Connection,
    name: &str,
    version: ModelVersionNumber,
    tag: &Tag,
) -> Result<(), StoreError> {
    Sql::new(
        "insert into model_version_tags (workspace, name, version, \"key\", value) \
         values ('default', ",
    )
    .text(name)
    .sql(", ")
    .int(version.0)
    .sql(", ")
    .text(&*tag.key)
    .sql(", ")
    .text(&*tag.value)
    .sql(")")
    .with(
        connection
            .dialect()
            .or_replace("workspace, \"key\", name, version", "value"),
    )
    .run(connection)
    .or_store_error()?;
    Ok(())
}

/// Deletes a tag of a version, if it is there.
pub(crate) fn delete_tag(
    connection: &mut Connection,
    name: &str,
    version: ModelVersionNumber,
    key: &str,
) -> Result<(), StoreError> {
    require(connection, name, version)?;
    Sql::new("delete from model_version_tags where workspace = 'default' and version = ")
        .int(version.0)
        .sql(" and ")
        .with(connection.dialect().equal("name", name))
        .sql(" and ")
        .with(connection.dialect().equal("\"key\"", key))
        .run(connection)
        .or_store_error()?;
    Ok(())
}
