//! Writing files so that readers see them whole: replaced, created once, or a
//! line longer.
//!
//! What is being written waits as `.tmp-…` directly in the folder of the
//! experiment, run or model, which MLflow 2.17 and 3.17 do not list for files:
//! in `params/` it would be a param. [`sweep`] removes what a crash left there.
//! Lines are added by [`append_lines`].

mod append;

use std::collections::BTreeSet;
use std::ffi::CStr;
use std::io::{self, Write as _};
use std::os::fd::AsFd;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cap_std::fs::{File, OpenOptions, OpenOptionsExt};
use rustix::fs::{AtFlags, FileType, OFlags};
use rustix::io::Errno;

use crate::FolderError;
use crate::safe_dir::{FileState, Folder, LIST, bits, kind};

pub(crate) use append::{Torn, append_lines};

/// Begins the name of a file that is being written.
pub(crate) const TEMPORARY: &str = ".tmp-";
/// A temporary file this old was left by a crash.
const LEFTOVER_AGE: Duration = Duration::from_hours(1);

/// What a write survives once it returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sync {
    /// The end of this process.
    Process,
    /// The loss of power: files, and the folders that name them, are flushed.
    Power,
}

/// What came of [`create_new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Created {
    /// The file is ours.
    Created,
    /// There was one already; it is as it was.
    Exists,
}

/// Writes the file at `path` below `folder`, in place of any that is there.
pub(crate) fn replace(
    folder: &Folder,
    path: &str,
    content: &[u8],
    sync: Sync,
) -> Result<(), FolderError> {
    let failed = |error| FolderError::io("write", folder.path_of(path), error);
    let temporary = Temporary::write(folder, content, sync).map_err(failed)?;
    let ((), made) = below(folder, path, || {
        folder.dir().rename(&temporary.name, folder.dir(), path)
    })
    .map_err(failed)?;
    temporary.keep();
    flush_folders(folder, path, made, sync).map_err(failed)
}

/// Writes the file at `path` below `folder` unless there is one: whole, and by
/// one of several processes only.
pub(crate) fn create_new(
    folder: &Folder,
    path: &str,
    content: &[u8],
    sync: Sync,
) -> Result<Created, FolderError> {
    let failed = |error| FolderError::io("write", folder.path_of(path), error);
    let temporary = Temporary::write(folder, content, sync).map_err(failed)?;
    let linked = below(folder, path, || {
        folder.dir().hard_link(&temporary.name, folder.dir(), path)
    });
    let made = match linked {
        Ok(((), made)) => made,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(Created::Exists),
        Err(error) if has_no_links(&error) => {
            return create_in_place(folder, path, content, sync);
        }
        Err(error) => return Err(failed(error)),
    };
    flush_folders(folder, path, made, sync).map_err(failed)?;
    Ok(Created::Created)
}

/// [`create_new`] on file systems without hard links: by one process only too,
/// but a reader may see a part.
fn create_in_place(
    folder: &Folder,
    path: &str,
    content: &[u8],
    sync: Sync,
) -> Result<Created, FolderError> {
    let failed = |error| FolderError::io("write", folder.path_of(path), error);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    let opened = below(folder, path, || folder.dir().open_with(path, &options));
    let (file, made) = match opened {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(Created::Exists),
        answer => answer.map_err(failed)?,
    };
    write_all(file, content, sync)
        .and_then(|()| flush_folders(folder, path, made, sync))
        .map_err(failed)?;
    Ok(Created::Created)
}

/// Writes files that nobody looks at yet, because the folder has no `meta.yaml`.
pub(crate) fn write_unseen(
    folder: &Folder,
    files: &[(String, &str)],
    sync: Sync,
) -> Result<(), FolderError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    options.custom_flags(bits(OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW));
    let mut parents = BTreeSet::new();
    for (path, content) in files {
        below(folder, path, || folder.dir().open_with(path, &options))
            .and_then(|(file, _)| write_all(file, content.as_bytes(), sync))
            .map_err(|error| FolderError::io("write", folder.path_of(path), error))?;
        parents.extend(path.rsplit_once('/'));
    }
    // Each folder once, not for each of its files.
    let mut flushed = BTreeSet::new();
    for (parent, name) in parents {
        if flushed.insert(parent) {
            flush_path(folder, &format!("{parent}/{name}"), sync)?;
        }
    }
    Ok(())
}

/// Flushes the names of what is directly in a folder.
pub(crate) fn flush(folder: &Folder, sync: Sync) -> Result<(), FolderError> {
    flush_folders(folder, "", false, sync)
        .map_err(|error| FolderError::io("flush", folder.path_of(""), error))
}

/// Flushes the folder that names `path` below `folder`, and those above it.
pub(crate) fn flush_path(folder: &Folder, path: &str, sync: Sync) -> Result<(), FolderError> {
    flush_folders(folder, path, true, sync)
        .map_err(|error| FolderError::io("flush", folder.path_of(path), error))
}

fn has_no_links(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::PERM | Errno::NOTSUP | Errno::NOSYS)
    )
}

/// Removes the file at `path` below `folder`; whether it was there.
pub(crate) fn remove(folder: &Folder, path: &str, sync: Sync) -> Result<bool, FolderError> {
    let failed = |error| FolderError::io("remove", folder.path_of(path), error);
    match folder.dir().remove_file(path) {
        Ok(()) => {
            flush_folders(folder, path, false, sync).map_err(failed)?;
            Ok(true)
        }
        Err(error) => match failed(error) {
            FolderError::Missing { .. } => Ok(false),
            error => Err(error),
        },
    }
}

/// Removes temporary files that a crash left in `folder` more than an hour ago,
/// and returns how many. What cannot be removed is left for the next time.
pub(crate) fn sweep(folder: &Folder, now: SystemTime) -> Result<usize, FolderError> {
    let failed = |errno: Errno| FolderError::io("list", folder.path_of(""), errno.into());
    let oldest = now
        .checked_sub(LEFTOVER_AGE)
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .and_then(|age| i64::try_from(age.as_nanos()).ok())
        .unwrap_or(0);
    let is_leftover = |at, name: &CStr, told| {
        name.to_bytes().starts_with(TEMPORARY.as_bytes())
            && kind(at, name, told) == Ok(FileType::RegularFile)
            && rustix::fs::statat(at, name, AtFlags::SYMLINK_NOFOLLOW)
                .is_ok_and(|stat| FileState::from(&stat).modified_ns < oldest)
    };
    let mut removed = 0;
    let at = folder.dir().as_fd();
    let mut listing = folder.listing().map_err(failed)?;
    while let Some(entry) = listing.read() {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if is_leftover(at, name, entry.file_type())
            && rustix::fs::unlinkat(at, name, AtFlags::empty()).is_ok()
        {
            removed += 1;
        }
    }
    Ok(removed)
}

/// A file under a name that nothing else has, removed when dropped.
struct Temporary<'a> {
    folder: &'a Folder,
    name: String,
    kept: bool,
}

impl<'a> Temporary<'a> {
    fn write(folder: &'a Folder, content: &[u8], sync: Sync) -> io::Result<Self> {
        let temporary = Self {
            folder,
            name: format!("{TEMPORARY}{}", uuid::Uuid::new_v4().simple()),
            kept: false,
        };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        let file = folder.dir().open_with(&temporary.name, &options)?;
        write_all(file, content, sync)?;
        Ok(temporary)
    }

    fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if !self.kept {
            // One that stays is swept later.
            let _ = self.folder.dir().remove_file(&self.name);
        }
    }
}

fn write_all(mut file: File, content: &[u8], sync: Sync) -> io::Result<()> {
    file.write_all(content)?;
    match sync {
        Sync::Process => Ok(()),
        Sync::Power => file.sync_data(),
    }
}

/// Runs an operation on `path`; where its folder is missing, makes that and
/// tries again. The second value tells whether it was made.
fn below<T>(
    folder: &Folder,
    path: &str,
    mut operation: impl FnMut() -> io::Result<T>,
) -> io::Result<(T, bool)> {
    match (operation(), path.rsplit_once('/')) {
        (Err(error), Some((parent, _))) if error.kind() == io::ErrorKind::NotFound => {
            folder.dir().create_dir_all(parent)?;
            Ok((operation()?, true))
        }
        (answer, _) => Ok((answer?, false)),
    }
}

/// Flushes the folder that names `path`, and if it was `made`, those above it.
fn flush_folders(folder: &Folder, path: &str, made: bool, sync: Sync) -> io::Result<()> {
    if sync == Sync::Process {
        return Ok(());
    }
    let mut path = path;
    loop {
        let parent = path.rsplit_once('/').map(|(parent, _)| parent);
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(bits(LIST));
        folder
            .dir()
            .open_with(parent.unwrap_or("."), &options)?
            .sync_all()?;
        match parent {
            Some(parent) if made => path = parent,
            _ => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
