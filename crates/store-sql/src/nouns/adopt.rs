//! Taking over what another store kept: [`runledger_store::AdoptStore`].
//!
//! Rows of many things go into a table together. Histories of metrics are left
//! alone: they are appended like all others.

mod registry;
mod traces;

use std::collections::HashSet;

use diesel::sql_types::Text;
use runledger_entities::{Experiment, LifecycleStage, LoggedModel, Metric};
use runledger_store::{AdoptedRun, Adoption, StoreError};

use super::{
    OrStoreError as _, experiments, inputs, purge,
    rows::{Values, insert_rows},
};
use crate::{
    connection::Connection, dialect::Dialect, error::is_unique_violation, sql::Sql,
    values::StoredValue,
};

/// Takes over and forgets, in one transaction.
///
/// `exact` keeps infinite values as they are, where MLflow's SQL store has the
/// largest number instead.
pub(crate) fn adopt(
    connection: &mut Connection,
    adoption: &Adoption,
    exact: bool,
) -> Result<(), StoreError> {
    let ids = |ids: &[_]| ids.iter().map(ToString::to_string).collect();
    purge::forget_runs(connection, ids(&adoption.gone_runs))?;
    let ids = |ids: &[_]| ids.iter().map(ToString::to_string).collect();
    purge::forget_models(connection, ids(&adoption.gone_logged_models))?;
    let ids = |ids: &[_]| ids.iter().map(ToString::to_string).collect();
    purge::forget_traces(connection, ids(&adoption.gone_traces))?;
    for id in &adoption.gone_experiments {
        purge::forget_experiment(connection, *id)?;
    }
    for experiment in &adoption.experiments {
        put_experiment(connection, experiment)?;
    }
    if !adoption.experiments.is_empty() && connection.dialect() == Dialect::Postgres {
        // Given ids do not move the sequence that new ones come from.
        Sql::new(
            "select setval(pg_get_serial_sequence('experiments', 'experiment_id'), \
             greatest(max(experiment_id), 1)) from experiments",
        )
        .run(connection)
        .or_store_error()?;
    }
    put_runs(connection, &adoption.runs, exact)?;
    for model in &adoption.logged_models {
        put_model(connection, model, exact)?;
    }
    for adopted in &adoption.registered_models {
        registry::put(connection, adopted)?;
    }
    traces::put(connection, &adoption.traces)
}

fn put_experiment(connection: &mut Connection, experiment: &Experiment) -> Result<(), StoreError> {
    let id = experiment.experiment_id;
    let known = Sql::new("update experiments set name = ")
        .text(&*experiment.name)
        .sql(", artifact_location = ")
        .text(&*experiment.artifact_location)
        .sql(", lifecycle_stage = ")
        .text(experiment.lifecycle_stage.name())
        .sql(", creation_time = ")
        .optional_int(experiment.creation_time)
        .sql(", last_update_time = ")
        .optional_int(experiment.last_update_time)
        .sql(" where experiment_id = ")
        .int(id.0)
        .run(connection);
    let put = match known {
        Ok(0) => Sql::new(
            "insert into experiments (name, workspace, artifact_location, lifecycle_stage, \
             creation_time, last_update_time, experiment_id) values (",
        )
        .text(&*experiment.name)
        .sql(", 'default', ")
        .text(&*experiment.artifact_location)
        .sql(", ")
        .text(experiment.lifecycle_stage.name())
        .sql(", ")
        .optional_int(experiment.creation_time)
        .sql(", ")
        .optional_int(experiment.last_update_time)
        .sql(", ")
        .int(id.0)
        .sql(")")
        .run(connection),
        known => known,
    };
    match put {
        Err(error) if is_unique_violation(&error) => {
            return Err(StoreError::ExperimentExists {
                name: experiment.name.clone(),
            });
        }
        put => put.or_store_error()?,
    };
    Sql::new("delete from experiment_tags where experiment_id = ")
        .int(id.0)
        .run(connection)
        .or_store_error()?;
    for tag in &experiment.tags {
        experiments::upsert_tag(connection, id, tag)?;
    }
    Ok(())
}

/// A value of a run, with the id of the run.
struct Of<'a, T>(&'a str, &'a T);

/// What the runs hold of one kind.
fn all<'a, T, I>(runs: &'a [AdoptedRun], of: impl Fn(&'a AdoptedRun) -> I) -> Vec<Of<'a, T>>
where
    I: IntoIterator<Item = &'a T>,
    T: 'a,
{
    runs.iter()
        .flat_map(|adopted| {
            let id = adopted.run.info.run_id.as_str();
            of(adopted).into_iter().map(move |value| Of(id, value))
        })
        .collect()
}

fn put_runs(
    connection: &mut Connection,
    runs: &[AdoptedRun],
    exact: bool,
) -> Result<(), StoreError> {
    if runs.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = runs
        .iter()
        .map(|adopted| adopted.run.info.run_id.as_str().to_owned())
        .collect();
    let known: HashSet<String> = Sql::new("select run_uuid from runs where run_uuid")
        .in_texts(false, ids.clone())
        .rows::<Text, String>(connection)
        .or_store_error()?
        .into_iter()
        .collect();
    if !known.is_empty() {
        purge::forget_what_runs_logged(connection, &ids)?;
    }
    for adopted in runs {
        put_run(connection, adopted, &known)?;
    }
    insert_rows(
        connection,
        "insert into params (\"key\", value, run_uuid)",
        &all(runs, |adopted| &adopted.run.data.params),
        |Of(run, param)| {
            let row = Values::default().text(&*param.key);
            row.text(&*param.value).text(*run)
        },
    )?;
    insert_rows(
        connection,
        "insert into tags (\"key\", value, run_uuid)",
        &all(runs, |adopted| &adopted.run.data.tags),
        |Of(run, tag)| {
            Values::default()
                .text(&*tag.key)
                .text(&*tag.value)
                .text(*run)
        },
    )?;
    insert_rows(
        connection,
        "insert into latest_metrics (\"key\", value, timestamp, step, is_nan, run_uuid)",
        &all(runs, |adopted| &adopted.run.data.metrics),
        |Of(run, metric)| {
            let stored = stored(metric, exact);
            Values::default()
                .text(&*metric.key)
                .real(stored.value)
                .int(metric.timestamp)
                .int(metric.step)
                .bool(stored.is_nan)
                .text(*run)
        },
    )?;
    for adopted in runs {
        inputs::adopt(connection, &adopted.run)?;
    }
    Ok(())
}

fn stored(metric: &Metric, exact: bool) -> StoredValue {
    let stored = StoredValue::of(metric.value);
    if exact && metric.value.is_infinite() {
        return StoredValue {
            value: metric.value,
            ..stored
        };
    }
    stored
}

fn put_run(
    connection: &mut Connection,
    adopted: &AdoptedRun,
    known: &HashSet<String>,
) -> Result<(), StoreError> {
    let info = &adopted.run.info;
    let sql = if known.contains(info.run_id.as_str()) {
        Sql::new("update runs set name = ")
            .optional_text(info.run_name.clone())
            .sql(", user_id = ")
            .text(&*info.user_id)
            .sql(", status = ")
            .text(info.status.name())
            .sql(", start_time = ")
            .int(info.start_time)
            .sql(", end_time = ")
            .optional_int(info.end_time)
            .sql(", deleted_time = ")
            .optional_int(adopted.deleted_time)
            .sql(", lifecycle_stage = ")
            .text(info.lifecycle_stage.name())
            .sql(", artifact_uri = ")
            .text(&*info.artifact_uri)
            .sql(", experiment_id = ")
            .int(info.experiment_id.0)
            .sql(" where run_uuid = ")
            .text(info.run_id.as_str())
    } else {
        Sql::new(
            "insert into runs (source_type, source_name, entry_point_name, source_version, name, \
             user_id, status, start_time, end_time, deleted_time, lifecycle_stage, artifact_uri, \
             experiment_id, run_uuid) values ('UNKNOWN', '', '', '', ",
        )
        .optional_text(info.run_name.clone())
        .sql(", ")
        .text(&*info.user_id)
        .sql(", ")
        .text(info.status.name())
        .sql(", ")
        .int(info.start_time)
        .sql(", ")
        .optional_int(info.end_time)
        .sql(", ")
        .optional_int(adopted.deleted_time)
        .sql(", ")
        .text(info.lifecycle_stage.name())
        .sql(", ")
        .text(&*info.artifact_uri)
        .sql(", ")
        .int(info.experiment_id.0)
        .sql(", ")
        .text(info.run_id.as_str())
        .sql(")")
    };
    sql.run(connection).or_store_error()?;
    Ok(())
}

fn put_model(
    connection: &mut Connection,
    model: &LoggedModel,
    exact: bool,
) -> Result<(), StoreError> {
    let id = model.model_id.as_str();
    purge::forget_models(connection, vec![id.to_owned()])?;
    Sql::new(
        "insert into logged_models (model_id, experiment_id, name, artifact_location, \
         creation_timestamp_ms, last_updated_timestamp_ms, status, lifecycle_stage, model_type, \
         source_run_id, status_message) values (",
    )
    .text(id)
    .sql(", ")
    .int(model.experiment_id.0)
    .sql(", ")
    .text(&*model.name)
    .sql(", ")
    .text(&*model.artifact_location)
    .sql(", ")
    .int(model.creation_timestamp)
    .sql(", ")
    .int(model.last_updated_timestamp)
    .sql(", ")
    .int(i64::from(model.status.number()))
    .sql(", ")
    .text(model.lifecycle_stage.name())
    .sql(", ")
    .optional_text(model.model_type.clone())
    .sql(", ")
    .optional_text(model.source_run_id.as_ref().map(ToString::to_string))
    .sql(", ")
    .optional_text(model.status_message.clone())
    .sql(")")
    .run(connection)
    .or_store_error()?;
    let experiment = model.experiment_id.0;
    insert_rows(
        connection,
        "insert into logged_model_params (param_key, param_value, model_id, experiment_id)",
        &model.params,
        |param| {
            let row = Values::default().text(&*param.key).text(&*param.value);
            row.text(id).int(experiment)
        },
    )?;
    insert_rows(
        connection,
        "insert into logged_model_tags (tag_key, tag_value, model_id, experiment_id)",
        &model.tags,
        |tag| {
            let row = Values::default().text(&*tag.key).text(&*tag.value);
            row.text(id).int(experiment)
        },
    )?;
    put_model_metrics(connection, model, exact)
}

fn put_model_metrics(
    connection: &mut Connection,
    model: &LoggedModel,
    exact: bool,
) -> Result<(), StoreError> {
    if model.metrics.is_empty() || model.lifecycle_stage == LifecycleStage::Deleted {
        return Ok(());
    }
    let runs: HashSet<&str> = model.metrics.iter().map(|of| of.run_id.as_str()).collect();
    let runs = runs.into_iter().map(str::to_owned).collect();
    let known: HashSet<String> = Sql::new("select run_uuid from runs where run_uuid")
        .in_texts(false, runs)
        .rows::<Text, String>(connection)
        .or_store_error()?
        .into_iter()
        .collect();
    for metric in &model.metrics {
        if !known.contains(metric.run_id.as_str()) {
            continue;
        }
        let value = metric.value.map(|value| {
            if exact {
                value
            } else {
                StoredValue::of(value).value
            }
        });
        Sql::new(
            "insert into logged_model_metrics (model_id, experiment_id, metric_name, \
             metric_timestamp_ms, metric_step, metric_value, run_id, dataset_name, \
             dataset_digest, dataset_uuid) select ",
        )
        .text(model.model_id.as_str())
        .sql(", e.experiment_id, ")
        .text(&*metric.key)
        .sql(", ")
        .int(metric.timestamp)
        .sql(", ")
        .int(metric.step)
        .sql(", ")
        .with(match value {
            Some(value) if !value.is_nan() => Sql::new("").real(value),
            _ => Sql::new("null"),
        })
        .sql(", ")
        .text(metric.run_id.as_str())
        .sql(", ")
        .optional_text(metric.dataset_name.clone())
        .sql(", ")
        .optional_text(metric.dataset_digest.clone())
        .sql(
            ", (select min(d.dataset_uuid) from datasets d where d.experiment_id = e.experiment_id \
             and d.name = ",
        )
        .optional_text(metric.dataset_name.clone())
        .sql(" and d.digest = ")
        .optional_text(metric.dataset_digest.clone())
        .sql(") from experiments e where e.experiment_id = ")
        .int(model.experiment_id.0)
        .with(connection.dialect().or_keep("metric_value"))
        .run(connection)
        .or_store_error()?;
    }
    Ok(())
}
