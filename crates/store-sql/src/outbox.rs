//! The table of deliveries: ours, beside MLflow's.
//!
//! Alembic knows nothing of it, and neither MLflow nor its upgrades mind it. It may
//! be dropped while no server runs: what waited in it is then lost, and the next
//! server makes it anew.

use diesel::QueryResult;

use crate::{OpenError, connection::Connection, dialect::Dialect, migrate};

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

/// Makes the table, if it is not there.
pub(crate) fn prepare(connection: &mut Connection, uri: &str) -> Result<(), OpenError> {
    migrate::ensure_table(connection, uri, TABLE, make)
}

fn make(connection: &mut Connection) -> QueryResult<()> {
    // A delivery is found by its time, all of a webhook when that is deleted.
    let statements = match connection.dialect() {
        Dialect::Mysql => format!(
            "create table {TABLE} ({COLUMNS} body longtext not null, \
             key {TABLE}_due (due_at), key {TABLE}_webhook (webhook_id))"
        ),
        Dialect::Sqlite | Dialect::Postgres => format!(
            "create table {TABLE} ({COLUMNS} body text not null);
             create index {TABLE}_due on {TABLE} (due_at);
             create index {TABLE}_webhook on {TABLE} (webhook_id);"
        ),
    };
    connection.batch_execute(&statements)
}
