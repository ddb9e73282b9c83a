//! Why a step could not be done.

use std::fmt;

use diesel::result::Error as DieselError;

/// Why a step could not be done.
#[derive(Debug)]
pub(super) enum Failure {
    /// The database refused a statement.
    Database(DieselError),
    /// What is in the database stands in the way; in words, with what to do.
    Refused(String),
}

impl From<DieselError> for Failure {
    fn from(error: DieselError) -> Self {
        Self::Database(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(error) => error.fmt(f),
            Self::Refused(reason) => f.write_str(reason),
        }
    }
}
