//! SQL text with its bound values.
//!
//! The text comes from `&'static str` pieces only, values are only ever bound:
//! nothing that a client sends can become SQL text. What a statement returns is
//! given where it is loaded, as Diesel SQL types, and rows are read by position.
//! How values are bound on each database is in [`crate::dialect`].

use std::{marker::PhantomData, sync::OnceLock};

use diesel::{
    QueryResult,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
};

use crate::connection::{Connection, Each, Load};

/// One piece of a statement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    Static(&'static str),
    Text(String),
    OptionalText(Option<String>),
    Integer(i64),
    OptionalInteger(Option<i64>),
    Real(f64),
    OptionalReal(Option<f64>),
    Bool(bool),
    /// `in` or `not in` a list.
    In {
        negated: bool,
        list: List,
    },
    /// A list as one value: a JSON text on SQLite, an array on PostgreSQL, and
    /// values between commas on MySQL.
    Array(List),
}

impl Piece {
    /// What of its SQL text is the same whatever its values are, if anything.
    pub(crate) fn fixed_text(&self) -> Option<&'static str> {
        match self {
            Self::Static(text) => Some(text),
            Self::In { negated, .. } => Some(if *negated { "not" } else { "" }),
            _ => None,
        }
    }

    /// Whether its text depends on a length where lists are written out.
    pub(crate) fn is_list(&self) -> bool {
        matches!(self, Self::In { .. } | Self::Array(_))
    }
}

/// The values of a list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum List {
    Texts { values: Vec<String>, json: Json },
    Integers { values: Vec<i64>, json: Json },
}

/// A list as a JSON array, made where it is bound as one.
type Json = OnceLock<String>;

impl List {
    fn texts(values: Vec<String>) -> Self {
        let json = Json::new();
        Self::Texts { values, json }
    }

    fn integers(values: Vec<i64>) -> Self {
        let json = Json::new();
        Self::Integers { values, json }
    }

    /// The list as a JSON array.
    pub(crate) fn json(&self) -> &String {
        match self {
            Self::Texts { values, json } => {
                json.get_or_init(|| serde_json::Value::from(values.as_slice()).to_string())
            }
            Self::Integers { values, json } => {
                json.get_or_init(|| serde_json::Value::from(values.as_slice()).to_string())
            }
        }
    }

    /// Whether there is nothing in it.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Texts { values, .. } => values.is_empty(),
            Self::Integers { values, .. } => values.is_empty(),
        }
    }
}

/// A statement, or a part of one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sql {
    pub(crate) pieces: Vec<Piece>,
    /// Whether its prepared form is kept.
    pub(crate) prepared: Prepared,
}

/// Whether the prepared form of a statement is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Prepared {
    /// Its text is always the same.
    #[default]
    Always,
    /// Its text varies with the request, but little, and a plan that was made
    /// for other values is as good: see [`Sql::recurring`].
    WhileRoom,
    /// Its text varies with the request.
    Never,
}

impl Sql {
    /// A statement whose text is always the same: its prepared form is kept.
    pub(crate) fn new(text: &'static str) -> Self {
        Self {
            pieces: vec![Piece::Static(text)],
            prepared: Prepared::Always,
        }
    }

    /// A statement that is put together from parts of a request.
    pub(crate) fn varying(text: &'static str) -> Self {
        Self {
            pieces: vec![Piece::Static(text)],
            prepared: Prepared::Never,
        }
    }

    /// The statement, which varies, but is asked for again and again in a few
    /// shapes: a connection to a server keeps the prepared forms of so many.
    ///
    /// PostgreSQL then may keep the plan too, made for no value in particular:
    /// not for a statement whose best plan depends on its values.
    pub(crate) fn recurring(mut self) -> Self {
        self.prepared = Prepared::WhileRoom;
        self
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
        self.prepared = self.prepared.max(other.prepared);
    }

    /// Appends another fragment.
    pub(crate) fn with(mut self, other: Self) -> Self {
        self.append(other);
        self
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

    /// Binds a floating-point number or null.
    pub(crate) fn optional_real(mut self, value: Option<f64>) -> Self {
        self.pieces.push(Piece::OptionalReal(value));
        self
    }

    /// Binds a truth value.
    pub(crate) fn bool(mut self, value: bool) -> Self {
        self.pieces.push(Piece::Bool(value));
        self
    }

    /// ` in` a list of texts, or ` not in` it.
    pub(crate) fn in_texts(mut self, negated: bool, values: Vec<String>) -> Self {
        let list = List::texts(values);
        self.pieces.push(Piece::In { negated, list });
        self
    }

    /// ` in` a list of integers, or ` not in` it.
    pub(crate) fn in_ints(mut self, negated: bool, values: Vec<i64>) -> Self {
        let list = List::integers(values);
        self.pieces.push(Piece::In { negated, list });
        self
    }

    /// Binds a list of texts: see [`Piece::Array`].
    pub(crate) fn array(mut self, values: Vec<String>) -> Self {
        self.pieces.push(Piece::Array(List::texts(values)));
        self
    }

    /// Runs the statement; returns how many rows it found to change.
    pub(crate) fn run(self, connection: &mut Connection) -> QueryResult<usize> {
        connection.run(self)
    }

    /// Runs the statement; returns all rows, of SQL types `ST`.
    pub(crate) fn rows<ST, U>(self, connection: &mut Connection) -> QueryResult<Vec<U>>
    where
        ST: Load<U>,
    {
        let mut rows = Vec::new();
        self.each::<ST, U>(connection, &mut |row| {
            rows.push(row);
            Ok(())
        })?;
        Ok(rows)
    }

    /// Runs the statement; gives `each` row, of SQL types `ST`, away.
    pub(crate) fn each<ST, U>(
        self,
        connection: &mut Connection,
        each: &mut Each<'_, U>,
    ) -> QueryResult<()>
    where
        ST: Load<U>,
    {
        ST::load(self.typed(), connection, each)
    }

    /// Runs the statement; returns the first row, if there is one.
    pub(crate) fn first<ST, U>(self, connection: &mut Connection) -> QueryResult<Option<U>>
    where
        ST: Load<U>,
    {
        Ok(self.rows::<ST, U>(connection)?.into_iter().next())
    }

    /// How the database would run the statement, a line for each step.
    #[cfg(test)]
    pub(crate) fn plan(self, connection: &mut Connection) -> Vec<String> {
        use diesel::sql_types::{Integer, Text};

        let mut explain = Self::varying("explain query plan ");
        explain.append(self);
        let steps: Vec<(i32, i32, i32, String)> = explain
            .rows::<(Integer, Integer, Integer, Text), _>(connection)
            .expect("SQLite explains every statement that it accepts");
        steps.into_iter().map(|step| step.3).collect()
    }

    /// The statement with the SQL types of its columns.
    pub(crate) fn typed<ST>(self) -> Typed<ST> {
        Typed {
            sql: self,
            types: PhantomData,
        }
    }
}

impl QueryId for Sql {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C> diesel::RunQueryDsl<C> for Sql {}

/// A statement with the SQL types of its columns.
#[derive(Debug)]
pub(crate) struct Typed<ST> {
    pub(crate) sql: Sql,
    types: PhantomData<fn() -> ST>,
}

impl<ST, DB> QueryFragment<DB> for Typed<ST>
where
    DB: diesel::backend::Backend,
    Sql: QueryFragment<DB>,
{
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
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

impl<ST, C> diesel::RunQueryDsl<C> for Typed<ST> {}
