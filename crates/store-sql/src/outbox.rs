//! The table of deliveries: ours, beside MLflow's.
//!
//! Alembic knows nothing of it, and neither MLflow nor its upgrades mind it. It may
//! be dropped while no server runs: what waited in it is then lost, and the next
//! server makes it anew.

use diesel::{
    QueryResult,
    sql_types::{Bool, Nullable, Text},
};

use crate::{OpenError, connection::Connection, dialect::Dialect, migrate, sql::Sql};

/// The name of the table.
pub(crate) const TABLE: &str = "runledger_webhook_deliveries";

const COLUMNS: &str = "
    delivery_id varchar(36) not null primary key,
    webhook_id  varchar(256) not null,
    entity      varchar(50) not null,
    action      varchar(50) not null,
    created_at  bigint not null,
    due_at      bigint not null,
    attempts    bigint not null,
    lease       varchar(36),";

/// Words of MySQL and MariaDB that does not let its user make a table; another language has
/// the numbers still.
const NOT_ALLOWED: [&str; 4] = ["command denied", "Access denied", "(1142)", "(1044)"];

/// Makes the table, if it is not there. Where there can be none, says why: all else works
/// without it.
///
/// # Errors
/// [`OpenError`] for everything that may pass, such as a lock or a lost connection: webhooks
/// that are there must not go untold because of it.
pub(crate) fn prepare(connection: &mut Connection, uri: &str) -> Result<Option<String>, OpenError> {
    if let Some(reason) = refused(connection).map_err(|error| unusable(uri, &error))? {
        return Ok(Some(reason));
    }
    match migrate::ensure_table(connection, uri, TABLE, make) {
        Err(OpenError::Database { reason, .. })
            if NOT_ALLOWED.iter().any(|words| reason.contains(words)) =>
        {
            return Ok(Some(reason));
        }
        made => made?,
    }
    // Known since PostgreSQL 9.5, MariaDB 10.6 and MySQL 8. `refused` has asked PostgreSQL.
    let free = connection.dialect().for_update_of_free();
    let tried = Sql::new("select delivery_id from runledger_webhook_deliveries where due_at < 0")
        .sql(free)
        .rows::<Text, String>(connection);
    match tried {
        Ok(_) => Ok(None),
        Err(error) if error.to_string().contains("syntax") => Ok(Some(format!(
            "the database does not know `{}`: {error}",
            free.trim()
        ))),
        Err(error) => Err(unusable(uri, &error)),
    }
}

fn unusable(uri: &str, error: &diesel::result::Error) -> OpenError {
    OpenError::Database {
        uri: uri.to_owned(),
        reason: error.to_string(),
    }
}

/// Why there can be no table on PostgreSQL, which says so in the language of its operator: it
/// is asked for rights.
fn refused(connection: &mut Connection) -> QueryResult<Option<String>> {
    if connection.dialect() != Dialect::Postgres {
        return Ok(None);
    }
    let may = |connection: &mut Connection, sql| {
        let may = Sql::new(sql).first::<Nullable<Bool>, Option<bool>>(connection)?;
        QueryResult::Ok(may.flatten())
    };
    // Nothing where there is no table, or no schema.
    let may_use = may(
        connection,
        "select has_table_privilege(oid, 'SELECT') and has_table_privilege(oid, 'INSERT') \
         and has_table_privilege(oid, 'UPDATE') and has_table_privilege(oid, 'DELETE') \
         from pg_class where oid = to_regclass('runledger_webhook_deliveries')",
    )?;
    let may_make = may(
        connection,
        "select has_schema_privilege(current_schema(), 'CREATE')",
    )?;
    Ok(match (may_use, may_make) {
        (Some(false), _) => Some(format!("the user may not read and write the table {TABLE}")),
        (Some(true), _) | (None, Some(true)) => None,
        (None, _) => Some("the user may not make tables in the schema".to_owned()),
    })
}

fn make(connection: &mut Connection) -> QueryResult<()> {
    // A delivery is found by its time, among those of webhooks that need not wait; all of a
    // webhook when that is deleted.
    let statements = match connection.dialect() {
        Dialect::Mysql => format!(
            "create table {TABLE} ({COLUMNS} body longtext not null, \
             key {TABLE}_due (due_at, webhook_id), key {TABLE}_webhook (webhook_id))"
        ),
        Dialect::Sqlite | Dialect::Postgres => format!(
            "create table {TABLE} ({COLUMNS} body text not null);
             create index {TABLE}_due on {TABLE} (due_at, webhook_id);
             create index {TABLE}_webhook on {TABLE} (webhook_id);"
        ),
    };
    connection.batch_execute(&statements)
}
