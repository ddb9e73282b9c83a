//! How connections are set up.

use std::path::Path;

use diesel::{Connection as _, connection::SimpleConnection, sqlite::SqliteConnection};

use crate::OpenError;

/// What every connection of MLflow's SQL store sets too: foreign keys are
/// enforced, `LIKE` minds case, and a lock is waited for (milliseconds).
const SESSION: &str = "
    pragma busy_timeout = 20000;
    pragma foreign_keys = on;
    pragma case_sensitive_like = true;
";

/// Write-ahead logging, so that reads and the writer do not wait for each
/// other, with the log forced to disk at every commit: what was acknowledged
/// survives a crash of the machine.
const DURABLE: &str = "
    pragma journal_mode = wal;
    pragma synchronous = full;
    pragma journal_size_limit = 67108864;
";

/// Pages between checkpoints (16 MiB): fewer of them than by default, since
/// each one reads back and writes what the log holds.
const CHECKPOINT: &str = "pragma wal_autocheckpoint = 4096; pragma cache_size = -32768;";

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reading only.
    Read,
    /// Reading and writing.
    Write,
}

/// Opens a connection.
pub(crate) fn connect(path: &Path, access: Access) -> Result<SqliteConnection, OpenError> {
    let failed = |reason: String| OpenError::Database {
        uri: format!("sqlite:///{}", path.display()),
        reason,
    };
    let name = path
        .to_str()
        .ok_or_else(|| failed("its path is not UTF-8".to_owned()))?;
    let mut connection =
        SqliteConnection::establish(name).map_err(|error| failed(error.to_string()))?;
    let mut set = |pragmas| {
        connection
            .batch_execute(pragmas)
            .map_err(|error| failed(error.to_string()))
    };
    set(SESSION)?;
    set(DURABLE)?;
    match access {
        Access::Read => set("pragma query_only = on;")?,
        Access::Write => set(CHECKPOINT)?,
    }
    Ok(connection)
}

/// Opens the connection that appends.
///
/// Foreign keys are not checked on it: [`super::Appender`] has read the run in
/// the same transaction, and checking it again for each row costs a fifth of
/// the speed.
pub(crate) fn connect_for_append(path: &Path) -> Result<rusqlite::Connection, OpenError> {
    let open = || {
        let connection = rusqlite::Connection::open(path)?;
        connection.execute_batch(SESSION)?;
        connection.execute_batch(DURABLE)?;
        connection.execute_batch(CHECKPOINT)?;
        connection.execute_batch("pragma foreign_keys = off;")?;
        Ok(connection)
    };
    open().map_err(|error: rusqlite::Error| OpenError::Database {
        uri: format!("sqlite:///{}", path.display()),
        reason: error.to_string(),
    })
}
