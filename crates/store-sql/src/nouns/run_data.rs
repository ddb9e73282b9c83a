//! What runs logged, for one run or a whole page of them.
//!
//! One statement for each kind of thing, over all runs of the page: the number
//! of statements does not grow with the page. They are sent together.

use std::collections::HashMap;

use diesel::{
    QueryResult,
    result::Error as DieselError,
    sql_types::{BigInt, Bool, Double, Nullable, Text},
};
use runledger_entities::{
    Dataset, DatasetInput, LoggedModelId, Metric, ModelInput, ModelOutput, Param, Run, RunData,
    RunInputs, Tag,
};
use runledger_store::{Resource, StoreError};

use super::{OrStoreError as _, runs};
use crate::{connection::Connection, dialect::Dialect, sql::Sql, values::StoredValue};

/// The runs of these ids with all they logged, in the order of the ids.
pub(crate) fn load(connection: &mut Connection, ids: &[String]) -> Result<Vec<Run>, StoreError> {
    read(connection, ids, Logged::of(ids.len()))
}

/// The runs of these rows with all they logged, in the order of the rows.
pub(crate) fn of_rows(
    connection: &mut Connection,
    rows: Vec<runs::Row>,
) -> Result<Vec<Run>, StoreError> {
    let ids: Vec<String> = rows.iter().map(|row| row.0.clone()).collect();
    let mut logged = Logged::of(ids.len());
    logged.runs = OfRuns(rows.into_iter().map(|row| vec![row]).collect());
    read(connection, &ids, logged)
}

/// Reads what is not there yet.
fn read(
    connection: &mut Connection,
    ids: &[String],
    mut logged: Logged,
) -> Result<Vec<Run>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let page = Page {
        ids,
        dialect: connection.dialect(),
    };
    let schema = connection.schema();
    let mut reads = Vec::new();
    if logged.runs.is_empty() {
        reads.push(
            page.runs()
                .into_each::<(BigInt, runs::Columns), _>(logged.runs.taking(|row| row)),
        );
    }
    reads.extend([
        page.metrics()
            .into_each::<MetricColumns, _>(logged.metrics.taking(metric)),
        page.params()
            .into_each::<(BigInt, Text, Text), _>(logged.params.taking(param)),
        page.tags()
            .into_each::<(BigInt, Text, Nullable<Text>), _>(logged.tags.taking(tag)),
    ]);
    if schema.datasets {
        reads.push(
            page.datasets()
                .into_each::<DatasetColumns, _>(logged.datasets.taking(dataset)),
        );
    }
    if schema.logged_models {
        reads.push(
            page.model_inputs()
                .into_each::<(BigInt, Text), _>(logged.model_inputs.taking(model_input)),
        );
        reads.push(
            page.model_outputs()
                .into_each::<(BigInt, Text, BigInt), _>(logged.model_outputs.taking(model_output)),
        );
    }
    connection.together(reads).or_store_error()?;
    tags_of_inputs(connection, &mut logged.datasets)?;
    let runs = ids.iter().enumerate();
    runs.map(|(place, id)| logged.run(place, id)).collect()
}

/// The ids of the runs of one page.
///
/// Each statement takes the list as its outer loop, and returns the place of
/// the run with each row: cheaper than its id, which is as long as the rest.
struct Page<'i> {
    ids: &'i [String],
    dialect: Dialect,
}

impl Page<'_> {
    fn select(
        &self,
        columns: &'static str,
        table: &'static str,
        name: &'static str,
        of: &'static str,
    ) -> Sql {
        Sql::new("select page.key, ")
            .sql(columns)
            .sql(" from ")
            .with(self.dialect.of_page(self.ids, table, name, of))
    }

    fn runs(&self) -> Sql {
        self.select(runs::COLUMNS, "runs", "r", "r.run_uuid = page.value")
    }

    fn metrics(&self) -> Sql {
        self.select(
            "m.key, m.value, m.timestamp, m.step, m.is_nan",
            "latest_metrics",
            "m",
            "m.run_uuid = page.value",
        )
    }

    fn params(&self) -> Sql {
        self.select("p.key, p.value", "params", "p", "p.run_uuid = page.value")
    }

    fn tags(&self) -> Sql {
        self.select("t.key, t.value", "tags", "t", "t.run_uuid = page.value")
    }

    fn datasets(&self) -> Sql {
        self.select(
            "i.input_uuid, d.name, d.digest, d.dataset_source_type, d.dataset_source, \
             d.dataset_schema, d.dataset_profile",
            "inputs",
            "i",
            "i.destination_type = 'RUN' and i.destination_id = page.value \
             and i.source_type = 'DATASET'",
        )
        .sql(" join datasets d on d.dataset_uuid = i.source_id")
        .with(self.as_added())
    }

    fn model_inputs(&self) -> Sql {
        self.select(
            "i.destination_id",
            "inputs",
            "i",
            "i.source_type = 'RUN_INPUT' and i.source_id = page.value \
             and i.destination_type = 'MODEL_INPUT'",
        )
        .with(self.as_added())
    }

    fn model_outputs(&self) -> Sql {
        self.select(
            "i.destination_id, i.step",
            "inputs",
            "i",
            "i.source_type = 'RUN_OUTPUT' and i.source_id = page.value \
             and i.destination_type = 'MODEL_OUTPUT'",
        )
        .with(self.as_added())
    }

    fn as_added(&self) -> Sql {
        Sql::new(" order by page.key, ").sql(self.dialect.as_added("i.rowid", "i.input_uuid"))
    }
}

type MetricColumns = (BigInt, Text, Double, Nullable<BigInt>, BigInt, Bool);

type DatasetColumns = (
    BigInt,
    Text,
    (Text, Text, Text, Text, Nullable<Text>, Nullable<Text>),
);

/// The place of a run, and a metric.
fn metric(
    (place, key, value, timestamp, step, is_nan): (i64, String, f64, Option<i64>, i64, bool),
) -> (i64, Metric) {
    let value = StoredValue { value, is_nan }.read();
    let metric = Metric::new(key, value, timestamp.unwrap_or_default(), step);
    (place, metric)
}

/// The place of a run, and a param.
fn param((place, key, value): (i64, String, String)) -> (i64, Param) {
    (place, Param { key, value })
}

/// The place of a run, and a tag.
fn tag((place, key, value): (i64, String, Option<String>)) -> (i64, Tag) {
    let value = value.unwrap_or_default();
    (place, Tag { key, value })
}

/// The columns of a dataset.
type DatasetRow = (
    String,
    String,
    String,
    String,
    Option<String>,
    Option<String>,
);

/// The place of a run, and the id of an input with its dataset, which has no
/// tags yet.
fn dataset((place, input, row): (i64, String, DatasetRow)) -> (i64, (String, DatasetInput)) {
    let (name, digest, source_type, source, schema, profile) = row;
    let dataset = Dataset {
        name,
        digest,
        source_type,
        source,
        schema,
        profile,
    };
    let tags = Vec::new();
    (place, (input, DatasetInput { tags, dataset }))
}

/// The place of a run, and a model that it read.
fn model_input((place, model): (i64, String)) -> (i64, ModelInput) {
    let model_id = LoggedModelId::new(model);
    (place, ModelInput { model_id })
}

/// The place of a run, and a model that it made.
fn model_output((place, model, step): (i64, String, i64)) -> (i64, ModelOutput) {
    let model_id = LoggedModelId::new(model);
    (place, ModelOutput { model_id, step })
}

/// What the statements of a page return.
struct Logged {
    runs: OfRuns<runs::Row>,
    metrics: OfRuns<Metric>,
    params: OfRuns<Param>,
    tags: OfRuns<Tag>,
    datasets: OfRuns<(String, DatasetInput)>,
    model_inputs: OfRuns<ModelInput>,
    model_outputs: OfRuns<ModelOutput>,
}

impl Logged {
    /// Nothing yet, of so many runs.
    fn of(runs: usize) -> Self {
        Self {
            runs: OfRuns::new(runs),
            metrics: OfRuns::new(runs),
            params: OfRuns::new(runs),
            tags: OfRuns::new(runs),
            datasets: OfRuns::new(runs),
            model_inputs: OfRuns::new(runs),
            model_outputs: OfRuns::new(runs),
        }
    }

    /// Takes the run at this place.
    fn run(&mut self, place: usize, id: &str) -> Result<Run, StoreError> {
        let row = self.runs.take(place).pop();
        let row = row.ok_or_else(|| StoreError::not_found(Resource::Run, id))?;
        let mut data = RunData {
            metrics: self.metrics.take(place),
            params: self.params.take(place),
            tags: self.tags.take(place),
        };
        data.metrics.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        data.params.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        data.tags.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        let datasets = self.datasets.take(place).into_iter();
        Ok(Run {
            info: runs::info(row)?,
            data,
            inputs: RunInputs {
                datasets: datasets.map(|(_, dataset)| dataset).collect(),
                models: self.model_inputs.take(place),
            },
            outputs: self.model_outputs.take(place),
        })
    }
}

/// Things of one kind, for each run of a page.
struct OfRuns<T>(Vec<Vec<T>>);

impl<T> OfRuns<T> {
    fn new(runs: usize) -> Self {
        Self((0..runs).map(|_| Vec::new()).collect())
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(Vec::is_empty)
    }

    /// Takes the rows of a statement, of which `read` makes the place of a run
    /// and a thing of it.
    fn taking<'p, U: 'p>(
        &'p mut self,
        read: fn(U) -> (i64, T),
    ) -> impl FnMut(U) -> QueryResult<()> + 'p {
        move |row| {
            let (place, thing) = read(row);
            let place = usize::try_from(place).ok();
            let things = place.and_then(|place| self.0.get_mut(place));
            things
                .ok_or_else(|| {
                    let stray = "a row belongs to no run of the page";
                    DieselError::DeserializationError(stray.into())
                })?
                .push(thing);
            Ok(())
        }
    }

    /// The things of the run at this place.
    fn take(&mut self, place: usize) -> Vec<T> {
        self.0
            .get_mut(place)
            .map(std::mem::take)
            .unwrap_or_default()
    }
}

/// Adds the tags of the datasets of a page.
fn tags_of_inputs(
    connection: &mut Connection,
    datasets: &mut OfRuns<(String, DatasetInput)>,
) -> Result<(), StoreError> {
    let ids: Vec<String> = datasets
        .0
        .iter()
        .flatten()
        .map(|(id, _)| id.clone())
        .collect();
    if ids.is_empty() {
        return Ok(());
    }
    let mut tags_of: HashMap<String, Vec<Tag>> = HashMap::new();
    let tags: Vec<(String, String, String)> =
        Sql::new("select input_uuid, name, value from input_tags where input_uuid")
            .in_texts(false, ids)
            .sql(" order by ")
            .sql(connection.dialect().as_added("rowid", "name"))
            .rows::<(Text, Text, Text), _>(connection)
            .or_store_error()?;
    for (input, key, value) in tags {
        tags_of.entry(input).or_default().push(Tag { key, value });
    }
    for (id, dataset) in datasets.0.iter_mut().flatten() {
        dataset.tags = tags_of.remove(id).unwrap_or_default();
    }
    Ok(())
}
