//! An upload: staged in a hidden file, synced, renamed into place.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use bytes::Bytes;
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::staging::{Root, path_error, unique_name};
use super::{beneath, blocking};
use crate::{ArtifactError, ArtifactPath, InvalidPath};

/// Tries of a rename whose directory another request is removing.
const ATTEMPTS: usize = 8;

/// A file on its way. Dropping it before [`Upload::commit`] removes it.
#[derive(Debug)]
pub(super) struct Upload {
    path: ArtifactPath,
    root: OwnedFd,
    file: File,
    staged: Staged,
}

/// The name of the file in the staging directory, while it is there.
#[derive(Debug)]
struct Staged {
    directory: Arc<OwnedFd>,
    name: String,
    renamed: bool,
}

impl Drop for Staged {
    fn drop(&mut self) {
        if self.renamed {
            return;
        }
        let directory = Arc::clone(&self.directory);
        let name = std::mem::take(&mut self.name);
        let unlink = move || {
            // What stays is invisible and swept a day later.
            if let Err(error) = rustix::fs::unlinkat(&*directory, name.as_str(), AtFlags::empty()) {
                tracing::debug!(%error, "a cancelled upload stays in the staging directory");
            }
        };
        // A dropped request drops this on a thread that must not block.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn(blocking(move || {
                    unlink();
                    Ok(())
                }));
            }
            Err(_) => unlink(),
        }
    }
}

impl Upload {
    /// Makes the hidden file, after a look at whether `path` can be written.
    pub(super) fn begin(root: &Root, path: ArtifactPath) -> Result<Self, ArtifactError> {
        if path.is_root() {
            return Err(ArtifactError::IsDirectory { path });
        }
        let (root, staging) = root.open_for_writing()?;
        refuse_target(&root, &path)?;
        let name = unique_name();
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        // The umask applies, as to every other file of the operator.
        let mode = Mode::from_raw_mode(0o666);
        let file = rustix::fs::openat(&staging, name.as_str(), flags, mode)
            .map_err(|errno| path_error(errno, &path, "stage an upload"))?;
        Ok(Self {
            path,
            root,
            file: file.into(),
            staged: Staged {
                directory: Arc::new(staging),
                name,
                renamed: false,
            },
        })
    }

    /// Appends.
    pub(super) fn write(mut self, chunks: &[Bytes]) -> Result<Self, ArtifactError> {
        for chunk in chunks {
            self.file
                .write_all(chunk)
                .map_err(|source| match Errno::from_io_error(&source) {
                    Some(errno) => path_error(errno, &self.path, "write an upload"),
                    None => ArtifactError::internal("write an upload", source),
                })?;
        }
        Ok(self)
    }

    /// Makes the file durable, then visible, then its name durable.
    pub(super) fn commit(mut self) -> Result<(), ArtifactError> {
        const OPERATION: &str = "store an upload";
        let failed = |errno| path_error(errno, &self.path, OPERATION);
        rustix::fs::fsync(&self.file).map_err(failed)?;
        let Some(file_name) = self.path.file_name() else {
            return Err(InvalidPath::new("it names no file").into());
        };
        let mut answer = Err(Errno::NOENT);
        for _ in 0..ATTEMPTS {
            let parent = make_parents(&self.root, &self.path)?;
            answer = rustix::fs::renameat(
                &*self.staged.directory,
                self.staged.name.as_str(),
                &parent,
                file_name,
            )
            .and_then(|()| {
                self.staged.renamed = true;
                rustix::fs::fsync(&parent)
            });
            if self.staged.renamed || !matches!(answer, Err(Errno::NOENT)) {
                break;
            }
        }
        answer.map_err(|errno| path_error(errno, &self.path, OPERATION))
    }
}

/// Refuses a target that cannot become a file, before the body is read.
fn refuse_target(root: &OwnedFd, path: &ArtifactPath) -> Result<(), ArtifactError> {
    match beneath::file_type(root.as_fd(), path) {
        Ok(FileType::Directory) => Err(ArtifactError::IsDirectory { path: path.clone() }),
        // Where to look takes to open, a file that we may not read can still
        // be replaced.
        Ok(_) | Err(Errno::NOENT | Errno::ACCESS) => Ok(()),
        Err(Errno::NOTDIR) => Err(ArtifactError::ParentIsFile { path: path.clone() }),
        Err(errno) => Err(path_error(errno, path, "look at the target of an upload")),
    }
}

/// Makes the directories above `path`, each durable in its parent, and opens
/// the innermost.
fn make_parents(root: &OwnedFd, path: &ArtifactPath) -> Result<OwnedFd, ArtifactError> {
    let failed = |errno: Errno| match errno {
        Errno::NOTDIR => ArtifactError::ParentIsFile { path: path.clone() },
        errno => path_error(errno, path, "make the directory of an upload"),
    };
    let mut directory = beneath::open(
        root.as_fd(),
        &ArtifactPath::root(),
        OFlags::RDONLY | OFlags::DIRECTORY,
    )
    .map_err(failed)?;
    let mut segments = path.segments().peekable();
    while let Some(segment) = segments.next() {
        if segments.peek().is_none() {
            break;
        }
        directory = make_directory(&directory, segment).map_err(failed)?;
    }
    Ok(directory)
}

fn make_directory(parent: &OwnedFd, name: &str) -> Result<OwnedFd, Errno> {
    let mut answer = Err(Errno::NOENT);
    for _ in 0..ATTEMPTS {
        answer = beneath::open_directory(parent.as_fd(), name);
        if !matches!(answer, Err(Errno::NOENT)) {
            break;
        }
        match rustix::fs::mkdirat(parent, name, Mode::from_raw_mode(0o777)) {
            Ok(()) => rustix::fs::fsync(parent)?,
            // Another upload was faster.
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno),
        }
    }
    answer
}
