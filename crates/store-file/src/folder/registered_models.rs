//! The folder of a registered model: `models/<name>` with its `meta.yaml`, tags,
//! aliases, and a folder for each version.
//!
//! The name of the folder is the name of the model, whatever `meta.yaml` says:
//! renaming is one step that way. What is new is made in the trash and moved to
//! its place whole, since MLflow reads every folder in `models/` and fails on one
//! without a `meta.yaml`.

use runledger_entities::{ModelAlias, Tag};
use rustix::io::Errno;

use super::meta::{self, Fields};
use super::{Scratch, keys};
use crate::FolderError;
use crate::layout::{self, META, Root, TRASH};
use crate::safe_dir::Folder;
use crate::write::{self, Sync, TEMPORARY};
use crate::yaml::{Map, Yaml};

/// Where registered models are.
const MODELS: &str = "models";
const TAGS: &str = "tags";
const ALIASES: &str = "aliases";
/// Bytes of a file with a number in it.
const MAX_ALIAS_BYTES: u64 = 100;

/// What a model's `meta.yaml` says beside its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RegisteredMeta {
    /// Milliseconds since the epoch.
    pub(crate) creation_timestamp: i64,
    /// Milliseconds since the epoch.
    pub(crate) last_updated_timestamp: Option<i64>,
    /// Free text.
    pub(crate) description: Option<String>,
}

/// The folder of a registered model.
#[derive(Debug)]
pub(crate) struct RegisteredFolder {
    pub(crate) name: String,
    pub(crate) folder: Folder,
}

/// The names of all registered models, in order.
pub(crate) fn model_names(root: &Root) -> Result<Vec<String>, FolderError> {
    let mut names = match root.folder.folder(MODELS) {
        Err(error) if error.is_missing() => return Ok(Vec::new()),
        models => models?.folder_names()?,
    };
    names.sort_unstable();
    Ok(names)
}

/// The folder of a model.
pub(crate) fn open_model(root: &Root, name: &str) -> Result<RegisteredFolder, FolderError> {
    check_name(name)?;
    Ok(RegisteredFolder {
        folder: root.folder.folder(MODELS)?.folder(name)?,
        name: name.to_owned(),
    })
}

/// A name that can be that of a folder, and that MLflow's file store accepts.
pub(crate) fn check_name(name: &str) -> Result<(), FolderError> {
    let is_one =
        !matches!(name, "" | "." | "..") && name.len() <= 255 && !name.contains(['/', '\0', '%']);
    if is_one {
        Ok(())
    } else {
        Err(FolderError::Id {
            what: "registered model",
            id: name.chars().take(300).collect(),
        })
    }
}

/// A folder that nobody looks at yet, with its name.
pub(super) fn stage(root: &Root) -> Result<(Folder, String, Folder), FolderError> {
    let trash = root.folder.make_folder(TRASH)?;
    let name = format!("{TEMPORARY}{}", uuid::Uuid::new_v4().simple());
    trash
        .dir()
        .create_dir(&name)
        .map_err(|error| FolderError::io("make", trash.path_of(&name), error))?;
    let folder = trash.folder(&name)?;
    Ok((trash, name, folder))
}

/// Moves a staged folder to its place; whether that was free. Otherwise the staged
/// folder is removed.
pub(super) fn publish(
    (trash, staged): (&Folder, &str),
    to: &Folder,
    name: &str,
    sync: Sync,
) -> Result<bool, FolderError> {
    match layout::rename_new((trash, staged), (to, name)) {
        Ok(()) => {
            write::flush(to, sync)?;
            Ok(true)
        }
        Err(errno) => {
            // What stays is swept by nobody, and looked at by nobody.
            let _ = trash.dir().remove_dir_all(staged);
            match errno {
                Errno::EXIST | Errno::NOTEMPTY => Ok(false),
                errno => Err(FolderError::io("make", to.path_of(name), errno.into())),
            }
        }
    }
}

/// Makes the folder of a model; `false` if there is one.
pub(crate) fn create_model(
    root: &Root,
    name: &str,
    meta: &RegisteredMeta,
    tags: &[Tag],
    sync: Sync,
) -> Result<bool, FolderError> {
    check_name(name)?;
    let models = root.folder.make_folder(MODELS)?;
    if models.exists(name) {
        return Ok(false);
    }
    let (trash, staged, folder) = stage(root)?;
    let filled = fill(&folder, name, meta, tags, sync);
    if let Err(error) = filled {
        let _ = trash.dir().remove_dir_all(&staged);
        return Err(error);
    }
    publish((&trash, &staged), &models, name, sync)
}

fn fill(
    folder: &Folder,
    name: &str,
    meta: &RegisteredMeta,
    tags: &[Tag],
    sync: Sync,
) -> Result<(), FolderError> {
    keys::set_tags(folder, TAGS, tags, sync)?;
    let mut map = Map::new();
    put(&mut map, name, meta, &[]);
    meta::replace(folder, META, &map, sync)
}

/// Reads the `meta.yaml` of a model.
pub(crate) fn read_meta(
    model: &RegisteredFolder,
    scratch: &mut Scratch,
) -> Result<RegisteredMeta, FolderError> {
    Ok(read(model, scratch)?.0)
}

fn read(
    model: &RegisteredFolder,
    scratch: &mut Scratch,
) -> Result<(RegisteredMeta, Map), FolderError> {
    meta::patiently(&model.folder, META, || {
        let map = meta::read(&model.folder, META, &mut scratch.text)?;
        let fields = Fields {
            map: &map,
            folder: &model.folder,
            path: META,
        };
        let found = RegisteredMeta {
            creation_timestamp: fields.integer("creation_timestamp")?,
            last_updated_timestamp: fields.optional_integer("last_updated_timestamp")?,
            description: fields.optional_text("description")?,
        };
        Ok((found, map))
    })
}

/// Rewrites the `meta.yaml`; keys that we do not know stay.
pub(crate) fn update_meta(
    model: &RegisteredFolder,
    scratch: &mut Scratch,
    change: impl FnOnce(&mut RegisteredMeta),
    sync: Sync,
) -> Result<RegisteredMeta, FolderError> {
    let (mut found, mut map) = read(model, scratch)?;
    change(&mut found);
    put(&mut map, &model.name, &found, &aliases(model, scratch)?);
    meta::replace(&model.folder, META, &map, sync)?;
    Ok(found)
}

fn put(map: &mut Map, name: &str, meta: &RegisteredMeta, aliases: &[ModelAlias]) {
    let aliases = aliases.iter().map(|alias| {
        let version = Yaml::Str(alias.version.to_string());
        (alias.alias.clone(), version)
    });
    for (key, value) in [
        // MLflow writes it, and reads the files.
        ("aliases", Yaml::Map(aliases.collect())),
        ("creation_timestamp", Yaml::Int(meta.creation_timestamp)),
        ("description", Yaml::optional(meta.description.as_deref())),
        (
            "last_updated_timestamp",
            meta.last_updated_timestamp.map_or(Yaml::Null, Yaml::Int),
        ),
        ("name", name.into()),
    ] {
        map.insert(key.to_owned(), value);
    }
}

/// Gives the folder of a model another name; `false` if that is taken.
pub(crate) fn rename(
    root: &Root,
    name: &str,
    new_name: &str,
    sync: Sync,
) -> Result<bool, FolderError> {
    check_name(new_name)?;
    let models = root.folder.folder(MODELS)?;
    match layout::rename_new((&models, name), (&models, new_name)) {
        Ok(()) => {
            write::flush(&models, sync)?;
            Ok(true)
        }
        Err(Errno::EXIST | Errno::NOTEMPTY) => Ok(false),
        Err(errno) => Err(FolderError::io("move", models.path_of(name), errno.into())),
    }
}

/// Removes the folder of a model with all that is in it, at once for readers.
pub(crate) fn remove(root: &Root, name: &str, sync: Sync) -> Result<(), FolderError> {
    check_name(name)?;
    let models = root.folder.folder(MODELS)?;
    let (trash, staged, _) = stage(root)?;
    // A folder takes the place of an empty one.
    rustix::fs::renameat(models.dir(), name, trash.dir(), &*staged)
        .map_err(|errno| FolderError::io("remove", models.path_of(name), errno.into()))?;
    write::flush(&models, sync)?;
    trash
        .dir()
        .remove_dir_all(&staged)
        .map_err(|error| FolderError::io("remove", trash.path_of(&staged), error))
}

/// The tags of a model, ordered by key.
pub(crate) fn tags(
    model: &RegisteredFolder,
    scratch: &mut Scratch,
) -> Result<Vec<Tag>, FolderError> {
    keys::read(&model.folder, TAGS, &mut scratch.text)
}

/// Sets a tag.
pub(crate) fn set_tag(model: &RegisteredFolder, tag: &Tag, sync: Sync) -> Result<(), FolderError> {
    keys::set_tags(&model.folder, TAGS, std::slice::from_ref(tag), sync)
}

/// Deletes a tag, if it is there.
pub(crate) fn delete_tag(
    model: &RegisteredFolder,
    key: &str,
    sync: Sync,
) -> Result<(), FolderError> {
    keys::delete_tag(&model.folder, TAGS, key, sync).map(drop)
}

/// The aliases of a model, in order. A file that holds no number is none.
pub(crate) fn aliases(
    model: &RegisteredFolder,
    scratch: &mut Scratch,
) -> Result<Vec<ModelAlias>, FolderError> {
    let mut aliases = Vec::new();
    model.folder.walk(ALIASES, &mut |entry| {
        let version = entry.text(MAX_ALIAS_BYTES, &mut scratch.text)?;
        if let Some(Ok(version)) = version.map(|text| text.parse()) {
            aliases.push(ModelAlias {
                alias: entry.key.to_owned(),
                version,
            });
        }
        Ok(())
    })?;
    aliases.sort_unstable();
    Ok(aliases)
}

/// Makes an alias stand for a version.
pub(crate) fn set_alias(
    model: &RegisteredFolder,
    alias: &ModelAlias,
    sync: Sync,
) -> Result<(), FolderError> {
    let path = layout::key_path(ALIASES, &alias.alias)?;
    let version = alias.version.to_string();
    write::replace(&model.folder, &path, version.as_bytes(), sync)
}

/// Deletes an alias, if it is there.
pub(crate) fn delete_alias(
    model: &RegisteredFolder,
    alias: &str,
    sync: Sync,
) -> Result<(), FolderError> {
    write::remove(&model.folder, &layout::key_path(ALIASES, alias)?, sync).map(drop)
}
