//! Params and tags: a file per key, whose content is the value.

use runledger_entities::{Param, Tag};

use crate::FolderError;
use crate::layout::key_path;
use crate::safe_dir::Folder;
use crate::write::{self, Sync};

/// The longest value that is read, in bytes. MLflow's file store limits no tag.
pub(super) const MAX_VALUE_BYTES: u64 = 16 * 1024 * 1024;

/// A pair of a key and a value.
pub(super) trait Pair: Ord {
    fn pair(key: String, value: String) -> Self;
}

impl Pair for Tag {
    fn pair(key: String, value: String) -> Self {
        Self { key, value }
    }
}

impl Pair for Param {
    fn pair(key: String, value: String) -> Self {
        Self { key, value }
    }
}

/// All pairs in the folder `name` of `folder`, ordered by key.
pub(super) fn read<P: Pair>(
    folder: &Folder,
    name: &str,
    buffer: &mut Vec<u8>,
) -> Result<Vec<P>, FolderError> {
    let mut pairs = Vec::new();
    folder.walk(name, &mut |entry| {
        if let Some(value) = entry.text(MAX_VALUE_BYTES, buffer)? {
            pairs.push(P::pair(entry.key.to_owned(), value));
        }
        Ok(())
    })?;
    // Keys differ, so values are not compared.
    pairs.sort_unstable();
    Ok(pairs)
}

/// Sets tags, replacing those that are there; of equal keys the last wins.
pub(super) fn set_tags(
    folder: &Folder,
    name: &str,
    tags: &[Tag],
    sync: Sync,
) -> Result<(), FolderError> {
    // All keys are checked before the first is written.
    let paths = tags
        .iter()
        .map(|tag| key_path(name, &tag.key))
        .collect::<Result<Vec<_>, _>>()?;
    for (tag, path) in tags.iter().zip(paths) {
        write::replace(folder, &path, tag.value.as_bytes(), sync)?;
    }
    Ok(())
}

/// Deletes a tag; whether it was there.
pub(super) fn delete_tag(
    folder: &Folder,
    name: &str,
    key: &str,
    sync: Sync,
) -> Result<bool, FolderError> {
    write::remove(folder, &key_path(name, key)?, sync)
}
