//! How connections are opened and set up.

use std::time::Duration;

use diesel::sql_types::{Nullable, Text};
use diesel_async::AsyncMysqlConnection;
use tokio::runtime::Builder;

use crate::{
    OpenError,
    connection::{Connection, Link, Remote},
    sql::Sql,
    uri::MysqlUri,
};

/// What every session sets: double quotes mark identifiers, values that do not
/// fit are errors, an id of 0 is kept (the default experiment's), a statement
/// that writes locks the rows it finds and not the gaps between them, and a
/// lock is waited for as long as on the other databases.
const SESSION: &str = "set session sql_mode = 'ANSI_QUOTES,STRICT_TRANS_TABLES,\
    STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO'; \
    set session transaction isolation level read committed; \
    set session innodb_lock_wait_timeout = 20";

/// How long a statement takes at most, unless the URI says so.
const STATEMENT_TIMEOUT: Duration = Duration::from_mins(2);

/// Opens a connection.
pub(crate) fn connect(uri: &MysqlUri) -> Result<Connection, OpenError> {
    let failed = |reason: String| OpenError::Database {
        uri: uri.to_string(),
        reason,
    };
    // Rows that a statement finds count, whether it changes them or not, as on
    // the other databases.
    let (options, tls) = uri.opts()?;
    // Diesel keeps prepared statements; the driver would close them under it.
    let options = options.client_found_rows(true).stmt_cache_size(0);
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| failed(error.to_string()))?;
    let opened = runtime.block_on(async {
        let connect = tls.connect(options);
        let connection = tokio::time::timeout(uri.connect_timeout(), connect)
            .await
            .map_err(|_| "it did not answer in time".to_owned())?
            .map_err(|error| error.to_string())?;
        AsyncMysqlConnection::try_from(connection)
            .await
            .map_err(|error| error.to_string())
    });
    let connection = opened.map_err(failed)?;
    let mut connection = Connection::new(Link::Mysql(Box::new(Remote::new(runtime, connection))));
    connection
        .batch_execute(SESSION)
        .map_err(|error| failed(error.to_string()))?;
    let timeout = uri.answer_timeout().unwrap_or(STATEMENT_TIMEOUT);
    // MariaDB's name, then MySQL's.
    let limits = [
        format!("set session max_statement_time = {}", timeout.as_secs_f64()),
        format!("set session max_execution_time = {}", timeout.as_millis()),
    ];
    let is_limited = limits
        .iter()
        .any(|set| connection.batch_execute(set).is_ok());
    if !is_limited {
        tracing::debug!("this MySQL has no limit on the time of a statement");
    }
    use_collation(&mut connection).map_err(|error| failed(error.to_string()))?;
    Ok(connection)
}

/// Takes over the collation of the columns, so that values and columns can be
/// compared also where a value has become the column of a list.
pub(crate) fn use_collation(connection: &mut Connection) -> diesel::QueryResult<()> {
    let found: Option<Option<String>> = Sql::new(
        "select collation_name from information_schema.columns where table_schema = database() \
         and table_name = 'runs' and column_name = 'run_uuid'",
    )
    .first::<Nullable<Text>, _>(connection)?;
    let Some(collation) = found.flatten() else {
        return Ok(());
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if collation.starts_with("utf8mb4_") && collation.chars().all(is_name) {
        connection.batch_execute(&format!("set session collation_connection = {collation}"))?;
    }
    Ok(())
}
