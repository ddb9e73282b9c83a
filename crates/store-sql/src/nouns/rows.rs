//! Inserts of many rows.

use runledger_store::StoreError;

use crate::{connection::Connection, nouns::OrStoreError as _, sql::Sql};

/// How many rows a statement inserts: few sizes, so that the prepared forms of
/// the statements are few.
const SIZES: [usize; 3] = [64, 8, 1];

/// Inserts rows, whose values `bind` appends to a statement, between commas.
pub(crate) fn insert_rows<T>(
    connection: &mut Connection,
    head: &'static str,
    rows: &[T],
    bind: impl Fn(Sql, &T) -> Sql,
) -> Result<(), StoreError> {
    put_rows(connection, head, rows, bind, &Sql::new(""))
}

/// Inserts rows as [`insert_rows`] does; `tail` says what becomes of those that
/// are there already. No two of them may be the same.
pub(crate) fn put_rows<T>(
    connection: &mut Connection,
    head: &'static str,
    mut rows: &[T],
    bind: impl Fn(Sql, &T) -> Sql,
    tail: &Sql,
) -> Result<(), StoreError> {
    for size in SIZES {
        while let Some((these, rest)) = rows.split_at_checked(size) {
            let mut sql = Sql::new(head);
            for (number, row) in these.iter().enumerate() {
                sql = sql.sql(if number == 0 { "(" } else { ", (" });
                sql = bind(sql, row).sql(")");
            }
            sql.with(tail.clone()).run(connection).or_store_error()?;
            rows = rest;
        }
    }
    Ok(())
}
