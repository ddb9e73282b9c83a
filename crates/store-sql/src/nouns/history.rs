//! The history of metrics: pages, several runs at once, and samples.

mod sample;

use diesel::sql_types::{BigInt, Bool, Double};
use runledger_entities::{Metric, RunId};
use runledger_search::PageToken;
use runledger_store::{BulkHistoryQuery, HistoryQuery, IntervalQuery, Page, RunMetric, StoreError};

use super::OrStoreError as _;
use crate::{
    connection::Connection, dialect::Dialect, search::page, sql::Sql, values::StoredValue,
};

type Point = (f64, i64, i64, bool);
type PointColumns = (Double, BigInt, BigInt, Bool);

fn metric(key: &str, (value, timestamp, step, is_nan): Point) -> Metric {
    Metric::new(key, StoredValue { value, is_nan }.read(), timestamp, step)
}

/// A page of a metric's history, ordered by timestamp, step and value.
///
/// The token holds the place of the page's last point in that order, so that a
/// later page need not pass over the earlier ones.
pub(crate) fn page(
    connection: &mut Connection,
    query: &HistoryQuery,
) -> Result<Page<Metric>, StoreError> {
    let Start {
        offset,
        after,
        path,
    } = Start::of(query)?;
    let mut points: Vec<Point> = statement(
        connection.dialect(),
        connection.series(),
        query,
        offset,
        after.as_ref(),
        path,
    )
    .rows::<PointColumns, _>(connection)
    .or_store_error()?;
    let most = query.page.max_results;
    let more = points.len() as u64 > u64::from(most);
    points.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    let next_token = match points.last() {
        Some(last) if more => {
            let path = match after {
                Some(_) => path,
                None => later_path(connection, query)?,
            };
            let after = Place::of(*last).to_token(path);
            let offset = offset + points.len() as u64;
            Some(
                PageToken {
                    offset,
                    after: Some(after),
                }
                .encode(),
            )
        }
        _ => None,
    };
    let items = points
        .into_iter()
        .map(|point| metric(&query.key, point))
        .collect();
    Ok(Page { items, next_token })
}

/// How the points of a page are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    /// By run and key, then sorted: each page reads all points of the series.
    Series,
    /// Along the primary key, which has the order of the page but holds the
    /// points of all runs: for a series that is most of what its key has.
    Key,
}

/// Where a page begins.
struct Start {
    /// How many points come before.
    offset: u64,
    /// The point before, if the token says.
    after: Option<Place>,
    path: Path,
}

impl Start {
    fn of(query: &HistoryQuery) -> Result<Self, StoreError> {
        let Some(token) = query.page.token.as_deref() else {
            return Ok(Self {
                offset: 0,
                after: None,
                path: Path::Series,
            });
        };
        let PageToken { offset, after } = page::decode(token)?;
        let (after, path) = match after.as_deref().map(Place::of_token).transpose()? {
            Some((place, path)) => (Some(place), path),
            None => (None, Path::Series),
        };
        Ok(Self {
            offset,
            after,
            path,
        })
    }
}

/// The statement that finds the points of a page and one more.
pub(crate) fn statement(
    dialect: Dialect,
    series: &'static str,
    query: &HistoryQuery,
    offset: u64,
    after: Option<&Place>,
    path: Path,
) -> Sql {
    let mut sql = Sql::varying("select value, timestamp, step, is_nan from ")
        .sql(match path {
            Path::Series => series,
            Path::Key => dialect.by_key(),
        })
        .sql(" where run_uuid = ")
        .text(query.run_id.as_str())
        .sql(" and ")
        .with(dialect.equal("\"key\"", &query.key));
    if let Some(&Place {
        timestamp,
        step,
        value,
        is_nan,
    }) = after
    {
        sql = sql
            .sql(" and (timestamp, step, value, is_nan) > (")
            .int(timestamp)
            .sql(", ")
            .int(step)
            .sql(", ")
            .real(value)
            .sql(", ")
            .bool(is_nan)
            .sql(")");
    }
    sql = sql
        .sql(" order by timestamp, step, value, is_nan")
        .sql(" limit ")
        .int(i64::from(query.page.max_results) + 1);
    if after.is_none() {
        sql = sql
            .sql(" offset ")
            .int(i64::try_from(offset).unwrap_or(i64::MAX));
    }
    sql
}

/// How the pages after the first are found: along the primary key if the series
/// has at least half of the points of its key.
fn later_path(connection: &mut Connection, query: &HistoryQuery) -> Result<Path, StoreError> {
    let (dialect, series) = (connection.dialect(), connection.series());
    if !dialect.names_indexes() {
        return Ok(Path::Series);
    }
    let of_run: i64 = Sql::new("select count(*) from ")
        .sql(series)
        .sql(" where run_uuid = ")
        .text(query.run_id.as_str())
        .sql(" and ")
        .with(dialect.equal("\"key\"", &query.key))
        .first::<BigInt, _>(connection)
        .or_store_error()?
        .unwrap_or_default();
    // Counted no further than the answer needs.
    let of_key: i64 = Sql::new("select count(*) from (select 1 from metrics where ")
        .with(dialect.equal("\"key\"", &query.key))
        .sql(" limit ")
        .int(2 * of_run + 1)
        .sql(") counted")
        .first::<BigInt, _>(connection)
        .or_store_error()?
        .unwrap_or_default();
    Ok(if of_key > 2 * of_run {
        Path::Series
    } else {
        Path::Key
    })
}

/// A point's place in the order of a history.
pub(crate) struct Place {
    timestamp: i64,
    step: i64,
    value: f64,
    is_nan: bool,
}

impl Place {
    pub(crate) fn of((value, timestamp, step, is_nan): Point) -> Self {
        Self {
            timestamp,
            step,
            value,
            is_nan,
        }
    }

    fn to_token(&self, path: Path) -> Vec<serde_json::Value> {
        // The bits, since JSON has no exact form for every number.
        vec![
            self.timestamp.into(),
            self.step.into(),
            self.value.to_bits().into(),
            self.is_nan.into(),
            (path == Path::Key).into(),
        ]
    }

    fn of_token(after: &[serde_json::Value]) -> Result<(Self, Path), StoreError> {
        let place = || {
            let [timestamp, step, value, is_nan, by_key] = after else {
                return None;
            };
            let place = Self {
                timestamp: timestamp.as_i64()?,
                step: step.as_i64()?,
                value: f64::from_bits(value.as_u64()?),
                is_nan: is_nan.as_bool()?,
            };
            Some((
                place,
                if by_key.as_bool()? {
                    Path::Key
                } else {
                    Path::Series
                },
            ))
        };
        place().ok_or_else(page::foreign)
    }
}

/// The history of a metric in several runs.
pub(crate) fn bulk(
    connection: &mut Connection,
    query: &BulkHistoryQuery,
) -> Result<Vec<RunMetric>, StoreError> {
    let (dialect, series) = (connection.dialect(), connection.series());
    let mut run_ids: Vec<&RunId> = query.run_ids.iter().collect();
    run_ids.sort_unstable();
    run_ids.dedup();
    let mut metrics = Vec::new();
    for run_id in run_ids {
        let most = usize::try_from(query.max_results).unwrap_or(usize::MAX);
        let left = i64::try_from(most - metrics.len()).unwrap_or(i64::MAX);
        if left == 0 {
            break;
        }
        let points: Vec<Point> = Sql::new("select value, timestamp, step, is_nan from ")
            .sql(series)
            .sql(" where run_uuid = ")
            .text(run_id.as_str())
            .sql(" and ")
            .with(dialect.equal("\"key\"", &query.key))
            .sql(" order by timestamp, step, value limit ")
            .int(left)
            .rows::<PointColumns, _>(connection)
            .or_store_error()?;
        metrics.extend(points.into_iter().map(|point| RunMetric {
            run_id: run_id.clone(),
            metric: metric(&query.key, point),
        }));
    }
    Ok(metrics)
}

/// A sample of a metric's history in several runs (MLflow 3.17's sampling:
/// the first of each of `max_results` equal parts, and the last point of the last).
pub(crate) fn interval(
    connection: &mut Connection,
    query: &IntervalQuery,
) -> Result<Vec<RunMetric>, StoreError> {
    let mut metrics = Vec::new();
    for run_id in &query.run_ids {
        let points = sample::sample(connection, run_id, query)?;
        metrics.extend(points.into_iter().map(|point| RunMetric {
            run_id: run_id.clone(),
            metric: metric(&query.key, point),
        }));
    }
    Ok(metrics)
}
