//! What runs logged, for one run or a whole page of them.
//!
//! One statement for each kind of thing, over all runs of the page: the number
//! of statements does not grow with the page.

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
    let mut runs = page.runs(connection)?;
    if runs.len() < ids.len() {
        let missing = ids
            .iter()
            .find(|id| runs.iter().all(|run| run.info.run_id.as_str() != **id));
        return Err(StoreError::not_found(
            Resource::Run,
            missing.map_or("", String::as_str),
        ));
    }
    page.metrics(connection, &mut runs)?;
    page.params(connection, &mut runs)?;
    page.tags(connection, &mut runs)?;
    let schema = connection.schema();
    if schema.datasets {
        page.datasets(connection, &mut runs)?;
    }
    if schema.logged_models {
        page.models(connection, &mut runs)?;
    }
    for Run { data, .. } in &mut runs {
        data.metrics.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        data.params.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        data.tags.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    }
    Ok(runs)
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
    fn select(&self, columns: &'static str, joined: &'static str) -> Sql {
        Sql::new("select page.key, ")
            .sql(columns)
            .sql(" from ")
            .with(self.dialect.page(self.ids))
            .sql(self.dialect.page_join())
            .sql(joined)
    }

    fn runs(&self, connection: &mut Connection) -> Result<Vec<Run>, StoreError> {
        let mut rows: Vec<(i64, runs::Row)> = self
            .select(runs::COLUMNS, "runs r on r.run_uuid = page.value")
            .rows::<(BigInt, runs::Columns), _>(connection)
            .or_store_error()?;
        rows.sort_unstable_by_key(|(place, _)| *place);
        rows.into_iter()
            .map(|(_, row)| {
                Ok(Run {
                    info: runs::info(row)?,
                    data: RunData::default(),
                    inputs: RunInputs::default(),
                    outputs: Vec::new(),
                })
            })
            .collect()
    }

    fn metrics(&self, connection: &mut Connection, runs: &mut [Run]) -> Result<(), StoreError> {
        let rows: Vec<(i64, String, f64, Option<i64>, i64, bool)> = self
            .select(
                "m.key, m.value, m.timestamp, m.step, m.is_nan",
                "latest_metrics m on m.run_uuid = page.value",
            )
            .rows::<(BigInt, Text, Double, Nullable<BigInt>, BigInt, Bool), _>(connection)
            .or_store_error()?;
        for (place, key, value, timestamp, step, is_nan) in rows {
            let value = StoredValue { value, is_nan }.read();
            let metric = Metric::new(key, value, timestamp.unwrap_or_default(), step);
            at(runs, place)?.data.metrics.push(metric);
        }
        Ok(())
    }

    fn params(&self, connection: &mut Connection, runs: &mut [Run]) -> Result<(), StoreError> {
        let rows: Vec<(i64, String, String)> = self
            .select("p.key, p.value", "params p on p.run_uuid = page.value")
            .rows::<(BigInt, Text, Text), _>(connection)
            .or_store_error()?;
        for (place, key, value) in rows {
            at(runs, place)?.data.params.push(Param { key, value });
        }
        Ok(())
    }

    fn tags(&self, connection: &mut Connection, runs: &mut [Run]) -> Result<(), StoreError> {
        let rows: Vec<(i64, String, Option<String>)> = self
            .select("t.key, t.value", "tags t on t.run_uuid = page.value")
            .rows::<(BigInt, Text, Nullable<Text>), _>(connection)
            .or_store_error()?;
        for (place, key, value) in rows {
            at(runs, place)?.data.tags.push(Tag {
                key,
                value: value.unwrap_or_default(),
            });
        }
        Ok(())
    }

    fn datasets(&self, connection: &mut Connection, runs: &mut [Run]) -> Result<(), StoreError> {
        type Columns = (Text, Text, Text, Text, Nullable<Text>, Nullable<Text>);
        type Row = (
            String,
            String,
            String,
            String,
            Option<String>,
            Option<String>,
        );
        let rows: Vec<(i64, String, Row)> = self
            .select(
                "i.input_uuid, d.name, d.digest, d.dataset_source_type, d.dataset_source, \
                 d.dataset_schema, d.dataset_profile",
                "inputs i on i.destination_type = 'RUN' and i.destination_id = page.value \
                 and i.source_type = 'DATASET' \
                 join datasets d on d.dataset_uuid = i.source_id order by page.key, ",
            )
            .sql(self.dialect.as_added("i.rowid", "i.input_uuid"))
            .rows::<(BigInt, Text, Columns), _>(connection)
            .or_store_error()?;
        if rows.is_empty() {
            return Ok(());
        }
        let tags: Vec<(String, String, String)> =
            Sql::new("select input_uuid, name, value from input_tags where input_uuid")
                .in_texts(
                    false,
                    rows.iter().map(|(_, input, _)| input.clone()).collect(),
                )
                .sql(" order by ")
                .sql(self.dialect.as_added("rowid", "name"))
                .rows::<(Text, Text, Text), _>(connection)
                .or_store_error()?;
        let mut tags_of: HashMap<String, Vec<Tag>> = HashMap::new();
        for (input, key, value) in tags {
            tags_of.entry(input).or_default().push(Tag { key, value });
        }
        for (place, input, (name, digest, source_type, source, schema, profile)) in rows {
            at(runs, place)?.inputs.datasets.push(DatasetInput {
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
        }
        Ok(())
    }

    fn models(&self, connection: &mut Connection, runs: &mut [Run]) -> Result<(), StoreError> {
        let inputs: Vec<(i64, String)> = self
            .select(
                "i.destination_id",
                "inputs i on i.source_type = 'RUN_INPUT' and i.source_id = page.value \
                 and i.destination_type = 'MODEL_INPUT' order by page.key, ",
            )
            .sql(self.dialect.as_added("i.rowid", "i.input_uuid"))
            .rows::<(BigInt, Text), _>(connection)
            .or_store_error()?;
        for (place, model) in inputs {
            let model_id = LoggedModelId::new(model);
            at(runs, place)?.inputs.models.push(ModelInput { model_id });
        }
        let outputs: Vec<(i64, String, i64)> = self
            .select(
                "i.destination_id, i.step",
                "inputs i on i.source_type = 'RUN_OUTPUT' and i.source_id = page.value \
                 and i.destination_type = 'MODEL_OUTPUT' order by page.key, ",
            )
            .sql(self.dialect.as_added("i.rowid", "i.input_uuid"))
            .rows::<(BigInt, Text, BigInt), _>(connection)
            .or_store_error()?;
        for (place, model, step) in outputs {
            let model_id = LoggedModelId::new(model);
            at(runs, place)?
                .outputs
                .push(ModelOutput { model_id, step });
        }
        Ok(())
    }
}

/// The run at a place that the database returned.
fn at(runs: &mut [Run], place: i64) -> Result<&mut Run, StoreError> {
    usize::try_from(place)
        .ok()
        .and_then(|place| runs.get_mut(place))
        .ok_or_else(|| StoreError::internal("a row belongs to no run of the page"))
}
