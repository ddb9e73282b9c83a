//! Threads that append batches to a database server, in groups.
//!
//! Whatever waits when a thread becomes free is one group and one transaction:
//! the round trips and the flush of a commit are shared. A caller hears of
//! success only after the commit.

use std::sync::{Arc, Mutex, PoisonError};

use runledger_store::StoreError;
use tokio::sync::mpsc;

use super::{Append, GROUP, QUEUE, enqueue, pool::pause};
use crate::error::{CONNECTION_LOST, CONTENTION};

/// How many rows a group holds, unless its first batch alone has more.
const ROWS: usize = 8_000;

/// How often a group is tried.
const ATTEMPTS: u32 = 8;

/// Appends groups of batches over one connection.
pub(crate) trait AppendGroup: Send {
    /// Appends batches in one transaction; the results are those of the batches,
    /// after the commit.
    fn append(&mut self, group: &[Append]) -> Result<Vec<Result<(), StoreError>>, AppendError>;
}

/// Why a group was not appended.
#[derive(Debug)]
pub(crate) enum AppendError {
    /// The connection broke, or none could be had. Nothing, or all, was committed.
    Connection(String),
    /// The database undid the transaction in favour of another.
    Contention,
    /// A value of some batch cannot be stored; nothing was committed.
    Refused(StoreError),
}

/// Opens an appender; it is called again after a connection broke.
pub(crate) type Open = dyn Fn() -> Result<Box<dyn AppendGroup>, String> + Send + Sync;

/// Hands batches to the appending threads.
#[derive(Clone, Debug)]
pub(crate) struct Appends {
    queue: mpsc::Sender<Append>,
    /// Declared after the queue, and so dropped after it.
    _threads: Arc<Threads>,
}

/// Waits for the threads when the last [`Appends`] goes: they write what they
/// still hold.
#[derive(Debug)]
struct Threads(Vec<std::thread::JoinHandle<()>>);

impl Drop for Threads {
    fn drop(&mut self) {
        for handle in self.0.drain(..) {
            // Its panics were reported where they happened.
            let _ = handle.join();
        }
    }
}

impl Appends {
    /// Starts so many threads.
    pub(crate) fn start(threads: usize, open: &Arc<Open>) -> std::io::Result<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let jobs = Arc::new(Mutex::new(jobs));
        let handles = (0..threads.max(1))
            .map(|number| {
                let (jobs, open) = (Arc::clone(&jobs), Arc::clone(open));
                std::thread::Builder::new()
                    .name(format!("append-{number}"))
                    .spawn(move || run(&jobs, &*open))
            })
            .collect::<std::io::Result<_>>()?;
        Ok(Self {
            queue,
            _threads: Arc::new(Threads(handles)),
        })
    }

    /// Queues a batch; it is answered after the commit.
    pub(crate) async fn append(&self, append: Append) -> Result<(), StoreError> {
        enqueue(&self.queue, append).await
    }
}

/// The loop of a thread; ends when the last [`Appends`] is gone.
fn run(jobs: &Mutex<mpsc::Receiver<Append>>, open: &Open) {
    let mut appender = None;
    while let Some(group) = next_group(jobs) {
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            append_group(&mut appender, open, &group)
        }));
        let results = done.unwrap_or_else(|_| {
            // The panic left a transaction open on it.
            appender = None;
            let failed = || Err(StoreError::internal("an append panicked"));
            group.iter().map(|_| failed()).collect()
        });
        for (append, result) in group.into_iter().zip(results) {
            append.answer(result);
        }
    }
}

/// What waits, in the order it came; nothing when there will be no more.
///
/// One thread at a time gathers, while the others write.
fn next_group(jobs: &Mutex<mpsc::Receiver<Append>>) -> Option<Vec<Append>> {
    let mut jobs = jobs.lock().unwrap_or_else(PoisonError::into_inner);
    let mut group = Vec::new();
    let mut rows = 0;
    let mut next = jobs.blocking_recv();
    next.as_ref()?;
    while let Some(append) = next {
        if !append.is_abandoned() {
            rows +=
                append.batch.metrics.len() + append.batch.params.len() + append.batch.tags.len();
            group.push(append);
        }
        next = if group.len() < GROUP && rows < ROWS {
            jobs.try_recv().ok()
        } else {
            None
        };
    }
    Some(group)
}

/// Appends a group, and again after what passes.
///
/// Repeating what may have been committed does no harm: points and params that
/// are there stay, latest values only rise.
fn append_group(
    appender: &mut Option<Box<dyn AppendGroup>>,
    open: &Open,
    group: &[Append],
) -> Vec<Result<(), StoreError>> {
    let unavailable = |reason| {
        let failed = || Err(StoreError::Unavailable { reason });
        group.iter().map(|_| failed()).collect()
    };
    if group.is_empty() {
        return Vec::new();
    }
    let mut attempt = 1;
    loop {
        let error = match attempt_group(appender, open, group) {
            Ok(results) => return results,
            Err(error) => error,
        };
        match error {
            AppendError::Refused(error) => {
                if let [_] = group {
                    return vec![Err(error)];
                }
                // Each alone, which shows whose value it was.
                return group
                    .iter()
                    .flat_map(|one| append_group(appender, open, std::slice::from_ref(one)))
                    .collect();
            }
            AppendError::Connection(reason) => {
                *appender = None;
                tracing::warn!(%reason, attempt, "appending to the database failed");
                if attempt == ATTEMPTS {
                    return unavailable(CONNECTION_LOST);
                }
            }
            AppendError::Contention if attempt == ATTEMPTS => return unavailable(CONTENTION),
            AppendError::Contention => {}
        }
        std::thread::sleep(pause(attempt));
        attempt += 1;
    }
}

fn attempt_group(
    appender: &mut Option<Box<dyn AppendGroup>>,
    open: &Open,
    group: &[Append],
) -> Result<Vec<Result<(), StoreError>>, AppendError> {
    let appender = match appender {
        Some(appender) => appender,
        none => none.insert(open().map_err(AppendError::Connection)?),
    };
    appender.append(group)
}
