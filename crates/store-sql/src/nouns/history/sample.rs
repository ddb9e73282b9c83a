//! A sample of a history: the first point of each of so many equal parts, and the last one.
//!
//! Since MLflow 3.11 an index has the steps of a history in their order, so that the points
//! themselves are only read where they are in the sample. Without it, where very many of them
//! share a step, or where there are too many, the database numbers them.

use diesel::sql_types::BigInt;
use runledger_entities::RunId;
use runledger_store::{IntervalQuery, StoreError};

use super::{Point, PointColumns};
use crate::{connection::Connection, nouns::OrStoreError as _, sql::Sql};

/// A history of up to so many points is sampled by its steps, of which 8 MB are read.
const STEPS: i64 = 1_000_000;

/// How many points with the steps of a sample may be read: each step has one point, as a rule.
const SAMPLED: usize = 10_000;

/// The sample of one run.
pub(super) fn sample(
    connection: &mut Connection,
    run_id: &RunId,
    query: &IntervalQuery,
) -> Result<Vec<Point>, StoreError> {
    let count: i64 = of_interval("select count(*)", connection, run_id, query)
        .first::<BigInt, _>(connection)
        .or_store_error()?
        .unwrap_or_default();
    let places = Places {
        count,
        parts: i64::from(query.max_results).max(1),
    };
    if count <= places.parts {
        return of_interval(POINTS, connection, run_id, query)
            .sql(" order by step, timestamp, value")
            .rows::<PointColumns, _>(connection)
            .or_store_error();
    }
    if connection.has_series_index()
        && count <= STEPS
        && let Some(points) = by_steps(connection, run_id, query, &places)?
    {
        return Ok(points);
    }
    numbered(connection, run_id, query, &places)
}

const POINTS: &str = "select value, timestamp, step, is_nan";

/// The points of a run that are asked for, before their order.
fn of_interval(
    select: &'static str,
    connection: &Connection,
    run_id: &RunId,
    query: &IntervalQuery,
) -> Sql {
    let (first, last) = query.steps.unwrap_or((i64::MIN, i64::MAX));
    series_of(select, connection, run_id, &query.key)
        .sql(" and step between ")
        .int(first)
        .sql(" and ")
        .int(last)
}

/// The points of a run and key.
fn series_of(select: &'static str, connection: &Connection, run_id: &RunId, key: &str) -> Sql {
    Sql::new(select)
        .sql(" from ")
        .sql(connection.series())
        .sql(" where run_uuid = ")
        .text(run_id.as_str())
        .sql(" and ")
        .with(connection.dialect().equal("\"key\"", key))
}

/// Which points are in a sample, by their place in the order of step, timestamp and value.
///
/// The first `count % parts` parts have one point more than the others. Of the last part it is
/// the last point that counts.
struct Places {
    count: i64,
    /// Fewer than `count`.
    parts: i64,
}

impl Places {
    /// How many points the later parts have.
    fn short(&self) -> i64 {
        self.count / self.parts
    }

    /// How many points the parts with one point more have together.
    fn in_longer(&self) -> i64 {
        self.count % self.parts * (self.short() + 1)
    }

    fn iter(&self) -> impl Iterator<Item = i64> {
        let (short, longer) = (self.short(), self.count % self.parts);
        let firsts = (0..self.parts - 1).map(move |part| part * short + part.min(longer));
        firsts.chain([self.count - 1])
    }
}

/// Samples by the steps, which an index has in their order: only the points of the sample are
/// read, and those that share a step with one of them. Not if these are many.
fn by_steps(
    connection: &mut Connection,
    run_id: &RunId,
    query: &IntervalQuery,
    places: &Places,
) -> Result<Option<Vec<Point>>, StoreError> {
    let steps: Vec<i64> = of_interval("select step", connection, run_id, query)
        .sql(" order by step")
        .rows::<BigInt, _>(connection)
        .or_store_error()?;
    let mut sampled: Vec<i64> = Vec::new();
    // Which of the points with its step each one is.
    let mut picks: Vec<(i64, usize)> = Vec::new();
    let mut together = 0;
    for place in places.iter() {
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        let Some(&step) = steps.get(place) else {
            continue;
        };
        let first = steps.partition_point(|other| *other < step);
        picks.push((step, place - first));
        if sampled.last() != Some(&step) {
            sampled.push(step);
            together += steps.partition_point(|other| *other <= step) - first;
        }
    }
    if together > SAMPLED {
        return Ok(None);
    }
    let points: Vec<Point> = series_of(POINTS, connection, run_id, &query.key)
        .sql(" and step")
        .in_ints(false, sampled)
        .sql(" order by step, timestamp, value")
        .rows::<PointColumns, _>(connection)
        .or_store_error()?;
    let picked = picks.into_iter().filter_map(|(step, nth)| {
        let first = points.partition_point(|point| point.2 < step);
        points.get(first + nth).copied()
    });
    Ok(Some(picked.collect()))
}

/// Samples by numbering all points, which takes no memory, but longer.
fn numbered(
    connection: &mut Connection,
    run_id: &RunId,
    query: &IntervalQuery,
    places: &Places,
) -> Result<Vec<Point>, StoreError> {
    let (count, short, in_longer) = (places.count, places.short(), places.in_longer());
    of_interval(
        "select value, timestamp, step, is_nan from (select value, timestamp, step, is_nan, \
         row_number() over (order by step, timestamp, value) - 1 as place",
        connection,
        run_id,
        query,
    )
    .sql(") placed where (place < ")
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
