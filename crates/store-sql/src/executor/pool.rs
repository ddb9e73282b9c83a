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
use tokio::sync::{Semaphore, oneshot};

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
    idle: Mutex<Vec<Pooled>>,
    permits: Arc<Semaphore>,
    options: PoolOptions,
}

/// A connection, and when it was opened.
struct Pooled {
    connection: Connection,
    opened: Instant,
}

/// What came of the work in a transaction, and the connection that is in it.
type Worked<T> = (Result<T, StoreError>, Pooled);

impl Pooled {
    /// Nothing where the transaction did not begin.
    fn work<T>(
        mut self,
        begin: fn(&mut Connection) -> QueryResult<()>,
        work: &dyn Fn(&mut Connection) -> Result<T, StoreError>,
    ) -> Option<Worked<T>> {
        begin(&mut self.connection).ok()?;
        // A panic drops the connection, and the transaction with it.
        let result = work(&mut self.connection);
        (!self.connection.failed_to_begin()).then_some((result, self))
    }
}

impl Pool {
    /// A pool that opens its connections with `connect`; `first` is one of them.
    pub(crate) fn new(options: PoolOptions, connect: Arc<Connect>, first: Connection) -> Self {
        let most = options.size.saturating_add(options.overflow).max(1);
        Self {
            shared: Arc::new(Shared {
                connect,
                idle: Mutex::new(vec![Pooled {
                    connection: first,
                    opened: Instant::now(),
                }]),
                permits: Arc::new(Semaphore::new(most)),
                options,
            }),
        }
    }

    /// See [`super::Executor::read`].
    ///
    /// A read has nothing to lose: its result is given away before its
    /// transaction ends, which saves the caller a round trip.
    pub(crate) async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.with_turn(move |shared, answer| {
            let mut used = None;
            let result = retrying(CONNECTION_LOST, || {
                used = None;
                let (result, pooled) = shared.work(Connection::begin_read, &read)?;
                used = Some(pooled);
                result
            });
            // It fails where the caller went away.
            let _ = answer.send(result);
            if let Some(pooled) = used {
                let _ = shared.end(pooled, true);
            }
        })
        .await
    }

    /// See [`super::Executor::write`].
    pub(crate) async fn write<T, F>(&self, write: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        self.with_turn(move |shared, answer| {
            let result = retrying(CONTENTION, || {
                let (result, pooled) = shared.work(Connection::begin_write, &write)?;
                let ended = shared.end(pooled, result.is_ok());
                result.and_then(|value| ended.map(|()| value))
            });
            let _ = answer.send(result);
        })
        .await
    }

    /// Lets `work` answer in a thread where it may block, once it is its turn.
    async fn with_turn<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Shared, oneshot::Sender<Result<T, StoreError>>) + Send + 'static,
    {
        let turn = Arc::clone(&self.shared.permits).acquire_owned();
        let Ok(Ok(permit)) = tokio::time::timeout(TURN_TIMEOUT, turn).await else {
            return Err(StoreError::Unavailable {
                reason: "all connections to the database are in use",
            });
        };
        let shared = Arc::clone(&self.shared);
        let (answer, answered) = oneshot::channel();
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work(&shared, answer);
        });
        match answered.await {
            Ok(result) => result,
            Err(unanswered) => Err(match done.await {
                Err(panicked) => StoreError::internal(panicked),
                Ok(()) => StoreError::internal(unanswered),
            }),
        }
    }
}

impl Shared {
    /// Does `work` in a transaction, which is open still.
    fn work<T>(
        &self,
        begin: fn(&mut Connection) -> QueryResult<()>,
        work: &dyn Fn(&mut Connection) -> Result<T, StoreError>,
    ) -> Result<Worked<T>, StoreError> {
        // One that waited may have been closed at the other end: nothing was
        // done on it yet, so that another may take its place.
        if let Some(waited) = self.waiting()
            && let Some(worked) = waited.work(begin, work)
        {
            return Ok(worked);
        }
        self.open()?
            .work(begin, work)
            .ok_or(StoreError::Unavailable {
                reason: CONNECTION_LOST,
            })
    }

    /// Ends the transaction. A connection that cannot is closed.
    fn end(&self, mut pooled: Pooled, keep: bool) -> Result<(), StoreError> {
        pooled.connection.end(keep).map_err(from_diesel)?;
        self.keep(pooled);
        Ok(())
    }

    fn open(&self) -> Result<Pooled, StoreError> {
        let connection = (self.connect)().map_err(|error| {
            tracing::warn!(%error, "the database cannot be reached");
            StoreError::Unavailable {
                reason: "the database cannot be reached",
            }
        })?;
        Ok(Pooled {
            connection,
            opened: Instant::now(),
        })
    }

    fn waiting(&self) -> Option<Pooled> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let recycle = self.options.recycle;
        loop {
            let found = idle.pop()?;
            if recycle.is_none_or(|age| found.opened.elapsed() < age) {
                return Some(found);
            }
        }
    }

    fn keep(&self, connection: Pooled) {
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

    /// A pool over a new SQLite file, which serves as well as a server here,
    /// and how many connections it opened.
    fn pool(folder: &tempfile::TempDir) -> (Pool, Arc<Mutex<usize>>) {
        let path = folder.path().join("pool.db");
        let opened = Arc::new(Mutex::new(0));
        let count = Arc::clone(&opened);
        let open = move || {
            *count.lock().unwrap() += 1;
            connect(&path, Access::Write, Duration::ZERO)
        };
        let first = open().unwrap();
        let pool = Pool::new(PoolOptions::default(), Arc::new(open), first);
        (pool, opened)
    }

    #[tokio::test]
    async fn a_call_that_panics_does_not_take_the_pool_along() {
        let folder = tempfile::tempdir().unwrap();
        let (pool, _) = pool(&folder);
        let read = pool.read(|_| -> Result<(), _> { panic!("a bug") }).await;
        assert!(matches!(read, Err(StoreError::Internal { .. })));
        let write = pool.write(|_| -> Result<(), _> { panic!("a bug") }).await;
        assert!(matches!(write, Err(StoreError::Internal { .. })));
        assert_eq!(pool.read(|_| Ok(7)).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn the_end_of_its_transaction_matters_to_a_write_only() {
        let folder = tempfile::tempdir().unwrap();
        let (pool, opened) = pool(&folder);
        let end = |connection: &mut Connection| {
            connection.batch_execute("commit").unwrap();
            Ok(7)
        };
        assert_eq!(pool.read(end).await.unwrap(), 7);
        assert!(pool.write(end).await.is_err());
        assert_eq!(pool.write(|_| Ok(8)).await.unwrap(), 8);
        assert_eq!(
            *opened.lock().unwrap(),
            3,
            "those that could not end are closed"
        );
    }
}
