//! Removal in whatever stage a thing is, all of it in the transaction of the
//! caller: for a store that keeps what another one has.

use runledger_entities::ExperimentId;
use runledger_store::StoreError;

use super::remove::{
    among, remove_edges, remove_experiment, remove_models, remove_rows, remove_runs, remove_traces,
};
use crate::connection::Connection;

/// Removes runs with all that belongs to them.
pub(crate) fn forget_runs(
    connection: &mut Connection,
    runs: Vec<String>,
) -> Result<(), StoreError> {
    remove_runs(connection, runs, &mut all()).map(drop)
}

/// Removes what runs logged, but for the histories of their metrics.
pub(crate) fn forget_what_runs_logged(
    connection: &mut Connection,
    runs: &[String],
) -> Result<(), StoreError> {
    let rows = ["latest_metrics", "params", "tags"]
        .into_iter()
        .map(|table| (table, among("run_uuid", runs)));
    remove_rows(connection, rows, &mut all())?;
    remove_edges(connection, runs, &mut all()).map(drop)
}

/// Removes logged models with all that belongs to them.
pub(crate) fn forget_models(
    connection: &mut Connection,
    models: Vec<String>,
) -> Result<(), StoreError> {
    remove_models(connection, models, &mut all()).map(drop)
}

/// Removes traces with all that belongs to them.
pub(crate) fn forget_traces(
    connection: &mut Connection,
    traces: Vec<String>,
) -> Result<(), StoreError> {
    remove_traces(connection, traces, &mut all()).map(drop)
}

/// Removes an experiment with all that is in it.
pub(crate) fn forget_experiment(
    connection: &mut Connection,
    id: ExperimentId,
) -> Result<(), StoreError> {
    while remove_experiment(connection, id, &mut all())? == super::Step::More {}
    Ok(())
}

/// No bound on the number of rows.
fn all() -> i64 {
    i64::MAX
}
