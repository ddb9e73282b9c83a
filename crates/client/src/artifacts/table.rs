//! Tables: MLflow's `log_table` in JSON, `{"columns": […], "data": [[…]]}`.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::{Artifacts, ArtifactsError, dict};

/// A table of JSON values with named columns, as `log_table` takes it.
///
/// ```
/// use runledger::artifacts::Table;
///
/// let table = Table::new()
///     .with_column("question", ["2 + 2", "3 * 3"])
///     .with_column("answer", [4, 9]);
/// assert_eq!(table.rows()[1][1], 9);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
}

impl Table {
    /// A table of nothing.
    ///
    /// ```
    /// use runledger::artifacts::Table;
    ///
    /// assert!(Table::new().columns().is_empty());
    /// assert_eq!(Table::new(), Table::default());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// With a further column, or another one in the place of that of the same name. Cells
    /// that are missing in it or in the others are `null`; so is a number that JSON does
    /// not have.
    ///
    /// ```
    /// use runledger::artifacts::Table;
    ///
    /// let table = Table::new()
    ///     .with_column("question", ["2 + 2", "3 * 3"])
    ///     .with_column("answer", [4]);
    /// assert!(table.rows()[1][1].is_null());
    /// ```
    #[must_use]
    pub fn with_column<V: Into<Value>>(
        mut self,
        name: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        let name = name.into();
        let known = self.columns.iter().position(|column| *column == name);
        let at = known.unwrap_or_else(|| {
            self.columns.push(name);
            for row in &mut self.rows {
                row.push(Value::Null);
            }
            self.columns.len() - 1
        });
        let mut values = values.into_iter();
        for row in &mut self.rows {
            row[at] = values.next().map_or(Value::Null, Into::into);
        }
        for value in values {
            let mut row = vec![Value::Null; self.columns.len()];
            row[at] = value.into();
            self.rows.push(row);
        }
        self
    }

    /// The names of the columns.
    ///
    /// ```
    /// use runledger::artifacts::Table;
    ///
    /// let table = Table::new().with_column("x", [1]).with_column("y", [2]);
    /// assert_eq!(table.columns(), ["x", "y"]);
    /// ```
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The rows; each has a cell for every column.
    ///
    /// ```
    /// use runledger::artifacts::Table;
    ///
    /// let table = Table::new().with_column("x", [1, 2]).with_column("y", ["a", "b"]);
    /// for row in table.rows() {
    ///     println!("{} is {}", row[0], row[1]);
    /// }
    /// assert_eq!(table.rows()[1][1], "b");
    /// ```
    pub fn rows(&self) -> &[Vec<Value>] {
        &self.rows
    }

    /// Adds the rows of another table. Columns of the same name are the same; where one
    /// table has none, its cells are `null`.
    ///
    /// ```
    /// use runledger::artifacts::Table;
    ///
    /// let mut table = Table::new().with_column("x", [1, 2]);
    /// table.append(Table::new().with_column("x", [3]).with_column("y", ["c"]));
    /// assert_eq!(table.columns(), ["x", "y"]);
    /// assert!(table.rows()[0][1].is_null());
    /// assert_eq!(table.rows()[2][1], "c");
    /// ```
    pub fn append(&mut self, other: Self) {
        let mut places: HashMap<&str, usize> = HashMap::new();
        for (at, column) in self.columns.iter().enumerate() {
            places.insert(column, at);
        }
        let mut new = Vec::new();
        let target: Vec<usize> = other
            .columns
            .into_iter()
            .map(|column| {
                let known = places.get(column.as_str()).copied();
                known.unwrap_or_else(|| {
                    new.push(column);
                    self.columns.len() + new.len() - 1
                })
            })
            .collect();
        self.columns.extend(new);
        let width = self.columns.len();
        for row in &mut self.rows {
            row.resize(width, Value::Null);
        }
        for cells in other.rows {
            let mut row = vec![Value::Null; width];
            for (cell, at) in cells.into_iter().zip(&target) {
                row[*at] = cell;
            }
            self.rows.push(row);
        }
    }

    fn read(bytes: &[u8]) -> Result<Self, String> {
        let mut fields: Map<String, Value> =
            serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        let mut list = |name| match fields.remove(name) {
            Some(Value::Array(list)) => Ok(list),
            _ => Err(format!("it has no list '{name}'")),
        };
        let (columns, rows) = (list("columns")?, list("data")?);
        let columns = columns.into_iter().map(|column| match column {
            Value::String(name) => name,
            other => other.to_string(),
        });
        let columns: Vec<String> = columns.collect();
        let rows = rows.into_iter().map(|row| match row {
            Value::Array(cells) if cells.len() == columns.len() => Ok(cells),
            _ => Err("a row has not as many cells as there are columns".to_owned()),
        });
        let rows = rows.collect::<Result<_, String>>()?;
        Ok(Self { columns, rows })
    }
}

impl Artifacts {
    /// The table in a file that [`RunLogger::log_table`](crate::RunLogger::log_table) or
    /// MLflow wrote, of at most 256 MiB of JSON.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let new = runledger::store::NewExperiment {
    /// #     name: "with files".to_owned(),
    /// #     artifact_location: Some(folder.path().join("files").display().to_string()),
    /// #     ..Default::default()
    /// # };
    /// # let experiment = client.store().create_experiment(new).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// # let files = client.run_artifacts(&run).await?;
    /// use runledger::artifacts::Table;
    ///
    /// let row = Table::new().with_column("question", ["2 + 2"]);
    /// client.log_table(&run, row, "answers.json").await?;
    /// assert_eq!(files.load_table("answers.json").await?.columns(), ["question"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ArtifactsError::Content`] if it is none.
    pub async fn load_table(&self, file: &str) -> Result<Table, ArtifactsError> {
        parse(&self.load_bytes(file).await?, file)
    }

    /// Adds the rows of a table to those in a file, which is made if it is not there.
    pub(crate) async fn append_table(
        &self,
        table: Table,
        file: &str,
    ) -> Result<(), ArtifactsError> {
        if dict::ending(file) != Some("json") {
            return Err(ArtifactsError::Value {
                path: file.to_owned(),
                reason: "tables are written as JSON: let its name end in '.json'".to_owned(),
            });
        }
        let whole = match self.read(file).await? {
            None => table,
            Some(bytes) => {
                let mut whole = parse(&bytes, file)?;
                whole.append(table);
                whole
            }
        };
        let text = json!({"columns": whole.columns, "data": whole.rows}).to_string();
        self.log_bytes(text, file).await
    }
}

fn parse(bytes: &[u8], file: &str) -> Result<Table, ArtifactsError> {
    Table::read(bytes).map_err(|reason| ArtifactsError::Content {
        path: file.to_owned(),
        wanted: "table",
        reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_united_and_cells_filled() {
        let mut table = Table::new()
            .with_column("x", [1, 2])
            .with_column("y", ["a"]);
        assert_eq!(
            table.rows(),
            [[json!(1), json!("a")], [json!(2), Value::Null]]
        );
        table.append(Table::new().with_column("z", [true]).with_column("x", [3]));
        assert_eq!(table.columns(), ["x", "y", "z"]);
        assert_eq!(table.rows()[2], [json!(3), Value::Null, json!(true)]);
        assert_eq!(table.rows()[0], [json!(1), json!("a"), Value::Null]);
        let longer = table.with_column("y", ["b", "c", "d", "e"]);
        assert_eq!(longer.rows()[3], [Value::Null, json!("e"), Value::Null]);
    }

    #[test]
    fn what_is_no_table_is_refused() {
        for text in [
            "",
            "[]",
            r#"{"columns": ["a"]}"#,
            r#"{"columns": ["a"], "data": [[1, 2]]}"#,
        ] {
            assert!(Table::read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
