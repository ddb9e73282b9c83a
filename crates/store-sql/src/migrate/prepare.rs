//! What opening a store does to the schema: it makes the newest one in an empty
//! database, and refuses any other than the newest.

use diesel::QueryResult;

use crate::{OpenError, SCHEMA_VERSION, connection::Connection, dialect::Dialect};

use super::{
    Failure, catalog,
    lock::{self, Wait},
    report::Report,
    revisions::{self, Level},
    script::Statement,
    state::{State, state, unusable},
    steps,
};

/// Makes the schema in an empty database, or checks the one that is there.
///
/// `uri` is shown in errors: it holds no password.
///
/// # Errors
/// [`OpenError::OutOfDate`] names the command that upgrades an older schema;
/// [`OpenError::Newer`], [`OpenError::TooOld`] and [`OpenError::Foreign`] say
/// why a database cannot be used.
pub(crate) fn prepare(connection: &mut Connection, uri: &str) -> Result<(), OpenError> {
    if let State::At(level) = state(connection, uri)? {
        return newest(level, uri);
    }
    // Two programs that start on one empty database make one schema: the second
    // waits for the first, and looks again.
    lock::locked(connection, uri, Wait::Yes, |connection| {
        match state(connection, uri)? {
            State::At(level) => newest(level, uri),
            found => make(connection, found).map_err(|error| unusable(uri, error)),
        }
    })
}

/// Makes a table that is none of MLflow's with `make`, if it is not there.
///
/// # Errors
/// [`OpenError`] if it cannot be made; then nothing has changed.
pub(crate) fn ensure_table(
    connection: &mut Connection,
    uri: &str,
    table: &'static str,
    make: fn(&mut Connection) -> QueryResult<()>,
) -> Result<(), OpenError> {
    let is_there = |connection: &mut Connection| {
        catalog::has_table(connection, table).map_err(|error| unusable(uri, error))
    };
    if is_there(connection)? {
        return Ok(());
    }
    lock::locked(connection, uri, Wait::Yes, |connection| {
        if is_there(connection)? {
            return Ok(());
        }
        make(connection).map_err(|error| unusable(uri, error))
    })
}

fn newest(level: Level, uri: &str) -> Result<(), OpenError> {
    if level == Level::NEWEST {
        return Ok(());
    }
    Err(OpenError::OutOfDate {
        uri: uri.to_owned(),
        found: level.id(),
        expected: SCHEMA_VERSION,
    })
}

/// Makes the newest schema in a database that was found empty or, on MySQL, with
/// some of it.
pub(super) fn make(connection: &mut Connection, found: State) -> Result<(), Failure> {
    if connection.dialect() == Dialect::Mysql {
        exact_collation(connection);
    }
    let mut report = Report {
        step: 1,
        of: 1,
        revision: SCHEMA_VERSION,
        title: Level::NEWEST.title(),
        sink: &mut |_| (),
    };
    for statement in revisions::newest(connection.dialect()) {
        match &statement {
            // Nothing can be there yet, and looking takes MySQL seconds.
            Statement::Sql { text, .. } if found == State::Empty => {
                connection.batch_execute(text)?;
            }
            statement => steps::run(connection, statement, &mut report)?,
        }
    }
    if connection.dialect() == Dialect::Mysql {
        crate::mysql::use_collation(connection)?;
    }
    Ok(())
}

/// Texts that differ in case, accents or final spaces are different names, as on
/// the other databases. The first name is MariaDB's, the second MySQL's.
///
/// A user without the right to alter the database gets tables that are as exact
/// as the database's own collation.
fn exact_collation(connection: &mut Connection) {
    let set = connection
        .batch_execute("alter database collate utf8mb4_nopad_bin")
        .or_else(|_| connection.batch_execute("alter database collate utf8mb4_0900_bin"));
    if let Err(error) = set {
        tracing::warn!(
            %error,
            "the collation of the database stays as it is: keys that differ only in case may \
             count as one"
        );
    }
}
