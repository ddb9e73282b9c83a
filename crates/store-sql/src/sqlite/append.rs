//! Appending batches: the hot path of every training run.
//!
//! Written against rusqlite: Diesel's bulk inserts reach two thirds of its
//! speed (docs/decisions/0003). For each batch everything that can be refused
//! is checked before anything is written, so that a group of batches needs no
//! savepoints: one that is refused has changed nothing.

use runledger_entities::{LifecycleStage, Metric, Param, RunId, Tag};
use runledger_store::{Batch, ParamChange, Resource, StoreError};
use rusqlite::{Connection, OptionalExtension as _, Statement, params};

use crate::{error::from_rusqlite, executor::Append, values::StoredValue};

/// The prepared statements that append, over one connection.
pub(crate) struct Appender<'c> {
    connection: &'c Connection,
    begin: Statement<'c>,
    commit: Statement<'c>,
    run: Statement<'c>,
    param: Statement<'c>,
    insert_param: Statement<'c>,
    insert_metric: Statement<'c>,
    raise_latest: Statement<'c>,
    set_tag: Statement<'c>,
    rename_run: Statement<'c>,
    model: Statement<'c>,
    insert_model_metric: Statement<'c>,
}

/// Why a batch was not appended.
enum Failure {
    /// It was refused before anything was written.
    Refused(StoreError),
    /// The database failed, maybe half way through.
    Broken(rusqlite::Error),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Broken(error)
    }
}

impl<'c> Appender<'c> {
    /// Prepares the statements.
    pub(crate) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            connection,
            begin: connection.prepare("begin immediate")?,
            commit: connection.prepare("commit")?,
            run: connection
                .prepare("select lifecycle_stage, experiment_id from runs where run_uuid = ?")?,
            param: connection.prepare("select value from params where key = ? and run_uuid = ?")?,
            insert_param: connection
                .prepare("insert into params (key, value, run_uuid) values (?, ?, ?)")?,
            insert_metric: connection.prepare(
                "insert into metrics (key, value, timestamp, run_uuid, step, is_nan) \
                 values (?, ?, ?, ?, ?, ?) on conflict do nothing",
            )?,
            raise_latest: connection.prepare(
                "insert into latest_metrics (key, value, timestamp, step, is_nan, run_uuid) \
                 values (?, ?, ?, ?, ?, ?) \
                 on conflict (key, run_uuid) do update set \
                   value = excluded.value, timestamp = excluded.timestamp, \
                   step = excluded.step, is_nan = excluded.is_nan \
                 where (excluded.step, excluded.timestamp, excluded.value) > \
                   (latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)",
            )?,
            set_tag: connection.prepare(
                "insert into tags (key, value, run_uuid) values (?, ?, ?) \
                 on conflict (key, run_uuid) do update set value = excluded.value",
            )?,
            rename_run: connection.prepare("update runs set name = ? where run_uuid = ?")?,
            model: connection.prepare(
                "select 1 from logged_models where model_id = ? and lifecycle_stage = 'active'",
            )?,
            insert_model_metric: connection.prepare(
                "insert into logged_model_metrics (model_id, metric_name, metric_timestamp_ms, \
                   metric_step, metric_value, experiment_id, run_id, dataset_uuid, dataset_name, \
                   dataset_digest) \
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, \
                   (select dataset_uuid from datasets \
                    where experiment_id = ?6 and name = ?8 and digest = ?9), ?8, ?9) \
                 on conflict do nothing",
            )?,
        })
    }

    /// The connection, between transactions.
    pub(crate) fn connection(&self) -> &Connection {
        self.connection
    }

    /// Appends batches in one transaction; the results are those of the batches,
    /// after the commit.
    ///
    /// If one of them breaks the transaction, each is tried alone, which shows
    /// which it was. A database that is busy, full or failing is not tried again:
    /// all are told at once.
    pub(crate) fn append(&mut self, group: &[Append]) -> Vec<Result<(), StoreError>> {
        let error = match self.transaction(group) {
            Ok(results) => return results,
            Err(error) => error,
        };
        let of_one_batch = matches!(
            error.sqlite_error_code(),
            Some(rusqlite::ErrorCode::ConstraintViolation | rusqlite::ErrorCode::TooBig)
        );
        if !of_one_batch || group.len() == 1 {
            return group.iter().map(|_| Err(from_rusqlite(&error))).collect();
        }
        let alone = |append| {
            let results = self.transaction(std::slice::from_ref(append));
            results
                .map_err(|error| from_rusqlite(&error))?
                .into_iter()
                .collect()
        };
        group.iter().map(alone).collect()
    }

    fn transaction(
        &mut self,
        group: &[Append],
    ) -> Result<Vec<Result<(), StoreError>>, rusqlite::Error> {
        self.begin.execute([])?;
        let mut results = Vec::with_capacity(group.len());
        for append in group {
            match self.batch(append) {
                Ok(()) => results.push(Ok(())),
                Err(Failure::Refused(error)) => results.push(Err(error)),
                Err(Failure::Broken(error)) => {
                    self.roll_back();
                    return Err(error);
                }
            }
        }
        if let Err(error) = self.commit.execute([]) {
            self.roll_back();
            return Err(error);
        }
        Ok(results)
    }

    /// Ends a transaction that failed, or that a panic left open.
    pub(crate) fn roll_back(&self) {
        // SQLite may have rolled back on its own; a second time is an error
        // that says no more.
        let _ = self.connection.execute_batch("rollback");
    }

    fn batch(&mut self, append: &Append) -> Result<(), Failure> {
        let run_id = append.run_id.as_str();
        let Batch {
            metrics,
            params,
            tags,
        } = &append.batch;
        let experiment_id = self.active_run(&append.run_id)?;
        let new_params = self.new_params(&append.run_id, params, append.single_param)?;
        self.models_of(metrics)?;

        for param in new_params {
            self.insert_param
                .execute(params![param.key, param.value, run_id])?;
        }
        self.metrics(run_id, experiment_id, metrics)?;
        for Tag { key, value } in tags {
            // A run cannot lose its name (MLflow 3.17).
            if key == Tag::RUN_NAME && value.is_empty() {
                continue;
            }
            self.set_tag.execute(params![key, value, run_id])?;
            if key == Tag::RUN_NAME {
                self.rename_run.execute(params![value, run_id])?;
            }
        }
        Ok(())
    }

    /// The experiment of a run that may be written to.
    fn active_run(&mut self, run_id: &RunId) -> Result<i64, Failure> {
        let found: Option<(String, i64)> = self
            .run
            .query_row([run_id.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((stage, experiment_id)) = found else {
            return Err(Failure::Refused(StoreError::not_found(
                Resource::Run,
                run_id,
            )));
        };
        if stage != LifecycleStage::Active.name() {
            return Err(Failure::Refused(StoreError::Lifecycle {
                what: "run",
                id: run_id.to_string(),
                wanted: LifecycleStage::Active,
                current: LifecycleStage::Deleted,
            }));
        }
        Ok(experiment_id)
    }

    /// The params that are not there yet; an error if one would change.
    fn new_params<'p>(
        &mut self,
        run_id: &RunId,
        params: &'p [Param],
        single: bool,
    ) -> Result<Vec<&'p Param>, Failure> {
        let mut new = Vec::with_capacity(params.len());
        let mut changes = Vec::new();
        for param in params {
            let old: Option<String> = self
                .param
                .query_row([param.key.as_str(), run_id.as_str()], |row| row.get(0))
                .optional()?;
            match old {
                None => new.push(param),
                Some(old) if old == param.value => {}
                Some(old) => changes.push(ParamChange {
                    key: param.key.clone(),
                    old,
                    new: param.value.clone(),
                }),
            }
        }
        if changes.is_empty() {
            return Ok(new);
        }
        let run_id = run_id.clone();
        Err(Failure::Refused(StoreError::ParamsChanged {
            run_id,
            changes,
            single,
        }))
    }

    /// Checks that the logged models that metrics name are there.
    fn models_of(&mut self, metrics: &[Metric]) -> Result<(), Failure> {
        let mut known: Option<&str> = None;
        for metric in metrics {
            let Some(model_id) = metric.model.as_deref().and_then(|m| m.model_id.as_deref()) else {
                continue;
            };
            if known == Some(model_id) {
                continue;
            }
            if !self.model.exists([model_id])? {
                return Err(Failure::Refused(StoreError::not_found(
                    Resource::LoggedModel,
                    model_id,
                )));
            }
            known = Some(model_id);
        }
        Ok(())
    }

    fn metrics(
        &mut self,
        run_id: &str,
        experiment_id: i64,
        metrics: &[Metric],
    ) -> rusqlite::Result<()> {
        // In the order of the primary key: neighbours go to one page of the index.
        let mut sorted: Vec<&Metric> = metrics.iter().collect();
        // Stable: of equals the first in the request counts.
        sorted.sort_by(|a, b| (&a.key, a.timestamp, a.step).cmp(&(&b.key, b.timestamp, b.step)));
        for series in sorted.chunk_by(|a, b| a.key == b.key) {
            // The newest of each series is all that the table of latest values
            // needs to see.
            let mut latest = series[0];
            for metric in series {
                self.metric(run_id, experiment_id, metric)?;
                if recency(metric) > recency(latest) {
                    latest = metric;
                }
            }
            self.latest(run_id, latest)?;
        }
        Ok(())
    }

    fn metric(
        &mut self,
        run_id: &str,
        experiment_id: i64,
        metric: &Metric,
    ) -> rusqlite::Result<()> {
        let StoredValue { value, is_nan } = StoredValue::of(metric.value);
        self.insert_metric.execute(params![
            metric.key,
            value,
            metric.timestamp,
            run_id,
            metric.step,
            is_nan
        ])?;
        if let Some(model) = metric.model.as_deref()
            && let Some(model_id) = &model.model_id
        {
            self.insert_model_metric.execute(params![
                model_id,
                metric.key,
                metric.timestamp,
                metric.step,
                value,
                experiment_id,
                run_id,
                model.dataset_name,
                model.dataset_digest,
            ])?;
        }
        Ok(())
    }

    fn latest(&mut self, run_id: &str, metric: &Metric) -> rusqlite::Result<()> {
        let StoredValue { value, is_nan } = StoredValue::of(metric.value);
        self.raise_latest.execute(params![
            metric.key,
            value,
            metric.timestamp,
            metric.step,
            is_nan,
            run_id
        ])?;
        Ok(())
    }
}

/// What makes one value of a metric newer than another: step, then time, then value.
fn recency(metric: &Metric) -> (i64, i64, Ordered) {
    (
        metric.step,
        metric.timestamp,
        Ordered(StoredValue::of(metric.value).value),
    )
}

/// A number that is not NaN.
#[derive(PartialEq, PartialOrd)]
struct Ordered(f64);
