//! The table of deliveries: ours, beside MLflow's.
//!
//! Alembic knows nothing of it, and neither MLflow nor its upgrades mind it. It may
//! be dropped while no server runs: what waited in it is then lost, and the next
//! server makes it anew.

use diesel::{QueryResult, sql_types::Text};

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

/// Words of a server that does not let its user make a table.
const NOT_ALLOWED: [&str; 3] = ["permission denied", "command denied", "Access denied"];

/// Makes the table, if it is not there. Where there can be none, says why: all else works
/// without it.
///
/// # Errors
/// [`OpenError`] for everything that may pass, such as a lock or a lost connection: webhooks
/// that are there must not go untold because of it.
pub(crate) fn prepare(connection: &mut Connection, uri: &str) -> Result<Option<String>, OpenError> {
    match migrate::ensure_table(connection, uri, TABLE, make) {
        Err(OpenError::Database { reason, .. })
            if NOT_ALLOWED.iter().any(|words| reason.contains(words)) =>
        {
            return Ok(Some(reason));
        }
        made => made?,
    }
    // Known since PostgreSQL 9.5, MariaDB 10.6 and MySQL 8.
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
        Err(error) => Err(OpenError::Database {
            uri: uri.to_owned(),
            reason: error.to_string(),
        }),
    }
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
