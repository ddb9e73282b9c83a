//! What runs logged, for one run or a whole page of them.
//!
//! One statement for each kind of thing, over all runs of the page: the number
//! of statements does not grow with the page. They are sent together.

use std::collections::HashMap;

use diesel::sql_types::{BigInt, Bool, Double, Nullable, Text};
use runledger_entities::{
    Dataset, DatasetInput, LoggedModelId, Metric, ModelInput, ModelOutput, Param, Run, RunData,
    RunInputs, Tag,
};
use runledger_store::{Resource, StoreError};

use super::{OrStoreError as _, runs};
use crate::{connection::Connection, dialect::Dialect, sql::Sql, values::StoredValue};

/// The runs of these ids with all they logged, in the order of the ids.
pub(crate) fn load(connection: &mut Connection, ids: &[String]) -> Result<Vec<Run>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let page = Page {
        ids,
        dialect: connection.dialect(),
    };
    let schema = connection.schema();
    let mut rows = Rows::default();
    let mut reads = vec![
        page.runs()
            .into_rows::<(BigInt, runs::Columns), _>(&mut rows.runs),
        page.metrics()
            .into_rows::<MetricColumns, _>(&mut rows.metrics),
        page.params()
            .into_rows::<(BigInt, Text, Text), _>(&mut rows.params),
        page.tags()
            .into_rows::<(BigInt, Text, Nullable<Text>), _>(&mut rows.tags),
    ];
    if schema.datasets {
        reads.push(
            page.datasets()
                .into_rows::<DatasetColumns, _>(&mut rows.datasets),
        );
    }
    if schema.logged_models {
        reads.push(
            page.model_inputs()
                .into_rows::<(BigInt, Text), _>(&mut rows.model_inputs),
        );
        reads.push(
            page.model_outputs()
                .into_rows::<(BigInt, Text, BigInt), _>(&mut rows.model_outputs),
        );
    }
    connection.together(reads).or_store_error()?;
    if rows.runs.len() < ids.len() {
        let there = |id: &&String| rows.runs.iter().any(|(_, row)| row.0 == **id);
        let missing = ids.iter().find(|id| !there(id));
        return Err(StoreError::not_found(
            Resource::Run,
            missing.map_or("", String::as_str),
        ));
    }
    let dataset_tags = tags_of_inputs(connection, &rows.datasets)?;
    rows.into_runs(dataset_tags)
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

/// The place of the run, the id of the input, and the dataset.
type DatasetRow = (
    i64,
    String,
    (
        String,
        String,
        String,
        String,
        Option<String>,
        Option<String>,
    ),
);

/// What the statements of a page return, each row with the place of its run.
#[derive(Default)]
struct Rows {
    runs: Vec<(i64, runs::Row)>,
    metrics: Vec<(i64, String, f64, Option<i64>, i64, bool)>,
    params: Vec<(i64, String, String)>,
    tags: Vec<(i64, String, Option<String>)>,
    datasets: Vec<DatasetRow>,
    model_inputs: Vec<(i64, String)>,
    model_outputs: Vec<(i64, String, i64)>,
}

impl Rows {
    fn into_runs(
        mut self,
        mut dataset_tags: HashMap<String, Vec<Tag>>,
    ) -> Result<Vec<Run>, StoreError> {
        self.runs.sort_unstable_by_key(|(place, _)| *place);
        let mut runs = self
            .runs
            .into_iter()
            .map(|(_, row)| {
                Ok(Run {
                    info: runs::info(row)?,
                    data: RunData::default(),
                    inputs: RunInputs::default(),
                    outputs: Vec::new(),
                })
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        for (place, key, value, timestamp, step, is_nan) in self.metrics {
            let value = StoredValue { value, is_nan }.read();
            let metric = Metric::new(key, value, timestamp.unwrap_or_default(), step);
            at(&mut runs, place)?.data.metrics.push(metric);
        }
        for (place, key, value) in self.params {
            at(&mut runs, place)?.data.params.push(Param { key, value });
        }
        for (place, key, value) in self.tags {
            let value = value.unwrap_or_default();
            at(&mut runs, place)?.data.tags.push(Tag { key, value });
        }
        for (place, input, (name, digest, source_type, source, schema, profile)) in self.datasets {
            at(&mut runs, place)?.inputs.datasets.push(DatasetInput {
                tags: dataset_tags.remove(&input).unwrap_or_default(),
                dataset: Dataset {
                    name,
                    digest,
                    source_type,
                    source,
                    schema,
                    profile,
                },
            });
        }
        for (place, model) in self.model_inputs {
            let model_id = LoggedModelId::new(model);
            at(&mut runs, place)?
                .inputs
                .models
                .push(ModelInput { model_id });
        }
        for (place, model, step) in self.model_outputs {
            let model_id = LoggedModelId::new(model);
            at(&mut runs, place)?
                .outputs
                .push(ModelOutput { model_id, step });
        }
        for Run { data, .. } in &mut runs {
            data.metrics.sort_unstable_by(|a, b| a.key.cmp(&b.key));
            data.params.sort_unstable_by(|a, b| a.key.cmp(&b.key));
            data.tags.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        }
        Ok(runs)
    }
}

/// The tags of the datasets of a page, by the id of their input.
fn tags_of_inputs(
    connection: &mut Connection,
    datasets: &[DatasetRow],
) -> Result<HashMap<String, Vec<Tag>>, StoreError> {
    let mut tags_of: HashMap<String, Vec<Tag>> = HashMap::new();
    if datasets.is_empty() {
        return Ok(tags_of);
    }
    let tags: Vec<(String, String, String)> =
        Sql::new("select input_uuid, name, value from input_tags where input_uuid")
            .in_texts(
                false,
                datasets.iter().map(|(_, input, _)| input.clone()).collect(),
            )
            .sql(" order by ")
            .sql(connection.dialect().as_added("rowid", "name"))
            .rows::<(Text, Text, Text), _>(connection)
            .or_store_error()?;
    for (input, key, value) in tags {
        tags_of.entry(input).or_default().push(Tag { key, value });
    }
    Ok(tags_of)
}

/// The run at a place that the database returned.
fn at(runs: &mut [Run], place: i64) -> Result<&mut Run, StoreError> {
    usize::try_from(place)
        .ok()
        .and_then(|place| runs.get_mut(place))
        .ok_or_else(|| StoreError::internal("a row belongs to no run of the page"))
}
