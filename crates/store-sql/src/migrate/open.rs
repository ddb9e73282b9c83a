//! Opening a database for the commands about its schema.

use std::time::Duration;

use crate::{
    DatabaseUri, OpenError,
    connection::Connection,
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
    let uri = DatabaseUri::resolve(uri)?;
    let shown = uri.to_string();
    let connection = match &uri {
        DatabaseUri::Sqlite { path, timeout } => {
            if open == Open::Existing && !path.exists() {
                return Err(OpenError::Database {
                    uri: shown,
                    reason: "there is no such file".to_owned(),
                });
            }
            let access = match open {
                Open::Existing => Access::Read { of: 1 },
                Open::Writable => Access::Write,
            };
            connect(path, access, timeout.unwrap_or(BUSY_TIMEOUT))?
        }
        DatabaseUri::Postgres(server) => postgres::connect(server)?,
        DatabaseUri::Mysql(server) => mysql::connect(server)?,
    };
    Ok((connection, shown))
}
