//! One change of a schema at a time, whatever program makes it.

use diesel::sql_types::{BigInt, Bool};

use crate::{OpenError, connection::Connection, dialect::Dialect, sql::Sql};

use super::state::unusable;

/// Whether another program's work is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// As long as the connection waits for locks.
    Yes,
    /// Not at all: it is an error.
    No,
}

/// The advisory lock of PostgreSQL: "runledge" in ASCII.
const POSTGRES_LOCK: i64 = 0x7275_6e6c_6564_6765;

/// How long MySQL waits for the lock, in seconds.
const MYSQL_WAIT: i64 = 60;

/// Does `work` while no other program of ours changes the schema.
///
/// On SQLite and PostgreSQL it is one transaction: an error leaves the database
/// as it was. Limits on the time of a statement are lifted for the connection.
pub(super) fn locked<T>(
    connection: &mut Connection,
    uri: &str,
    wait: Wait,
    work: impl FnOnce(&mut Connection) -> Result<T, OpenError>,
) -> Result<T, OpenError> {
    match connection.dialect() {
        Dialect::Sqlite => sqlite(connection, uri, work),
        Dialect::Postgres => postgres(connection, uri, wait, work),
        Dialect::Mysql => mysql(connection, uri, wait, work),
    }
}

/// The write lock of the file is the lock. Foreign keys are off while tables are
/// rebuilt, and checked before the end; names in other tables and views stay as
/// they are when a rebuilt table takes its place.
fn sqlite<T>(
    connection: &mut Connection,
    uri: &str,
    work: impl FnOnce(&mut Connection) -> Result<T, OpenError>,
) -> Result<T, OpenError> {
    connection
        .batch_execute("pragma foreign_keys = off; pragma legacy_alter_table = on")
        .map_err(|error| unusable(uri, error))?;
    let done = match connection.batch_execute("begin immediate") {
        Ok(()) => transaction(connection, uri, work),
        Err(error) if error.to_string().contains("locked") => Err(OpenError::Busy {
            uri: uri.to_owned(),
        }),
        Err(error) => Err(unusable(uri, error)),
    };
    let restored = connection
        .batch_execute("pragma foreign_keys = on; pragma legacy_alter_table = off")
        .map_err(|error| unusable(uri, error));
    done.and_then(|value| restored.map(|()| value))
}

fn postgres<T>(
    connection: &mut Connection,
    uri: &str,
    wait: Wait,
    work: impl FnOnce(&mut Connection) -> Result<T, OpenError>,
) -> Result<T, OpenError> {
    connection
        .batch_execute(
            "begin; set local statement_timeout = 0; \
             set local idle_in_transaction_session_timeout = 0",
        )
        .map_err(|error| unusable(uri, error))?;
    transaction(connection, uri, |connection| {
        let locked = match wait {
            Wait::Yes => Sql::new("select pg_advisory_xact_lock(")
                .int(POSTGRES_LOCK)
                .sql(") is not null"),
            Wait::No => Sql::new("select pg_try_advisory_xact_lock(")
                .int(POSTGRES_LOCK)
                .sql(")"),
        }
        .first::<Bool, bool>(connection)
        .map_err(|error| unusable(uri, error))?;
        if locked != Some(true) {
            return Err(OpenError::Busy {
                uri: uri.to_owned(),
            });
        }
        work(connection)
    })
}

/// Runs `work` in the transaction that has begun, and ends it.
fn transaction<T>(
    connection: &mut Connection,
    uri: &str,
    work: impl FnOnce(&mut Connection) -> Result<T, OpenError>,
) -> Result<T, OpenError> {
    let worked = work(connection);
    if worked.is_ok() {
        connection
            .batch_execute("commit")
            .map_err(|error| unusable(uri, error))?;
    } else {
        // The first error says more than one of the rollback would.
        let _ = connection.batch_execute("rollback");
    }
    worked
}

fn mysql<T>(
    connection: &mut Connection,
    uri: &str,
    wait: Wait,
    work: impl FnOnce(&mut Connection) -> Result<T, OpenError>,
) -> Result<T, OpenError> {
    // MariaDB's name, then MySQL's, which limits reads only.
    let _ = connection
        .batch_execute("set session max_statement_time = 0")
        .or_else(|_| connection.batch_execute("set session max_execution_time = 0"));
    let locked = Sql::new("select cast(coalesce(get_lock(concat('runledger ', md5(database())), ")
        .int(if wait == Wait::Yes { MYSQL_WAIT } else { 0 })
        .sql("), 0) as signed)")
        .first::<BigInt, i64>(connection)
        .map_err(|error| unusable(uri, error))?;
    if locked != Some(1) {
        return Err(OpenError::Busy {
            uri: uri.to_owned(),
        });
    }
    let worked = work(connection);
    let released =
        connection.batch_execute("do release_lock(concat('runledger ', md5(database())))");
    worked.and_then(|value| {
        released
            .map(|()| value)
            .map_err(|error| unusable(uri, error))
    })
}
