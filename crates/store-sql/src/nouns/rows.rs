//! Inserts of many rows.

use diesel::QueryResult;
use runledger_store::StoreError;

use crate::{
    connection::Connection,
    error::{CONTENTION, is_unique_violation},
    nouns::OrStoreError as _,
    postgres::InsertColumns,
    sql::{Piece, Sql},
};

/// How many rows a statement inserts where each row is written out: few sizes,
/// so that the prepared forms of the statements are few.
const SIZES: [usize; 3] = [64, 8, 1];

/// How many rows a statement inserts where rows go as columns.
const COLUMN_ROWS: usize = 10_000;

/// The values of a row, in the order of the columns.
#[derive(Debug, Default)]
pub(crate) struct Values(Vec<Piece>);

impl Values {
    /// A text.
    pub(crate) fn text(self, value: impl Into<String>) -> Self {
        self.with(Piece::Text(value.into()))
    }

    /// A text or null.
    pub(crate) fn optional_text(self, value: Option<String>) -> Self {
        self.with(Piece::OptionalText(value))
    }

    /// An integer.
    pub(crate) fn int(self, value: i64) -> Self {
        self.with(Piece::Integer(value))
    }

    /// An integer or null.
    pub(crate) fn optional_int(self, value: Option<i64>) -> Self {
        self.with(Piece::OptionalInteger(value))
    }

    /// A floating-point number.
    pub(crate) fn real(self, value: f64) -> Self {
        self.with(Piece::Real(value))
    }

    /// A floating-point number or null.
    pub(crate) fn optional_real(self, value: Option<f64>) -> Self {
        self.with(Piece::OptionalReal(value))
    }

    /// A truth value.
    pub(crate) fn bool(self, value: bool) -> Self {
        self.with(Piece::Bool(value))
    }

    fn with(mut self, value: Piece) -> Self {
        self.0.push(value);
        self
    }
}

/// Inserts rows. `head` ends with the columns, whose values `row` gives.
pub(crate) fn insert_rows<T>(
    connection: &mut Connection,
    head: &'static str,
    rows: &[T],
    row: impl Fn(&T) -> Values,
) -> Result<(), StoreError> {
    put_rows(connection, head, rows, row, &Sql::new(""))
}

/// Inserts rows as [`insert_rows`] does; `tail` says what becomes of those that
/// are there already. No two of them may be the same.
pub(crate) fn put_rows<T>(
    connection: &mut Connection,
    head: &'static str,
    rows: &[T],
    row: impl Fn(&T) -> Values,
    tail: &Sql,
) -> Result<(), StoreError> {
    put(connection, head, rows, row, tail).or_store_error()
}

/// Inserts rows that were not there when this transaction looked. Where one is by now,
/// somebody else was quicker, and the transaction is to be repeated.
pub(crate) fn insert_new_rows<T>(
    connection: &mut Connection,
    head: &'static str,
    rows: &[T],
    row: impl Fn(&T) -> Values,
) -> Result<(), StoreError> {
    match put(connection, head, rows, row, &Sql::new("")) {
        Err(error) if is_unique_violation(&error) => {
            Err(StoreError::Unavailable { reason: CONTENTION })
        }
        done => done.or_store_error(),
    }
}

fn put<T>(
    connection: &mut Connection,
    head: &'static str,
    rows: &[T],
    row: impl Fn(&T) -> Values,
    tail: &Sql,
) -> QueryResult<()> {
    if let Some(postgres) = connection.postgres() {
        for these in rows.chunks(COLUMN_ROWS) {
            let rows = these.iter().map(|of| row(of).0);
            let insert = InsertColumns::new(head, rows, tail.clone())?;
            postgres.execute(insert)?;
        }
        return Ok(());
    }
    let mut rows = rows;
    for size in SIZES {
        while let Some((these, rest)) = rows.split_at_checked(size) {
            let mut sql = Sql::new(head).sql(" values ");
            for (number, values) in these.iter().map(&row).enumerate() {
                sql.push(if number == 0 { "(" } else { ", (" });
                for (number, value) in values.0.into_iter().enumerate() {
                    sql.push(if number == 0 { "" } else { ", " });
                    sql.pieces.push(value);
                }
                sql.push(")");
            }
            sql.with(tail.clone()).run(connection)?;
            rows = rest;
        }
    }
    Ok(())
}
