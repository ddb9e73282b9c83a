//! The schema: made in an empty file, recognised in any other.
//!
//! The table `alembic_version` is MLflow's own, so that either program
//! recognises the database. A database of another release is left alone.

use diesel::{connection::SimpleConnection, sql_types::Text, sqlite::SqliteConnection};

use crate::{OpenError, sql::Sql};

/// The schema version of MLflow 3.17, in Alembic's name.
pub const SCHEMA_VERSION: &str = "dc11669786a5";

const SCHEMA: &str = include_str!("../migrations/sqlite/0001_mlflow_3_17.sql");

/// Makes the schema in an empty database, or checks the one that is there.
pub(crate) fn prepare(connection: &mut SqliteConnection, uri: &str) -> Result<(), OpenError> {
    let failed = |error: diesel::result::Error| OpenError::Database {
        uri: uri.to_owned(),
        reason: error.to_string(),
    };
    // The lock keeps two programs that start on one new file apart.
    connection
        .batch_execute("begin immediate")
        .map_err(failed)?;
    let prepared = prepare_locked(connection, uri);
    let end = if prepared.is_ok() {
        "commit"
    } else {
        "rollback"
    };
    let ended = connection.batch_execute(end).map_err(failed);
    prepared.and(ended)
}

fn prepare_locked(connection: &mut SqliteConnection, uri: &str) -> Result<(), OpenError> {
    let failed = |error: diesel::result::Error| OpenError::Database {
        uri: uri.to_owned(),
        reason: error.to_string(),
    };
    let tables: Vec<String> = Sql::new("select name from sqlite_master where type = 'table'")
        .rows::<Text, _>(connection)
        .map_err(failed)?;
    if tables.is_empty() {
        return connection.batch_execute(SCHEMA).map_err(failed);
    }
    if !tables.iter().any(|table| table == "alembic_version") {
        return Err(OpenError::Foreign {
            uri: uri.to_owned(),
        });
    }
    let found: Option<String> = Sql::new("select version_num from alembic_version")
        .first::<Text, _>(connection)
        .map_err(failed)?;
    match found {
        Some(version) if version == SCHEMA_VERSION => Ok(()),
        found => Err(OpenError::Schema {
            uri: uri.to_owned(),
            found: found.unwrap_or_else(|| "none".to_owned()),
            expected: SCHEMA_VERSION,
        }),
    }
}
