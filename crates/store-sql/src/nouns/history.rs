//! The history of metrics.

use diesel::{
    sql_types::{BigInt, Bool, Double},
    sqlite::SqliteConnection,
};
use runledger_entities::{Metric, RunId};
use runledger_search::PageToken;
use runledger_store::{BulkHistoryQuery, HistoryQuery, IntervalQuery, Page, RunMetric, StoreError};

use super::OrStoreError as _;
use crate::{search::page, sql::Sql, values::StoredValue};

type Point = (f64, i64, i64, bool);
type PointColumns = (Double, BigInt, BigInt, Bool);

fn metric(key: &str, (value, timestamp, step, is_nan): Point) -> Metric {
    Metric::new(key, StoredValue { value, is_nan }.read(), timestamp, step)
}

/// A page of a metric's history, ordered by timestamp, step and value.
///
/// The token holds the place of the page's last point in that order: a later
/// page costs no more than the first.
pub(crate) fn page(
    connection: &mut SqliteConnection,
    query: &HistoryQuery,
) -> Result<Page<Metric>, StoreError> {
    let HistoryQuery { run_id, key, page } = query;
    let start = page.token.as_deref().map(page::decode).transpose()?;
    let mut sql =
        Sql::varying("select value, timestamp, step, is_nan from metrics where run_uuid = ")
            .text(run_id.as_str())
            .sql(" and key = ")
            .text(&**key);
    let mut offset = 0;
    if let Some(token) = start {
        match token.after.as_deref().map(Place::of_token) {
            Some(place) => {
                let Place {
                    timestamp,
                    step,
                    value,
                    is_nan,
                } = place?;
                sql = sql
                    .sql(" and (timestamp, step, value, is_nan) > (")
                    .int(timestamp)
                    .sql(", ")
                    .int(step)
                    .sql(", ")
                    .real(value)
                    .sql(", ")
                    .int(i64::from(is_nan))
                    .sql(")");
            }
            None => offset = token.offset,
        }
    }
    let limit = i64::from(page.max_results);
    let mut points: Vec<Point> = sql
        .sql(" order by timestamp, step, value, is_nan limit ")
        .int(limit.saturating_add(1))
        .sql(" offset ")
        .int(i64::try_from(offset).unwrap_or(i64::MAX))
        .rows::<PointColumns, _>(connection)
        .or_store_error()?;
    let more = points.len() as u64 > u64::from(page.max_results);
    points.truncate(usize::try_from(page.max_results).unwrap_or(usize::MAX));
    let next_token = match points.last() {
        Some(&(value, timestamp, step, is_nan)) if more => Some(
            PageToken {
                offset: offset + points.len() as u64,
                after: Some(
                    Place {
                        timestamp,
                        step,
                        value,
                        is_nan,
                    }
                    .to_token(),
                ),
            }
            .encode(),
        ),
        _ => None,
    };
    Ok(Page {
        items: points.into_iter().map(|point| metric(key, point)).collect(),
        next_token,
    })
}

/// A point's place in the order of a history.
struct Place {
    timestamp: i64,
    step: i64,
    value: f64,
    is_nan: bool,
}

impl Place {
    fn to_token(&self) -> Vec<serde_json::Value> {
        // The bits, since JSON has no exact form for every number.
        vec![
            self.timestamp.into(),
            self.step.into(),
            self.value.to_bits().into(),
            self.is_nan.into(),
        ]
    }

    fn of_token(after: &[serde_json::Value]) -> Result<Self, StoreError> {
        let place = || {
            let [timestamp, step, value, is_nan] = after else {
                return None;
            };
            Some(Self {
                timestamp: timestamp.as_i64()?,
                step: step.as_i64()?,
                value: f64::from_bits(value.as_u64()?),
                is_nan: is_nan.as_bool()?,
            })
        };
        place().ok_or_else(page::foreign)
    }
}

/// The history of a metric in several runs.
pub(crate) fn bulk(
    connection: &mut SqliteConnection,
    query: &BulkHistoryQuery,
) -> Result<Vec<RunMetric>, StoreError> {
    let mut run_ids: Vec<&RunId> = query.run_ids.iter().collect();
    run_ids.sort_unstable();
    run_ids.dedup();
    let mut metrics = Vec::new();
    for run_id in run_ids {
        let left = i64::from(query.max_results) - metrics.len() as i64;
        if left <= 0 {
            break;
        }
        let points: Vec<Point> =
            Sql::new("select value, timestamp, step, is_nan from metrics where run_uuid = ")
                .text(run_id.as_str())
                .sql(" and key = ")
                .text(&*query.key)
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
    connection: &mut SqliteConnection,
    query: &IntervalQuery,
) -> Result<Vec<RunMetric>, StoreError> {
    let mut metrics = Vec::new();
    for run_id in &query.run_ids {
        let points = sample(connection, run_id, query)?;
        metrics.extend(points.into_iter().map(|point| RunMetric {
            run_id: run_id.clone(),
            metric: metric(&query.key, point),
        }));
    }
    Ok(metrics)
}

fn sample(
    connection: &mut SqliteConnection,
    run_id: &RunId,
    query: &IntervalQuery,
) -> Result<Vec<Point>, StoreError> {
    let (first, last) = query.steps.unwrap_or((i64::MIN, i64::MAX));
    let of_run = |text: &'static str| {
        Sql::new(text)
            .sql(" from metrics where run_uuid = ")
            .text(run_id.as_str())
            .sql(" and key = ")
            .text(&*query.key)
            .sql(" and step between ")
            .int(first)
            .sql(" and ")
            .int(last)
    };
    let count: i64 = of_run("select count(*)")
        .first::<BigInt, _>(connection)
        .or_store_error()?
        .unwrap_or_default();
    let parts = i64::from(query.max_results).max(1);
    if count <= parts {
        return of_run("select value, timestamp, step, is_nan")
            .sql(" order by step, timestamp, value")
            .rows::<PointColumns, _>(connection)
            .or_store_error();
    }
    // The first `count % parts` parts have one point more than the others. Of
    // the last part it is the last point that counts.
    let (short, longer) = (count / parts, count % parts);
    let in_longer = longer * (short + 1);
    of_run(
        "select value, timestamp, step, is_nan from (select value, timestamp, step, is_nan, \
         row_number() over (order by step, timestamp, value) - 1 as place",
    )
    .sql(") where (place < ")
    .int(in_longer.min(count - short))
    .sql(" and place % ")
    .int(short + 1)
    .sql(" = 0) or (place >= ")
    .int(in_longer)
    .sql(" and place < ")
    .int(count - short)
    .sql(" and (place - ")
    .int(in_longer)
    .sql(") % ")
    .int(short)
    .sql(" = 0) or place = ")
    .int(count - 1)
    .sql(" order by place")
    .rows::<PointColumns, _>(connection)
    .or_store_error()
}
