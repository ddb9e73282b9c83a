//! The one writing thread, with group commit.
//!
//! Whatever waits when the thread becomes free is one group: appends commit
//! together in one transaction, other writes in another, each behind a
//! savepoint. A caller hears of success only after the commit, so that an
//! acknowledged write is on disk. A write that fails is undone alone.

use std::{error::Error as _, sync::Arc};

use diesel::{connection::SimpleConnection, sqlite::SqliteConnection};
use runledger_entities::RunId;
use runledger_store::{Batch, StoreError};
use tokio::sync::{mpsc, oneshot};

use super::TURN_TIMEOUT;
use crate::{error::from_diesel, sqlite::Appender};

/// How many writes may wait for the thread.
const QUEUE: usize = 1024;

/// How many writes one group holds at most, which bounds how long the first of
/// them waits for its commit.
const GROUP: usize = 256;

/// Hands writes to the writing thread.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Job>,
    /// Declared after the queue, and so dropped after it: see [`Thread`].
    _thread: Arc<Thread>,
}

/// Waits for the writing thread when the last [`Writer`] goes. Its queue is
/// closed by then: the thread writes what it still holds, and closes the database.
#[derive(Debug)]
struct Thread(Option<std::thread::JoinHandle<()>>);

impl Drop for Thread {
    fn drop(&mut self) {
        if let Some(handle) = self.0.take() {
            // Its panics were reported where they happened.
            let _ = handle.join();
        }
    }
}

/// Something to write.
enum Job {
    Append(Append),
    Write(Box<dyn Write>),
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

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Append(_) => "Append",
            Self::Write(_) => "Write",
        })
    }
}

/// A write with its result, without its type.
trait Write: Send {
    /// Does the work; returns whether its changes are to be kept.
    fn run(&mut self, connection: &mut SqliteConnection) -> bool;
    /// Answers the caller: with the result, or with the error of the commit.
    fn finish(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Typed<T, F> {
    work: Option<F>,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Write for Typed<T, F>
where
    T: Send,
    F: FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, connection: &mut SqliteConnection) -> bool {
        let Some(work) = self.work.take() else {
            return false;
        };
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(connection)))
            .unwrap_or_else(|_| Err(StoreError::internal("a write panicked")));
        let keep = result.is_ok();
        self.result = Some(result);
        keep
    }

    fn finish(self: Box<Self>, committed: Result<(), StoreError>) {
        let result = match (self.result, committed) {
            (Some(Ok(value)), Ok(())) => Ok(value),
            (Some(Err(error)), _) => Err(error),
            (_, Err(error)) => Err(error),
            (None, Ok(())) => Err(StoreError::internal("a write was not run")),
        };
        // A caller that went away does not need the answer.
        let _ = self.reply.send(result);
    }
}

impl Writer {
    /// Starts the thread over the two connections to one database: Diesel's for
    /// writes in general, rusqlite's for appends.
    pub(crate) fn start(
        connection: SqliteConnection,
        append: rusqlite::Connection,
    ) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let handle = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || run(jobs, connection, &append))?;
        Ok(Self {
            queue,
            _thread: Arc::new(Thread(Some(handle))),
        })
    }

    /// Runs `work` in a transaction; returns after the commit.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, result) = oneshot::channel();
        self.send(Job::Write(Box::new(Typed {
            work: Some(work),
            result: None,
            reply,
        })))
        .await?;
        result
            .await
            .unwrap_or_else(|_| Err(StoreError::internal("the writing thread ended")))
    }

    /// Appends a batch to a run; returns after the commit.
    pub(crate) async fn append(
        &self,
        run_id: RunId,
        batch: Batch,
        single_param: bool,
    ) -> Result<(), StoreError> {
        let (reply, result) = oneshot::channel();
        self.send(Job::Append(Append {
            run_id,
            batch,
            single_param,
            reply,
        }))
        .await?;
        result
            .await
            .unwrap_or_else(|_| Err(StoreError::internal("the writing thread ended")))
    }

    async fn send(&self, job: Job) -> Result<(), StoreError> {
        let job = match self.queue.try_send(job) {
            Ok(()) => return Ok(()),
            Err(mpsc::error::TrySendError::Full(job)) => job,
            Err(mpsc::error::TrySendError::Closed(_)) => {
                return Err(StoreError::internal("the writing thread ended"));
            }
        };
        match self.queue.send_timeout(job, TURN_TIMEOUT).await {
            Ok(()) => Ok(()),
            Err(_) => Err(StoreError::Unavailable {
                reason: "too many writes are waiting",
            }),
        }
    }
}

/// The loop of the writing thread; ends when the last [`Writer`] is gone.
fn run(
    mut jobs: mpsc::Receiver<Job>,
    mut connection: SqliteConnection,
    append: &rusqlite::Connection,
) {
    let mut appender = match Appender::new(append) {
        Ok(appender) => appender,
        Err(error) => {
            tracing::error!(%error, "the statements that append cannot be prepared");
            return;
        }
    };
    let mut appends = Vec::with_capacity(GROUP);
    let mut writes = Vec::new();
    while let Some(first) = jobs.blocking_recv() {
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Append(append) => appends.push(append),
                Job::Write(write) => writes.push(write),
            }
            next = if appends.len() + writes.len() < GROUP {
                jobs.try_recv().ok()
            } else {
                None
            };
        }
        if !appends.is_empty() {
            let results = appender.append(&appends);
            for (append, result) in appends.drain(..).zip(results) {
                // A caller that went away does not need the answer.
                let _ = append.reply.send(result);
            }
        }
        if !writes.is_empty() {
            write_group(&mut connection, std::mem::take(&mut writes));
        }
    }
}

/// Runs a group of writes in one transaction and answers them after its commit.
fn write_group(connection: &mut SqliteConnection, mut writes: Vec<Box<dyn Write>>) {
    let committed = commit_group(connection, &mut writes);
    if committed.is_err() {
        let _ = connection.batch_execute("rollback");
    }
    let reason = committed.err().map(from_diesel);
    for write in writes {
        write.finish(reason.as_ref().map_or(Ok(()), |error| Err(same(error))));
    }
}

fn commit_group(
    connection: &mut SqliteConnection,
    writes: &mut [Box<dyn Write>],
) -> diesel::QueryResult<()> {
    connection.batch_execute("begin immediate")?;
    if let [only] = writes {
        let keep = only.run(connection);
        return connection.batch_execute(if keep { "commit" } else { "rollback" });
    }
    for write in writes {
        connection.batch_execute("savepoint one")?;
        if !write.run(connection) {
            connection.batch_execute("rollback to one")?;
        }
        connection.batch_execute("release one")?;
    }
    connection.batch_execute("commit")
}

/// The error of a commit, for each of the writes that it took along.
fn same(error: &StoreError) -> StoreError {
    match error {
        StoreError::Unavailable { reason } => StoreError::Unavailable { reason },
        other => StoreError::internal(
            other
                .source()
                .map_or_else(|| other.to_string(), |cause| cause.to_string()),
        ),
    }
}
