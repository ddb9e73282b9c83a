//! Why data was not read.

use std::io;
use std::path::PathBuf;

/// Why data was not read.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// use runledger::datasets::{Dataset, DatasetError};
///
/// let missing = Dataset::from_csv(folder.path().join("missing.csv"));
/// assert!(matches!(missing, Err(DatasetError::File { .. })));
/// std::fs::write(folder.path().join("empty.csv"), "")?;
/// let empty = Dataset::from_csv(folder.path().join("empty.csv"));
/// assert!(matches!(empty, Err(DatasetError::Csv { .. })));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// A file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// A file is no CSV table.
    #[error("{} is no table with a header: {reason}", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file is no Parquet file, or one that cannot be decoded.
    #[cfg(feature = "parquet")]
    #[error("{} cannot be decoded: {source}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: parquet::errors::ParquetError,
    },
    /// Batches cannot be read, or have other columns than were said.
    #[cfg(feature = "arrow")]
    #[error("the record batches cannot be read: {0}")]
    Arrow(#[from] arrow_schema::ArrowError),
}

impl DatasetError {
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}
