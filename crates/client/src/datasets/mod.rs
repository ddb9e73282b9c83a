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
    ///
    /// ```
    /// use runledger::datasets::{Dataset, DatasetSource};
    ///
    ///
    /// let source = DatasetSource::uri("s3://data/wine.parquet");
    /// let wine = Dataset::new("wine", "bf00c907", &source);
    /// assert_eq!(wine.entity().source_type, "s3");
    /// assert_eq!(wine.entity().schema, None);
    /// ```
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
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// use runledger::datasets::Dataset;
    ///
    /// let path = folder.path().join("wine.csv");
    /// std::fs::write(&path, "colour,alcohol\nred,12.5\nwhite,11\n")?;
    /// let wine = Dataset::from_csv(&path)?;
    /// assert_eq!(wine.entity().name, "wine");
    /// assert_eq!(wine.entity().profile.as_deref(), Some(r#"{"num_elements":4,"num_rows":2}"#));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`DatasetError::File`] and [`DatasetError::Csv`].
    pub fn from_csv(path: impl AsRef<Path>) -> Result<Self, DatasetError> {
        csv::read(path.as_ref())
    }

    /// With this name.
    ///
    /// ```
    /// use runledger::datasets::{Dataset, DatasetSource};
    ///
    ///
    /// let rows = Dataset::new("rows", "bf00c907", &DatasetSource::code()).named("wine");
    /// assert_eq!(rows.entity().name, "wine");
    /// ```
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.inner.name = name.into();
        self
    }

    /// From somewhere else.
    ///
    /// ```
    /// use runledger::datasets::{Dataset, DatasetSource};
    ///
    ///
    /// let wine = Dataset::new("wine", "bf00c907", &DatasetSource::file("/tmp/copy.csv"))
    ///     .with_source(&DatasetSource::uri("https://example.org/wine.csv"));
    /// assert_eq!(wine.entity().source, r#"{"url":"https://example.org/wine.csv"}"#);
    /// ```
    #[must_use]
    pub fn with_source(mut self, source: &DatasetSource) -> Self {
        source.kind().clone_into(&mut self.inner.source_type);
        self.inner.source = source.json();
        self
    }

    /// With these columns.
    ///
    /// ```
    /// use runledger::datasets::{Column, ColumnType, Dataset, DatasetSource};
    ///
    /// let columns = [
    ///     Column::new("colour", ColumnType::String),
    ///     Column::optional("alcohol", ColumnType::Double),
    /// ];
    /// let wine = Dataset::new("wine", "bf00c907", &DatasetSource::code()).with_columns(&columns);
    /// let schema = wine.entity().schema.as_deref().unwrap_or_default();
    /// assert!(schema.starts_with(r#"{"mlflow_colspec":"#));
    /// ```
    #[must_use]
    pub fn with_columns(mut self, columns: &[Column]) -> Self {
        self.inner.schema = Some(schema::json(columns));
        self
    }

    /// With a profile: how many rows it has, and how many values in all.
    ///
    /// ```
    /// use runledger::datasets::{Dataset, DatasetSource};
    ///
    ///
    /// let wine = Dataset::new("wine", "bf00c907", &DatasetSource::code())
    ///     .with_counts(178, 178 * 13);
    /// assert_eq!(
    ///     wine.entity().profile.as_deref(),
    ///     Some(r#"{"num_elements":2314,"num_rows":178}"#)
    /// );
    /// ```
    #[must_use]
    pub fn with_counts(mut self, rows: u64, elements: u64) -> Self {
        self.inner.profile = Some(schema::profile(rows, elements));
        self
    }

    /// What a store keeps of it.
    ///
    /// ```
    /// use runledger::datasets::{Dataset, DatasetSource};
    ///
    ///
    /// let wine = Dataset::new("wine", "bf00c907", &DatasetSource::code());
    /// assert_eq!(wine.entity().digest, "bf00c907");
    /// ```
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
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let experiment = runledger::entities::ExperimentId::DEFAULT;
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// use runledger::datasets::{Dataset, DatasetSource};
    ///
    /// let wine = Dataset::new("wine", "bf00c907", &DatasetSource::uri("s3://data/wine.csv"));
    /// client.log_input(&run, wine, Some("training"), []).await?;
    /// let inputs = client.get_run(&run).await?.inputs;
    /// assert_eq!(inputs.datasets[0].dataset.name, "wine");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if a text is too long, and [`TrackingError::Store`] if the run is
    /// not there or deleted.
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
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let experiment = runledger::entities::ExperimentId::DEFAULT;
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// use runledger::datasets::{Dataset, DatasetSource};
    /// use runledger::entities::{DatasetInput, Tag};
    ///
    /// let source = DatasetSource::uri("s3://data/wine.csv");
    /// let input = |name: &str, context: &str| DatasetInput {
    ///     tags: vec![Tag::new(Tag::DATASET_CONTEXT, context)],
    ///     dataset: Dataset::new(name, "bf00c907", &source).into(),
    /// };
    /// let inputs = vec![input("wine", "training"), input("more wine", "eval")];
    /// client.log_inputs(&run, inputs).await?;
    /// assert_eq!(client.get_run(&run).await?.inputs.datasets.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
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
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let run = tracker.start_run()?;
    /// use runledger::datasets::{Dataset, DatasetSource};
    /// use runledger::entities::Tag;
    ///
    /// let wine = Dataset::new("wine", "bf00c907", &DatasetSource::uri("s3://data/wine.csv"));
    /// run.log_input(wine, Some("training"), [Tag::new("split", "0.8")])?;
    /// assert_eq!(run.get()?.inputs.datasets[0].tags.len(), 2);
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if a text is too long, and [`TrackingError::Store`] if the run is
    /// not there or deleted.
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
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let run = tracker.start_run()?;
    /// use runledger::datasets::{Dataset, DatasetSource};
    /// use runledger::entities::DatasetInput;
    ///
    /// let wine = Dataset::new("wine", "bf00c907", &DatasetSource::uri("s3://data/wine.csv"));
    /// let input = DatasetInput {
    ///     tags: Vec::new(),
    ///     dataset: wine.into(),
    /// };
    /// run.log_inputs(vec![input])?;
    /// assert_eq!(run.get()?.inputs.datasets[0].dataset.digest, "bf00c907");
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
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
