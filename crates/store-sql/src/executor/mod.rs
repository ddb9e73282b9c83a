//! Runs synchronous database work for asynchronous callers.
//!
//! On SQLite, reads run on a few connections of their own ([`readers`]) and
//! writes go through one thread that owns the only writing connections of this
//! process ([`writer`]) and commits what arrives together in one transaction.
//! On a server, a pool of connections does both ([`pool`]), but for appended
//! batches, which a few threads gather into groups ([`appends`]). Closures
//! have no point at which they can be cancelled: a caller that goes away leaves
//! no half-done transaction behind.

mod appends;
mod pool;
mod readers;
mod writer;

use std::time::Duration;

use runledger_entities::RunId;
use runledger_store::{Batch, StoreError};
use tokio::sync::oneshot;

pub(crate) use appends::{AppendError, AppendGroup, Appends, Open as OpenAppender};
pub(crate) use pool::{Connect, Pool};
pub(crate) use readers::Readers;
pub(crate) use writer::Writer;

use crate::connection::Connection;

/// How long a call waits for its turn before it is answered with "unavailable".
const TURN_TIMEOUT: Duration = Duration::from_secs(30);

/// How many writes may wait for a thread.
const QUEUE: usize = 1024;

/// How many writes one group holds at most.
const GROUP: usize = 256;

/// Who does the work.
#[derive(Clone, Debug)]
pub(crate) enum Executor {
    /// In a SQLite file. Without a writer it is open for reading only.
    Embedded {
        readers: Readers,
        writer: Option<Writer>,
    },
    /// On a server. Without appends it is open for reading only.
    Server {
        pool: Pool,
        appends: Option<Appends>,
    },
}

impl Executor {
    /// Runs `read` in one read transaction, so that all its statements see the
    /// same state of the database.
    pub(crate) async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        match self {
            Self::Embedded { readers, .. } => readers.read(read).await,
            Self::Server { pool, .. } => pool.read(read).await,
        }
    }

    /// Runs `work` in a transaction; returns after the commit. It may run again
    /// where the database undid it in favour of another.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        match self {
            Self::Embedded { writer: None, .. } | Self::Server { appends: None, .. } => {
                Err(StoreError::ReadOnly)
            }
            Self::Embedded {
                writer: Some(writer),
                ..
            } => writer.write(work).await,
            Self::Server { pool, .. } => pool.write(work).await,
        }
    }

    /// Appends a batch to a run; returns after the commit.
    pub(crate) async fn append(
        &self,
        run_id: RunId,
        batch: Batch,
        single_param: bool,
    ) -> Result<(), StoreError> {
        let (reply, result) = oneshot::channel();
        let append = Append {
            run_id,
            batch,
            single_param,
            reply,
        };
        match self {
            Self::Embedded { writer: None, .. } | Self::Server { appends: None, .. } => {
                return Err(StoreError::ReadOnly);
            }
            Self::Embedded {
                writer: Some(writer),
                ..
            } => writer.append(append).await?,
            Self::Server {
                appends: Some(appends),
                ..
            } => appends.append(append).await?,
        }
        result
            .await
            .unwrap_or_else(|_| Err(StoreError::internal("the writing thread ended")))
    }
}

/// A batch to append to a run.
pub(crate) struct Append {
    /// The run.
    pub(crate) run_id: RunId,
    /// What to append.
    pub(crate) batch: Batch,
    /// Whether the caller logged one param, which changes the words of an error.
    pub(crate) single_param: bool,
    reply: oneshot::Sender<Result<(), StoreError>>,
}

impl Append {
    /// Whether the caller went away, and was told that the write failed.
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    /// Answers the caller.
    fn answer(self, result: Result<(), StoreError>) {
        // A caller that went away does not need the answer.
        let _ = self.reply.send(result);
    }
}

/// Puts a job into a queue, waiting a while for a place in it.
async fn enqueue<T>(queue: &tokio::sync::mpsc::Sender<T>, job: T) -> Result<(), StoreError> {
    use tokio::sync::mpsc::error::TrySendError;

    let job = match queue.try_send(job) {
        Ok(()) => return Ok(()),
        Err(TrySendError::Full(job)) => job,
        Err(TrySendError::Closed(_)) => {
            return Err(StoreError::internal("the writing thread ended"));
        }
    };
    queue
        .send_timeout(job, TURN_TIMEOUT)
        .await
        .map_err(|_| StoreError::Unavailable {
            reason: "too many writes are waiting",
        })
}
