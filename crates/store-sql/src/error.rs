//! What can go wrong when a database is opened, and how driver errors become
//! store errors.

use std::borrow::Cow;

use diesel::result::{DatabaseErrorKind, Error as DieselError};
use runledger_store::StoreError;

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The URI names no database that this store can open.
    #[error("the database URI {uri} cannot be used: {reason}")]
    Uri {
        /// The URI, without its password.
        uri: String,
        /// What is wrong with it.
        reason: Cow<'static, str>,
    },
    /// The schema is older than this program's.
    #[error(
        "the database {uri} has schema version {found}, this program works with {expected}: make \
         a backup and run `runledger db upgrade {uri}`"
    )]
    OutOfDate {
        /// The URI, without its password.
        uri: String,
        /// The version that the database has.
        found: &'static str,
        /// The version that is needed.
        expected: &'static str,
    },
    /// The schema is of a release that this program does not know.
    #[error(
        "the database {uri} has schema version {found}, which this program does not know; it \
         knows versions up to {newest}. A newer MLflow or Runledger has written it: use that, or \
         a newer Runledger"
    )]
    Newer {
        /// The URI, without its password.
        uri: String,
        /// The version that the database has.
        found: String,
        /// The newest version that is known.
        newest: &'static str,
    },
    /// The schema is from before MLflow 2.0.
    #[error(
        "the database {uri} has schema version {found}, from before MLflow 2.0: run \
         `mlflow db upgrade` of an MLflow 2 first"
    )]
    TooOld {
        /// The URI, without its password.
        uri: String,
        /// The version that the database has.
        found: String,
    },
    /// Another program changes the schema, or writes.
    #[error(
        "the database {uri} is being upgraded or written by another program: stop it, or try \
         again when it is done"
    )]
    Busy {
        /// The URI, without its password.
        uri: String,
    },
    /// A step of an upgrade failed.
    #[error("the upgrade of the database {uri} to version {revision} failed: {reason}; {state}")]
    Upgrade {
        /// The URI, without its password.
        uri: String,
        /// The version that the step leads to.
        revision: &'static str,
        /// What went wrong.
        reason: String,
        /// What the failure leaves behind.
        state: &'static str,
    },
    /// The file holds tables, but not MLflow's.
    #[error("the database {uri} holds tables that are not MLflow's: name another file")]
    Foreign {
        /// The URI, without its password.
        uri: String,
    },
    /// The database cannot be reached or read.
    #[error("the database {uri} cannot be opened: {reason}")]
    Database {
        /// The URI, without its password.
        uri: String,
        /// The driver's words.
        reason: String,
    },
}

/// The database undid a transaction in favour of another: it may be repeated.
pub(crate) const CONTENTION: &str = "too many writes meet in the same rows";

/// The connection broke in the middle of a call.
pub(crate) const CONNECTION_LOST: &str = "the connection to the database was lost";

/// Words of drivers and databases, and what they mean. Diesel hands on the
/// words, and few of the codes.
const KNOWN: &[(&str, &str)] = &[
    // SQLite.
    ("database is locked", "database is locked"),
    ("database or disk is full", "database or disk is full"),
    ("disk I/O error", "disk I/O error"),
    // PostgreSQL.
    ("deadlock detected", CONTENTION),
    ("could not serialize access", CONTENTION),
    ("due to lock timeout", CONTENTION),
    ("due to statement timeout", "the database took too long"),
    ("terminating connection", CONNECTION_LOST),
    ("database system is", CONNECTION_LOST),
    ("could not extend file", "database or disk is full"),
    ("read-only transaction", "the database takes no writes"),
    // MySQL and MariaDB.
    ("Deadlock found", CONTENTION),
    ("Lock wait timeout exceeded", CONTENTION),
    ("Record has changed since last read", CONTENTION),
    (
        "maximum statement execution time exceeded",
        "the database took too long",
    ),
    ("max_statement_time exceeded", "the database took too long"),
    ("Input/output error", CONNECTION_LOST),
    ("Connection was killed", CONNECTION_LOST),
    ("Server shutdown in progress", CONNECTION_LOST),
    ("is full", "database or disk is full"),
    ("read-only option", "the database takes no writes"),
];

/// Words for a value that a column cannot hold.
const UNFIT: &[&str] = &[
    // PostgreSQL.
    "value too long for type",
    "out of range",
    "invalid byte sequence",
    // MySQL and MariaDB.
    "Data too long for column",
    "Out of range value",
    "Incorrect string value",
];

/// What the databases say of a regular expression that they cannot read; `SQLite` has
/// none of its own, and finds nothing.
const PATTERN: &[&str] = &[
    "regular expression",
    // MariaDB.
    "Regex error",
    "from regexp",
];

/// Turns an error of the driver into a store error.
///
/// A busy, full, failing or unreachable database is
/// [`StoreError::Unavailable`]: the transaction was rolled back, and the call
/// may be repeated. A value that does not fit is the caller's.
pub(crate) fn from_diesel(error: DieselError) -> StoreError {
    let DieselError::DatabaseError(kind, info) = &error else {
        return StoreError::internal(error);
    };
    match kind {
        DatabaseErrorKind::SerializationFailure => {
            return StoreError::Unavailable { reason: CONTENTION };
        }
        DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
            return StoreError::Unavailable {
                reason: CONNECTION_LOST,
            };
        }
        _ => {}
    }
    from_message(info.message()).unwrap_or_else(|| StoreError::internal(error))
}

/// What the words of a database mean, if they are known.
pub(crate) fn from_message(message: &str) -> Option<StoreError> {
    if let Some((_, reason)) = KNOWN.iter().find(|(words, _)| message.contains(words)) {
        return Some(StoreError::Unavailable { reason });
    }
    if PATTERN.iter().any(|words| message.contains(words)) {
        return Some(StoreError::invalid(format!(
            "A regular expression of the filter is not valid: {message}"
        )));
    }
    UNFIT
        .iter()
        .any(|words| message.contains(words))
        .then(|| StoreError::invalid(format!("The database cannot keep a value: {message}")))
}

/// As [`from_diesel`], for the connection that appends.
pub(crate) fn from_rusqlite(error: &rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked, DiskFull, SystemIoFailure};

    let reason = match error.sqlite_error_code() {
        Some(DatabaseBusy | DatabaseLocked) => "database is locked",
        Some(DiskFull) => "database or disk is full",
        Some(SystemIoFailure) => "disk I/O error",
        _ => return StoreError::internal(error.to_string()),
    };
    StoreError::Unavailable { reason }
}

/// Whether a statement broke a `UNIQUE` or primary-key constraint.
pub(crate) fn is_unique_violation(error: &DieselError) -> bool {
    matches!(
        error,
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)
    )
}
