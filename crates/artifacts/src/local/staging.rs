//! The root directory, and the hidden directory in it where uploads wait and
//! removed trees die.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::{ArtifactError, ArtifactPath, InvalidPath};

/// Starts with [`crate::path::RESERVED_PREFIX`], so that no artifact path
/// names it.
pub(super) const STAGING: &str = ".runledger-staging";

/// What is older was left by a crash: no upload lasts as long without a write.
const LEFTOVER_AGE: Duration = Duration::from_hours(24);

static SEQUENCE: AtomicU64 = AtomicU64::new(0);

/// The directory of a repository.
#[derive(Debug)]
pub(super) struct Root {
    directory: PathBuf,
    swept: AtomicBool,
}

impl Root {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self {
            directory,
            swept: AtomicBool::new(false),
        }
    }

    /// Opens the directory; `None` if it does not exist yet.
    ///
    /// It is opened for each operation, so that a root that is replaced while
    /// the server runs is seen. A link as the root itself is the operator's
    /// choice and is followed.
    pub(super) fn open(&self) -> Result<Option<OwnedFd>, ArtifactError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        match rustix::fs::open(&self.directory, flags, Mode::empty()) {
            Ok(root) => Ok(Some(root)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(ArtifactError::internal("open the artifact root", errno)),
        }
    }

    /// Opens the directory and its staging directory, making both as needed.
    pub(super) fn open_for_writing(&self) -> Result<(OwnedFd, OwnedFd), ArtifactError> {
        let failed = |errno: Errno| ArtifactError::internal("make the artifact root", errno);
        let root = match self.open()? {
            Some(root) => root,
            None => self.create()?,
        };
        let staging = match super::beneath::open_directory(root_fd(&root), STAGING) {
            Err(Errno::NOENT) => {
                match rustix::fs::mkdirat(&root, STAGING, Mode::RWXU) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(errno) => return Err(failed(errno)),
                }
                super::beneath::open_directory(root_fd(&root), STAGING)
            }
            answer => answer,
        }
        .map_err(failed)?;
        if !self.swept.swap(true, Ordering::Relaxed) {
            self.sweep();
        }
        Ok((root, staging))
    }

    fn create(&self) -> Result<OwnedFd, ArtifactError> {
        let failed = |source: io::Error| ArtifactError::internal("make the artifact root", source);
        fs::create_dir_all(&self.directory).map_err(failed)?;
        if let Some(parent) = self
            .directory
            .parent()
            .filter(|path| *path != Path::new(""))
        {
            fs::File::open(parent)
                .and_then(|parent| parent.sync_all())
                .map_err(failed)?;
        }
        self.open()?
            .ok_or_else(|| failed(io::Error::from(io::ErrorKind::NotFound)))
    }

    /// The path of a staged name, for [`fs::remove_dir_all`].
    pub(super) fn staged(&self, name: &str) -> PathBuf {
        self.directory.join(STAGING).join(name)
    }

    /// Removes what crashed processes left; a failure only leaves it there.
    fn sweep(&self) {
        let Ok(entries) = fs::read_dir(self.directory.join(STAGING)) else {
            return;
        };
        for entry in entries.flatten() {
            let old = entry
                .metadata()
                .and_then(|metadata| metadata.modified())
                .is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > LEFTOVER_AGE));
            if !old {
                continue;
            }
            let path = entry.path();
            let removed = match entry.file_type() {
                Ok(kind) if kind.is_dir() => fs::remove_dir_all(&path),
                _ => fs::remove_file(&path),
            };
            if let Err(error) = removed {
                tracing::debug!(%error, "a leftover in the staging directory stays");
            }
        }
    }
}

/// A name that no other upload uses, in this process or another.
pub(super) fn unique_name() -> String {
    let nanos = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |age| age.as_nanos());
    let sequence = SEQUENCE.fetch_add(1, Ordering::Relaxed);
    format!("{nanos:x}-{:x}-{sequence:x}", std::process::id())
}

/// The meaning of an error of opening or renaming to `path`.
pub(super) fn path_error(
    errno: Errno,
    path: &ArtifactPath,
    operation: &'static str,
) -> ArtifactError {
    let path = path.clone();
    match errno {
        Errno::NOENT | Errno::NOTDIR => ArtifactError::NotFound { path },
        Errno::ISDIR | Errno::NOTEMPTY | Errno::EXIST => ArtifactError::IsDirectory { path },
        Errno::LOOP | Errno::XDEV => InvalidPath::new("it meets a link").into(),
        Errno::NAMETOOLONG | Errno::ILSEQ | Errno::INVAL => {
            InvalidPath::new("the file system cannot hold it").into()
        }
        Errno::NOSPC | Errno::DQUOT => ArtifactError::StorageFull { path },
        errno => ArtifactError::internal(operation, errno),
    }
}

fn root_fd(root: &OwnedFd) -> std::os::fd::BorrowedFd<'_> {
    std::os::fd::AsFd::as_fd(root)
}
