//! SQL text with its bound values.
//!
//! The text comes from `&'static str` pieces only, values are only ever bound:
//! nothing that a client sends can become SQL text. What a statement returns is
//! given where it is loaded, as Diesel SQL types, and rows are read by position.

use std::marker::PhantomData;

use diesel::{
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    query_dsl::methods::LoadQuery,
    sql_types::{BigInt, Double, Nullable, Text},
    sqlite::{Sqlite, SqliteConnection},
};

/// One piece of a statement.
#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Static(&'static str),
    Text(String),
    OptionalText(Option<String>),
    Integer(i64),
    OptionalInteger(Option<i64>),
    Real(f64),
}

/// A statement, or a part of one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sql {
    pieces: Vec<Piece>,
    /// The text varies with the request, so that its prepared form is not kept.
    varies: bool,
}

impl Sql {
    /// A statement whose text is always the same: its prepared form is kept.
    pub(crate) fn new(text: &'static str) -> Self {
        Self {
            pieces: vec![Piece::Static(text)],
            varies: false,
        }
    }

    /// A statement that is put together from parts of a request.
    pub(crate) fn varying(text: &'static str) -> Self {
        Self {
            pieces: vec![Piece::Static(text)],
            varies: true,
        }
    }

    /// Appends SQL text.
    pub(crate) fn sql(mut self, text: &'static str) -> Self {
        self.pieces.push(Piece::Static(text));
        self
    }

    /// Appends SQL text.
    pub(crate) fn push(&mut self, text: &'static str) {
        self.pieces.push(Piece::Static(text));
    }

    /// Appends another fragment.
    pub(crate) fn append(&mut self, other: Self) {
        self.pieces.extend(other.pieces);
        self.varies |= other.varies;
    }

    /// Binds a text.
    pub(crate) fn text(mut self, value: impl Into<String>) -> Self {
        self.pieces.push(Piece::Text(value.into()));
        self
    }

    /// Binds a text or null.
    pub(crate) fn optional_text(mut self, value: Option<String>) -> Self {
        self.pieces.push(Piece::OptionalText(value));
        self
    }

    /// Binds an integer.
    pub(crate) fn int(mut self, value: i64) -> Self {
        self.pieces.push(Piece::Integer(value));
        self
    }

    /// Binds an integer or null.
    pub(crate) fn optional_int(mut self, value: Option<i64>) -> Self {
        self.pieces.push(Piece::OptionalInteger(value));
        self
    }

    /// Binds a floating-point number.
    pub(crate) fn real(mut self, value: f64) -> Self {
        self.pieces.push(Piece::Real(value));
        self
    }

    /// Binds a list of texts as one JSON array, for `in (select value from json_each(…))`:
    /// the text of the statement does not depend on the length of the list.
    pub(crate) fn texts<'a>(self, values: impl IntoIterator<Item = &'a str>) -> Self {
        let list: Vec<&str> = values.into_iter().collect();
        self.text(serde_json::Value::from(list).to_string())
    }

    /// Binds a list of integers as one JSON array; see [`Self::texts`].
    pub(crate) fn ints(self, values: impl IntoIterator<Item = i64>) -> Self {
        let list: Vec<i64> = values.into_iter().collect();
        self.text(serde_json::Value::from(list).to_string())
    }

    /// Runs the statement; returns how many rows it changed.
    pub(crate) fn run(self, connection: &mut SqliteConnection) -> QueryResult<usize> {
        self.execute(connection)
    }

    /// Runs the statement; returns all rows, of SQL types `ST`.
    pub(crate) fn rows<ST, U>(self, connection: &mut SqliteConnection) -> QueryResult<Vec<U>>
    where
        Typed<ST>: for<'q> LoadQuery<'q, SqliteConnection, U>,
    {
        Typed {
            sql: self,
            types: PhantomData,
        }
        .load(connection)
    }

    /// How SQLite would run the statement, a line for each step.
    #[cfg(test)]
    pub(crate) fn plan(self, connection: &mut SqliteConnection) -> Vec<String> {
        let mut explain = Self::varying("explain query plan ");
        explain.append(self);
        let steps: Vec<(i64, i64, i64, String)> = explain
            .rows::<(BigInt, BigInt, BigInt, Text), _>(connection)
            .expect("SQLite explains every statement that it accepts");
        steps.into_iter().map(|step| step.3).collect()
    }

    /// Runs the statement; returns the first row, if there is one.
    pub(crate) fn first<ST, U>(self, connection: &mut SqliteConnection) -> QueryResult<Option<U>>
    where
        Typed<ST>: for<'q> LoadQuery<'q, SqliteConnection, U>,
    {
        Ok(self.rows::<ST, U>(connection)?.into_iter().next())
    }
}

impl QueryFragment<Sqlite> for Sql {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        if self.varies {
            out.unsafe_to_cache_prepared();
        }
        for piece in &self.pieces {
            match piece {
                Piece::Static(text) => out.push_sql(text),
                Piece::Text(value) => out.push_bind_param::<Text, _>(value)?,
                Piece::OptionalText(value) => out.push_bind_param::<Nullable<Text>, _>(value)?,
                Piece::Integer(value) => out.push_bind_param::<BigInt, _>(value)?,
                Piece::OptionalInteger(value) => {
                    out.push_bind_param::<Nullable<BigInt>, _>(value)?;
                }
                Piece::Real(value) => out.push_bind_param::<Double, _>(value)?,
            }
        }
        Ok(())
    }
}

impl QueryId for Sql {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl RunQueryDsl<SqliteConnection> for Sql {}

/// A statement with the SQL types of its columns.
#[derive(Debug)]
pub(crate) struct Typed<ST> {
    sql: Sql,
    types: PhantomData<ST>,
}

impl<ST> QueryFragment<Sqlite> for Typed<ST> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.sql.walk_ast(out)
    }
}

impl<ST> QueryId for Typed<ST> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST> Query for Typed<ST> {
    type SqlType = ST;
}

impl<ST> RunQueryDsl<SqliteConnection> for Typed<ST> {}
