//! Removes files and directories.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::beneath;
use super::staging::{Root, path_error, unique_name};
use crate::{ArtifactError, ArtifactPath, InvalidPath};

/// Moves the thing out of the tree in one step, so that no reader sees half of
/// it, then removes it at leisure.
pub(super) fn remove(root: &Root, path: &ArtifactPath) -> Result<(), ArtifactError> {
    const OPERATION: &str = "remove an artifact";
    let Some(name) = path.file_name() else {
        return Err(InvalidPath::new("the root cannot be removed").into());
    };
    let Some(opened) = root.open()? else {
        return Ok(());
    };
    let parent = match open_parent(&opened, path) {
        Ok(parent) => parent,
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
        Err(errno) => return Err(path_error(errno, path, OPERATION)),
    };
    let (_, staging) = root.open_for_writing()?;
    let staged = unique_name();
    match rustix::fs::renameat(&parent, name, &staging, staged.as_str()) {
        Ok(()) => {}
        Err(Errno::NOENT) => return Ok(()),
        Err(errno) => return Err(path_error(errno, path, OPERATION)),
    }
    rustix::fs::fsync(&parent).map_err(|errno| ArtifactError::internal(OPERATION, errno))?;
    discard(root, &staged).map_err(|source| ArtifactError::internal(OPERATION, source))
}

fn open_parent(root: &OwnedFd, path: &ArtifactPath) -> Result<OwnedFd, Errno> {
    let parent = path
        .as_str()
        .rsplit_once('/')
        .map_or(Ok(ArtifactPath::root()), |(parent, _)| {
            ArtifactPath::parse(parent)
        })
        .map_err(|_| Errno::NOENT)?;
    beneath::open(root.as_fd(), &parent, OFlags::RDONLY | OFlags::DIRECTORY)
}

/// Removes a file, a link (not what it points to) or a tree.
fn discard(root: &Root, staged: &str) -> io::Result<()> {
    let path = root.staged(staged);
    if fs::symlink_metadata(&path)?.is_dir() {
        fs::remove_dir_all(&path)
    } else {
        fs::remove_file(&path)
    }
}
