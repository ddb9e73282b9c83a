//! Registered models, with their tags and aliases.

use std::collections::HashMap;

use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use runledger_entities::{ModelAlias, ModelVersion, ModelVersionNumber, RegisteredModel, Tag};
use runledger_store::{DescriptionPatch, NewRegisteredModel, Resource, StoreError};

use super::{OrStoreError as _, model_versions};
use crate::{
    connection::Connection, error::is_unique_violation, schema::Schema, sql::Sql, values::SerialId,
};

/// The columns that [`Row`] reads, of the table `registered_models m`.
pub(crate) const COLUMNS: &str = "m.name, m.creation_time, m.last_updated_time, m.description";

/// The SQL types of [`COLUMNS`].
pub(crate) type Columns = (Text, Nullable<BigInt>, Nullable<BigInt>, Nullable<Text>);

/// A row of [`COLUMNS`].
pub(crate) type Row = (String, Option<i64>, Option<i64>, Option<String>);

/// Creates a model.
pub(crate) fn create(
    connection: &mut Connection,
    new: &NewRegisteredModel,
    now: i64,
) -> Result<RegisteredModel, StoreError> {
    let is_prompt = |tags: &[Tag]| tags.iter().any(|tag| tag.key == Tag::IS_PROMPT);
    let exists = |is_of_prompt| StoreError::RegisteredModelExists {
        name: new.name.clone(),
        is_prompt: is_of_prompt,
        new_is_prompt: is_prompt(&new.tags),
    };
    match get(connection, &new.name) {
        Ok(there) => return Err(exists(is_prompt(&there.tags))),
        Err(StoreError::NotFound { .. }) => {}
        Err(error) => return Err(error),
    }
    let inserted = Sql::new(
        "insert into registered_models (workspace, name, creation_time, last_updated_time, \
         description) values ('default', ",
    )
    .text(&*new.name)
    .sql(", ")
    .int(now)
    .sql(", ")
    .int(now)
    .sql(", ")
    .optional_text(new.description.clone())
    .sql(")")
    .run(connection);
    match inserted {
        // Somebody was faster, or on MySQL the name is there in another case.
        Err(error) if is_unique_violation(&error) => return Err(exists(is_prompt(&new.tags))),
        inserted => inserted.or_store_error()?,
    };
    for tag in &new.tags {
        upsert_tag(connection, &new.name, tag)?;
    }
    get(connection, &new.name)
}

/// A model.
pub(crate) fn get(connection: &mut Connection, name: &str) -> Result<RegisteredModel, StoreError> {
    let row = Sql::new("select ")
        .sql(COLUMNS)
        .sql(" from registered_models m where ")
        .sql(
            connection
                .schema()
                .of_workspace("m.workspace = 'default' and "),
        )
        .with(connection.dialect().equal("m.name", name))
        .first::<Columns, Row>(connection)
        .or_store_error()?
        .ok_or_else(|| missing(name))?;
    complete(connection, vec![row])?
        .pop()
        .ok_or_else(|| StoreError::internal("a row became no registered model"))
}

fn missing(name: &str) -> StoreError {
    StoreError::not_found(Resource::RegisteredModel, name)
}

/// The models of these rows, in their order, with all that belongs to them.
pub(crate) fn complete(
    connection: &mut Connection,
    rows: Vec<Row>,
) -> Result<Vec<RegisteredModel>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let names = || -> Vec<String> { rows.iter().map(|row| row.0.clone()).collect() };
    let mut tags = tags_of(connection, names())?;
    let mut aliases = aliases_of(connection, names())?;
    let mut versions: HashMap<String, Vec<ModelVersion>> = HashMap::new();
    for version in model_versions::latest(connection, names())? {
        versions
            .entry(version.name.clone())
            .or_default()
            .push(version);
    }
    let models = rows
        .into_iter()
        .map(|(name, created, updated, description)| RegisteredModel {
            creation_timestamp: created.unwrap_or_default(),
            last_updated_timestamp: updated,
            description,
            latest_versions: versions.remove(&name).unwrap_or_default(),
            tags: tags.remove(&name).unwrap_or_default(),
            aliases: aliases.remove(&name).unwrap_or_default(),
            name,
        })
        .collect();
    Ok(models)
}

fn tags_of(
    connection: &mut Connection,
    names: Vec<String>,
) -> Result<HashMap<String, Vec<Tag>>, StoreError> {
    let found: Vec<(String, String, Option<String>)> =
        Sql::new("select t.name, t.\"key\", t.value from registered_model_tags t where ")
            .sql(
                connection
                    .schema()
                    .of_workspace("t.workspace = 'default' and "),
            )
            .sql("t.name")
            .in_texts(false, names)
            .rows::<(Text, Text, Nullable<Text>), _>(connection)
            .or_store_error()?;
    let mut tags: HashMap<String, Vec<Tag>> = HashMap::new();
    for (name, key, value) in found {
        let value = value.unwrap_or_default();
        tags.entry(name).or_default().push(Tag { key, value });
    }
    for tags in tags.values_mut() {
        tags.sort_unstable();
    }
    Ok(tags)
}

/// The aliases of models, by the names of these, in order.
pub(super) fn aliases_of(
    connection: &mut Connection,
    names: Vec<String>,
) -> Result<HashMap<String, Vec<ModelAlias>>, StoreError> {
    let Schema { model_aliases, .. } = connection.schema();
    let mut aliases: HashMap<String, Vec<ModelAlias>> = HashMap::new();
    if !model_aliases {
        return Ok(aliases);
    }
    let found: Vec<(String, String, SerialId)> =
        Sql::new("select a.name, a.alias, a.version from registered_model_aliases a where ")
            .sql(
                connection
                    .schema()
                    .of_workspace("a.workspace = 'default' and "),
            )
            .sql("a.name")
            .in_texts(false, names)
            .rows::<(Text, Text, Integer), _>(connection)
            .or_store_error()?;
    for (name, alias, SerialId(version)) in found {
        aliases.entry(name).or_default().push(ModelAlias {
            alias,
            version: ModelVersionNumber(version),
        });
    }
    for aliases in aliases.values_mut() {
        aliases.sort_unstable();
    }
    Ok(aliases)
}

/// Sets the time of a model's update, which also keeps others from changing the
/// model until the end of the transaction. Returns whether the model is there.
pub(super) fn touch(connection: &mut Connection, name: &str, now: i64) -> Result<bool, StoreError> {
    let found = Sql::new("update registered_models set last_updated_time = ")
        .int(now)
        .sql(" where workspace = 'default' and ")
        .with(connection.dialect().equal("name", name))
        .run(connection)
        .or_store_error()?;
    Ok(found > 0)
}

/// Keeps others from changing or deleting a model until the end of the
/// transaction. Returns whether it is there.
pub(super) fn lock(connection: &mut Connection, name: &str) -> Result<bool, StoreError> {
    let found: Option<String> =
        Sql::new("select name from registered_models where workspace = 'default' and ")
            .with(connection.dialect().equal("name", name))
            .sql(connection.dialect().for_update())
            .first::<Text, _>(connection)
            .or_store_error()?;
    Ok(found.is_some())
}

fn require(connection: &mut Connection, name: &str) -> Result<(), StoreError> {
    if lock(connection, name)? {
        Ok(())
    } else {
        Err(missing(name))
    }
}

/// Sets the description of a model.
pub(crate) fn update(
    connection: &mut Connection,
    name: &str,
    patch: &DescriptionPatch,
    now: i64,
) -> Result<RegisteredModel, StoreError> {
    let found = Sql::new("update registered_models set description = ")
        .optional_text(patch.description.clone())
        .sql(", last_updated_time = ")
        .int(now)
        .sql(" where workspace = 'default' and ")
        .with(connection.dialect().equal("name", name))
        .run(connection)
        .or_store_error()?;
    if found == 0 {
        return Err(missing(name));
    }
    get(connection, name)
}

/// Gives a model another name. The database takes all that refers to it along.
pub(crate) fn rename(
    connection: &mut Connection,
    name: &str,
    new_name: &str,
    now: i64,
) -> Result<RegisteredModel, StoreError> {
    let taken = || StoreError::RegisteredModelExists {
        name: new_name.to_owned(),
        is_prompt: false,
        new_is_prompt: false,
    };
    require(connection, name)?;
    // MySQL says that the versions are in the way, and not the name.
    if name != new_name && lock(connection, new_name)? {
        return Err(taken());
    }
    let renamed = Sql::new("update registered_models set name = ")
        .text(new_name)
        .sql(", last_updated_time = ")
        .int(now)
        .sql(" where workspace = 'default' and ")
        .with(connection.dialect().equal("name", name))
        .run(connection);
    match renamed {
        Err(error) if is_unique_violation(&error) => return Err(taken()),
        renamed => renamed.or_store_error()?,
    };
    Sql::new("update model_versions set last_updated_time = ")
        .int(now)
        .sql(" where workspace = 'default' and ")
        .with(connection.dialect().equal("name", new_name))
        .run(connection)
        .or_store_error()?;
    get(connection, new_name)
}

/// Deletes a model with all that belongs to it.
pub(crate) fn delete(connection: &mut Connection, name: &str) -> Result<(), StoreError> {
    require(connection, name)?;
    forget(connection, name)
}

/// Deletes a model with all that belongs to it, if it is there.
pub(super) fn forget(connection: &mut Connection, name: &str) -> Result<(), StoreError> {
    for delete in [
        "delete from model_version_tags where workspace = 'default' and ",
        "delete from model_versions where workspace = 'default' and ",
        "delete from registered_model_tags where workspace = 'default' and ",
        "delete from registered_model_aliases where workspace = 'default' and ",
        "delete from registered_models where workspace = 'default' and ",
    ] {
        Sql::new(delete)
            .with(connection.dialect().equal("name", name))
            .run(connection)
            .or_store_error()?;
    }
    Ok(())
}

/// Sets a tag of a model.
pub(crate) fn set_tag(
    connection: &mut Connection,
    name: &str,
    tag: &Tag,
) -> Result<(), StoreError> {
    require(connection, name)?;
    upsert_tag(connection, name, tag)
}

pub(super) fn upsert_tag(
    connection: &mut Connection,
    name: &str,
    tag: &Tag,
) -> Result<(), StoreError> {
    Sql::new(
        "insert into registered_model_tags (workspace, name, \"key\", value) values ('default', ",
    )
    .text(name)
    .sql(", ")
    .text(&*tag.key)
    .sql(", ")
    .text(&*tag.value)
    .sql(")")
    .with(
        connection
            .dialect()
            .or_replace("workspace, \"key\", name", "value"),
    )
    .run(connection)
    .or_store_error()?;
    Ok(())
}

/// Deletes a tag of a model, if it is there.
pub(crate) fn delete_tag(
    connection: &mut Connection,
    name: &str,
    key: &str,
) -> Result<(), StoreError> {
    require(connection, name)?;
    Sql::new("delete from registered_model_tags where workspace = 'default' and ")
        .with(connection.dialect().equal("name", name))
        .sql(" and ")
        .with(connection.dialect().equal("\"key\"", key))
        .run(connection)
        .or_store_error()?;
    Ok(())
}

/// Makes an alias stand for a version.
pub(crate) fn set_alias(
    connection: &mut Connection,
    name: &str,
    alias: &str,
    version: ModelVersionNumber,
) -> Result<(), StoreError> {
    model_versions::require(connection, name, version)?;
    upsert_alias(connection, name, alias, version)
}

pub(super) fn upsert_alias(
    connection: &mut Connection,
    name: &str,
    alias: &str,
    version: ModelVersionNumber,
) -> Result<(), StoreError> {
    Sql::new(
        "insert into registered_model_aliases (workspace, name, alias, version) values ('default', ",
    )
    .text(name)
    .sql(", ")
    .text(alias)
    .sql(", ")
    .int(version.0)
    .sql(")")
    .with(
        connection
            .dialect()
            .or_replace("workspace, name, alias", "version"),
    )
    .run(connection)
    .or_store_error()?;
    Ok(())
}

/// Deletes an alias of a model, if it is there.
pub(crate) fn delete_alias(
    connection: &mut Connection,
    name: &str,
    alias: &str,
) -> Result<(), StoreError> {
    require(connection, name)?;
    Sql::new("delete from registered_model_aliases where workspace = 'default' and ")
        .with(connection.dialect().equal("name", name))
        .sql(" and ")
        .with(connection.dialect().equal("alias", alias))
        .run(connection)
        .or_store_error()?;
    Ok(())
}

/// The version that an alias stands for.
pub(crate) fn by_alias(
    connection: &mut Connection,
    name: &str,
    alias: &str,
) -> Result<ModelVersion, StoreError> {
    let model = get(connection, name)?;
    let found = model.aliases.iter().find(|found| found.alias == alias);
    match found {
        Some(found) => model_versions::get(connection, name, found.version),
        None => Err(StoreError::not_found_in(Resource::ModelAlias, alias, name)),
    }
}
