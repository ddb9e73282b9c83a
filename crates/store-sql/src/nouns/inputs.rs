//! What runs read and made.

use diesel::sql_types::Text;
use runledger_entities::{DatasetInput, ExperimentId, ModelInput, ModelOutput, Run, RunId};
use runledger_store::StoreError;
use uuid::Uuid;

use super::{OrStoreError as _, datasets, runs};
use crate::{connection::Connection, sql::Sql};

/// A new id for a row of `inputs`. Its order is that of time: where a database
/// keeps no order of its own, inputs are read back as they were added.
fn input_uuid() -> String {
    Uuid::now_v7().simple().to_string()
}

/// Records datasets and models that an active run read.
pub(crate) fn log_inputs(
    connection: &mut Connection,
    run: &RunId,
    datasets: &[DatasetInput],
    models: &[ModelInput],
) -> Result<(), StoreError> {
    let experiment = runs::require_active(connection, run)?;
    for input in datasets {
        log_dataset(connection, run, experiment, input)?;
    }
    for model in models {
        Edge::read(run, model).insert(connection)?;
    }
    Ok(())
}

/// Records what a run of another store read and made.
pub(crate) fn adopt(connection: &mut Connection, run: &Run) -> Result<(), StoreError> {
    let (id, experiment) = (&run.info.run_id, run.info.experiment_id);
    for input in &run.inputs.datasets {
        log_dataset(connection, id, experiment, input)?;
    }
    for model in &run.inputs.models {
        Edge::read(id, model).insert(connection)?;
    }
    for model in &run.outputs {
        Edge::made(id, model).insert(connection)?;
    }
    Ok(())
}

fn log_dataset(
    connection: &mut Connection,
    run: &RunId,
    experiment: ExperimentId,
    input: &DatasetInput,
) -> Result<(), StoreError> {
    let dataset = datasets::ensure(connection, experiment, &input.dataset)?;
    let edge = Edge {
        source: ("DATASET", &dataset),
        destination: ("RUN", run.as_str()),
        step: 0,
    };
    // A use that is there already keeps its tags (MLflow 3.17).
    let Some(input_uuid) = edge.insert(connection)? else {
        return Ok(());
    };
    for tag in &input.tags {
        Sql::new("insert into input_tags (input_uuid, name, value) values (")
            .text(&*input_uuid)
            .sql(", ")
            .text(&*tag.key)
            .sql(", ")
            .text(&*tag.value)
            .sql(")")
            .with(connection.dialect().or_replace("input_uuid, name", "value"))
            .run(connection)
            .or_store_error()?;
    }
    Ok(())
}

/// Records models that an active run made. A model that is recorded already
/// stays: a client that repeats a call it got no answer to does no harm.
pub(crate) fn log_outputs(
    connection: &mut Connection,
    run: &RunId,
    models: &[ModelOutput],
) -> Result<(), StoreError> {
    runs::require_active(connection, run)?;
    for model in models {
        Edge::made(run, model).insert(connection)?;
    }
    Ok(())
}

/// A row of `inputs`, which joins any two things: the type and id of each.
struct Edge<'e> {
    source: (&'static str, &'e str),
    destination: (&'static str, &'e str),
    step: i64,
}

impl<'e> Edge<'e> {
    fn read(run: &'e RunId, model: &'e ModelInput) -> Self {
        Self {
            source: ("RUN_INPUT", run.as_str()),
            destination: ("MODEL_INPUT", model.model_id.as_str()),
            step: 0,
        }
    }

    fn made(run: &'e RunId, model: &'e ModelOutput) -> Self {
        Self {
            source: ("RUN_OUTPUT", run.as_str()),
            destination: ("MODEL_OUTPUT", model.model_id.as_str()),
            step: model.step,
        }
    }

    /// Adds the row; returns its id, or nothing where it is there already.
    fn insert(&self, connection: &mut Connection) -> Result<Option<String>, StoreError> {
        let added = input_uuid();
        Sql::new(
            "insert into inputs (input_uuid, source_type, source_id, destination_type, \
             destination_id, step) values (",
        )
        .text(&*added)
        .sql(", ")
        .text(self.source.0)
        .sql(", ")
        .text(self.source.1)
        .sql(", ")
        .text(self.destination.0)
        .sql(", ")
        .text(self.destination.1)
        .sql(", ")
        .int(self.step)
        .sql(")")
        .with(connection.dialect().or_keep("step"))
        .run(connection)
        .or_store_error()?;
        let there: Option<String> = Sql::new("select input_uuid from inputs where source_type = ")
            .text(self.source.0)
            .sql(" and source_id = ")
            .text(self.source.1)
            .sql(" and destination_type = ")
            .text(self.destination.0)
            .sql(" and destination_id = ")
            .text(self.destination.1)
            .first::<Text, _>(connection)
            .or_store_error()?;
        Ok(there.filter(|there| *there == added))
    }
}
