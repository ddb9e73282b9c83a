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
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let years: arrow_array::ArrayRef =
    /// #     std::sync::Arc::new(arrow_array::Int64Array::from(vec![2001, 2002]));
    /// # let batch = arrow_array::RecordBatch::try_from_iter([("year", years)])?;
    /// # let file = std::fs::File::create(folder.path().join("wine.parquet"))?;
    /// # let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None)?;
    /// # writer.write(&batch)?;
    /// # writer.close()?;
    /// use runledger::datasets::Dataset;
    ///
    /// let wine = Dataset::from_parquet(folder.path().join("wine.parquet"))?;
    /// assert_eq!(wine.entity().name, "wine");
    /// assert_eq!(wine.entity().source_type, "local");
    /// # Ok(())
    /// # }
    /// ```
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int32Array, RecordBatch, StringArray};
    use parquet::arrow::ArrowWriter;
    use parquet::basic::Compression;
    use parquet::file::properties::WriterProperties;

    use super::*;

    #[test]
    fn a_file_is_the_same_dataset_however_it_is_written() -> Result<(), Box<dyn std::error::Error>>
    {
        let numbers: ArrayRef = Arc::new(Int32Array::from_iter_values(0..1000));
        let texts = (0..1000).map(|n| (n % 3 > 0).then(|| format!("text {}", n % 7)));
        let texts: ArrayRef = Arc::new(texts.collect::<StringArray>());
        let batch = RecordBatch::try_from_iter([("n", numbers), ("t", texts)])?;
        let folder = tempfile::tempdir()?;
        let expected = Dataset::from_batches("table", std::slice::from_ref(&batch))?;
        let settings = [
            (Compression::UNCOMPRESSED, 100_000),
            (Compression::SNAPPY, 64),
            (Compression::ZSTD(parquet::basic::ZstdLevel::default()), 300),
            (Compression::LZ4_RAW, 999),
        ];
        for (compression, rows) in settings {
            let path = folder.path().join("table.parquet");
            let properties = WriterProperties::builder()
                .set_compression(compression)
                .set_max_row_group_row_count(Some(rows))
                .build();
            let file = File::create(&path)?;
            let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties))?;
            writer.write(&batch)?;
            writer.close()?;
            let dataset = Dataset::from_parquet(&path)?;
            let source = DatasetSource::file(&path);
            assert_eq!(dataset, expected.clone().with_source(&source));
        }
        let no_table = folder.path().join("text");
        std::fs::write(&no_table, "text")?;
        let refused = Dataset::from_parquet(no_table);
        assert!(matches!(refused, Err(DatasetError::Parquet { .. })));
        Ok(())
    }
}
