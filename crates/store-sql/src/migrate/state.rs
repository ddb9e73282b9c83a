//! What a database is, seen from its tables and its version.

use diesel::sql_types::Text;

use crate::{OpenError, SCHEMA_VERSION, connection::Connection, dialect::Dialect, sql::Sql};

use super::{
    Failure, catalog,
    revisions::{self, Known, Level},
    script::{Effect, Statement},
};

/// What a database is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Without tables of MLflow, and free to take them.
    Empty,
    /// On MySQL, the newest schema was being made and is not whole.
    Begun,
    /// Of a version since MLflow 2.0.
    At(Level),
}

/// Looks at a database. One that cannot be used is an error.
pub(super) fn state(connection: &mut Connection, uri: &str) -> Result<State, OpenError> {
    let tables = catalog::tables(connection).map_err(|error| unusable(uri, error))?;
    if !tables.iter().any(|table| table == VERSION_TABLE) {
        return vacant(connection.dialect(), &tables)
            .then_some(State::Empty)
            .ok_or_else(|| OpenError::Foreign {
                uri: uri.to_owned(),
            });
    }
    let found: Option<String> = Sql::new("select version_num from alembic_version")
        .first::<Text, _>(connection)
        .map_err(|error| unusable(uri, error))?;
    let Some(found) = found else {
        return begun(connection.dialect(), &tables).ok_or_else(|| OpenError::Foreign {
            uri: uri.to_owned(),
        });
    };
    match Level::of(&found) {
        Known::Level(level) => Ok(State::At(level)),
        Known::Before => Err(OpenError::TooOld {
            uri: uri.to_owned(),
            found,
        }),
        Known::Unknown => Err(OpenError::Newer {
            uri: uri.to_owned(),
            found,
            newest: SCHEMA_VERSION,
        }),
    }
}

/// The version of a database that is read as it is, without an upgrade.
///
/// # Errors
/// As [`prepare`](super::prepare()), but an older version since MLflow 2.0 is none.
/// An empty database has nothing to read: it counts as foreign.
pub(crate) fn level(connection: &mut Connection, uri: &str) -> Result<Level, OpenError> {
    match state(connection, uri)? {
        State::At(level) => Ok(level),
        State::Empty | State::Begun => Err(OpenError::Foreign {
            uri: uri.to_owned(),
        }),
    }
}

const VERSION_TABLE: &str = "alembic_version";

/// Whether a database without the table of the version can take MLflow's tables.
///
/// A file of SQLite belongs to one program; a database on a server may be shared
/// with another as long as no name is taken, which is what MLflow does too.
fn vacant(dialect: Dialect, tables: &[String]) -> bool {
    match dialect {
        Dialect::Sqlite => tables.iter().all(|table| table.starts_with("sqlite_")),
        Dialect::Postgres | Dialect::Mysql => !own(dialect)
            .iter()
            .any(|own| tables.iter().any(|table| table == own)),
    }
}

/// Whether a database with an empty table of the version can take MLflow's
/// tables, or has taken some of them: that version is written last, and the
/// table `workspaces`, which no older schema begins with, comes second.
fn begun(dialect: Dialect, tables: &[String]) -> Option<State> {
    let own = own(dialect);
    let mut there = tables
        .iter()
        .filter(|table| *table != VERSION_TABLE && own.contains(&table.as_str()))
        .peekable();
    let begun = there.peek().is_none() || there.any(|table| table == "workspaces");
    (dialect == Dialect::Mysql && begun).then_some(State::Begun)
}

/// The tables of the newest schema.
fn own(dialect: Dialect) -> Vec<&'static str> {
    revisions::newest(dialect)
        .into_iter()
        .filter_map(|statement| match statement {
            Statement::Sql {
                effect: Effect::CreateTable(table),
                ..
            } => Some(table),
            _ => None,
        })
        .collect()
}

/// An error of a statement that only looks.
pub(super) fn unusable(uri: &str, error: impl Into<Failure>) -> OpenError {
    OpenError::Database {
        uri: uri.to_owned(),
        reason: error.into().to_string(),
    }
}
