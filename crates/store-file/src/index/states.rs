//! What the index knows of the files: how each folder looked when it was read.
//!
//! A small database beside the one that answers searches. Its write lock is also
//! what keeps two processes from refreshing at the same time: a folder is read
//! and its index entry written while it is held, so that what is read later
//! is written later.

use std::{path::Path, time::Duration};

use runledger_entities::{ExperimentId, LoggedModelId, RunId, TraceId};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{folder::metrics::MetricFiles, index::metric_states};

/// How long another process is waited for: as long as a first reading of a
/// large folder takes.
const LOCK_TIMEOUT: Duration = Duration::from_mins(10);

/// The tables. A file of another version is thrown away.
const SCHEMA: &str = "
    create table if not exists boot (id text primary key) without rowid;
    create table if not exists search (name text primary key) without rowid;
    create table if not exists experiments (
        experiment_id integer primary key,
        signature     integer
    ) without rowid;
    create table if not exists runs (
        run_id        text primary key,
        experiment_id integer not null,
        signature     integer,
        metrics       blob not null
    ) without rowid;
    create index if not exists runs_by_experiment on runs (experiment_id);
    create table if not exists logged_models (
        model_id      text primary key,
        experiment_id integer not null,
        signature     integer
    ) without rowid;
    create index if not exists logged_models_by_experiment on logged_models (experiment_id);
    create table if not exists traces (
        trace_id      text primary key,
        experiment_id integer not null,
        signature     integer
    ) without rowid;
    create index if not exists traces_by_experiment on traces (experiment_id);
";

/// The states of all folders.
#[derive(Debug)]
pub(crate) struct States {
    connection: Connection,
}

/// How the folder of a run looked.
#[derive(Debug)]
pub(crate) struct RunState {
    /// The experiment that it lies in.
    pub(crate) experiment_id: ExperimentId,
    /// Nothing where it must be read again in any case.
    pub(crate) signature: Option<u64>,
    /// How far its metric files were read.
    pub(crate) metrics: MetricFiles,
}

/// How the folder of a trace looked; nothing where it must be read again in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TraceLooks(pub(crate) Option<u64>);

type Result<T> = rusqlite::Result<T>;

impl States {
    /// Opens the database; makes it where there is none.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(LOCK_TIMEOUT)?;
        // What a crash of the machine takes is made again: see `distrust_old_boots`.
        connection.execute_batch("pragma journal_mode = wal; pragma synchronous = normal;")?;
        connection.execute_batch(SCHEMA)?;
        connection.set_prepared_statement_cache_capacity(32);
        let states = Self { connection };
        if let Some(boot) = boot_id() {
            states.distrust_old_boots(&boot)?;
        }
        Ok(states)
    }

    /// Has everything read again that was noted before the machine started last:
    /// where it crashed, this database may remember what the other one lost.
    fn distrust_old_boots(&self, boot: &str) -> Result<()> {
        let known = self
            .connection
            .query_row("select 1 from boot where id = ?", [boot], |_| Ok(()))
            .optional()?;
        if known.is_some() {
            return Ok(());
        }
        let transaction = self.connection.unchecked_transaction()?;
        transaction.execute_batch(
            "delete from boot; update experiments set signature = null; \
             update runs set signature = null, metrics = ''; \
             update logged_models set signature = null; update traces set signature = null;",
        )?;
        transaction.execute("insert into boot values (?)", [boot])?;
        transaction.commit()
    }

    /// The name of the database that searches run on, to which all of this belongs.
    pub(crate) fn search_name(&self) -> Result<Option<String>> {
        self.connection
            .query_row("select name from search", [], |row| row.get(0))
            .optional()
    }

    /// Forgets everything, for a new database of searches.
    pub(crate) fn start_anew(&self, search_name: &str) -> Result<()> {
        self.connection.execute_batch(
            "delete from search; delete from experiments; delete from runs; \
             delete from logged_models; delete from traces;",
        )?;
        self.connection
            .execute("insert into search values (?)", [search_name])
            .map(drop)
    }

    /// Takes the write lock until [`Self::commit`].
    pub(crate) fn begin(&mut self) -> Result<()> {
        self.connection.execute_batch("begin immediate")
    }

    /// Keeps what was written since [`Self::begin`].
    pub(crate) fn commit(&mut self) -> Result<()> {
        self.connection.execute_batch("commit")
    }

    /// Forgets what was written since [`Self::begin`].
    pub(crate) fn rollback(&mut self) {
        if !self.connection.is_autocommit() {
            // It fails where the connection is broken, which the next call shows.
            let _ = self.connection.execute_batch("rollback");
        }
    }

    /// The experiments that are known, with their signatures.
    pub(crate) fn experiments(&self) -> Result<Vec<(ExperimentId, Option<u64>)>> {
        let mut select = self
            .connection
            .prepare_cached("select experiment_id, signature from experiments")?;
        let rows = select.query_map([], |row| {
            Ok((ExperimentId(row.get(0)?), signature_of(row.get(1)?)))
        })?;
        rows.collect()
    }

    /// Notes how an experiment looked.
    pub(crate) fn put_experiment(&self, id: ExperimentId, signature: Option<u64>) -> Result<()> {
        self.connection
            .prepare_cached(
                "insert into experiments values (?, ?) \
                 on conflict (experiment_id) do update set signature = excluded.signature",
            )?
            .execute(params![id.0, signature.map(u64::cast_signed)])
            .map(drop)
    }

    /// Forgets an experiment with its runs, models and traces.
    pub(crate) fn forget_experiment(&self, id: ExperimentId) -> Result<()> {
        for delete in [
            "delete from experiments where experiment_id = ?",
            "delete from runs where experiment_id = ?",
            "delete from logged_models where experiment_id = ?",
            "delete from traces where experiment_id = ?",
        ] {
            self.connection.prepare_cached(delete)?.execute([id.0])?;
        }
        Ok(())
    }

    /// How a run looked, if it is known.
    pub(crate) fn run(&self, id: &RunId) -> Result<Option<RunState>> {
        self.connection
            .prepare_cached("select experiment_id, signature, metrics from runs where run_id = ?")?
            .query_row([id.as_str()], |row| {
                Ok(RunState {
                    experiment_id: ExperimentId(row.get(0)?),
                    signature: signature_of(row.get(1)?),
                    metrics: metric_states::decode(row.get_ref(2)?.as_blob()?),
                })
            })
            .optional()
    }

    /// Where a run lies, if it is known.
    pub(crate) fn experiment_of_run(&self, id: &RunId) -> Result<Option<ExperimentId>> {
        self.connection
            .prepare_cached("select experiment_id from runs where run_id = ?")?
            .query_row([id.as_str()], |row| row.get(0).map(ExperimentId))
            .optional()
    }

    /// The runs that are known of an experiment, with their signatures.
    pub(crate) fn runs(&self, of: ExperimentId) -> Result<Vec<(RunId, Option<u64>)>> {
        let mut select = self
            .connection
            .prepare_cached("select run_id, signature from runs where experiment_id = ?")?;
        let rows = select.query_map([of.0], |row| {
            Ok((
                RunId::new(row.get::<_, String>(0)?),
                signature_of(row.get(1)?),
            ))
        })?;
        rows.collect()
    }

    /// Notes how a run looked.
    pub(crate) fn put_run(&self, id: &RunId, state: &RunState) -> Result<()> {
        self.connection
            .prepare_cached(
                "insert into runs values (?, ?, ?, ?) on conflict (run_id) do update set \
                 experiment_id = excluded.experiment_id, signature = excluded.signature, \
                 metrics = excluded.metrics",
            )?
            .execute(params![
                id.as_str(),
                state.experiment_id.0,
                state.signature.map(u64::cast_signed),
                metric_states::encode(&state.metrics),
            ])
            .map(drop)
    }

    /// Forgets a run.
    pub(crate) fn forget_run(&self, id: &RunId) -> Result<()> {
        self.connection
            .prepare_cached("delete from runs where run_id = ?")?
            .execute([id.as_str()])
            .map(drop)
    }

    /// Where a logged model lies, if it is known.
    pub(crate) fn experiment_of_model(&self, id: &LoggedModelId) -> Result<Option<ExperimentId>> {
        self.connection
            .prepare_cached("select experiment_id from logged_models where model_id = ?")?
            .query_row([id.as_str()], |row| row.get(0).map(ExperimentId))
            .optional()
    }

    /// The logged models that are known of an experiment, with their signatures.
    pub(crate) fn models(&self, of: ExperimentId) -> Result<Vec<(LoggedModelId, Option<u64>)>> {
        let mut select = self.connection.prepare_cached(
            "select model_id, signature from logged_models where experiment_id = ?",
        )?;
        let rows = select.query_map([of.0], |row| {
            Ok((
                LoggedModelId::new(row.get::<_, String>(0)?),
                signature_of(row.get(1)?),
            ))
        })?;
        rows.collect()
    }

    /// Notes how a logged model looked.
    pub(crate) fn put_model(
        &self,
        id: &LoggedModelId,
        experiment: ExperimentId,
        signature: Option<u64>,
    ) -> Result<()> {
        self.connection
            .prepare_cached(
                "insert into logged_models values (?, ?, ?) on conflict (model_id) do update set \
                 experiment_id = excluded.experiment_id, signature = excluded.signature",
            )?
            .execute(params![
                id.as_str(),
                experiment.0,
                signature.map(u64::cast_signed)
            ])
            .map(drop)
    }

    /// Forgets a logged model.
    pub(crate) fn forget_model(&self, id: &LoggedModelId) -> Result<()> {
        self.connection
            .prepare_cached("delete from logged_models where model_id = ?")?
            .execute([id.as_str()])
            .map(drop)
    }

    /// Where a trace lies, if it is known.
    pub(crate) fn experiment_of_trace(&self, id: &TraceId) -> Result<Option<ExperimentId>> {
        self.connection
            .prepare_cached("select experiment_id from traces where trace_id = ?")?
            .query_row([id.as_str()], |row| row.get(0).map(ExperimentId))
            .optional()
    }

    /// How a trace looked in this experiment, if it is known.
    pub(crate) fn trace(&self, of: ExperimentId, id: &TraceId) -> Result<Option<TraceLooks>> {
        self.connection
            .prepare_cached(
                "select signature from traces where trace_id = ? and experiment_id = ?",
            )?
            .query_row(params![id.as_str(), of.0], |row| {
                row.get(0).map(|it| TraceLooks(signature_of(it)))
            })
            .optional()
    }

    /// The traces that are known of an experiment, with how they looked.
    pub(crate) fn traces(&self, of: ExperimentId) -> Result<Vec<(TraceId, TraceLooks)>> {
        let mut select = self
            .connection
            .prepare_cached("select trace_id, signature from traces where experiment_id = ?")?;
        let rows = select.query_map([of.0], |row| {
            Ok((
                TraceId::new(row.get::<_, String>(0)?),
                TraceLooks(signature_of(row.get(1)?)),
            ))
        })?;
        rows.collect()
    }

    /// Notes how a trace looked.
    pub(crate) fn put_trace(
        &self,
        id: &TraceId,
        experiment: ExperimentId,
        looks: TraceLooks,
    ) -> Result<()> {
        self.connection
            .prepare_cached(
                "insert into traces values (?, ?, ?) on conflict (trace_id) do update set \
                 experiment_id = excluded.experiment_id, signature = excluded.signature",
            )?
            .execute(params![
                id.as_str(),
                experiment.0,
                looks.0.map(u64::cast_signed)
            ])
            .map(drop)
    }

    /// Forgets a trace of an experiment.
    pub(crate) fn forget_trace(&self, id: &TraceId, of: ExperimentId) -> Result<()> {
        self.connection
            .prepare_cached("delete from traces where trace_id = ? and experiment_id = ?")?
            .execute(params![id.as_str(), of.0])
            .map(drop)
    }
}

/// Differs after each start of the machine; unknown on other systems than Linux.
fn boot_id() -> Option<String> {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()
}

fn signature_of(column: Option<i64>) -> Option<u64> {
    column.map(i64::cast_unsigned)
}
