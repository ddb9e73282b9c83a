//! A page of runs along an order that an index has, without looking at all runs
//! (decision 0015).

use std::cmp::Ordering::Equal;

use diesel::sql_types::{BigInt, Double};
use runledger_store::{RunQuery, StoreError};

use super::{Tests, filter, scope};
use crate::{
    connection::Connection,
    dialect::Dialect,
    nouns::{OrStoreError as _, runs},
    search::order::{Stretch, Walk},
    sql::Sql,
};

/// How many rows are walked along at first, for each one that is wanted.
const FIRST_WALK: i64 = 10;

/// How many rows are walked along at most.
const LONGEST_WALK: i64 = 20_000;

/// The first runs of a stretch of the order.
pub(super) fn of_stretch(
    connection: &mut Connection,
    query: &RunQuery,
    stretch: &Stretch,
    most: i64,
) -> Result<Vec<runs::Row>, StoreError> {
    if !query.filter.is_empty()
        && let Some(walk) = &stretch.walk
        && let Some(rows) = by_walking(connection, query, stretch, walk, most)?
    {
        return Ok(rows);
    }
    let mut sql = along(connection.dialect(), query, stretch)
        .sql(" limit ")
        .int(most);
    if query.filter.is_empty() {
        sql = sql.recurring();
    }
    sql.rows::<runs::Columns, _>(connection).or_store_error()
}

/// The first runs of a stretch, where so many of its first rows match that they
/// are among these.
fn by_walking(
    connection: &mut Connection,
    query: &RunQuery,
    stretch: &Stretch,
    walk: &Walk,
    most: i64,
) -> Result<Option<Vec<runs::Row>>, StoreError> {
    let dialect = connection.dialect();
    let wanted = usize::try_from(most).unwrap_or(usize::MAX);
    let mut rows = FIRST_WALK * most;
    while rows <= LONGEST_WALK {
        // With the one after them, which tells whether equals of the last follow.
        let mut found: Vec<(f64, runs::Row)> =
            walking(dialect, query, stretch, walk, rows, most + 1)
                .recurring()
                .rows::<(Double, runs::Columns), _>(connection)
                .or_store_error()?;
        let next = (found.len() > wanted).then(|| found.pop()).flatten();
        if found.len() == wanted
            && let Some((value, last)) = found.last()
        {
            let distinct = next.is_some_and(|(next, _)| next.partial_cmp(value) != Some(Equal));
            if distinct || equals_seen(connection, query, walk, &last.0, rows)? {
                return Ok(Some(found.into_iter().map(|(_, row)| row).collect()));
            }
        }
        // Twice what the page takes if the rest is like the beginning.
        let found = i64::try_from(found.len()).unwrap_or(most);
        rows = rows.saturating_mul(2 * most) / found.max(1);
    }
    Ok(None)
}

/// Whether all runs were walked along that the first key of the order has for
/// equal to this one: the later keys are those of the run, not of the index.
fn equals_seen(
    connection: &mut Connection,
    query: &RunQuery,
    walk: &Walk,
    last: &str,
    rows: i64,
) -> Result<bool, StoreError> {
    let seen = walk
        .up_to(&scope(query), last, rows)
        .first::<BigInt, i64>(connection)
        .or_store_error()?;
    Ok(seen.is_some_and(|seen| seen < rows))
}

/// The statement that finds the runs of a stretch of the order, without its limit.
fn along(dialect: Dialect, query: &RunQuery, stretch: &Stretch) -> Sql {
    Sql::varying("select ")
        .sql(runs::COLUMNS)
        .sql(" from runs r")
        .with(stretch.joins.clone())
        .sql(" where ")
        .with(scope(query))
        .with(filter(query, &Tests::of(dialect)))
        .sql(" and ")
        .with(stretch.condition.clone())
        .with(stretch.order.clone())
}

/// As [`along`], among the first rows only, and at most so many; with the value
/// of each in the first key of the order.
///
/// The database tests one row after the other, in the order of the index, and
/// ends when it has enough.
fn walking(
    dialect: Dialect,
    query: &RunQuery,
    stretch: &Stretch,
    walk: &Walk,
    rows: i64,
    most: i64,
) -> Sql {
    let tests = Tests {
        dialect,
        run: walk.run,
        exists: dialect.exists_by_row(),
    };
    Sql::varying("select ")
        .with(walk.value_as_double(dialect))
        .sql(", ")
        .sql(runs::COLUMNS)
        .sql(" from (")
        .with(walk.first(&scope(query), rows))
        .sql(walk.joined)
        .with(stretch.rest.clone())
        .sql(" where ")
        .with(scope(query))
        .with(filter(query, &tests))
        .sql(" and ")
        .with(stretch.condition.clone())
        .with(stretch.order.clone())
        .sql(" limit ")
        .int(most)
}
