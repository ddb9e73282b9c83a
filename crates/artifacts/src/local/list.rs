//! Lists one level of a directory.

use std::os::fd::AsFd;

use rustix::fs::{AtFlags, Dir, FileType, OFlags};
use rustix::io::Errno;

use super::beneath;
use super::staging::{Root, path_error};
use crate::path::RESERVED_PREFIX;
use crate::{ArtifactError, ArtifactPath, FileInfo};

/// Entries of one answer; some 20 MB of JSON.
const MAX_ENTRIES: usize = 250_000;

pub(super) fn list(root: &Root, path: &ArtifactPath) -> Result<Vec<FileInfo>, ArtifactError> {
    const OPERATION: &str = "list a directory";
    let Some(root) = root.open()? else {
        return Ok(Vec::new());
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let directory = match beneath::open(root.as_fd(), path, flags) {
        Ok(directory) => directory,
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(Vec::new()),
        Err(errno) => return Err(path_error(errno, path, OPERATION)),
    };
    let failed = |errno: Errno| ArtifactError::internal(OPERATION, errno);
    let mut entries = Vec::new();
    for entry in Dir::read_from(&directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // A name that is no UTF-8 cannot be told to a client, nor asked for.
        let Ok(name) = entry.file_name().to_str() else {
            continue;
        };
        if matches!(name, "." | "..") || name.starts_with(RESERVED_PREFIX) {
            continue;
        }
        let stat = match rustix::fs::statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            // Removed since the directory was read.
            Err(Errno::NOENT) => continue,
            Err(errno) => return Err(failed(errno)),
        };
        let file_type = FileType::from_raw_mode(stat.st_mode);
        if !matches!(file_type, FileType::RegularFile | FileType::Directory) {
            continue;
        }
        if entries.len() == MAX_ENTRIES {
            return Err(ArtifactError::TooManyEntries {
                path: path.clone(),
                max: MAX_ENTRIES,
            });
        }
        let is_dir = file_type == FileType::Directory;
        entries.push(FileInfo {
            name: name.to_owned(),
            is_dir,
            file_size: if is_dir {
                0
            } else {
                u64::try_from(stat.st_size).unwrap_or(0)
            },
        });
    }
    entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}
