//! Appending batches: the hot path of every training run.
//!
//! Rows go many to a statement, sorted by their keys, so that two servers that
//! meet in the same rows wait for each other and do not deadlock. For each batch
//! everything that can be refused is checked before anything is written: one
//! that is refused has changed nothing.

use diesel::{
    result::Error as DieselError,
    sql_types::{Integer, Nullable, Text},
};
use runledger_store::StoreError;

use super::connect;
use crate::{
    append::{Accepted, Known, ModelPoint, Pair, Point, Rows, Wanted},
    connection::Connection,
    dialect::Dialect,
    error::{CONNECTION_LOST, CONTENTION, from_diesel, is_unique_violation},
    executor::{Append, AppendError, AppendGroup},
    sql::Sql,
    uri::MysqlUri,
    values::SerialId,
};

/// How many rows a statement takes.
const ROWS: usize = 1_000;

/// After an insert into `latest_metrics`: the newer point stays.
///
/// MySQL sets one column after the other, and each condition sees the columns
/// that were set before. So `is_nan`, which does not count, comes first and asks
/// for "newer"; the others ask for "not older", which remains true while they
/// are set, and sets nothing new where the points are equal.
const RAISE: &str = " on duplicate key update \
    is_nan = if((values(step), values(timestamp), values(value)) > (step, timestamp, value), \
      values(is_nan), is_nan), \
    value = if((values(step), values(timestamp), values(value)) >= (step, timestamp, value), \
      values(value), value), \
    timestamp = if((values(step), values(timestamp)) >= (step, timestamp), \
      values(timestamp), timestamp), \
    step = if(values(step) >= step, values(step), step)";

/// A connection that appends.
pub(crate) struct Appender {
    connection: Connection,
}

impl Appender {
    /// Connects.
    pub(crate) fn open(uri: &MysqlUri) -> Result<Self, String> {
        let connection = connect(uri).map_err(|error| error.to_string())?;
        Ok(Self { connection })
    }
}

impl AppendGroup for Appender {
    fn append(&mut self, group: &[Append]) -> Result<Vec<Result<(), StoreError>>, AppendError> {
        let done = transaction(&mut self.connection, group);
        if done.is_err() {
            // A failure here shows in the next transaction.
            let _ = self.connection.batch_execute("rollback");
        }
        done
    }
}

fn transaction(
    connection: &mut Connection,
    group: &[Append],
) -> Result<Vec<Result<(), StoreError>>, AppendError> {
    let wanted = Wanted::of(group);
    connection
        .batch_execute(Dialect::Mysql.begin_write())
        .map_err(failure)?;
    let known = read(connection, &wanted).map_err(failure)?;
    let (accepted, results) = wanted.check(group, &known);
    insert_params(connection, &accepted.params)?;
    write(connection, &accepted).map_err(failure)?;
    connection.batch_execute("commit").map_err(failure)?;
    Ok(results)
}

/// Reads what the batches are checked against.
fn read(connection: &mut Connection, wanted: &Wanted<'_>) -> Result<Known, DieselError> {
    let owned = |texts: &[&str]| -> Vec<String> { texts.iter().map(ToString::to_string).collect() };
    let mut known = Known::default();
    let runs: Vec<(String, Option<String>, Option<SerialId>)> =
        Sql::new("select run_uuid, lifecycle_stage, experiment_id from runs where run_uuid")
            .in_texts(false, owned(&wanted.runs))
            .rows::<(Text, Nullable<Text>, Nullable<Integer>), _>(connection)?;
    for (run, stage, experiment) in runs {
        known.run(run, stage, experiment.map_or(0, |id| id.0));
    }
    let (keys, runs) = wanted.params();
    if !keys.is_empty() {
        for (run, key, value) in params(connection, owned(&keys), owned(&runs))? {
            known.param(run, key, value);
        }
    }
    if !wanted.models.is_empty() {
        let models: Vec<String> = Sql::new(
            "select model_id from logged_models where lifecycle_stage = 'active' and model_id",
        )
        .in_texts(false, owned(&wanted.models))
        .rows::<Text, _>(connection)?;
        for model in models {
            known.model(model);
        }
    }
    Ok(known)
}

/// Params of these runs with these keys: run, key and value.
fn params(
    connection: &mut Connection,
    mut keys: Vec<String>,
    mut runs: Vec<String>,
) -> Result<Vec<(String, String, String)>, DieselError> {
    keys.dedup();
    runs.sort_unstable();
    runs.dedup();
    Sql::new("select run_uuid, \"key\", value from params where run_uuid")
        .in_texts(false, runs)
        .sql(" and \"key\"")
        .in_texts(false, keys)
        .rows::<(Text, Text, Text), _>(connection)
}

fn insert_params(connection: &mut Connection, rows: &Rows<Pair<'_>>) -> Result<(), AppendError> {
    for chunk in rows.chunks(ROWS) {
        let inserted = insert(
            "insert into params (\"key\", value, run_uuid) values ",
            chunk,
            pair,
        )
        .run(connection);
        match inserted {
            Ok(_) => {}
            Err(error) if is_unique_violation(&error) => return Err(taken(connection, chunk)),
            Err(error) => return Err(failure(error)),
        }
    }
    Ok(())
}

/// Why params that were not there could not be inserted: another server added
/// them meanwhile, or they are the same to the collation of the table.
fn taken(connection: &mut Connection, rows: &[Pair<'_>]) -> AppendError {
    let keys = rows.iter().map(|row| row.key.to_owned()).collect();
    let runs = rows.iter().map(|row| row.run.to_owned()).collect();
    let there = match params(connection, keys, runs) {
        Ok(there) => there,
        Err(error) => return failure(error),
    };
    let added = |row: &Pair<'_>| {
        there
            .iter()
            .any(|(run, key, _)| run == row.run && key == row.key)
    };
    if rows.iter().any(added) {
        return AppendError::Contention;
    }
    let collides = |row: &&Pair<'_>| {
        let same = |key: &str| key.trim_end().to_lowercase() == row.key.trim_end().to_lowercase();
        rows.iter()
            .any(|other| other.run == row.run && other.key != row.key && same(other.key))
            || there
                .iter()
                .any(|(run, key, _)| run == row.run && same(key))
    };
    let Some(row) = rows.iter().find(collides) else {
        return AppendError::Contention;
    };
    AppendError::Refused(StoreError::invalid(format!(
        "The param '{}' differs only in its case, accents or final spaces from another of run \
         '{}', and the collation of this database takes them for the same.",
        row.key, row.run
    )))
}

/// Writes everything but params.
fn write(connection: &mut Connection, accepted: &Accepted<'_>) -> Result<(), DieselError> {
    for chunk in accepted.metrics.chunks(ROWS) {
        insert(
            "insert into metrics (\"key\", value, timestamp, run_uuid, step, is_nan) values ",
            chunk,
            point,
        )
        .with(Dialect::Mysql.or_keep("step"))
        .run(connection)?;
    }
    for chunk in accepted.latest.chunks(ROWS) {
        insert(
            "insert into latest_metrics (\"key\", value, timestamp, run_uuid, step, is_nan) values ",
            chunk,
            point,
        )
        .sql(RAISE)
        .run(connection)?;
    }
    for chunk in accepted.tags.chunks(ROWS) {
        insert(
            "insert into tags (\"key\", value, run_uuid) values ",
            chunk,
            pair,
        )
        .with(Dialect::Mysql.or_replace("\"key\", run_uuid", "value"))
        .run(connection)?;
    }
    for chunk in accepted.names.chunks(1) {
        for name in chunk {
            Sql::new("update runs set name = ")
                .text(name.value)
                .sql(" where run_uuid = ")
                .text(name.run)
                .run(connection)?;
        }
    }
    for chunk in accepted.model_metrics.chunks(ROWS) {
        insert(
            "insert into logged_model_metrics (model_id, metric_name, metric_timestamp_ms, \
             metric_step, metric_value, experiment_id, run_id, dataset_uuid, dataset_name, \
             dataset_digest) values ",
            chunk,
            model_point,
        )
        .with(Dialect::Mysql.or_keep("metric_step"))
        .run(connection)?;
    }
    Ok(())
}

/// An `insert` of rows, each written by `row` between its parentheses.
fn insert<T>(text: &'static str, rows: &[T], row: impl Fn(Sql, &T) -> Sql) -> Sql {
    let mut sql = Sql::varying(text);
    for (number, values) in rows.iter().enumerate() {
        sql.push(if number == 0 { "(" } else { "), (" });
        sql = row(sql, values);
    }
    sql.sql(")")
}

fn pair(sql: Sql, row: &Pair<'_>) -> Sql {
    sql.text(row.key)
        .sql(", ")
        .text(row.value)
        .sql(", ")
        .text(row.run)
}

fn point(sql: Sql, row: &Point<'_>) -> Sql {
    sql.text(row.key)
        .sql(", ")
        .real(row.stored.value)
        .sql(", ")
        .int(row.timestamp)
        .sql(", ")
        .text(row.run)
        .sql(", ")
        .int(row.step)
        .sql(", ")
        .bool(row.stored.is_nan)
}

fn model_point(sql: Sql, row: &ModelPoint<'_>) -> Sql {
    let (name, digest) = (
        row.dataset_name.map(str::to_owned),
        row.dataset_digest.map(str::to_owned),
    );
    sql.text(row.model)
        .sql(", ")
        .text(row.point.key)
        .sql(", ")
        .int(row.point.timestamp)
        .sql(", ")
        .int(row.point.step)
        .sql(", ")
        .real(row.point.stored.value)
        .sql(", ")
        .int(row.experiment)
        .sql(", ")
        .text(row.point.run)
        .sql(", (select dataset_uuid from datasets where experiment_id = ")
        .int(row.experiment)
        .sql(" and name = ")
        .optional_text(name.clone())
        .sql(" and digest = ")
        .optional_text(digest.clone())
        .sql("), ")
        .optional_text(name)
        .sql(", ")
        .optional_text(digest)
}

fn failure(error: DieselError) -> AppendError {
    match from_diesel(error) {
        StoreError::Unavailable { reason } if reason == CONTENTION => AppendError::Contention,
        StoreError::Unavailable { reason } if reason == CONNECTION_LOST => {
            AppendError::Connection(reason.to_owned())
        }
        error => AppendError::Refused(error),
    }
}
