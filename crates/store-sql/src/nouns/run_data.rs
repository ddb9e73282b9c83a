//! What runs logged, for one run or a whole page of them.
//!
//! One statement for each kind of thing, over all runs of the page: the number
//! of statements does not grow with the page.

use std::collections::HashMap;

use diesel::{
    sql_types::{BigInt, Bool, Double, Nullable, Text},
    sqlite::SqliteConnection,
};
use runledger_entities::{
    Dataset, DatasetInput, LoggedModelId, Metric, ModelInput, ModelOutput, Param, Run, RunData,
    RunInfo, RunInputs, Tag,
};
use runledger_store::StoreError;

use super::OrStoreError as _;
use crate::{sql::Sql, values::StoredValue};

/// Runs with all they logged, in the order of `infos`.
pub(crate) fn complete(
    connection: &mut SqliteConnection,
    infos: Vec<RunInfo>,
) -> Result<Vec<Run>, StoreError> {
    let mut runs: Vec<Run> = infos
        .into_iter()
        .map(|info| Run {
            info,
            data: RunData::default(),
            inputs: RunInputs::default(),
            outputs: Vec::new(),
        })
        .collect();
    if runs.is_empty() {
        return Ok(runs);
    }
    let places: HashMap<String, usize> = runs
        .iter()
        .enumerate()
        .map(|(place, run)| (run.info.run_id.as_str().to_owned(), place))
        .collect();
    let mut ids: Vec<&str> = places.keys().map(String::as_str).collect();
    // In the order of the indexes, so that neighbouring runs share pages.
    ids.sort_unstable();
    let page = Page {
        list: serde_json::Value::from(ids).to_string(),
        places: &places,
    };

    page.metrics(connection, &mut runs)?;
    page.params(connection, &mut runs)?;
    page.tags(connection, &mut runs)?;
    page.datasets(connection, &mut runs)?;
    page.models(connection, &mut runs)?;
    Ok(runs)
}

/// The runs of one page: their ids as a JSON list, and their places on the page.
struct Page<'p> {
    list: String,
    places: &'p HashMap<String, usize>,
}

impl Page<'_> {
    fn select(&self, text: &'static str, rest: &'static str) -> Sql {
        Sql::new(text)
            .sql(" in (select value from json_each(")
            .text(&*self.list)
            .sql("))")
            .sql(rest)
    }

    /// Hands each row to `put` with the run it belongs to. Rows of one run come
    /// together, so that the run is looked up once.
    fn each<R>(
        &self,
        runs: &mut [Run],
        rows: Vec<R>,
        id: impl Fn(&R) -> &str,
        mut put: impl FnMut(&mut Run, R) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut at: Option<usize> = None;
        for row in rows {
            let here = at.filter(|place| runs[*place].info.run_id.as_str() == id(&row));
            at = here.or_else(|| self.places.get(id(&row)).copied());
            if let Some(place) = at {
                put(&mut runs[place], row)?;
            }
        }
        Ok(())
    }

    fn metrics(
        &self,
        connection: &mut SqliteConnection,
        runs: &mut [Run],
    ) -> Result<(), StoreError> {
        type Row = (String, String, f64, Option<i64>, i64, bool);
        let rows: Vec<Row> = self
            .select(
                "select run_uuid, key, value, timestamp, step, is_nan from latest_metrics \
                 where run_uuid",
                "",
            )
            .rows::<(Text, Text, Double, Nullable<BigInt>, BigInt, Bool), _>(connection)
            .or_store_error()?;
        self.each(
            runs,
            rows,
            |row| &row.0,
            |run, (_, key, value, timestamp, step, is_nan)| {
                let value = StoredValue { value, is_nan }.read();
                run.data
                    .metrics
                    .push(Metric::new(key, value, timestamp.unwrap_or_default(), step));
                Ok(())
            },
        )?;
        for run in runs {
            run.data.metrics.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        }
        Ok(())
    }

    fn params(
        &self,
        connection: &mut SqliteConnection,
        runs: &mut [Run],
    ) -> Result<(), StoreError> {
        let rows: Vec<(String, String, String)> = self
            .select("select run_uuid, key, value from params where run_uuid", "")
            .rows::<(Text, Text, Text), _>(connection)
            .or_store_error()?;
        self.each(
            runs,
            rows,
            |row| &row.0,
            |run, (_, key, value)| {
                run.data.params.push(Param { key, value });
                Ok(())
            },
        )?;
        for run in runs {
            run.data.params.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        }
        Ok(())
    }

    fn tags(&self, connection: &mut SqliteConnection, runs: &mut [Run]) -> Result<(), StoreError> {
        let rows: Vec<(String, String, Option<String>)> = self
            .select("select run_uuid, key, value from tags where run_uuid", "")
            .rows::<(Text, Text, Nullable<Text>), _>(connection)
            .or_store_error()?;
        self.each(
            runs,
            rows,
            |row| &row.0,
            |run, (_, key, value)| {
                run.data.tags.push(Tag {
                    key,
                    value: value.unwrap_or_default(),
                });
                Ok(())
            },
        )?;
        for run in runs {
            run.data.tags.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        }
        Ok(())
    }

    fn datasets(
        &self,
        connection: &mut SqliteConnection,
        runs: &mut [Run],
    ) -> Result<(), StoreError> {
        type Row = (
            String,
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
        let rows: Vec<Row> = self
            .select(
                "select i.destination_id, i.input_uuid, d.name, d.digest, d.dataset_source_type, \
                 d.dataset_source, d.dataset_schema, d.dataset_profile \
                 from inputs i join datasets d on d.dataset_uuid = i.source_id \
                 where i.destination_type = 'RUN' and i.source_type = 'DATASET' \
                 and i.destination_id",
                " order by i.destination_id, i.rowid",
            )
            .rows::<(
                Text,
                Text,
                (Text, Text, Text, Text, Nullable<Text>, Nullable<Text>),
            ), _>(connection)
            .or_store_error()?;
        if rows.is_empty() {
            return Ok(());
        }
        let tags: Vec<(String, String, String)> = Sql::new(
            "select input_uuid, name, value from input_tags where input_uuid in \
             (select value from json_each(",
        )
        .texts(rows.iter().map(|row| row.1.as_str()))
        .sql(")) order by rowid")
        .rows::<(Text, Text, Text), _>(connection)
        .or_store_error()?;
        let mut tags_of: HashMap<String, Vec<Tag>> = HashMap::new();
        for (input, key, value) in tags {
            tags_of.entry(input).or_default().push(Tag { key, value });
        }
        self.each(
            runs,
            rows,
            |row| &row.0,
            |run, (_, input, dataset)| {
                let (name, digest, source_type, source, schema, profile) = dataset;
                run.inputs.datasets.push(DatasetInput {
                    tags: tags_of.remove(&input).unwrap_or_default(),
                    dataset: Dataset {
                        name,
                        digest,
                        source_type,
                        source,
                        schema,
                        profile,
                    },
                });
                Ok(())
            },
        )
    }

    fn models(
        &self,
        connection: &mut SqliteConnection,
        runs: &mut [Run],
    ) -> Result<(), StoreError> {
        let rows: Vec<(String, String)> = self
            .select(
                "select source_id, destination_id from inputs \
                 where source_type = 'RUN_INPUT' and destination_type = 'MODEL_INPUT' \
                 and source_id",
                " order by source_id, rowid",
            )
            .rows::<(Text, Text), _>(connection)
            .or_store_error()?;
        self.each(
            runs,
            rows,
            |row| &row.0,
            |run, (_, model)| {
                run.inputs.models.push(ModelInput {
                    model_id: LoggedModelId::new(model),
                });
                Ok(())
            },
        )?;
        let rows: Vec<(String, String, i64)> = self
            .select(
                "select source_id, destination_id, step from inputs \
                 where source_type = 'RUN_OUTPUT' and destination_type = 'MODEL_OUTPUT' \
                 and source_id",
                " order by source_id, rowid",
            )
            .rows::<(Text, Text, BigInt), _>(connection)
            .or_store_error()?;
        self.each(
            runs,
            rows,
            |row| &row.0,
            |run, (_, model, step)| {
                run.outputs.push(ModelOutput {
                    model_id: LoggedModelId::new(model),
                    step,
                });
                Ok(())
            },
        )
    }
}
