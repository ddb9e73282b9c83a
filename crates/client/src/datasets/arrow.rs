//! Arrow record batches: columns by their types, and a digest of every value.

use arrow_array::cast::AsArray as _;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchIterator, RecordBatchReader};
use arrow_schema::{ArrowError, DataType, Field, SchemaRef};
use md5::{Digest as _, Md5};

use super::{Column, ColumnType, Dataset, DatasetError, DatasetSource, digest};

impl Dataset {
    /// The table in record batches of one schema, with [`DatasetSource::code`] as its
    /// source until another is set.
    ///
    /// Types of columns are MLflow's; one that has none (unsigned numbers of 64 bits,
    /// decimals, times without a date, durations, maps) leaves the dataset without a
    /// schema, as with MLflow. A column is required if it has no nulls.
    ///
    /// The digest is over the names of the columns and all their values, in order: two
    /// tables have the same one however they are cut into batches and whichever encoding
    /// of texts, bytes or lists they have.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::sync::Arc;
    ///
    /// use arrow_array::{ArrayRef, Int64Array, RecordBatch};
    /// use runledger::datasets::Dataset;
    ///
    /// let years: ArrayRef = Arc::new(Int64Array::from(vec![2001, 2002]));
    /// let batch = RecordBatch::try_from_iter([("year", years)])?;
    /// let table = Dataset::from_batches("wine", &[batch.clone()])?;
    /// assert_eq!(table.entity().profile.as_deref(), Some(r#"{"num_elements":2,"num_rows":2}"#));
    /// // Cut in two, it is the same table.
    /// let halves = [batch.slice(0, 1), batch.slice(1, 1)];
    /// assert_eq!(Dataset::from_batches("wine", &halves)?.entity().digest, table.entity().digest);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`DatasetError::Arrow`] if a batch has other columns than the first, or a type that
    /// has no digest (unions, run-ends, list views).
    pub fn from_batches(
        name: impl Into<String>,
        batches: &[RecordBatch],
    ) -> Result<Self, DatasetError> {
        let schema = batches.first().map(RecordBatch::schema);
        let schema = schema.unwrap_or_else(|| SchemaRef::new(arrow_schema::Schema::empty()));
        let batches = batches.iter().cloned().map(Ok);
        Self::from_arrow(name, RecordBatchIterator::new(batches, schema))
    }

    /// The table that a reader of record batches yields, as [`Dataset::from_batches`]; one
    /// batch at a time is in memory.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::sync::Arc;
    ///
    /// use arrow_array::{ArrayRef, Int64Array, RecordBatch, RecordBatchIterator};
    /// use runledger::datasets::Dataset;
    ///
    /// let years: ArrayRef = Arc::new(Int64Array::from(vec![2001, 2002]));
    /// let batch = RecordBatch::try_from_iter([("year", years)])?;
    /// let schema = batch.schema();
    /// let reader = RecordBatchIterator::new(vec![Ok(batch)], schema);
    /// let table = Dataset::from_arrow("wine", reader)?;
    /// assert_eq!(table.entity().name, "wine");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Dataset::from_batches`], and what the reader says.
    pub fn from_arrow(
        name: impl Into<String>,
        reader: impl RecordBatchReader,
    ) -> Result<Self, DatasetError> {
        let schema = reader.schema();
        let mut columns: Vec<Seen> = schema.fields().iter().map(|_| Seen::default()).collect();
        let (mut rows, mut bytes) = (0_u64, Vec::new());
        for batch in reader {
            let batch = batch?;
            if !same_columns(&batch.schema(), &schema) {
                let reason = "a batch has other columns than the first";
                return Err(ArrowError::SchemaError(reason.to_owned()).into());
            }
            rows += batch.num_rows() as u64;
            for (seen, values) in columns.iter_mut().zip(batch.columns()) {
                bytes.clear();
                encode(values, &mut bytes)?;
                seen.values.update(&bytes);
                seen.has_nulls |= values.logical_null_count() > 0;
            }
        }
        let mut whole = Md5::new();
        let mut found = Some(Vec::with_capacity(columns.len()));
        for (field, seen) in schema.fields().iter().zip(columns) {
            text(field.name().as_bytes(), |bytes| whole.update(bytes));
            whole.update(seen.values.finalize());
            let kind = kind(field.data_type());
            found = found.zip(kind).map(|(mut found, kind)| {
                found.push(Column {
                    name: field.name().clone(),
                    kind,
                    required: !seen.has_nulls,
                });
                found
            });
        }
        whole.update(rows.to_le_bytes());
        let elements = rows.saturating_mul(schema.fields().len() as u64);
        let dataset =
            Self::new(name, digest(whole), &DatasetSource::code()).with_counts(rows, elements);
        Ok(match found {
            Some(columns) if !columns.is_empty() => dataset.with_columns(&columns),
            _ => dataset,
        })
    }
}

/// What was seen of a column.
#[derive(Default)]
struct Seen {
    values: Md5,
    has_nulls: bool,
}

fn same_columns(one: &SchemaRef, other: &SchemaRef) -> bool {
    let (one, other) = (one.fields(), other.fields());
    let is_same = |(a, b): (&std::sync::Arc<Field>, &std::sync::Arc<Field>)| {
        a.name() == b.name() && a.data_type() == b.data_type()
    };
    one.len() == other.len() && one.iter().zip(other).all(is_same)
}

/// MLflow's type, if it has one.
fn kind(data_type: &DataType) -> Option<ColumnType> {
    Some(match data_type {
        DataType::Boolean => ColumnType::Boolean,
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 => {
            ColumnType::Integer
        }
        DataType::Int64 | DataType::UInt32 => ColumnType::Long,
        DataType::Float16 | DataType::Float32 => ColumnType::Float,
        DataType::Float64 => ColumnType::Double,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => ColumnType::String,
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => ColumnType::Binary,
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _) => ColumnType::Datetime,
        DataType::Null => ColumnType::Any,
        DataType::Dictionary(_, values) => kind(values)?,
        DataType::List(items) | DataType::LargeList(items) | DataType::FixedSizeList(items, _) => {
            ColumnType::Array(Box::new(kind(items.data_type())?))
        }
        DataType::Struct(fields) => {
            let columns = fields.iter().map(|field| {
                Some(Column {
                    name: field.name().clone(),
                    kind: kind(field.data_type())?,
                    required: !field.is_nullable(),
                })
            });
            ColumnType::Object(columns.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// Writes the value of one row.
type Put<'a> = dyn FnMut(usize, &mut Vec<u8>) -> Result<(), ArrowError> + 'a;

/// Writes the values in order: 0 for a null, else 1 and the value. Numbers are their bytes,
/// the lowest first; texts, bytes and lists begin with their length.
#[expect(clippy::too_many_lines, reason = "one arm for each type")]
fn encode(array: &ArrayRef, out: &mut Vec<u8>) -> Result<(), ArrowError> {
    let mut each = |put: &mut Put<'_>| {
        for n in 0..array.len() {
            if array.is_null(n) {
                out.push(0);
            } else {
                out.push(1);
                put(n, out)?;
            }
        }
        Ok(())
    };
    let put_text = |bytes: &[u8], out: &mut Vec<u8>| {
        text(bytes, |part| out.extend_from_slice(part));
        Ok(())
    };
    match array.data_type() {
        DataType::Null => {
            out.resize(out.len() + array.len(), 0);
            Ok(())
        }
        DataType::Boolean => {
            let values = array.as_boolean();
            each(&mut |n, out| {
                out.push(values.value(n).into());
                Ok(())
            })
        }
        DataType::Utf8 => {
            let values = array.as_string::<i32>();
            each(&mut |n, out| put_text(values.value(n).as_bytes(), out))
        }
        DataType::LargeUtf8 => {
            let values = array.as_string::<i64>();
            each(&mut |n, out| put_text(values.value(n).as_bytes(), out))
        }
        DataType::Utf8View => {
            let values = array.as_string_view();
            each(&mut |n, out| put_text(values.value(n).as_bytes(), out))
        }
        DataType::Binary => {
            let values = array.as_binary::<i32>();
            each(&mut |n, out| put_text(values.value(n), out))
        }
        DataType::LargeBinary => {
            let values = array.as_binary::<i64>();
            each(&mut |n, out| put_text(values.value(n), out))
        }
        DataType::BinaryView => {
            let values = array.as_binary_view();
            each(&mut |n, out| put_text(values.value(n), out))
        }
        DataType::FixedSizeBinary(_) => {
            let values = array.as_fixed_size_binary();
            each(&mut |n, out| put_text(values.value(n), out))
        }
        DataType::List(_) => {
            let values = array.as_list::<i32>();
            each(&mut |n, out| list(&values.value(n), out))
        }
        DataType::LargeList(_) => {
            let values = array.as_list::<i64>();
            each(&mut |n, out| list(&values.value(n), out))
        }
        DataType::FixedSizeList(_, _) => {
            let values = array.as_fixed_size_list();
            each(&mut |n, out| list(&values.value(n), out))
        }
        DataType::Map(_, _) => {
            let values = array.as_map();
            each(&mut |n, out| {
                let entries: ArrayRef = std::sync::Arc::new(values.value(n));
                list(&entries, out)
            })
        }
        DataType::Struct(_) => {
            let fields = array.as_struct().columns();
            each(&mut |n, out| {
                fields
                    .iter()
                    .try_for_each(|it| encode(&it.slice(n, 1), out))
            })
        }
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            if dictionary.values().is_empty() {
                // Nothing but nulls, which no key can be made of.
                out.resize(out.len() + array.len(), 0);
                return Ok(());
            }
            let (keys, values) = (dictionary.normalized_keys(), dictionary.values());
            for (n, key) in keys.into_iter().enumerate() {
                if array.is_null(n) {
                    out.push(0);
                } else {
                    encode(&values.slice(key, 1), out)?;
                }
            }
            Ok(())
        }
        other => {
            let Some(width) = other.primitive_width() else {
                let reason = format!("values of the type {other} have no digest");
                return Err(ArrowError::NotYetImplemented(reason));
            };
            let data = array.to_data();
            let values = data
                .buffers()
                .first()
                .map_or(&[][..], |buffer| buffer.as_slice());
            let values = values.get(data.offset() * width..).unwrap_or_default();
            each(&mut |n, out| {
                let value = values.get(n * width..(n + 1) * width);
                out.extend_from_slice(value.unwrap_or_default());
                Ok(())
            })
        }
    }
}

fn list(items: &ArrayRef, out: &mut Vec<u8>) -> Result<(), ArrowError> {
    out.extend_from_slice(&(items.len() as u64).to_le_bytes());
    encode(items, out)
}

/// Bytes after their length.
fn text(bytes: &[u8], mut put: impl FnMut(&[u8])) {
    put(&(bytes.len() as u64).to_le_bytes());
    put(bytes);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::types::Int32Type;
    use arrow_array::{
        DictionaryArray, Float64Array, Int64Array, LargeStringArray, ListArray, StringArray,
        UInt64Array,
    };
    use serde_json::{Value, json};

    use super::*;

    fn batch(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch, DatasetError> {
        Ok(RecordBatch::try_from_iter(columns)?)
    }

    fn numbers() -> ArrayRef {
        Arc::new(Int64Array::from(vec![Some(1), None, Some(3), Some(4)]))
    }

    #[test]
    fn a_digest_is_of_the_values_and_nothing_else() -> Result<(), DatasetError> {
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "a", "ü"]));
        let whole = batch(vec![("n", numbers()), ("t", texts)])?;
        let parts = [whole.slice(0, 1), whole.slice(1, 3)];
        let digest = |batches: &[RecordBatch]| {
            let dataset = Dataset::from_batches("d", batches)?;
            Ok::<_, DatasetError>(dataset.entity().digest.clone())
        };
        let expected = digest(&[whole])?;
        assert_eq!(expected.len(), 8);
        assert_eq!(digest(&parts)?, expected);

        let large: ArrayRef = Arc::new(LargeStringArray::from(vec!["a", "b", "a", "ü"]));
        assert_eq!(
            digest(&[batch(vec![("n", numbers()), ("t", large)])?])?,
            expected
        );
        let coded: DictionaryArray<Int32Type> = vec!["a", "b", "a", "ü"].into_iter().collect();
        let coded: ArrayRef = Arc::new(coded);
        assert_eq!(
            digest(&[batch(vec![("n", numbers()), ("t", coded)])?])?,
            expected
        );

        let other: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "a", "u"]));
        assert_ne!(
            digest(&[batch(vec![
                ("n", numbers()),
                ("t", ArrayRef::clone(&other))
            ])?])?,
            expected
        );
        assert_ne!(
            digest(&[batch(vec![("m", numbers()), ("t", other)])?])?,
            expected
        );
        Ok(())
    }

    #[test]
    fn columns_have_the_types_of_mlflow() -> Result<(), Box<dyn std::error::Error>> {
        let floats: ArrayRef = Arc::new(Float64Array::from(vec![0.5; 4]));
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1)]); 4]);
        let columns = vec![
            ("n", numbers()),
            ("f", floats),
            ("l", Arc::new(list) as ArrayRef),
        ];
        let dataset = Dataset::from_batches("d", &[batch(columns.clone())?])?;
        let schema: Value = serde_json::from_str(dataset.entity().schema.as_deref().unwrap_or(""))?;
        let expected = json!({"mlflow_colspec": [
            {"type": "long", "name": "n", "required": false},
            {"type": "double", "name": "f", "required": true},
            {"type": "array", "items": {"type": "integer"}, "name": "l", "required": true},
        ]});
        assert_eq!(schema, expected);
        let profile = dataset.entity().profile.as_deref();
        assert_eq!(profile, Some(r#"{"num_elements":12,"num_rows":4}"#));

        let unsigned: ArrayRef = Arc::new(UInt64Array::from(vec![1; 4]));
        let columns = columns.into_iter().chain([("u", unsigned)]).collect();
        let dataset = Dataset::from_batches("d", &[batch(columns)?])?;
        assert_eq!(dataset.entity().schema, None);
        Ok(())
    }

    #[test]
    fn a_dictionary_of_nothing_has_a_digest() -> Result<(), DatasetError> {
        let nulls = |count| -> ArrayRef {
            let nothing: [Option<&str>; 3] = [None; 3];
            Arc::new(
                nothing
                    .into_iter()
                    .take(count)
                    .collect::<DictionaryArray<Int32Type>>(),
            )
        };
        let digest_of = |count| -> Result<String, DatasetError> {
            let dataset = Dataset::from_batches("d", &[batch(vec![("d", nulls(count))])?])?;
            Ok(dataset.entity().digest.clone())
        };
        assert_ne!(digest_of(0)?, digest_of(3)?);
        assert_eq!(digest_of(3)?, digest_of(3)?);
        Ok(())
    }

    #[test]
    fn batches_have_one_schema() -> Result<(), DatasetError> {
        let one = batch(vec![("n", numbers())])?;
        let other = batch(vec![("m", numbers())])?;
        assert!(Dataset::from_batches("d", &[one, other]).is_err());
        let nothing = Dataset::from_batches("d", &[])?;
        assert_eq!(nothing.entity().schema, None);
        Ok(())
    }
}
