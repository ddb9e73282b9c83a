//! Datasets as inputs of runs, in MLflow's JSON forms: what they are called, where they
//! come from, which columns they have, and a digest of their content.
//!
//! `source` and `schema` are the two forms, `csv` and (with the features of these names)
//! `arrow` and `parquet` read data. Here is [`Dataset`], and the calls that log it.

#[cfg(feature = "arrow")]
mod arrow;
mod csv;
mod error;
#[cfg(feature = "parquet")]
mod parquet;
mod schema;
mod source;

use std::path::Path;

use md5::{Digest as _, Md5};
use runledger_entities::{self as entities, DatasetInput, RunId, Tag, validate};

use crate::{Client, RunLogger, TrackingError, background};

pub use error::DatasetError;
pub(crate) use schema::colspec;
pub use schema::{Column, ColumnType};
pub use source::DatasetSource;

/// A dataset, to be logged as an input of runs.
///
/// MLflow tells datasets of an experiment apart by name and digest. Those that are read
/// here get a digest of the whole content: the first 8 hexadecimal digits of an MD5.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use runledger::datasets::Dataset;
///
/// let run = runledger::start_run()?;
/// let wine = Dataset::from_csv("wine.csv")?.named("wine");
/// run.log_input(wine, Some("training"), [])?;
/// run.end()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    inner: entities::Dataset,
}

impl Dataset {
    /// A dataset of which only this is known.
    pub fn new(name: impl Into<String>, digest: impl Into<String>, source: &DatasetSource) -> Self {
        Self {
            inner: entities::Dataset {
                name: name.into(),
                digest: digest.into(),
                source_type: source.kind().to_owned(),
                source: source.json(),
                schema: None,
                profile: None,
            },
        }
    }

    /// The table in a CSV file with a header, named like the file without its ending.
    ///
    /// The file is read once, a record at a time; the call blocks. Columns get the types
    /// that pandas would infer, and so the schema that MLflow's `from_pandas` would give:
    /// `boolean`, `long`, `double` or `string`, where a column of whole numbers with gaps
    /// is `double`. Fields that are empty, or `NA`, `NaN`, `null` and the like, are gaps.
    /// An integer beyond 64 bits leaves the dataset without a schema. The digest is that
    /// of the file's bytes.
    ///
    /// # Errors
    /// [`DatasetError::File`] and [`DatasetError::Csv`].
    pub fn from_csv(path: impl AsRef<Path>) -> Result<Self, DatasetError> {
        csv::read(path.as_ref())
    }

    /// With this name.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.inner.name = name.into();
        self
    }

    /// From somewhere else.
    #[must_use]
    pub fn with_source(mut self, source: &DatasetSource) -> Self {
        source.kind().clone_into(&mut self.inner.source_type);
        self.inner.source = source.json();
        self
    }

    /// With these columns.
    #[must_use]
    pub fn with_columns(mut self, columns: &[Column]) -> Self {
        self.inner.schema = Some(schema::json(columns));
        self
    }

    /// With a profile: how many rows it has, and how many values in all.
    #[must_use]
    pub fn with_counts(mut self, rows: u64, elements: u64) -> Self {
        self.inner.profile = Some(schema::profile(rows, elements));
        self
    }

    /// What a store keeps of it.
    pub fn entity(&self) -> &entities::Dataset {
        &self.inner
    }
}

impl From<Dataset> for entities::Dataset {
    fn from(dataset: Dataset) -> Self {
        dataset.inner
    }
}

impl Client {
    /// Logs a dataset as an input of a run, with the context of its use (`training`,
    /// `eval`, …) and further tags of that use. A dataset that the run has already is left
    /// as it is.
    pub async fn log_input(
        &self,
        run: &RunId,
        dataset: impl Into<entities::Dataset>,
        context: Option<&str>,
        tags: impl IntoIterator<Item = Tag>,
    ) -> Result<(), TrackingError> {
        let input = input(dataset.into(), context, tags);
        self.log_inputs(run, vec![input]).await
    }

    /// Logs datasets as inputs of a run, all or none.
    ///
    /// # Errors
    /// [`TrackingError::Value`] if a text of one is too long.
    pub async fn log_inputs(
        &self,
        run: &RunId,
        datasets: Vec<DatasetInput>,
    ) -> Result<(), TrackingError> {
        for input in &datasets {
            validate::dataset_input(input)?;
        }
        Ok(self.store().log_inputs(run, datasets, Vec::new()).await?)
    }
}

impl RunLogger {
    /// Logs a dataset as an input of the run, with the context of its use (`training`,
    /// `eval`, …) and further tags of that use. A dataset that the run has already is left
    /// as it is.
    pub fn log_input(
        &self,
        dataset: impl Into<entities::Dataset>,
        context: Option<&str>,
        tags: impl IntoIterator<Item = Tag>,
    ) -> Result<(), TrackingError> {
        self.log_inputs(vec![input(dataset.into(), context, tags)])
    }

    /// Logs datasets as inputs of the run, all or none.
    ///
    /// # Errors
    /// [`TrackingError::Value`] if a text of one is too long.
    pub fn log_inputs(&self, datasets: Vec<DatasetInput>) -> Result<(), TrackingError> {
        let (client, id) = (self.client().clone(), self.run_id().clone());
        background::wait(async move { client.log_inputs(&id, datasets).await })
    }
}

fn input(
    dataset: entities::Dataset,
    context: Option<&str>,
    tags: impl IntoIterator<Item = Tag>,
) -> DatasetInput {
    let context = context.map(|context| Tag::new(Tag::DATASET_CONTEXT, context));
    DatasetInput {
        tags: context.into_iter().chain(tags).collect(),
        dataset,
    }
}

/// The digest of what was hashed.
fn digest(hashed: Md5) -> String {
    let bytes = hashed.finalize();
    format!(
        "{:02x}{:02x}{:02x}{:02x}",
        bytes[0], bytes[1], bytes[2], bytes[3]
    )
}

/// The name of a dataset in a file.
fn name_of(path: &Path) -> String {
    let name = path.file_stem().unwrap_or_default();
    let name = name.to_string_lossy();
    if name.is_empty() {
        // MLflow's name for those that have none.
        return "dataset".to_owned();
    }
    name.into_owned()
}
