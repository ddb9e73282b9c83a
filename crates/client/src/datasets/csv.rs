//! CSV files: types of columns as pandas infers them, and a digest of the bytes.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::str;

use csv::{ByteRecord, ErrorKind, ReaderBuilder};
use md5::{Digest as _, Md5};

use super::{Column, ColumnType, Dataset, DatasetError, DatasetSource, digest, name_of};

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 256 << 10;

/// What pandas takes for a gap.
const GAPS: [&str; 19] = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
];

pub(super) fn read(path: &Path) -> Result<Dataset, DatasetError> {
    let file = File::open(path).map_err(DatasetError::file(path))?;
    let mut hashed = Hashed {
        inner: file,
        hash: Md5::new(),
    };
    let table = scan(&mut hashed, path)?;
    let source = DatasetSource::file(path);
    let elements = table.rows.saturating_mul(table.names.len() as u64);
    let dataset =
        Dataset::new(name_of(path), digest(hashed.hash), &source).with_counts(table.rows, elements);
    Ok(match table.columns() {
        Some(columns) => dataset.with_columns(&columns),
        None => dataset,
    })
}

/// A reader that hashes what is read.
struct Hashed<R> {
    inner: R,
    hash: Md5,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}

/// What was seen of a table.
struct Table {
    names: Vec<String>,
    guesses: Vec<Guess>,
    rows: u64,
}

impl Table {
    /// The columns; nothing if there is no type for one.
    fn columns(self) -> Option<Vec<Column>> {
        let guessed = self.names.into_iter().zip(self.guesses);
        let columns = guessed.map(|(name, guess)| {
            Some(Column {
                name,
                kind: guess.kind(self.rows)?,
                required: !guess.has_gaps,
            })
        });
        columns.collect()
    }
}

fn scan(content: impl Read, path: &Path) -> Result<Table, DatasetError> {
    let invalid = |reason: String| DatasetError::Csv {
        path: path.to_owned(),
        reason,
    };
    let failed = |error: csv::Error| {
        let reason = error.to_string();
        match error.into_kind() {
            ErrorKind::Io(source) => DatasetError::file(path)(source),
            _ => invalid(reason),
        }
    };
    let mut reader = ReaderBuilder::new()
        .buffer_capacity(CHUNK_BYTES)
        .flexible(true)
        .from_reader(content);
    let names = names(reader.byte_headers().map_err(failed)?);
    if names.is_empty() {
        return Err(invalid("it is empty".to_owned()));
    }
    let mut guesses = vec![Guess::default(); names.len()];
    let (mut record, mut rows) = (ByteRecord::new(), 0);
    while reader.read_byte_record(&mut record).map_err(failed)? {
        if record.len() > guesses.len() {
            let line = record.position().map_or(0, csv::Position::line);
            let (found, expected) = (record.len(), guesses.len());
            return Err(invalid(format!(
                "line {line} has {found} fields, and the header {expected}"
            )));
        }
        for (n, guess) in guesses.iter_mut().enumerate() {
            guess.see(record.get(n).unwrap_or_default());
        }
        rows += 1;
    }
    Ok(Table {
        names,
        guesses,
        rows,
    })
}

/// The names of columns as pandas makes them unique.
fn names(header: &ByteRecord) -> Vec<String> {
    let mut taken = HashSet::new();
    let mut names = Vec::with_capacity(header.len());
    for (n, field) in header.iter().enumerate() {
        let text = String::from_utf8_lossy(field);
        let text = text.trim_start_matches('\u{feff}');
        let first = if text.is_empty() {
            format!("Unnamed: {n}")
        } else {
            text.to_owned()
        };
        let (mut name, mut count) = (first.clone(), 0);
        while !taken.insert(name.clone()) {
            count += 1;
            name = format!("{first}.{count}");
        }
        names.push(name);
    }
    names
}

/// What the values of a column have in common so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Values {
    #[default]
    None,
    Booleans,
    Integers,
    Floats,
    Texts,
}

#[derive(Clone, Debug, Default)]
struct Guess {
    values: Values,
    has_gaps: bool,
    /// Whether an integer has no room in 64 bits with a sign.
    is_beyond: bool,
}

impl Guess {
    fn see(&mut self, field: &[u8]) {
        let Ok(text) = str::from_utf8(field) else {
            self.values = Values::Texts;
            return;
        };
        if GAPS.contains(&text) {
            self.has_gaps = true;
            return;
        }
        if self.values == Values::Texts {
            return;
        }
        let found = self.kind_of(text);
        self.values = match (self.values, found) {
            (Values::None, found) => found,
            (before, found) if before == found => found,
            (Values::Integers, Values::Floats) | (Values::Floats, Values::Integers) => {
                Values::Floats
            }
            _ => Values::Texts,
        };
    }

    fn kind_of(&mut self, text: &str) -> Values {
        if matches!(text, "True" | "TRUE" | "true" | "False" | "FALSE" | "false") {
            return Values::Booleans;
        }
        let text = text.trim_matches(' ');
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            self.is_beyond |= text.parse::<i64>().is_err();
            return Values::Integers;
        }
        match text.parse::<f64>() {
            Ok(number) if !number.is_nan() => Values::Floats,
            _ => Values::Texts,
        }
    }

    fn kind(&self, rows: u64) -> Option<ColumnType> {
        match self.values {
            Values::None if rows == 0 => Some(ColumnType::String),
            Values::Booleans => Some(ColumnType::Boolean),
            Values::Integers if !self.has_gaps && self.is_beyond => None,
            Values::Integers if !self.has_gaps => Some(ColumnType::Long),
            // Gaps are NaN in pandas, which only floats have.
            Values::None | Values::Integers | Values::Floats => Some(ColumnType::Double),
            Values::Texts => Some(ColumnType::String),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names, types and whether they are required, of the columns of a text.
    fn columns(text: &str) -> Option<Vec<(String, ColumnType, bool)>> {
        let table = scan(text.as_bytes(), Path::new("x.csv")).ok()?;
        let columns = table.columns()?.into_iter();
        Some(columns.map(|it| (it.name, it.kind, it.required)).collect())
    }

    /// The only column of a text.
    fn column(text: &str) -> Option<(ColumnType, bool)> {
        let mut columns = columns(text)?;
        columns.pop().map(|(_, kind, required)| (kind, required))
    }

    #[test]
    fn columns_get_the_types_of_pandas() {
        use ColumnType::{Boolean, Double, Long, String};

        // pandas 2.3 and MLflow 3.17.2 say so of the same texts.
        for (text, kind, required) in [
            ("a\n1\n\n2\n", Long, true),
            ("a\n 1\n2 \n+3\n-0\n007\n", Long, true),
            ("a\n\"1\"\n\"2\"\n", Long, true),
            ("a\nNA\n1\n", Double, false),
            ("a\n1e5\n2\n1.\n.5\n1E+5\n", Double, true),
            ("a\ninf\n-Infinity\n", Double, true),
            ("a\nTrue\n\nfalse\n", Boolean, true),
            ("a,x\nTrue,1\n,2\n", Long, true),
            ("x,a\n1,True\n2,\n", Boolean, false),
            ("a\n1_000\n", String, true),
            ("a\n0x10\n", String, true),
            ("a\n1\nTrue\n", String, true),
            ("a\nNone\nx\n", String, false),
            ("a\n\"x\ny\"\n", String, true),
            ("a\n", String, true),
            ("x,a\n1,\n", Double, false),
            ("x,a\n1\n", Double, false),
        ] {
            assert_eq!(column(text), Some((kind, required)), "{text:?}");
        }
        assert_eq!(column("a\n9223372036854775808\n"), None);
    }

    #[test]
    fn names_are_unique() {
        let found = columns("\u{feff}a,a,,b\n1,2,3,4\n").unwrap_or_default();
        let names: Vec<_> = found.iter().map(|(name, _, _)| name.as_str()).collect();
        assert_eq!(names, ["a", "a.1", "Unnamed: 2", "b"]);
    }

    #[test]
    fn what_is_no_table_is_told_with_its_line() {
        let told = |text: &str| match scan(text.as_bytes(), Path::new("x.csv")) {
            Err(error) => error.to_string(),
            Ok(_) => String::new(),
        };
        assert_eq!(told(""), "x.csv is no table with a header: it is empty");
        let long = told("a,b\n1,2\n1,2,3\n");
        assert!(
            long.ends_with("line 3 has 3 fields, and the header 2"),
            "{long}"
        );
    }
}
