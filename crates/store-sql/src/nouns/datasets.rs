//! Datasets.

use diesel::sql_types::{Integer, Nullable, Text};
use runledger_entities::{Dataset, DatasetSummary, ExperimentId, RunId, Tag, limits};
use runledger_store::StoreError;

use super::OrStoreError as _;
use crate::{connection::Connection, sql::Sql, values::SerialId};

/// The id of a dataset of an experiment, which is added if it is not there.
/// One that is there keeps its source, schema and profile.
pub(crate) fn ensure(
    connection: &mut Connection,
    experiment: ExperimentId,
    dataset: &Dataset,
) -> Result<String, StoreError> {
    Sql::new(
        "insert into datasets (dataset_uuid, experiment_id, name, digest, dataset_source_type, \
         dataset_source, dataset_schema, dataset_profile) values (",
    )
    .text(RunId::random().into_string())
    .sql(", ")
    .int(experiment.0)
    .sql(", ")
    .text(&*dataset.name)
    .sql(", ")
    .text(&*dataset.digest)
    .sql(", ")
    .text(&*dataset.source_type)
    .sql(", ")
    .text(&*dataset.source)
    .sql(", ")
    .optional_text(dataset.schema.clone())
    .sql(", ")
    .optional_text(dataset.profile.clone())
    .sql(")")
    .with(connection.dialect().or_keep("name"))
    .run(connection)
    .or_store_error()?;
    let dialect = connection.dialect();
    Sql::new("select dataset_uuid from datasets where experiment_id = ")
        .int(experiment.0)
        .sql(" and ")
        .with(dialect.equal("name", &dataset.name))
        .sql(" and ")
        .with(dialect.equal("digest", &dataset.digest))
        .first::<Text, String>(connection)
        .or_store_error()?
        .ok_or_else(|| StoreError::internal("a dataset that was added is not there"))
}

/// The datasets that active runs of these experiments used.
pub(crate) fn search(
    connection: &mut Connection,
    experiments: &[ExperimentId],
) -> Result<Vec<DatasetSummary>, StoreError> {
    if !connection.schema().datasets {
        return Ok(Vec::new());
    }
    let rows: Vec<(SerialId, String, String, Option<String>)> = Sql::new(
        "select distinct d.experiment_id, d.name, d.digest, t.value \
         from datasets d \
         join inputs i on i.source_id = d.dataset_uuid \
           and i.source_type = 'DATASET' and i.destination_type = 'RUN' \
         left join input_tags t on t.input_uuid = i.input_uuid and t.name = ",
    )
    .text(Tag::DATASET_CONTEXT)
    .sql(" where d.experiment_id")
    .in_ints(false, experiments.iter().map(|id| id.0).collect())
    .sql(" order by d.experiment_id, d.name, d.digest, t.value limit ")
    .int(i64::try_from(limits::DATASET_SEARCH_RESULTS).unwrap_or(i64::MAX))
    .rows::<(Integer, Text, Text, Nullable<Text>), _>(connection)
    .or_store_error()?;
    Ok(rows
        .into_iter()
        .map(|(SerialId(id), name, digest, context)| DatasetSummary {
            experiment_id: ExperimentId(id),
            name,
            digest,
            context,
        })
        .collect())
}
