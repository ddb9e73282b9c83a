//! Registered models with their versions.

use runledger_entities::{ModelStage, ModelVersion, ModelVersionNumber, ModelVersionStatus};
use runledger_store::{AdoptedRegisteredModel, StoreError};

use crate::{
    connection::Connection,
    nouns::{OrStoreError as _, model_versions, registered_models},
    sql::Sql,
};

/// Puts a model in the place of one of the same name.
pub(super) fn put(
    connection: &mut Connection,
    adopted: &AdoptedRegisteredModel,
) -> Result<(), StoreError> {
    let model = &adopted.model;
    registered_models::forget(connection, &model.name)?;
    Sql::new(
        "insert into registered_models (workspace, name, creation_time, last_updated_time, \
         description) values ('default', ",
    )
    .text(&*model.name)
    .sql(", ")
    .int(model.creation_timestamp)
    .sql(", ")
    .optional_int(model.last_updated_timestamp)
    .sql(", ")
    .optional_text(model.description.clone())
    .sql(")")
    .run(connection)
    .or_store_error()?;
    for tag in &model.tags {
        registered_models::upsert_tag(connection, &model.name, tag)?;
    }
    for version in &adopted.versions {
        model_versions::insert(connection, version)?;
        for tag in &version.tags {
            model_versions::upsert_tag(connection, &model.name, version.version, tag)?;
        }
    }
    for alias in &model.aliases {
        registered_models::upsert_alias(connection, &model.name, &alias.alias, alias.version)?;
    }
    keep_number(connection, adopted)
}

/// Adds a deleted version under the largest number, if no version that is there has
/// it: the next version must not get it.
fn keep_number(
    connection: &mut Connection,
    adopted: &AdoptedRegisteredModel,
) -> Result<(), StoreError> {
    let (name, last) = (&adopted.model.name, adopted.last_version);
    let is_there = |version: &ModelVersion| version.version == last;
    if last == ModelVersionNumber(0) || adopted.versions.iter().any(is_there) {
        return Ok(());
    }
    let time = adopted.model.last_updated_timestamp;
    let deleted = ModelVersion {
        name: name.clone(),
        version: last,
        creation_timestamp: time.unwrap_or(adopted.model.creation_timestamp),
        last_updated_timestamp: time,
        user_id: None,
        current_stage: ModelStage::None,
        description: None,
        source: None,
        storage_location: None,
        run_id: None,
        run_link: None,
        status: ModelVersionStatus::Ready,
        status_message: None,
        tags: Vec::new(),
        aliases: Vec::new(),
    };
    model_versions::insert(connection, &deleted)?;
    model_versions::delete(connection, name, last, time.unwrap_or_default())
}
