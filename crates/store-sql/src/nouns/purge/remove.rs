//! Removes a deleted thing, children first, in steps.
//!
//! A step is one transaction. It makes sure again that the thing is deleted, and
//! removes a bounded number of rows: a run may have millions, and other writes
//! wait for a step. The row of the thing itself goes with the last step, so that a
//! removal that was cut short can be repeated. What belongs to a run, an
//! experiment or a model is what MLflow 3.17 removes with it, and the edges to
//! datasets, models and traces besides, which have no foreign key.

use diesel::sql_types::{Nullable, Text};
use runledger_entities::{ExperimentId, LoggedModelId, RunId};
use runledger_store::{Resource, StoreError};

use super::list::require_deleted;
use crate::{
    connection::Connection,
    dialect::Dialect,
    nouns::{OrStoreError as _, stage},
    sql::Sql,
};

/// How many rows a step removes at most, beside those of the things themselves.
const ROWS: i64 = 10_000;

/// How many runs, models or traces of an experiment a step removes at most.
const THINGS: usize = 100;

/// Tables with an `experiment_id`, whose rows go after runs, models and traces.
/// What hangs on them goes by cascade.
const OF_EXPERIMENT: [&str; 13] = [
    "logged_model_metrics",
    "spans",
    "datasets",
    "experiment_tags",
    "online_scoring_configs",
    "scorers",
    "issues",
    "review_queues",
    "label_schemas",
    // These have no foreign key, and a new experiment may get the same id on
    // SQLite.
    "sql_trace_metric_daily_rollups",
    "sql_span_cost_daily_rollups",
    "sql_assessment_daily_rollups",
    "sql_trace_rollup_rebuild_queue",
];

/// Whether a removal is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The thing is still there, with less of its data.
    More,
    /// The thing is gone.
    Last,
}

/// Rows of one table.
type Rows = (&'static str, Sql);

/// Removes a part of a deleted run.
pub(crate) fn run_step(connection: &mut Connection, id: &RunId) -> Result<Step, StoreError> {
    let (id, current) = lock(
        connection,
        Sql::new("select run_uuid, lifecycle_stage from runs where run_uuid = ").text(id.as_str()),
    )?
    .ok_or_else(|| StoreError::not_found(Resource::Run, id))?;
    require_deleted("run", &id, stage("runs", &id, current.as_deref())?)?;
    let mut left = ROWS;
    remove_runs(connection, vec![id], &mut left)
}

/// Removes a part of a deleted logged model.
pub(crate) fn model_step(
    connection: &mut Connection,
    id: &LoggedModelId,
) -> Result<Step, StoreError> {
    let (id, current) = lock(
        connection,
        Sql::new("select model_id, lifecycle_stage from logged_models where model_id = ")
            .text(id.as_str()),
    )?
    .ok_or_else(|| StoreError::not_found(Resource::LoggedModel, id))?;
    let current = stage("logged_models", &id, current.as_deref())?;
    require_deleted("logged model", &id, current)?;
    let mut left = ROWS;
    remove_models(connection, vec![id], &mut left)
}

/// Removes a part of a deleted experiment.
pub(crate) fn experiment_step(
    connection: &mut Connection,
    id: ExperimentId,
) -> Result<Step, StoreError> {
    let (_, current) = lock(
        connection,
        Sql::new(
            "select name, lifecycle_stage from experiments \
             where workspace = 'default' and experiment_id = ",
        )
        .int(id.0),
    )?
    .ok_or_else(|| StoreError::not_found(Resource::Experiment, id))?;
    let current = stage("experiments", id, current.as_deref())?;
    require_deleted("experiment", &id, current)?;
    refuse_used_scorers(connection, id)?;
    remove_experiment(connection, id, &mut { ROWS })
}

/// Removes a part of an experiment.
pub(super) fn remove_experiment(
    connection: &mut Connection,
    id: ExperimentId,
    left: &mut i64,
) -> Result<Step, StoreError> {
    let parts: [(&'static str, &'static str, Remove); 3] = [
        ("runs", "run_uuid", remove_runs),
        ("logged_models", "model_id", remove_models),
        ("trace_info", "request_id", remove_traces),
    ];
    for (table, key, remove) in parts {
        let found = some_of(connection, table, key, id)?;
        let all = found.len() < THINGS;
        if remove(connection, found, left)? == Step::More || !all {
            return Ok(Step::More);
        }
    }
    let mut rest: Vec<Rows> = OF_EXPERIMENT
        .into_iter()
        .map(|table| (table, Sql::new("experiment_id = ").int(id.0)))
        .collect();
    rest.extend(associations("experiment", &[id.to_string()]));
    if remove_rows(connection, rest, left)? == Step::More {
        return Ok(Step::More);
    }
    Sql::new("delete from experiments where experiment_id = ")
        .int(id.0)
        .run(connection)
        .or_store_error()?;
    Ok(Step::Last)
}

/// Removes things of one kind, or a part of what belongs to them.
type Remove = fn(&mut Connection, Vec<String>, &mut i64) -> Result<Step, StoreError>;

pub(super) fn remove_runs(
    connection: &mut Connection,
    ids: Vec<String>,
    left: &mut i64,
) -> Result<Step, StoreError> {
    if ids.is_empty() {
        return Ok(Step::Last);
    }
    let mut rows: Vec<Rows> = ["metrics", "latest_metrics", "params", "tags"]
        .into_iter()
        .map(|table| (table, among("run_uuid", &ids)))
        .collect();
    rows.push(("logged_model_metrics", among("run_id", &ids)));
    rows.extend(associations("run", &ids));
    if remove_rows(connection, rows, left)? == Step::More
        || remove_edges(connection, &ids, left)? == Step::More
    {
        return Ok(Step::More);
    }
    remove_things(connection, "delete from runs where run_uuid", ids)
}

pub(super) fn remove_models(
    connection: &mut Connection,
    ids: Vec<String>,
    left: &mut i64,
) -> Result<Step, StoreError> {
    if ids.is_empty() {
        return Ok(Step::Last);
    }
    let rows = [
        "logged_model_metrics",
        "logged_model_params",
        "logged_model_tags",
    ];
    let rows = rows
        .into_iter()
        .map(|table| (table, among("model_id", &ids)));
    if remove_rows(connection, rows, left)? == Step::More {
        return Ok(Step::More);
    }
    remove_things(connection, "delete from logged_models where model_id", ids)
}

pub(super) fn remove_traces(
    connection: &mut Connection,
    ids: Vec<String>,
    left: &mut i64,
) -> Result<Step, StoreError> {
    if ids.is_empty() {
        return Ok(Step::Last);
    }
    let rows = [
        ("span_metrics", "trace_id"),
        ("spans", "trace_id"),
        ("assessments", "trace_id"),
        ("trace_metrics", "request_id"),
        ("trace_request_metadata", "request_id"),
        ("trace_tags", "request_id"),
    ];
    let rows = rows
        .into_iter()
        .map(|(table, key)| (table, among(key, &ids)))
        .chain(associations("trace", &ids));
    if remove_rows(connection, rows, left)? == Step::More {
        return Ok(Step::More);
    }
    remove_things(connection, "delete from trace_info where request_id", ids)
}

/// Removes the edges between runs and what they read and made, with their tags.
pub(super) fn remove_edges(
    connection: &mut Connection,
    runs: &[String],
    left: &mut i64,
) -> Result<Step, StoreError> {
    let ends = [
        Sql::new("destination_type = 'RUN' and destination_id").in_texts(false, runs.to_vec()),
        Sql::new("source_type in ('RUN_INPUT', 'RUN_OUTPUT') and source_id")
            .in_texts(false, runs.to_vec()),
    ];
    for end in ends {
        let edges: Vec<String> = Sql::new("select input_uuid from inputs where ")
            .with(end)
            .sql(" limit ")
            .int(*left)
            .rows::<Text, _>(connection)
            .or_store_error()?;
        if edges.is_empty() {
            continue;
        }
        let rows = [
            ("input_tags", among("input_uuid", &edges)),
            ("inputs", among("input_uuid", &edges)),
        ];
        if remove_rows(connection, rows, left)? == Step::More {
            return Ok(Step::More);
        }
    }
    Ok(Step::Last)
}

/// Removes rows table by table, until there are none or no more may go now.
pub(super) fn remove_rows(
    connection: &mut Connection,
    rows: impl IntoIterator<Item = Rows>,
    left: &mut i64,
) -> Result<Step, StoreError> {
    for (table, condition) in rows {
        let removed = limited(connection.dialect(), table, condition, *left)
            .run(connection)
            .or_store_error()?;
        *left -= i64::try_from(removed).unwrap_or(i64::MAX);
        if *left <= 0 {
            return Ok(Step::More);
        }
    }
    Ok(Step::Last)
}

/// Deletes so many rows at most.
fn limited(dialect: Dialect, table: &'static str, condition: Sql, limit: i64) -> Sql {
    let delete = Sql::new("delete from ").sql(table).sql(" where ");
    match dialect {
        Dialect::Sqlite => delete
            .sql("rowid in (select rowid from ")
            .sql(table)
            .sql(" where ")
            .with(condition)
            .sql(" limit ")
            .int(limit)
            .sql(")"),
        Dialect::Postgres => delete
            .sql("ctid = any (array(select ctid from ")
            .sql(table)
            .sql(" where ")
            .with(condition)
            .sql(" limit ")
            .int(limit)
            .sql("))"),
        Dialect::Mysql => delete.with(condition).sql(" limit ").int(limit),
    }
}

/// Removes things that nothing hangs on any more.
fn remove_things(
    connection: &mut Connection,
    delete: &'static str,
    ids: Vec<String>,
) -> Result<Step, StoreError> {
    Sql::new(delete)
        .in_texts(false, ids)
        .run(connection)
        .or_store_error()?;
    Ok(Step::Last)
}

/// That a column is one of these.
pub(super) fn among(column: &'static str, ids: &[String]) -> Sql {
    Sql::new(column).in_texts(false, ids.to_vec())
}

/// The associations of things of this type, such as of a run with its traces.
fn associations(kind: &'static str, ids: &[String]) -> [Rows; 2] {
    let end = |end: &'static str, id: &'static str| {
        let end = Sql::new(end).text(kind).sql(id);
        ("entity_associations", end.in_texts(false, ids.to_vec()))
    };
    [
        end("source_type = ", " and source_id"),
        end("destination_type = ", " and destination_id"),
    ]
}

/// Ids of some things of an experiment.
fn some_of(
    connection: &mut Connection,
    table: &'static str,
    key: &'static str,
    experiment: ExperimentId,
) -> Result<Vec<String>, StoreError> {
    Sql::new("select ")
        .sql(key)
        .sql(" from ")
        .sql(table)
        .sql(" where experiment_id = ")
        .int(experiment.0)
        .sql(" limit ")
        .int(i64::try_from(THINGS).unwrap_or(i64::MAX))
        .rows::<Text, _>(connection)
        .or_store_error()
}

/// The row of a thing as its id and stage, kept from other writers until the end
/// of the step.
fn lock(
    connection: &mut Connection,
    select: Sql,
) -> Result<Option<(String, Option<String>)>, StoreError> {
    select
        .sql(connection.dialect().for_update())
        .first::<(Text, Nullable<Text>), _>(connection)
        .or_store_error()
}

/// Fails where a guardrail of a gateway uses a scorer of the experiment, before
/// anything is removed: the database would refuse to remove the scorer in the end.
fn refuse_used_scorers(
    connection: &mut Connection,
    experiment: ExperimentId,
) -> Result<(), StoreError> {
    let guardrail: Option<String> = Sql::new(
        "select g.guardrail_id from guardrails g join scorers s on s.scorer_id = g.scorer_id \
         where s.experiment_id = ",
    )
    .int(experiment.0)
    .sql(" limit 1")
    .first::<Text, _>(connection)
    .or_store_error()?;
    match guardrail {
        None => Ok(()),
        Some(guardrail) => Err(StoreError::invalid(format!(
            "The experiment {experiment} cannot be removed: the guardrail {guardrail} uses one of \
             its scorers. Delete the guardrail first."
        ))),
    }
}
