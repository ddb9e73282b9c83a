//! A table in a Parquet file, written in groups of rows: a group at a time is in memory.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;

use crate::command::CommandError;
use crate::transfer::files;

/// Rows of a group, and the bytes that its texts may have, about.
const ROWS: usize = 65_536;
const BYTES: usize = 16 << 20;

/// What a column holds, or lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Whole,
    /// Milliseconds since the epoch, in UTC.
    Time,
    Double,
}

impl Kind {
    /// The types in the file: how it is stored, and what it means.
    fn types(self) -> (&'static str, &'static str) {
        match self {
            Self::Text => ("BYTE_ARRAY", " (UTF8)"),
            Self::Whole => ("INT64", ""),
            Self::Time => ("INT64", " (TIMESTAMP(MILLIS,true))"),
            Self::Double => ("DOUBLE", ""),
        }
    }
}

/// The value of a row in a column, of the column's kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cell<'c> {
    Missing,
    Text(&'c str),
    /// A whole number, or a time.
    Whole(i64),
    Double(f64),
}

impl<'c> Cell<'c> {
    pub(super) fn maybe_text(text: Option<&'c str>) -> Self {
        text.map_or(Self::Missing, Self::Text)
    }
}

/// The values of a group that are not written yet.
enum Values {
    Text(Vec<ByteArray>),
    Whole(Vec<i64>),
    Double(Vec<f64>),
}

struct Column {
    values: Values,
    /// For each row 1 if it has a value, 0 if not.
    levels: Vec<i16>,
}

impl Column {
    fn of(kind: Kind) -> Self {
        let values = match kind {
            Kind::Text => Values::Text(Vec::new()),
            Kind::Whole | Kind::Time => Values::Whole(Vec::new()),
            Kind::Double => Values::Double(Vec::new()),
        };
        Self {
            values,
            levels: Vec::new(),
        }
    }

    fn add(&mut self, cell: Cell<'_>) {
        let is_there = match (&mut self.values, cell) {
            (Values::Text(values), Cell::Text(text)) => {
                values.push(ByteArray::from(text));
                true
            }
            (Values::Whole(values), Cell::Whole(number)) => {
                values.push(number);
                true
            }
            (Values::Double(values), Cell::Double(number)) => {
                values.push(number);
                true
            }
            (_, cell) => {
                debug_assert_eq!(cell, Cell::Missing, "the column is of another kind");
                false
            }
        };
        self.levels.push(i16::from(is_there));
    }

    /// Writes the values, and forgets them.
    fn write(&mut self, writer: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let levels = Some(self.levels.as_slice());
        match &mut self.values {
            Values::Text(values) => {
                let column = writer.typed::<ByteArrayType>();
                column.write_batch(values.as_slice(), levels, None)?;
                values.clear();
            }
            Values::Whole(values) => {
                let column = writer.typed::<Int64Type>();
                column.write_batch(values.as_slice(), levels, None)?;
                values.clear();
            }
            Values::Double(values) => {
                let column = writer.typed::<DoubleType>();
                column.write_batch(values.as_slice(), levels, None)?;
                values.clear();
            }
        }
        self.levels.clear();
        Ok(())
    }
}

/// A table that is being written.
pub(super) struct Table {
    /// Where it is until it is whole.
    part: PathBuf,
    writer: SerializedFileWriter<File>,
    columns: Vec<Column>,
    /// Rows of the group, and the bytes of their texts.
    rows: usize,
    bytes: usize,
}

impl Table {
    /// Begins a table with these columns, any of which a row may lack.
    pub(super) fn create(part: PathBuf, columns: &[(&str, Kind)]) -> Result<Self, CommandError> {
        let file = File::create(&part).map_err(CommandError::file(&part))?;
        let writer = begin(file, columns).map_err(|error| failed(&part, error))?;
        Ok(Self {
            part,
            writer,
            columns: columns.iter().map(|(_, kind)| Column::of(*kind)).collect(),
            rows: 0,
            bytes: 0,
        })
    }

    /// Adds a row, with a cell for each column.
    pub(super) fn add(&mut self, row: &[Cell<'_>]) -> Result<(), CommandError> {
        debug_assert_eq!(row.len(), self.columns.len(), "each column has a cell");
        for (column, cell) in self.columns.iter_mut().zip(row) {
            column.add(*cell);
            if let Cell::Text(text) = cell {
                self.bytes += text.len();
            }
        }
        self.rows += 1;
        if self.rows == ROWS || self.bytes >= BYTES {
            let written = self.write_group();
            written.map_err(|error| failed(&self.part, error))?;
        }
        Ok(())
    }

    /// Ends the table, which takes its place.
    pub(super) async fn finish(mut self, path: &Path) -> Result<(), CommandError> {
        let written = self.write_group().and_then(|()| self.writer.finish());
        written.map_err(|error| failed(&self.part, error))?;
        files::rename(&self.part, path).await
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.columns {
            let Some(mut writer) = group.next_column()? else {
                return Err(ParquetError::General("a column is missing".to_owned()));
            };
            column.write(&mut writer)?;
            writer.close()?;
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

fn begin(file: File, columns: &[(&str, Kind)]) -> Result<SerializedFileWriter<File>, ParquetError> {
    let columns = columns.iter().map(|(name, kind)| {
        let (stored, meaning) = kind.types();
        format!("optional {stored} {name}{meaning};")
    });
    let columns: Vec<String> = columns.collect();
    let schema = parse_message_type(&format!("message table {{ {} }}", columns.join(" ")))?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(concat!("runledger ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties))
}

fn failed(part: &Path, error: ParquetError) -> CommandError {
    CommandError::file(part)(io::Error::other(error))
}
