//! How connections are opened and set up.

use std::time::Duration;

use diesel_async::AsyncPgConnection;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, Config};

use crate::{
    OpenError,
    connection::{Connection, Link, Remote},
    uri::PostgresUri,
};

/// How long opening a connection takes at most where the URI sets no limit.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// What every session sets: how long a lock is waited for, how long a statement
/// takes at most, and how long a transaction may lie idle.
const SESSION: &str = "set lock_timeout = '20s'; set statement_timeout = '120s'; \
    set idle_in_transaction_session_timeout = '60s'";

/// Opens a connection for statements in general.
pub(crate) fn connect(uri: &PostgresUri) -> Result<Connection, OpenError> {
    let failed = |reason: String| OpenError::Database {
        uri: uri.to_string(),
        reason,
    };
    let (config, tls) = uri.config()?;
    let runtime = runtime().map_err(|error| failed(error.to_string()))?;
    let opened = runtime.block_on(async {
        let connect = tls.connect(&config);
        let (client, driver) = tokio::time::timeout(limit(&config), connect)
            .await
            .map_err(|_| "it did not answer in time".to_owned())?
            .map_err(|error| words(&error))?;
        AsyncPgConnection::try_from_client_and_connection(client, driver)
            .await
            .map_err(|error| error.to_string())
    });
    let connection = opened.map_err(failed)?;
    let mut connection =
        Connection::new(Link::Postgres(Box::new(Remote::new(runtime, connection))));
    connection
        .batch_execute(SESSION)
        .map_err(|error| failed(error.to_string()))?;
    Ok(connection)
}

/// Opens a connection without Diesel, for appends, with the runtime that drives it.
pub(super) fn connect_for_append(uri: &PostgresUri) -> Result<(Runtime, Client), String> {
    let (config, tls) = uri.config().map_err(|error| error.to_string())?;
    let runtime = runtime().map_err(|error| error.to_string())?;
    let client = runtime.block_on(async {
        let connect = tls.connect(&config);
        let (client, driver) = tokio::time::timeout(limit(&config), connect)
            .await
            .map_err(|_| "the database did not answer in time".to_owned())?
            .map_err(|error| words(&error))?;
        // Its end shows in the next statement.
        tokio::spawn(driver);
        client
            .batch_execute(SESSION)
            .await
            .map_err(|error| words(&error))?;
        client
            .batch_execute(TRUSTED)
            .await
            .map_err(|error| words(&error))?;
        Ok::<_, String>(client)
    })?;
    Ok((runtime, client))
}

/// Where the user may say so, and the tables have no triggers of somebody's own:
/// foreign keys are not looked up row by row, which is half the cost of a row.
/// The appender itself reads and locks what its rows refer to (decision 0017).
const TRUSTED: &str = "do $$ begin \
    if not exists (select from pg_trigger where not tgisinternal and tgrelid in ( \
      select oid from pg_class where relname in ('metrics', 'latest_metrics', 'params', \
        'tags', 'runs', 'logged_model_metrics'))) then \
      set session_replication_role = replica; \
    end if; \
    exception when insufficient_privilege then null; \
    end $$";

/// The driver's own limit is that of each address, and leaves out the handshake.
fn limit(config: &Config) -> Duration {
    let hosts = u32::try_from(config.get_hosts().len()).unwrap_or(1);
    let each = config.get_connect_timeout().copied();
    each.map_or(CONNECT_TIMEOUT, |each| each.saturating_mul(hosts.max(1)))
}

fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// An error with its cause, which the driver leaves out of its words.
pub(super) fn words(error: &tokio_postgres::Error) -> String {
    use std::error::Error as _;

    error
        .source()
        .map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}
