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
/// A busy or full database is [`StoreError::Unavailable`]: the transaction was
/// rolled back, and the call may be repeated.
pub(crate) fn from_diesel(error: DieselError) -> StoreError {
    let unavailable = |message: &str| {
        [
            "database is locked",
            "database table is locked",
            "database or disk is full",
        ]
        .iter()
        .find(|known| message.contains(*known))
        .map(|reason| StoreError::Unavailable { reason })
    };
    match &error {
        DieselError::DatabaseError(_, info) => match unavailable(info.message()) {
            Some(busy) => busy,
            None => StoreError::internal(error),
        },
        _ => StoreError::internal(error),
    }
}

/// As [`from_diesel`], for the statement that appends.
pub(crate) fn from_rusqlite(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
            StoreError::Unavailable {
                reason: "database is locked",
            }
        }
        Some(rusqlite::ErrorCode::DiskFull) => StoreError::Unavailable {
            reason: "database or disk is full",
        },
        _ => StoreError::internal(error),
    }
}

/// Whether a statement broke a `UNIQUE` or primary-key constraint.
pub(crate) fn is_unique_violation(error: &DieselError) -> bool {
    matches!(
        error,
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)
    )
}
