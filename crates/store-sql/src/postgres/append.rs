//! Appending batches: the hot path of every training run.
//!
//! Written against the driver that Diesel's connection stands on: its errors
//! have codes, and statements that do not depend on each other go out together,
//! so that a group of batches takes two or three round trips however many there
//! are. Rows go as arrays, sorted by their keys, so that two servers that meet
//! in the same rows wait for each other and do not deadlock.
//!
//! For each batch everything that can be refused is checked before anything is
//! written: one that is refused has changed nothing.

use std::pin::pin;

use futures_util::future::{BoxFuture, FutureExt, join_all};
use runledger_store::StoreError;
use tokio_postgres::{
    Client, Error, Row, Statement,
    binary_copy::BinaryCopyInWriter,
    error::{DbError, SqlState},
    types::{ToSql, Type},
};

use super::connect::{connect_for_append, words};
use crate::{
    append::{Accepted, Known, Point, Rows, Wanted},
    connection::Driver,
    error::from_message,
    executor::{Append, AppendError, AppendGroup},
    uri::PostgresUri,
};

/// A connection that appends.
pub(crate) struct Appender {
    client: Client,
    statements: Statements,
    /// For how many groups more points are expected to be there: see [`WARY`].
    wary: u32,
    runtime: Driver,
}

struct Statements {
    runs: Statement,
    params: Statement,
    models: Statement,
    insert_params: Statement,
    copy_metrics: Statement,
    add_metrics: Statement,
    raise_latest: Statement,
    set_tags: Statement,
    rename_runs: Statement,
    insert_model_metrics: Statement,
}

/// The lock is the one that a foreign key takes: the run stays until the commit,
/// whether or not the session looks foreign keys up.
const RUNS: &str = "select run_uuid, lifecycle_stage, experiment_id from runs \
    where run_uuid = any ($1::text[]) order by run_uuid for key share";

/// Looked up one by one: the plan is made while the table may be empty, and a
/// join would then read all of it for as long as the plan is kept.
const PARAMS: &str = "select p.run_uuid, p.key, p.value \
    from unnest($1::text[], $2::text[]) wanted(key, run_uuid) \
    cross join lateral (select * from params p \
      where p.key = wanted.key and p.run_uuid = wanted.run_uuid offset 0) p";

const MODELS: &str = "select model_id from logged_models \
    where lifecycle_stage = 'active' and model_id = any ($1::text[]) \
    order by model_id for key share";

const INSERT_PARAMS: &str = "insert into params (key, value, run_uuid) \
    select * from unnest($1::text[], $2::text[], $3::text[]) on conflict do nothing";

/// Points that are not there yet, as almost all are: without a plan that is run
/// row by row, and into pages that are written once. One that is there breaks
/// the transaction; looking for it beforehand costs a third more for each row.
const COPY_METRICS: &str = "copy metrics (key, value, timestamp, run_uuid, step, is_nan) \
    from stdin (format binary)";

const METRICS_COLUMNS: [Type; 6] = [
    Type::TEXT,
    Type::FLOAT8,
    Type::INT8,
    Type::TEXT,
    Type::INT8,
    Type::BOOL,
];

/// Points of which some are there.
const ADD_METRICS: &str = "insert into metrics (key, value, timestamp, run_uuid, step, is_nan) \
    select * from unnest($1::text[], $2::float8[], $3::int8[], $4::text[], $5::int8[], $6::bool[]) \
    on conflict do nothing";

/// For so many groups after one with points that were there, more are expected:
/// a client that repeats its calls repeats many.
const WARY: u32 = 64;

const RAISE_LATEST: &str = "insert into latest_metrics (key, value, timestamp, run_uuid, step, is_nan) \
    select * from unnest($1::text[], $2::float8[], $3::int8[], $4::text[], $5::int8[], $6::bool[]) \
    on conflict (key, run_uuid) do update set value = excluded.value, \
      timestamp = excluded.timestamp, step = excluded.step, is_nan = excluded.is_nan \
    where (excluded.step, excluded.timestamp, excluded.value) > \
      (latest_metrics.step, latest_metrics.timestamp, latest_metrics.value)";

/// The primary key of `metrics`.
const METRICS_KEY: &str = "metric_pk";

const SET_TAGS: &str = "insert into tags (key, value, run_uuid) \
    select * from unnest($1::text[], $2::text[], $3::text[]) \
    on conflict (key, run_uuid) do update set value = excluded.value";

const RENAME_RUNS: &str = "update runs set name = named.name \
    from unnest($1::text[], $2::text[]) named(name, run_uuid) \
    where runs.run_uuid = named.run_uuid";

const INSERT_MODEL_METRICS: &str = "insert into logged_model_metrics (model_id, metric_name, \
      metric_timestamp_ms, metric_step, metric_value, experiment_id, run_id, dataset_uuid, \
      dataset_name, dataset_digest) \
    select m.model_id, m.key, m.at, m.step, m.value, m.experiment, m.run, d.dataset_uuid, \
      m.dataset, m.digest \
    from unnest($1::text[], $2::text[], $3::int8[], $4::int8[], $5::float8[], $6::int8[], \
      $7::text[], $8::text[], $9::text[]) \
      m(model_id, key, at, step, value, experiment, run, dataset, digest) \
    left join datasets d on d.experiment_id = m.experiment and d.name = m.dataset \
      and d.digest = m.digest \
    on conflict do nothing";

impl Appender {
    /// Connects, and prepares the statements.
    pub(crate) fn open(uri: &PostgresUri) -> Result<Self, String> {
        let (runtime, client) = connect_for_append(uri)?;
        let runtime = Driver::new(runtime);
        let statements = runtime
            .block_on(Statements::prepare(&client))
            .map_err(|error| words(&error))?;
        Ok(Self {
            client,
            statements,
            wary: 0,
            runtime,
        })
    }
}

impl Statements {
    async fn prepare(client: &Client) -> Result<Self, Error> {
        Ok(Self {
            runs: client.prepare(RUNS).await?,
            params: client.prepare(PARAMS).await?,
            models: client.prepare(MODELS).await?,
            insert_params: client.prepare(INSERT_PARAMS).await?,
            copy_metrics: client.prepare(COPY_METRICS).await?,
            add_metrics: client.prepare(ADD_METRICS).await?,
            raise_latest: client.prepare(RAISE_LATEST).await?,
            set_tags: client.prepare(SET_TAGS).await?,
            rename_runs: client.prepare(RENAME_RUNS).await?,
            insert_model_metrics: client.prepare(INSERT_MODEL_METRICS).await?,
        })
    }
}

impl AppendGroup for Appender {
    fn append(&mut self, group: &[Append]) -> Result<Vec<Result<(), StoreError>>, AppendError> {
        let Self {
            client,
            statements,
            wary,
            runtime,
        } = self;
        runtime.block_on(async {
            loop {
                let done = transaction(client, statements, *wary > 0, group).await;
                if done.is_err() && !client.is_closed() {
                    // A failure here shows in the next transaction.
                    let _ = client.batch_execute("rollback").await;
                }
                match done {
                    Err(Failure::PointIsThere) if *wary == 0 => *wary = WARY,
                    Err(Failure::PointIsThere) => {
                        return Err(AppendError::Refused(StoreError::internal(
                            "a point is there that was to be passed over",
                        )));
                    }
                    Err(Failure::Other(error)) => return Err(error),
                    Ok(results) => {
                        *wary = wary.saturating_sub(1);
                        return Ok(results);
                    }
                }
            }
        })
    }
}

/// Why a transaction failed.
enum Failure {
    /// A point of a metric is in the table already.
    PointIsThere,
    /// See [`AppendError`].
    Other(AppendError),
}

impl From<AppendError> for Failure {
    fn from(error: AppendError) -> Self {
        Self::Other(error)
    }
}

async fn transaction(
    client: &Client,
    statements: &Statements,
    wary: bool,
    group: &[Append],
) -> Result<Vec<Result<(), StoreError>>, Failure> {
    let mut wanted = Wanted::of(group);
    wanted.refuse_nul();
    let known = read(client, statements, &wanted).await?;
    let (accepted, results) = wanted.check(group, &known);
    if !accepted.params.is_empty() {
        let Accepted { params, .. } = &accepted;
        let keys = params.columns(|param| param.key);
        let values = params.columns(|param| param.value);
        let runs = params.columns(|param| param.run);
        let inserted = client
            .execute(&statements.insert_params, &[&keys, &values, &runs])
            .await
            .map_err(|error| failure(&error))?;
        if inserted < params.len() as u64 {
            // Another server added one in between: it is there to be read now.
            return Err(AppendError::Contention.into());
        }
    }
    write(client, statements, wary, &accepted).await?;
    Ok(results)
}

/// Begins, and reads what the batches are checked against.
async fn read(
    client: &Client,
    statements: &Statements,
    wanted: &Wanted<'_>,
) -> Result<Known, AppendError> {
    let (param_keys, param_runs) = wanted.params();
    let none = || async { Ok(Vec::new()) }.boxed();
    let params: BoxFuture<'_, Result<Vec<Row>, Error>> = if param_keys.is_empty() {
        none()
    } else {
        async {
            let values: [&(dyn ToSql + Sync); 2] = [&param_keys, &param_runs];
            client.query(&statements.params, &values).await
        }
        .boxed()
    };
    let models: BoxFuture<'_, Result<Vec<Row>, Error>> = if wanted.models.is_empty() {
        none()
    } else {
        async { client.query(&statements.models, &[&wanted.models]).await }.boxed()
    };
    let run_ids: [&(dyn ToSql + Sync); 1] = [&wanted.runs];
    let (begun, runs, params, models) = futures_util::join!(
        client.batch_execute("begin"),
        client.query(&statements.runs, &run_ids),
        params,
        models,
    );
    begun.map_err(|error| failure(&error))?;
    let mut known = Known::default();
    for row in runs.map_err(|error| failure(&error))? {
        let experiment: Option<i32> = get(&row, 2)?;
        known.run(get(&row, 0)?, get(&row, 1)?, experiment.unwrap_or(0).into());
    }
    for row in params.map_err(|error| failure(&error))? {
        known.param(get(&row, 0)?, get(&row, 1)?, get(&row, 2)?);
    }
    for row in models.map_err(|error| failure(&error))? {
        known.model(get(&row, 0)?);
    }
    Ok(known)
}

/// The columns that a statement takes.
type Values<'v> = Vec<Box<dyn ToSql + Sync + Send + 'v>>;

/// Writes everything but params, and commits.
async fn write(
    client: &Client,
    statements: &Statements,
    wary: bool,
    accepted: &Accepted<'_>,
) -> Result<(), Failure> {
    let mut writes: Vec<(&Statement, Values<'_>)> = Vec::with_capacity(5);
    let points = &accepted.metrics;
    if wary && !points.is_empty() {
        writes.push((&statements.add_metrics, columns(points)));
    }
    let latest = &accepted.latest;
    if !latest.is_empty() {
        writes.push((&statements.raise_latest, columns(latest)));
    }
    let tags = &accepted.tags;
    if !tags.is_empty() {
        let values: Values<'_> = vec![
            Box::new(tags.columns(|tag| tag.key)),
            Box::new(tags.columns(|tag| tag.value)),
            Box::new(tags.columns(|tag| tag.run)),
        ];
        writes.push((&statements.set_tags, values));
    }
    let names = &accepted.names;
    if !names.is_empty() {
        let values: Values<'_> = vec![
            Box::new(names.columns(|name| name.value)),
            Box::new(names.columns(|name| name.run)),
        ];
        writes.push((&statements.rename_runs, values));
    }
    let of_models = &accepted.model_metrics;
    if !of_models.is_empty() {
        let values: Values<'_> = vec![
            Box::new(of_models.columns(|of| of.model)),
            Box::new(of_models.columns(|of| of.point.key)),
            Box::new(of_models.columns(|of| of.point.timestamp)),
            Box::new(of_models.columns(|of| of.point.step)),
            Box::new(of_models.columns(|of| of.point.stored.value)),
            Box::new(of_models.columns(|of| of.experiment)),
            Box::new(of_models.columns(|of| of.point.run)),
            Box::new(of_models.columns(|of| of.dataset_name)),
            Box::new(of_models.columns(|of| of.dataset_digest)),
        ];
        writes.push((&statements.insert_model_metrics, values));
    }

    let written = writes.iter().map(|(statement, values)| async move {
        let values: Vec<&(dyn ToSql + Sync)> = values
            .iter()
            .map(|value| &**value as &(dyn ToSql + Sync))
            .collect();
        client.execute(*statement, &values).await.map(drop)
    });
    let copied = async {
        if wary || points.is_empty() {
            return Ok(());
        }
        copy_metrics(client, &statements.copy_metrics, points).await
    };
    // They go out in this order. A commit after a statement that failed is a
    // rollback.
    let all = [copied.boxed()]
        .into_iter()
        .chain(written.map(FutureExt::boxed))
        .chain([client.batch_execute("commit").boxed()]);
    for done in join_all(all).await {
        done.map_err(|error| {
            let constraint = error.as_db_error().and_then(DbError::constraint);
            let of_points = error.code() == Some(&SqlState::UNIQUE_VIOLATION)
                && constraint == Some(METRICS_KEY);
            if of_points {
                Failure::PointIsThere
            } else {
                failure(&error).into()
            }
        })?;
    }
    Ok(())
}

/// The columns of points, for `unnest`.
fn columns<'v>(points: &'v Rows<Point<'_>>) -> Values<'v> {
    vec![
        Box::new(points.columns(|point| point.key)),
        Box::new(points.columns(|point| point.stored.value)),
        Box::new(points.columns(|point| point.timestamp)),
        Box::new(points.columns(|point| point.run)),
        Box::new(points.columns(|point| point.step)),
        Box::new(points.columns(|point| point.stored.is_nan)),
    ]
}

async fn copy_metrics(
    client: &Client,
    statement: &Statement,
    points: &Rows<Point<'_>>,
) -> Result<(), Error> {
    let sink = client.copy_in(statement).await?;
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &METRICS_COLUMNS));
    for point in points.all() {
        let row: [&(dyn ToSql + Sync); 6] = [
            &point.key,
            &point.stored.value,
            &point.timestamp,
            &point.run,
            &point.step,
            &point.stored.is_nan,
        ];
        writer.as_mut().write(&row).await?;
    }
    writer.finish().await.map(drop)
}

fn get<'r, T: tokio_postgres::types::FromSql<'r>>(
    row: &'r Row,
    column: usize,
) -> Result<T, AppendError> {
    row.try_get(column).map_err(|error| failure(&error))
}

fn failure(error: &Error) -> AppendError {
    let Some(code) = error.code() else {
        return AppendError::Connection(words(error));
    };
    let class = code.code().get(..2).unwrap_or_default();
    match code {
        &SqlState::T_R_SERIALIZATION_FAILURE
        | &SqlState::T_R_DEADLOCK_DETECTED
        | &SqlState::LOCK_NOT_AVAILABLE => AppendError::Contention,
        _ if class == "57" || class == "08" => AppendError::Connection(words(error)),
        _ => {
            let message = words(error);
            AppendError::Refused(
                from_message(&message).unwrap_or_else(|| StoreError::internal(message)),
            )
        }
    }
}
