//! Connections to a database server, lent to one call at a time.
//!
//! As many are kept as MLflow's pool keeps, and a few more are opened when all
//! are in use. One that breaks, or has grown old, is replaced.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use diesel::QueryResult;
use runledger_store::StoreError;
use tokio::sync::Semaphore;

use super::TURN_TIMEOUT;
use crate::{
    OpenError, PoolOptions,
    connection::Connection,
    error::{CONNECTION_LOST, CONTENTION, from_diesel},
};

/// How often a transaction is tried that the database undid in favour of another.
const ATTEMPTS: u32 = 6;

/// Opens a connection to the database.
pub(crate) type Connect = dyn Fn() -> Result<Connection, OpenError> + Send + Sync;

/// A bounded set of connections; cheap to clone.
#[derive(Clone)]
pub(crate) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    connect: Arc<Connect>,
    idle: Mutex<Vec<Idle>>,
    permits: Arc<Semaphore>,
    options: PoolOptions,
}

/// A connection that waits for its next use.
struct Idle {
    connection: Connection,
    opened: Instant,
}

impl Pool {
    /// A pool that opens its connections with `connect`; `first` is one of them.
    pub(crate) fn new(options: PoolOptions, connect: Arc<Connect>, first: Connection) -> Self {
        let most = options.size.saturating_add(options.overflow).max(1);
        Self {
            shared: Arc::new(Shared {
                connect,
                idle: Mutex::new(vec![Idle {
                    connection: first,
                    opened: Instant::now(),
                }]),
                permits: Arc::new(Semaphore::new(most)),
                options,
            }),
        }
    }

    /// See [`super::Executor::read`].
    pub(crate) async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.with_turn(move |shared| {
            retrying(CONNECTION_LOST, || {
                shared.transaction(Connection::begin_read, &read)
            })
        })
        .await
    }

    /// See [`super::Executor::write`].
    pub(crate) async fn write<T, F>(&self, write: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.with_turn(move |shared| {
            retrying(CONTENTION, || {
                shared.transaction(Connection::begin_write, &write)
            })
        })
        .await
    }

    async fn with_turn<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Shared) -> Result<T, StoreError> + Send + 'static,
    {
        let turn = Arc::clone(&self.shared.permits).acquire_owned();
        let Ok(Ok(permit)) = tokio::time::timeout(TURN_TIMEOUT, turn).await else {
            return Err(StoreError::Unavailable {
                reason: "all connections to the database are in use",
            });
        };
        let shared = Arc::clone(&self.shared);
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work(&shared)
        });
        done.await
            .unwrap_or_else(|panicked| Err(StoreError::internal(panicked)))
    }
}

impl Shared {
    fn transaction<T>(
        &self,
        begin: fn(&mut Connection) -> QueryResult<()>,
        work: &dyn Fn(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // One that waited may have been closed at the other end: nothing was
        // done on it yet, so that another may take its place.
        if let Some(waited) = self.waiting()
            && let Some(result) = self.attempt(waited, begin, work)
        {
            return result;
        }
        self.attempt(self.open()?, begin, work)
            .unwrap_or(Err(StoreError::Unavailable {
                reason: CONNECTION_LOST,
            }))
    }

    /// Nothing where the transaction did not begin.
    fn attempt<T>(
        &self,
        Idle {
            mut connection,
            opened,
        }: Idle,
        begin: fn(&mut Connection) -> QueryResult<()>,
        work: &dyn Fn(&mut Connection) -> Result<T, StoreError>,
    ) -> Option<Result<T, StoreError>> {
        begin(&mut connection).ok()?;
        // A panic drops the connection, and the transaction with it.
        let result = work(&mut connection);
        if connection.failed_to_begin() {
            return None;
        }
        let ended = connection.end(result.is_ok()).map_err(from_diesel);
        let usable = ended.is_ok();
        let result = match (result, ended) {
            (Ok(value), Ok(())) => Ok(value),
            (Err(error), _) | (_, Err(error)) => Err(error),
        };
        if usable {
            self.keep(Idle { connection, opened });
        }
        Some(result)
    }

    fn open(&self) -> Result<Idle, StoreError> {
        let connection = (self.connect)().map_err(|error| {
            tracing::warn!(%error, "the database cannot be reached");
            StoreError::Unavailable {
                reason: "the database cannot be reached",
            }
        })?;
        Ok(Idle {
            connection,
            opened: Instant::now(),
        })
    }

    fn waiting(&self) -> Option<Idle> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let recycle = self.options.recycle;
        loop {
            let found = idle.pop()?;
            if recycle.is_none_or(|age| found.opened.elapsed() < age) {
                return Some(found);
            }
        }
    }

    fn keep(&self, connection: Idle) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < self.options.size.max(1) {
            idle.push(connection);
        }
    }
}

/// Tries again, a few times, what failed for this reason.
fn retrying<T>(
    reason: &'static str,
    mut attempt: impl FnMut() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut attempts = 1;
    loop {
        match attempt() {
            Err(StoreError::Unavailable { reason: found })
                if found == reason && attempts < ATTEMPTS =>
            {
                std::thread::sleep(pause(attempts));
                attempts += 1;
            }
            result => return result,
        }
    }
}

/// How long to wait before the next attempt: longer each time, and differently
/// for each who waits, so that they do not meet again.
pub(super) fn pause(attempt: u32) -> Duration {
    let most = 4_u64 << attempt.min(6);
    let random = uuid::Uuid::new_v4().as_u64_pair().0;
    Duration::from_millis(1 + random % most)
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("free", &self.shared.permits.available_permits())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::{Access, connect};

    #[tokio::test]
    async fn a_call_that_panics_takes_its_connection_along_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        // It serves as well as a server here.
        let path = folder.path().join("pool.db");
        let opened = Arc::new(Mutex::new(0));
        let count = Arc::clone(&opened);
        let open = move || {
            *count.lock().unwrap() += 1;
            connect(&path, Access::Write, Duration::ZERO)
        };
        let first = open().unwrap();
        let one = PoolOptions {
            size: 1,
            overflow: 0,
            recycle: None,
        };
        let pool = Pool::new(one, Arc::new(open), first);

        let read = pool.read(|_| -> Result<(), _> { panic!("a bug") }).await;
        assert!(matches!(read, Err(StoreError::Internal { .. })));
        let write = pool.write(|_| -> Result<(), _> { panic!("a bug") }).await;
        assert!(matches!(write, Err(StoreError::Internal { .. })));
        for _ in 0..2 {
            assert_eq!(pool.read(|_| Ok(7)).await.unwrap(), 7);
        }
        assert_eq!(*opened.lock().unwrap(), 3);
    }
}
