//! Opening a database for the commands about its schema.

use std::{path::Path, time::Duration};

use diesel::{Connection as _, sqlite::SqliteConnection};

use crate::{
    DatabaseUri, OpenError,
    connection::{Connection, Link},
    mysql, postgres,
    sqlite::{Access, connect},
};

/// How long a lock of another program on a SQLite file is waited for.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What may be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Open {
    /// A database that is there, to be read.
    Existing,
    /// A database to change; a file that is missing is made.
    Writable,
}

/// Opens a database by its URI; returns it with the URI as it may be shown.
pub(super) fn open(uri: &str, open: Open) -> Result<(Connection, String), OpenError> {
    let uri = DatabaseUri::parse(uri)?;
    let shown = uri.to_string();
    let connection = match &uri {
        DatabaseUri::Sqlite { path, timeout } => {
            let timeout = timeout.unwrap_or(BUSY_TIMEOUT);
            let opened = match open {
                Open::Existing => read_only(path, timeout, &shown),
                Open::Writable => connect(path, Access::Write, timeout),
            };
            opened.map_err(|error| busy(error, &shown))?
        }
        DatabaseUri::Postgres(server) => postgres::connect(server)?,
        DatabaseUri::Mysql(server) => mysql::connect(server)?,
    };
    Ok((connection, shown))
}

/// Opens a file to look at it. Unlike the connections of a store this leaves its
/// journal as it is.
fn read_only(path: &Path, timeout: Duration, shown: &str) -> Result<Connection, OpenError> {
    let failed = |reason: String| OpenError::Database {
        uri: shown.to_owned(),
        reason,
    };
    if !path.exists() {
        return Err(failed("there is no such file".to_owned()));
    }
    let name = path
        .to_str()
        .ok_or_else(|| failed("its path is not UTF-8".to_owned()))?;
    let connection =
        SqliteConnection::establish(name).map_err(|error| failed(error.to_string()))?;
    let mut connection = Connection::new(Link::Sqlite(connection));
    connection
        .batch_execute(&format!(
            "pragma busy_timeout = {}; pragma query_only = on",
            timeout.as_millis()
        ))
        .map_err(|error| failed(error.to_string()))?;
    Ok(connection)
}

/// A file that another program writes to cannot even be set up.
fn busy(error: OpenError, uri: &str) -> OpenError {
    match error {
        OpenError::Database { reason, .. } if reason.contains("database is locked") => {
            OpenError::Busy {
                uri: uri.to_owned(),
            }
        }
        error => error,
    }
}
