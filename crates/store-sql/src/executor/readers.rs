//! A bounded set of reading connections.

use std::sync::{Arc, Mutex, PoisonError};

use runledger_store::StoreError;
use tokio::sync::Semaphore;

use super::TURN_TIMEOUT;
use crate::{connection::Connection, error::from_diesel};

/// Reading connections, each used by one call at a time.
#[derive(Clone)]
pub(crate) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    /// Readers over these connections.
    pub(crate) fn new(connections: Vec<Connection>) -> Self {
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
        F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        const BUSY: StoreError = StoreError::Unavailable {
            reason: "too many reads are waiting",
        };
        let turn = Arc::clone(&self.permits).acquire_owned();
        let Ok(Ok(permit)) = tokio::time::timeout(TURN_TIMEOUT, turn).await else {
            return Err(BUSY);
        };
        let idle = Arc::clone(&self.idle);
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            // There are as many connections as permits.
            let mut lent = Lent::from(&idle);
            let Some(connection) = &mut lent.connection else {
                return Err(BUSY);
            };
            in_transaction(connection, read)
        });
        done.await
            .unwrap_or_else(|panicked| Err(StoreError::internal(panicked)))
    }
}

/// A connection in use. It returns to the idle ones also when a read panics.
struct Lent<'i> {
    connection: Option<Connection>,
    idle: &'i Mutex<Vec<Connection>>,
}

impl<'i> Lent<'i> {
    fn from(idle: &'i Mutex<Vec<Connection>>) -> Self {
        let connection = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Self { connection, idle }
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            if std::thread::panicking() {
                // The transaction that the panic left open.
                let _ = connection.batch_execute("rollback");
            }
            self.idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(connection);
        }
    }
}

fn in_transaction<T>(
    connection: &mut Connection,
    read: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
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
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::sqlite::{Access, connect};

    #[tokio::test]
    async fn a_read_that_panics_does_not_take_its_connection_along() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("readers.db");
        let readers = Readers::new(vec![
            connect(&path, Access::Read { of: 1 }, Duration::ZERO).unwrap(),
        ]);
        for _ in 0..3 {
            let panicked = readers.read(|_| -> Result<(), _> { panic!("a bug") }).await;
            assert!(matches!(panicked, Err(StoreError::Internal { .. })));
        }
        assert_eq!(readers.read(|_| Ok(7)).await.unwrap(), 7);
    }
}
