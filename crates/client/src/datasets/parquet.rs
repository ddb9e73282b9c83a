//! Parquet files, which are read as Arrow record batches.

use std::fs::File;
use std::path::Path;

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{Dataset, DatasetError, DatasetSource, name_of};

impl Dataset {
    /// The table in a Parquet file, named like the file without its ending.
    ///
    /// The file is read once, a batch at a time; the call blocks. Types and the digest are
    /// those of [`Dataset::from_batches`]: a file that was compressed or cut into row
    /// groups differently is the same dataset.
    ///
    /// # Errors
    /// [`DatasetError::File`], [`DatasetError::Parquet`] and [`DatasetError::Arrow`].
    pub fn from_parquet(path: impl AsRef<Path>) -> Result<Self, DatasetError> {
        let path = path.as_ref();
        let invalid = |source| DatasetError::Parquet {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(DatasetError::file(path))?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(invalid)?;
        let reader = reader.build().map_err(invalid)?;
        let dataset = Self::from_arrow(name_of(path), reader)?;
        Ok(dataset.with_source(&DatasetSource::file(path)))
    }
}
