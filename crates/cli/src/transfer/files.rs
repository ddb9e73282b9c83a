//! The files of an archive: written whole or not at all, and read without links.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio::fs::{self, File};
use tokio::io::AsyncReadExt as _;

use crate::command::CommandError;

/// The most that is read of a file of JSON.
const JSON_BYTES: u64 = 256 << 20;

pub(super) fn unreadable(file: &Path, error: &dyn Error) -> CommandError {
    CommandError::Refused(format!("{} cannot be read: {error}", file.display()))
}

/// Where a file is until it is whole.
pub(super) fn part_of(path: &Path) -> PathBuf {
    path.with_extension("part")
}

/// Writes a file whole or not at all.
pub(super) async fn write(path: &Path, text: &[u8]) -> Result<(), CommandError> {
    let part = part_of(path);
    fs::write(&part, text)
        .await
        .map_err(CommandError::file(&part))?;
    rename(&part, path).await
}

pub(super) async fn rename(from: &Path, to: &Path) -> Result<(), CommandError> {
    fs::rename(from, to).await.map_err(CommandError::file(to))
}

/// Makes a folder, if it is not there.
pub(super) async fn make(folder: &Path) -> Result<(), CommandError> {
    let made = fs::create_dir_all(folder).await;
    made.map_err(CommandError::file(folder))
}

/// Removes a folder, if it is there.
pub(super) async fn remove(folder: &Path) -> Result<(), CommandError> {
    match fs::remove_dir_all(folder).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(CommandError::file(folder)(error))
        }
        _ => Ok(()),
    }
}

/// Removes a file, if it is there.
pub(super) async fn remove_file(file: &Path) -> Result<(), CommandError> {
    match fs::remove_file(file).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(CommandError::file(file)(error))
        }
        _ => Ok(()),
    }
}

pub(super) async fn is_there(path: &Path) -> Result<bool, CommandError> {
    let found = fs::try_exists(path).await;
    found.map_err(CommandError::file(path))
}

/// Whether a file has this text already.
pub(super) async fn has(path: &Path, text: &[u8]) -> bool {
    fs::read(path).await.is_ok_and(|before| before == text)
}

/// An id as a name in an archive. A server may say anything.
pub(super) fn name_of<'i>(id: &'i str, what: &str) -> Result<&'i str, CommandError> {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_');
    if !id.is_empty() && id.len() <= 64 && id.chars().all(is_plain) {
        return Ok(id);
    }
    Err(CommandError::Refused(format!(
        "'{id}' is no id of a {what} that could be the name of a file or folder"
    )))
}

/// The folders in a folder, by name.
pub(super) async fn folders(directory: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let failed = || CommandError::file(directory);
    let mut entries = fs::read_dir(directory).await.map_err(failed())?;
    let mut found = Vec::new();
    while let Some(entry) = entries.next_entry().await.map_err(failed())? {
        let kind = entry.file_type().await.map_err(failed())?;
        if kind.is_symlink() {
            refuse_link(&entry.path()).await?;
        } else if kind.is_dir() {
            found.push(entry.path());
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The folders below one that have this file, by name: what an export has written whole.
/// None if there is no such folder.
pub(super) async fn whole(directory: &Path, file: &str) -> Result<Vec<PathBuf>, CommandError> {
    let mut found = Vec::new();
    if !is_there(directory).await? {
        return Ok(found);
    }
    refuse_link(directory).await?;
    for folder in folders(directory).await? {
        if is_there(&folder.join(file)).await? {
            found.push(folder);
        }
    }
    Ok(found)
}

/// The names of the files in a folder that end so, without that end; none if there is no such
/// folder.
pub(super) async fn names(folder: &Path, end: &str) -> Result<Vec<String>, CommandError> {
    let mut found = Vec::new();
    if !is_there(folder).await? {
        return Ok(found);
    }
    refuse_link(folder).await?;
    let failed = || CommandError::file(folder);
    let mut entries = fs::read_dir(folder).await.map_err(failed())?;
    while let Some(entry) = entries.next_entry().await.map_err(failed())? {
        let name = entry.file_name();
        let name = name.to_str().and_then(|name| name.strip_suffix(end));
        found.extend(name.map(str::to_owned));
    }
    found.sort_unstable();
    Ok(found)
}

/// Refuses a symbolic link in an archive. Somebody else may have made it, and it could
/// name any file of this machine.
pub(super) async fn refuse_link(path: &Path) -> Result<(), CommandError> {
    let found = fs::symlink_metadata(path).await;
    if found.map_err(CommandError::file(path))?.is_symlink() {
        return Err(CommandError::Refused(format!(
            "{}: it is a symbolic link, which is refused",
            path.display()
        )));
    }
    Ok(())
}

/// Opens a file of an archive.
pub(super) async fn open(path: &Path) -> Result<File, CommandError> {
    refuse_link(path).await?;
    File::open(path).await.map_err(CommandError::file(path))
}

/// The text of a file of an archive.
pub(super) async fn read(path: &Path) -> Result<Vec<u8>, CommandError> {
    let file = open(path).await?;
    let mut text = Vec::new();
    let read = file.take(JSON_BYTES + 1).read_to_end(&mut text).await;
    read.map_err(CommandError::file(path))?;
    if text.len() as u64 > JSON_BYTES {
        return Err(CommandError::Refused(format!(
            "{} is longer than {JSON_BYTES} bytes",
            path.display()
        )));
    }
    Ok(text)
}

/// The JSON in a file of an archive.
pub(super) async fn read_json(path: &Path) -> Result<Value, CommandError> {
    let text = read(path).await?;
    serde_json::from_slice(&text).map_err(|error| {
        CommandError::Refused(format!(
            "{} is no JSON of an export: {error}",
            path.display()
        ))
    })
}
