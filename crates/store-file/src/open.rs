//! Why a store was not opened.

use std::{io, path::PathBuf};

/// Why a folder could not be opened as a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The folder itself.
    #[error("cannot open the folder {}", .path.display())]
    Root {
        /// The folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The index beside it.
    #[error("cannot make the index {}: {reason}", .path.display())]
    Index {
        /// Where it was to be.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
}
