//! Files of this machine to a repository and back: whole folders, several files at a time,
//! each in constant memory.
//!
//! `upload` and `download` are the two directions, `part` is what is on disk of a file that
//! is not whole yet. Who finds the repository, and who shows how far a transfer is, is left
//! to callers.

mod download;
mod part;
mod upload;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::{ArtifactError, ArtifactPath, ArtifactRepository, InvalidPath};

pub use download::download;
pub use part::stable_hash;
pub use upload::{upload, upload_bytes, upload_without_links};

/// Files of one transfer; their names are in memory.
const MAX_FILES: usize = 5_000_000;

/// Artifacts that are there, or will be.
#[derive(Clone, Debug)]
pub struct Place {
    /// The repository.
    pub repository: Arc<dyn ArtifactRepository>,
    /// The path in the repository.
    pub path: ArtifactPath,
    /// What of the path stays in the names of a download: the path in the artifacts of a
    /// run, the last name of a URI.
    pub shown: ArtifactPath,
    /// Where it is, for the eye and to tell it from others; no password is in it.
    pub origin: String,
    /// Whether nothing being there is no error: of a run that has logged no file.
    pub may_be_missing: bool,
}

/// What was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Where it is now: an absolute path of this machine, or the path that a place shows.
    pub path: String,
    /// How many files.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// Hears how far a transfer is. Bytes that have to move again are taken back.
pub trait Progress: fmt::Debug + Send + Sync {
    /// So many files of so many bytes in all are about to move.
    fn begin(&self, _bytes: u64, _files: usize) {}
    /// So many bytes more have moved.
    fn forth(&self, _bytes: u64) {}
    /// So many bytes fewer have moved than it seemed.
    fn back(&self, _bytes: u64) {}
    /// All have moved.
    fn end(&self) {}
}

/// Nobody watches.
impl Progress for () {}

/// For transfers that nobody watches.
pub fn unseen() -> Arc<dyn Progress> {
    Arc::new(())
}

/// Why files were not moved.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// The storage says no.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// A path is none that an artifact can have.
    #[error("'{path}' is no path of an artifact: {}", source.reason())]
    Path {
        /// The path.
        path: String,
        /// Why not.
        source: InvalidPath,
    },
    /// Something on this machine failed.
    #[error("{}: {source}", path.display())]
    Local {
        /// The file or directory.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// A download ended before its end.
    #[error("the download of '{path}' broke off; download it again to go on")]
    BrokenOff {
        /// The path.
        path: String,
        /// What the storage says.
        source: ArtifactError,
    },
    /// A file that is being downloaded already.
    #[error("{} is downloaded by somebody else now", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
}

impl TransferError {
    /// Of something on this machine.
    fn local(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Local { path, source }
    }
}

/// A text as a path.
///
/// # Errors
/// [`TransferError::Path`] says which.
pub fn path(text: &str) -> Result<ArtifactPath, TransferError> {
    ArtifactPath::parse(text).map_err(|source| TransferError::Path {
        path: text.to_owned(),
        source,
    })
}

/// Does something that blocks on a thread for such work.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, TransferError> + Send + 'static,
) -> Result<T, TransferError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(TransferError::local("")(io::Error::other(error))))
}
