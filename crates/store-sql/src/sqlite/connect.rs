//! How connections are set up.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use diesel::{
    Connection as _,
    sql_types::{Nullable, Text},
    sqlite::SqliteConnection,
};
use runledger_search::like::Pattern;

use crate::{
    OpenError,
    connection::{Connection, Link},
    sql::Sql,
};

/// What every connection of MLflow's SQL store sets too: foreign keys are
/// enforced, and `LIKE` minds case.
const SESSION: &str = "
    pragma foreign_keys = on;
    pragma case_sensitive_like = true;
";

/// Write-ahead logging, so that reads and the writer do not wait for each
/// other, with the log forced to disk at every commit: what was acknowledged
/// survives a crash of the machine.
const DURABLE: &str = "
    pragma journal_mode = wal;
    pragma synchronous = full;
    pragma journal_size_limit = 33554432;
";

/// Pages between checkpoints (16 MiB): fewer of them than by default, since each
/// one reads back and writes what the log holds. They do not wait for readers:
/// [`super::Log`] keeps the log bounded where there always are some.
const CHECKPOINT: &str = "pragma wal_autocheckpoint = 4096;";

/// A cache for the indexes that appends touch: 32 MiB, filled when used.
const APPEND_CACHE: &str = "pragma cache_size = -32768;";

/// The caches of all reading connections together, in KiB.
const READ_CACHES: usize = 48 * 1024;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reading only, as one of so many connections.
    Read {
        /// How many.
        of: usize,
    },
    /// Reading only, in a file that nothing is changed in, as one of so many
    /// connections.
    Look {
        /// How many.
        of: usize,
    },
    /// Reading and writing.
    Write,
}

/// Opens a connection.
///
/// It waits up to `busy_timeout` for the locks of others.
pub(crate) fn connect(
    path: &Path,
    access: Access,
    busy_timeout: Duration,
) -> Result<Connection, OpenError> {
    let failed = |reason: String| OpenError::Database {
        uri: format!("sqlite:///{}", path.display()),
        reason,
    };
    let name = path
        .to_str()
        .ok_or_else(|| failed("its path is not UTF-8".to_owned()))?;
    let mut connection = SqliteConnection::establish(&file_of(name, access))
        .map_err(|error| failed(error.to_string()))?;
    register_regexp(&mut connection).map_err(|error| failed(error.to_string()))?;
    let mut connection = Connection::new(Link::Sqlite(connection));
    let mut set = |pragmas: &str| {
        connection
            .batch_execute(pragmas)
            .map_err(|error| failed(error.to_string()))
    };
    set(&format!(
        "pragma busy_timeout = {};",
        busy_timeout.as_millis()
    ))?;
    set(SESSION)?;
    if let Access::Look { of } = access {
        set("pragma query_only = on;")?;
        set(&read_cache(of))?;
        return Ok(connection);
    }
    set(DURABLE)?;
    let mode = Sql::new("pragma journal_mode").first::<Text, String>(&mut connection);
    if mode.as_ref().ok().and_then(Option::as_deref) != Some("wal") {
        tracing::warn!(
            database = %path.display(),
            "write-ahead logging cannot be used here: reads and writes will wait for each other"
        );
    }
    let mut set = |pragmas: &str| {
        connection
            .batch_execute(pragmas)
            .map_err(|error| failed(error.to_string()))
    };
    match access {
        Access::Read { of } => {
            set("pragma query_only = on;")?;
            set(&read_cache(of))?;
        }
        Access::Look { .. } => {}
        Access::Write => set(CHECKPOINT)?,
    }
    Ok(connection)
}

diesel::define_sql_function! {
    /// Whether a regular expression is found in a text: SQLite has a word for it,
    /// and leaves the meaning to its users.
    fn regexp(pattern: Nullable<Text>, text: Nullable<Text>) -> Bool;
}

/// How many regular expressions a connection keeps.
const PATTERNS: usize = 8;

/// Gives a connection the function `regexp`. The last expressions are kept, since
/// a search asks for the same ones in each row.
fn register_regexp(connection: &mut SqliteConnection) -> diesel::QueryResult<()> {
    let kept: Mutex<Vec<(String, Pattern)>> = Mutex::new(Vec::new());
    regexp_utils::register_impl(
        connection,
        move |pattern: Option<String>, text: Option<String>| {
            let (Some(pattern), Some(text)) = (pattern, text) else {
                return false;
            };
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, known)) = kept.iter().find(|(known, _)| *known == pattern) {
                return known.is_in(&text);
            }
            let read = Pattern::new(&pattern);
            let found = read.is_in(&text);
            if kept.len() == PATTERNS {
                kept.remove(0);
            }
            kept.push((pattern, read));
            found
        },
    )
}

fn read_cache(of: usize) -> String {
    format!("pragma cache_size = -{};", READ_CACHES / of.max(1))
}

/// What SQLite opens. A file that is only looked at must be there, and is not
/// written to: not even the mode of its log is changed.
fn file_of(name: &str, access: Access) -> String {
    if !matches!(access, Access::Look { .. }) {
        return name.to_owned();
    }
    let path = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    format!("file:{path}?mode=ro")
}

/// Opens the connection that appends.
///
/// Foreign keys are not checked on it: [`super::Appender`] has read the run in
/// the same transaction, and checking it again for each row costs a fifth of
/// the speed.
pub(crate) fn connect_for_append(
    path: &Path,
    busy_timeout: Duration,
) -> Result<rusqlite::Connection, OpenError> {
    let open = || {
        let connection = rusqlite::Connection::open(path)?;
        connection.busy_timeout(busy_timeout)?;
        connection.execute_batch(SESSION)?;
        connection.execute_batch(DURABLE)?;
        connection.execute_batch(CHECKPOINT)?;
        connection.execute_batch(APPEND_CACHE)?;
        connection.execute_batch("pragma foreign_keys = off;")?;
        Ok(connection)
    };
    open().map_err(|error: rusqlite::Error| OpenError::Database {
        uri: format!("sqlite:///{}", path.display()),
        reason: error.to_string(),
    })
}
