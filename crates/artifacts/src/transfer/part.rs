//! A file that is not whole yet: its bytes so far, and a note of what they are of.
//!
//! Everything here blocks.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::TransferError;
use crate::ArtifactRead;

/// What begins names that no artifact has.
pub(super) const HIDDEN: &str = ".runledger-part-";

/// A file that is not whole yet, which nobody else writes as long as this is there.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    note: PathBuf,
    /// What it is a part of.
    origin: String,
    file: File,
}

/// What is there already.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) etag: String,
    pub(super) bytes: u64,
}

impl Part {
    /// Takes hold of the part of the file `local`, in the same directory, which is made if
    /// it is missing. `origin` says where it comes from.
    pub(super) fn hold(local: &Path, origin: String) -> Result<Self, TransferError> {
        if let Some(parent) = local.parent() {
            fs::create_dir_all(parent).map_err(TransferError::local(parent))?;
        }
        // Names may be as long as names can be.
        let name = local.file_name().unwrap_or_default();
        let name = format!("{HIDDEN}{:016x}", stable_hash(name.as_encoded_bytes()));
        let path = local.with_file_name(&name);
        let failed = || TransferError::local(&path);
        let is_link = || failed()(io::Error::other("it is a link: remove it"));
        if fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink()) {
            return Err(is_link());
        }
        let opened = OpenOptions::new().append(true).create(true).open(&path);
        let file = opened.map_err(failed())?;
        let busy = || TransferError::Busy { path: path.clone() };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(busy()),
            // Some network file systems have no locks.
            Err(TryLockError::Error(error)) => {
                tracing::debug!(%error, "a file is not locked");
            }
        }
        // Another command may have given it its name in between; and it is no link.
        let held = file.metadata().map_err(failed())?;
        match fs::symlink_metadata(&path) {
            Ok(found) if is_same(&held, &found) => {}
            Ok(found) if found.is_symlink() => return Err(is_link()),
            _ => return Err(busy()),
        }
        Ok(Self {
            note: local.with_file_name(format!("{name}.json")),
            path,
            origin,
            file,
        })
    }

    /// What is there already, of which version.
    pub(super) fn kept(&self) -> Option<Kept> {
        let bytes = self.file.metadata().ok()?.len();
        let note: Value = serde_json::from_slice(&fs::read(&self.note).ok()?).ok()?;
        let is_of_this = note["origin"] == self.origin;
        let (size, etag) = (note["size"].as_u64()?, note["etag"].as_str()?);
        (is_of_this && (1..=size).contains(&bytes)).then(|| Kept {
            etag: etag.to_owned(),
            bytes,
        })
    }

    /// Begins anew, with what is read.
    pub(super) fn begin(&self, etag: Option<&str>, size: u64) -> Result<(), TransferError> {
        let failed = || TransferError::local(&self.note);
        match fs::remove_file(&self.note) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed()(error)),
            _ => {}
        }
        let emptied = self.file.set_len(0);
        emptied.map_err(TransferError::local(&self.path))?;
        let note = json!({ "etag": etag, "size": size, "origin": self.origin });
        let created = File::create_new(&self.note);
        let written = created.and_then(|mut file| file.write_all(note.to_string().as_bytes()));
        written.map_err(failed())
    }

    /// Another handle of the file, to append to.
    pub(super) fn file(&self) -> Result<File, TransferError> {
        let file = self.file.try_clone();
        file.map_err(TransferError::local(&self.path))
    }

    /// Gives it its name.
    pub(super) fn settle(&self, local: &Path) -> Result<(), TransferError> {
        fs::rename(&self.path, local).map_err(TransferError::local(local))?;
        fs::remove_file(&self.note).map_err(TransferError::local(&self.note))
    }
}

/// Whether what was read is all of a file from `start` on.
pub(super) fn is_rest(read: &ArtifactRead, start: u64) -> bool {
    read.range == (start..read.size)
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(_: &Metadata, other: &Metadata) -> bool {
    // The lock keeps others from renaming it there.
    other.is_file()
}

/// A hash for names on disk, the same in every release (FNV-1a). Whoever chooses what is hashed
/// can make two the same.
pub fn stable_hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_holds_a_part() {
        let folder = tempfile::tempdir().unwrap();
        let local = folder.path().join("d/f");
        let part = Part::hold(&local, "here".to_owned()).unwrap();
        let second = Part::hold(&local, "here".to_owned());
        assert!(matches!(second, Err(TransferError::Busy { .. })));
        drop(part);
        Part::hold(&local, "here".to_owned()).unwrap();
    }

    #[test]
    fn what_is_of_something_else_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let local = folder.path().join("f");
        let part = Part::hold(&local, "here".to_owned()).unwrap();
        part.begin(Some("\"1\""), 3).unwrap();
        part.file().unwrap().write_all(b"ab").unwrap();
        let kept = Kept {
            etag: "\"1\"".to_owned(),
            bytes: 2,
        };
        assert_eq!(part.kept(), Some(kept));
        drop(part);
        let other = Part::hold(&local, "there".to_owned()).unwrap();
        assert_eq!(other.kept(), None);
        other.begin(None, 3).unwrap();
        other.file().unwrap().write_all(b"xyz").unwrap();
        // Without a tag nobody knows what it is of.
        assert_eq!(other.kept(), None);
        other.settle(&local).unwrap();
        assert_eq!(fs::read(&local).unwrap(), b"xyz");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let (local, victim) = (folder.path().join("f"), folder.path().join("victim"));
        fs::write(&victim, "precious").unwrap();
        let path = Part::hold(&local, "here".to_owned()).unwrap().path.clone();
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        assert!(Part::hold(&local, "here".to_owned()).is_err());
        assert_eq!(fs::read(&victim).unwrap(), b"precious");
    }
}
