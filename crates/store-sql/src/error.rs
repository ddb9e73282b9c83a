//! What can go wrong when a database is opened, and how driver errors become
//! store errors.

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
        reason: &'static str,
    },
    /// The database was written by another release of MLflow.
    #[error(
        "the database {uri} has schema version {found}, this program works with {expected}: \
         run `mlflow db upgrade {uri}` with MLflow 3.17.2 if it is older"
    )]
    Schema {
        /// The URI, without its password.
        uri: String,
        /// The version that the database has.
        found: String,
        /// The version that is needed.
        expected: &'static str,
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

/// Turns an error of the driver into a store error.
///
/// A busy, full or failing database is [`StoreError::Unavailable`]: the
/// transaction was rolled back, and the call may be repeated.
pub(crate) fn from_diesel(error: DieselError) -> StoreError {
    // Diesel hands on SQLite's words, not its codes.
    let known = [
        "database is locked",
        "database or disk is full",
        "disk I/O error",
    ];
    let reason = match &error {
        DieselError::DatabaseError(_, info) => known
            .into_iter()
            .find(|known| info.message().contains(known)),
        _ => None,
    };
    reason.map_or_else(
        || StoreError::internal(error),
        |reason| StoreError::Unavailable { reason },
    )
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
