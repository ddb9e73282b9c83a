//! The one writing thread, with group commit.
//!
//! Whatever waits when the thread becomes free is one group: appends commit
//! together in one transaction, other writes in another, each behind a
//! savepoint. A caller hears of success only after the commit, so that an
//! acknowledged write is on disk. A write that fails is undone alone.

use std::{error::Error as _, path::Path, sync::Arc, time::Duration};

use runledger_store::StoreError;
use tokio::sync::{mpsc, oneshot};

use super::{Append, GROUP, QUEUE, enqueue};
use crate::{
    connection::Connection,
    error::from_diesel,
    sqlite::{Appender, Log},
};

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
    fn run(&mut self, connection: &mut Connection) -> bool;
    /// Whether the caller went away.
    fn is_abandoned(&self) -> bool;
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
    F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, connection: &mut Connection) -> bool {
        let Some(work) = self.work.take() else {
            return false;
        };
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(connection)))
            .unwrap_or_else(|_| Err(StoreError::internal("a write panicked")));
        let keep = result.is_ok();
        self.result = Some(result);
        keep
    }

    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    fn finish(self: Box<Self>, committed: Result<(), StoreError>) {
        let result = match (self.result, committed) {
            (Some(Ok(value)), Ok(())) => Ok(value),
            (Some(Err(error)), _) | (_, Err(error)) => Err(error),
            (None, Ok(())) => Err(StoreError::internal("a write was not run")),
        };
        // A caller that went away does not need the answer.
        let _ = self.reply.send(result);
    }
}

impl Writer {
    /// Starts the thread over the two connections to the database at `path`:
    /// Diesel's for writes in general, rusqlite's for appends.
    pub(crate) fn start(
        path: &Path,
        connection: Connection,
        append: rusqlite::Connection,
        busy_timeout: Duration,
    ) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let (prepared, outcome) = std::sync::mpsc::sync_channel(1);
        let log = Log::of(path, busy_timeout);
        let handle = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || match Appender::new(&append) {
                Ok(appender) => {
                    let _ = prepared.send(Ok(()));
                    run(jobs, connection, appender, log);
                }
                Err(error) => {
                    let _ = prepared.send(Err(std::io::Error::other(error)));
                }
            })?;
        let thread = Arc::new(Thread(Some(handle)));
        outcome.recv().map_err(std::io::Error::other)??;
        Ok(Self {
            queue,
            _thread: thread,
        })
    }

    /// Runs `work` in a transaction; returns after the commit.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, result) = oneshot::channel();
        let job = Job::Write(Box::new(Typed {
            work: Some(work),
            result: None,
            reply,
        }));
        enqueue(&self.queue, job).await?;
        result
            .await
            .unwrap_or_else(|_| Err(StoreError::internal("the writing thread ended")))
    }

    /// Queues a batch to append; it is answered after the commit.
    pub(crate) async fn append(&self, append: Append) -> Result<(), StoreError> {
        enqueue(&self.queue, Job::Append(append)).await
    }
}

/// The loop of the writing thread; ends when the last [`Writer`] is gone.
fn run(
    mut jobs: mpsc::Receiver<Job>,
    mut connection: Connection,
    mut appender: Appender<'_>,
    mut log: Log,
) {
    let mut appends = Vec::with_capacity(GROUP);
    let mut writes = Vec::new();
    while let Some(first) = jobs.blocking_recv() {
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                // Whoever went away was told that the write failed.
                Job::Append(append) if append.is_abandoned() => {}
                Job::Write(write) if write.is_abandoned() => {}
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
            append_group(&mut appender, std::mem::take(&mut appends));
        }
        if !writes.is_empty() {
            write_group(&mut connection, std::mem::take(&mut writes));
        }
        log.bound(appender.connection());
    }
}

/// Appends a group and answers it after its commit.
fn append_group(appender: &mut Appender<'_>, group: Vec<Append>) {
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| appender.append(&group)));
    let results = done.unwrap_or_else(|_| {
        appender.roll_back();
        group
            .iter()
            .map(|_| Err(StoreError::internal("an append panicked")))
            .collect()
    });
    for (append, result) in group.into_iter().zip(results) {
        append.answer(result);
    }
}

/// Runs a group of writes in one transaction and answers them after its commit.
fn write_group(connection: &mut Connection, mut writes: Vec<Box<dyn Write>>) {
    let failure = commit_group(connection, &mut writes).err();
    if failure.is_some() {
        let _ = connection.batch_execute("rollback");
    }
    for write in writes {
        write.finish(
            failure
                .as_ref()
                .map_or(Ok(()), |failure| Err(failure.error())),
        );
    }
}

/// Why none of a group of writes was kept.
enum GroupFailure {
    /// One of them broke the transaction: the others may be repeated.
    Neighbour,
    /// The transaction could not begin, or not be committed.
    Transaction(StoreError),
}

impl GroupFailure {
    /// The error for a write of the group that has none of its own.
    fn error(&self) -> StoreError {
        match self {
            Self::Neighbour => StoreError::Unavailable {
                reason: "a write beside this one broke the transaction",
            },
            Self::Transaction(StoreError::Unavailable { reason }) => {
                StoreError::Unavailable { reason }
            }
            Self::Transaction(error) => StoreError::internal(
                error
                    .source()
                    .map_or_else(|| error.to_string(), ToString::to_string),
            ),
        }
    }
}

impl From<diesel::result::Error> for GroupFailure {
    fn from(error: diesel::result::Error) -> Self {
        Self::Transaction(from_diesel(error))
    }
}

fn commit_group(
    connection: &mut Connection,
    writes: &mut [Box<dyn Write>],
) -> Result<(), GroupFailure> {
    connection.batch_execute("begin immediate")?;
    if let [only] = writes {
        let keep = only.run(connection);
        return Ok(connection.batch_execute(if keep { "commit" } else { "rollback" })?);
    }
    for write in writes {
        connection.batch_execute("savepoint one")?;
        if !write.run(connection) {
            // Without the savepoint SQLite has rolled back on its own.
            let undone = connection.batch_execute("rollback to one");
            undone.map_err(|_| GroupFailure::Neighbour)?;
        }
        connection.batch_execute("release one")?;
    }
    Ok(connection.batch_execute("commit")?)
}
