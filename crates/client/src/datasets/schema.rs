//! Columns and counts, in MLflow's JSON forms (`mlflow_colspec`, `num_rows`).

use serde_json::{Map, Value, json};

/// A column of a dataset.
///
/// ```
/// use runledger::datasets::{Column, ColumnType};
///
/// let tags = Column {
///     name: "tags".to_owned(),
///     kind: ColumnType::Array(Box::new(ColumnType::String)),
///     required: false,
/// };
/// assert!(!tags.required);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The type of its values.
    pub kind: ColumnType,
    /// Whether every row has a value.
    pub required: bool,
}

impl Column {
    /// A column whose every row has a value.
    ///
    /// ```
    /// use runledger::datasets::{Column, ColumnType};
    ///
    /// assert!(Column::new("colour", ColumnType::String).required);
    /// ```
    pub fn new(name: impl Into<String>, kind: ColumnType) -> Self {
        Self {
            name: name.into(),
            kind,
            required: true,
        }
    }

    /// A column that may have gaps.
    ///
    /// ```
    /// use runledger::datasets::{Column, ColumnType};
    ///
    /// assert!(!Column::optional("alcohol", ColumnType::Double).required);
    /// ```
    pub fn optional(name: impl Into<String>, kind: ColumnType) -> Self {
        Self {
            required: false,
            ..Self::new(name, kind)
        }
    }
}

/// The types that MLflow 3.17 has for columns.
///
/// ```
/// use runledger::datasets::{Column, ColumnType, Dataset, DatasetSource};
///
/// let place = ColumnType::Object(vec![
///     Column::new("latitude", ColumnType::Double),
///     Column::new("longitude", ColumnType::Double),
/// ]);
/// let grown = Dataset::new("vineyards", "bf00c907", &DatasetSource::code())
///     .with_columns(&[Column::optional("place", place)]);
/// let schema = grown.entity().schema.as_deref().unwrap_or_default();
/// assert!(schema.contains("latitude"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ColumnType {
    /// `true` and `false`.
    Boolean,
    /// Whole numbers of 32 bits.
    Integer,
    /// Whole numbers of 64 bits.
    Long,
    /// Numbers of single precision.
    Float,
    /// Numbers of double precision.
    Double,
    /// Text.
    String,
    /// Bytes.
    Binary,
    /// Dates, with or without a time.
    Datetime,
    /// Nothing is known of it.
    Any,
    /// Lists of values of a type.
    Array(Box<Self>),
    /// Values with named fields.
    Object(Vec<Column>),
}

impl ColumnType {
    fn fields(&self) -> Map<String, Value> {
        let (name, inner) = match self {
            Self::Boolean => ("boolean", None),
            Self::Integer => ("integer", None),
            Self::Long => ("long", None),
            Self::Float => ("float", None),
            Self::Double => ("double", None),
            Self::String => ("string", None),
            Self::Binary => ("binary", None),
            Self::Datetime => ("datetime", None),
            Self::Any => ("any", None),
            Self::Array(items) => ("array", Some(("items", Value::Object(items.fields())))),
            Self::Object(columns) => {
                let properties = columns.iter().map(|column| {
                    let mut fields = column.kind.fields();
                    fields.insert("required".to_owned(), column.required.into());
                    (column.name.clone(), Value::Object(fields))
                });
                ("object", Some(("properties", properties.collect())))
            }
        };
        let mut fields = Map::new();
        fields.insert("type".to_owned(), name.into());
        fields.extend(inner.map(|(key, value)| (key.to_owned(), value)));
        fields
    }
}

/// The schema as text.
pub(super) fn json(columns: &[Column]) -> String {
    json!({ "mlflow_colspec": colspec(columns) }).to_string()
}

/// The list of columns.
pub(crate) fn colspec(columns: &[Column]) -> Value {
    let columns = columns.iter().map(|column| {
        let mut fields = column.kind.fields();
        fields.insert("name".to_owned(), column.name.as_str().into());
        fields.insert("required".to_owned(), column.required.into());
        Value::Object(fields)
    });
    columns.collect()
}

/// The profile as text.
pub(super) fn profile(rows: u64, elements: u64) -> String {
    json!({ "num_rows": rows, "num_elements": elements }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_nest_as_in_mlflow() -> Result<(), serde_json::Error> {
        let fields = vec![
            Column::new("x", ColumnType::Long),
            Column::optional("y", ColumnType::String),
        ];
        let columns = [
            Column::new("s", ColumnType::Object(fields)),
            Column::new("l", ColumnType::Array(Box::new(ColumnType::Float))),
        ];
        let found: Value = serde_json::from_str(&json(&columns))?;
        let expected = json!({"mlflow_colspec": [
            {"type": "object", "name": "s", "required": true, "properties": {
                "x": {"type": "long", "required": true},
                "y": {"type": "string", "required": false},
            }},
            {"type": "array", "items": {"type": "float"}, "name": "l", "required": true},
        ]});
        assert_eq!(found, expected);
        Ok(())
    }
}
