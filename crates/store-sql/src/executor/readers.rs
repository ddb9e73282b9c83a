//! A bounded set of reading connections.

use std::sync::{Arc, Mutex, PoisonError};

use diesel::{connection::SimpleConnection, sqlite::SqliteConnection};
use runledger_store::StoreError;
use tokio::sync::Semaphore;

use super::TURN_TIMEOUT;
use crate::error::from_diesel;

/// Reading connections, each used by one call at a time.
#[derive(Clone)]
pub(crate) struct Readers {
    idle: Arc<Mutex<Vec<SqliteConnection>>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    /// Readers over these connections.
    pub(crate) fn new(connections: Vec<SqliteConnection>) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(connections.len())),
            idle: Arc::new(Mutex::new(connections)),
        }
    }

    /// Runs `read` in one read transaction, so that all its statements see the
    /// same state of the database.
    pub(crate) async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    {
        const BUSY: StoreError = StoreError::Unavailable {
            reason: "too many reads are waiting",
        };
        let permit =
            match tokio::time::timeout(TURN_TIMEOUT, Arc::clone(&self.permits).acquire_owned())
                .await
            {
                Ok(Ok(permit)) => permit,
                Ok(Err(_)) | Err(_) => return Err(BUSY),
            };
        let idle = Arc::clone(&self.idle);
        let done = tokio::task::spawn_blocking(move || {
            let connection = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            // There are as many connections as permits; a read that panicked
            // took its connection with it.
            let Some(mut connection) = connection else {
                return Err(BUSY);
            };
            let result = in_transaction(&mut connection, read);
            idle.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(connection);
            drop(permit);
            result
        });
        done.await
            .unwrap_or_else(|panicked| Err(StoreError::internal(panicked)))
    }
}

fn in_transaction<T>(
    connection: &mut SqliteConnection,
    read: impl FnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.batch_execute("begin").map_err(from_diesel)?;
    let result = read(connection);
    // A read has nothing to lose: its result stands whatever the end says.
    if connection.batch_execute("commit").is_err() {
        let _ = connection.batch_execute("rollback");
    }
    result
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readers")
            .field("free", &self.permits.available_permits())
            .finish()
    }
}
