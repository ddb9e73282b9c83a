//! The folder of a version of a registered model: `version-<N>` with its
//! `meta.yaml` and tags.
//!
//! The name of the folder is the number of the version. A new version is moved to
//! its place whole, where nothing may be: of several processes each gets a number
//! of its own, and none is left out.

use runledger_entities::{
    ModelStage, ModelVersion, ModelVersionNumber, ModelVersionStatus, RunId, Tag,
};

use super::meta::{self, Fields};
use super::registered_models::{RegisteredFolder, publish, stage};
use super::{Scratch, keys};
use crate::FolderError;
use crate::layout::{META, Root};
use crate::safe_dir::Folder;
use crate::write::Sync;
use crate::yaml::{Map, Yaml};

/// Begins the name of the folder of a version.
const VERSION: &str = "version-";
const TAGS: &str = "tags";

/// A version as its folder holds it, without its aliases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoredVersion {
    /// One that is there.
    There(Box<ModelVersion>),
    /// One that was deleted: its folder keeps its number.
    Deleted,
}

/// The numbers of all versions of a model, deleted ones included, in order.
pub(crate) fn numbers(model: &RegisteredFolder) -> Result<Vec<i64>, FolderError> {
    let names = model.folder.folder_names()?;
    let mut numbers: Vec<i64> = names.iter().filter_map(|name| number(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// The number that a folder is called after; `version-07` is none.
fn number(name: &str) -> Option<i64> {
    let digits = name.strip_prefix(VERSION)?;
    let number: i64 = digits.parse().ok()?;
    (number > 0 && number.to_string() == digits).then_some(number)
}

fn folder_of(model: &RegisteredFolder, version: ModelVersionNumber) -> Result<Folder, FolderError> {
    model.folder.folder(&format!("{VERSION}{version}"))
}

/// Makes the folder of a version, under the next number that is free; returns it.
pub(crate) fn create(
    root: &Root,
    model: &RegisteredFolder,
    new: &ModelVersion,
    sync: Sync,
) -> Result<ModelVersionNumber, FolderError> {
    let mut next = numbers(model)?.last().map_or(1, |last| last + 1);
    loop {
        let version = ModelVersionNumber(next);
        let (trash, staged, folder) = stage(root)?;
        let filled = fill(&folder, model, new, version, sync);
        if let Err(error) = filled {
            let _ = trash.dir().remove_dir_all(&staged);
            return Err(error);
        }
        let name = format!("{VERSION}{version}");
        if publish((&trash, &staged), &model.folder, &name, sync)? {
            return Ok(version);
        }
        next += 1;
    }
}

fn fill(
    folder: &Folder,
    model: &RegisteredFolder,
    new: &ModelVersion,
    version: ModelVersionNumber,
    sync: Sync,
) -> Result<(), FolderError> {
    keys::set_tags(folder, TAGS, &new.tags, sync)?;
    let mut map = Map::new();
    map.insert("aliases".to_owned(), Yaml::List(Vec::new()));
    put(&mut map, &model.name, version, new);
    meta::replace(folder, META, &map, sync)
}

/// Reads a version with its tags.
pub(crate) fn read(
    model: &RegisteredFolder,
    version: ModelVersionNumber,
    scratch: &mut Scratch,
) -> Result<StoredVersion, FolderError> {
    let folder = folder_of(model, version)?;
    let (stored, _) = read_meta(&folder, model, version, scratch)?;
    match stored {
        StoredVersion::There(mut found) => {
            found.tags = keys::read(&folder, TAGS, &mut scratch.text)?;
            Ok(StoredVersion::There(found))
        }
        StoredVersion::Deleted => Ok(StoredVersion::Deleted),
    }
}

fn read_meta(
    folder: &Folder,
    model: &RegisteredFolder,
    version: ModelVersionNumber,
    scratch: &mut Scratch,
) -> Result<(StoredVersion, Map), FolderError> {
    meta::patiently(folder, META, || {
        let map = meta::read(folder, META, &mut scratch.text)?;
        let fields = Fields {
            map: &map,
            folder,
            path: META,
        };
        let stored = of_fields(&fields, model, version)?;
        Ok((stored, map))
    })
}

fn of_fields(
    fields: &Fields<'_>,
    model: &RegisteredFolder,
    version: ModelVersionNumber,
) -> Result<StoredVersion, FolderError> {
    let stage = fields.optional_text("current_stage")?;
    let current_stage = match stage.as_deref() {
        Some(ModelStage::DELETED) => return Ok(StoredVersion::Deleted),
        None => ModelStage::None,
        Some(stage) => ModelStage::from_name(stage)
            .ok_or_else(|| fields.wrong("current_stage", format!("is '{stage}'")))?,
    };
    let status = match fields.optional_text("status")?.as_deref() {
        None => ModelVersionStatus::Ready,
        Some(status) => ModelVersionStatus::from_name(status)
            .ok_or_else(|| fields.wrong("status", format!("is '{status}'")))?,
    };
    Ok(StoredVersion::There(Box::new(ModelVersion {
        name: model.name.clone(),
        version,
        creation_timestamp: fields.integer("creation_timestamp")?,
        last_updated_timestamp: fields.optional_integer("last_updated_timestamp")?,
        user_id: fields.optional_text("user_id")?,
        current_stage,
        description: fields.optional_text("description")?,
        source: fields.optional_text("source")?,
        storage_location: fields.optional_text("storage_location")?,
        run_id: fields.optional_text("run_id")?.map(RunId::new),
        run_link: fields.optional_text("run_link")?,
        status,
        status_message: fields.optional_text("status_message")?,
        tags: Vec::new(),
        aliases: Vec::new(),
    })))
}

/// Rewrites the `meta.yaml` of a version that is not deleted, unless `change` says
/// no; whether there is such a version. Keys that we do not know stay.
pub(crate) fn update(
    model: &RegisteredFolder,
    version: ModelVersionNumber,
    scratch: &mut Scratch,
    change: impl FnOnce(&mut ModelVersion) -> bool,
    sync: Sync,
) -> Result<bool, FolderError> {
    let folder = folder_of(model, version)?;
    let (StoredVersion::There(mut found), mut map) = read_meta(&folder, model, version, scratch)?
    else {
        return Ok(false);
    };
    if change(&mut found) {
        put(&mut map, &model.name, version, &found);
        meta::replace(&folder, META, &map, sync)?;
    }
    Ok(true)
}

/// Marks a version as deleted; whether it was there.
pub(crate) fn delete(
    model: &RegisteredFolder,
    version: ModelVersionNumber,
    now: i64,
    scratch: &mut Scratch,
    sync: Sync,
) -> Result<bool, FolderError> {
    let folder = folder_of(model, version)?;
    let (StoredVersion::There(_), mut map) = read_meta(&folder, model, version, scratch)? else {
        return Ok(false);
    };
    map.insert("current_stage".to_owned(), ModelStage::DELETED.into());
    map.insert("last_updated_timestamp".to_owned(), Yaml::Int(now));
    meta::replace(&folder, META, &map, sync)?;
    Ok(true)
}

fn put(map: &mut Map, name: &str, number: ModelVersionNumber, version: &ModelVersion) {
    let run_id = version.run_id.as_ref().map(RunId::as_str);
    for (key, value) in [
        ("creation_timestamp", Yaml::Int(version.creation_timestamp)),
        ("current_stage", version.current_stage.name().into()),
        (
            "description",
            Yaml::optional(version.description.as_deref()),
        ),
        (
            "last_updated_timestamp",
            version.last_updated_timestamp.map_or(Yaml::Null, Yaml::Int),
        ),
        ("name", name.into()),
        ("run_id", Yaml::optional(run_id)),
        ("run_link", Yaml::optional(version.run_link.as_deref())),
        ("source", Yaml::optional(version.source.as_deref())),
        ("status", version.status.name().into()),
        (
            "status_message",
            Yaml::optional(version.status_message.as_deref()),
        ),
        (
            "storage_location",
            Yaml::optional(version.storage_location.as_deref()),
        ),
        ("user_id", Yaml::optional(version.user_id.as_deref())),
        ("version", Yaml::Int(number.0)),
    ] {
        map.insert(key.to_owned(), value);
    }
}

/// Sets a tag.
pub(crate) fn set_tag(
    model: &RegisteredFolder,
    version: ModelVersionNumber,
    tag: &Tag,
    sync: Sync,
) -> Result<(), FolderError> {
    let folder = folder_of(model, version)?;
    keys::set_tags(&folder, TAGS, std::slice::from_ref(tag), sync)
}

/// Deletes a tag, if it is there.
pub(crate) fn delete_tag(
    model: &RegisteredFolder,
    version: ModelVersionNumber,
    key: &str,
    sync: Sync,
) -> Result<(), FolderError> {
    let folder = folder_of(model, version)?;
    keys::delete_tag(&folder, TAGS, key, sync).map(drop)
}
