//! Rows that are inserted as columns: each is an array, so that a statement has the same
//! text, and one plan, however many rows it inserts.

use diesel::{
    pg::Pg,
    prelude::*,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_types::{Array, BigInt, Bool, Double, Nullable, Text},
};

use crate::sql::{Piece, Sql};

/// An insert of rows.
#[derive(Debug)]
pub(crate) struct InsertColumns {
    head: &'static str,
    columns: Vec<Column>,
    tail: Sql,
}

/// The values of one column, in the order of the rows.
#[derive(Debug)]
enum Column {
    Texts(Vec<Option<String>>),
    Integers(Vec<Option<i64>>),
    Reals(Vec<Option<f64>>),
    Bools(Vec<bool>),
}

impl InsertColumns {
    /// Inserts rows of values, each as long as the first, with the same types. `head` ends
    /// with the columns, `tail` says what becomes of rows that are there already.
    pub(crate) fn new(
        head: &'static str,
        rows: impl Iterator<Item = Vec<Piece>>,
        tail: Sql,
    ) -> QueryResult<Self> {
        let mut columns: Vec<Column> = Vec::new();
        for row in rows {
            if columns.is_empty() {
                columns = row.iter().filter_map(Column::of).collect();
            }
            if columns.len() != row.len() {
                return Err(unlike("rows have different lengths"));
            }
            for (column, value) in columns.iter_mut().zip(row) {
                column.push(value)?;
            }
        }
        Ok(Self {
            head,
            columns,
            tail,
        })
    }
}

impl Column {
    /// A column for values like this one; `None` if it is no value.
    fn of(value: &Piece) -> Option<Self> {
        Some(match value {
            Piece::Text(_) | Piece::OptionalText(_) => Self::Texts(Vec::new()),
            Piece::Integer(_) | Piece::OptionalInteger(_) => Self::Integers(Vec::new()),
            Piece::Real(_) | Piece::OptionalReal(_) => Self::Reals(Vec::new()),
            Piece::Bool(_) => Self::Bools(Vec::new()),
            Piece::Static(_) | Piece::In { .. } | Piece::Array(_) => return None,
        })
    }

    fn push(&mut self, value: Piece) -> QueryResult<()> {
        match (self, value) {
            (Self::Texts(values), Piece::Text(value)) => values.push(Some(value)),
            (Self::Texts(values), Piece::OptionalText(value)) => values.push(value),
            (Self::Integers(values), Piece::Integer(value)) => values.push(Some(value)),
            (Self::Integers(values), Piece::OptionalInteger(value)) => values.push(value),
            (Self::Reals(values), Piece::Real(value)) => values.push(Some(value)),
            (Self::Reals(values), Piece::OptionalReal(value)) => values.push(value),
            (Self::Bools(values), Piece::Bool(value)) => values.push(value),
            _ => return Err(unlike("a column has different types")),
        }
        Ok(())
    }
}

/// The rows of a statement are not alike.
fn unlike(how: &'static str) -> diesel::result::Error {
    diesel::result::Error::QueryBuilderError(how.into())
}

impl QueryFragment<Pg> for InsertColumns {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(self.head);
        out.push_sql(" select * from unnest(");
        for (number, column) in self.columns.iter().enumerate() {
            out.push_sql(if number == 0 { "" } else { ", " });
            match column {
                Column::Texts(values) => out.push_bind_param::<Array<Nullable<Text>>, _>(values),
                Column::Integers(values) => {
                    out.push_bind_param::<Array<Nullable<BigInt>>, _>(values)
                }
                Column::Reals(values) => out.push_bind_param::<Array<Nullable<Double>>, _>(values),
                Column::Bools(values) => out.push_bind_param::<Array<Bool>, _>(values),
            }?;
        }
        out.push_sql(")");
        self.tail.walk_ast(out)
    }
}

impl QueryId for InsertColumns {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C> diesel::RunQueryDsl<C> for InsertColumns {}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(rows: Vec<Vec<Piece>>) -> QueryResult<String> {
        let insert = InsertColumns::new("insert into t (a, b)", rows.into_iter(), Sql::default())?;
        Ok(diesel::debug_query::<Pg, _>(&insert).to_string())
    }

    #[test]
    fn rows_become_columns() {
        let rows = vec![
            vec![Piece::OptionalText(None), Piece::Integer(1)],
            vec![Piece::Text("x".to_owned()), Piece::OptionalInteger(None)],
        ];
        assert_eq!(
            insert(rows).unwrap(),
            "insert into t (a, b) select * from unnest($1, $2) \
             -- binds: [[None, Some(\"x\")], [Some(1), None]]"
        );
    }

    #[test]
    fn rows_that_are_not_alike_are_refused() {
        let one = || vec![Piece::Bool(true), Piece::Real(0.5)];
        for other in [
            vec![Piece::Bool(true)],
            vec![Piece::Real(0.5), Piece::Bool(true)],
            vec![Piece::Bool(true), Piece::Static("0.5")],
        ] {
            let error = insert(vec![one(), other]).unwrap_err();
            assert!(
                matches!(error, diesel::result::Error::QueryBuilderError(_)),
                "{error}"
            );
        }
    }
}
