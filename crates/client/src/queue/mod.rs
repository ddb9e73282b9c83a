//! Metrics on their way: a bounded queue for each run, and the task that empties it.
//!
//! Whoever logs a metric puts it into the queue and goes on; only a full queue makes
//! it wait. [`worker`] takes what waits, up to as many metrics as the API takes at
//! once, and sends it. While a batch is on its way the next one gathers: the faster
//! the loop, the larger the batches. Nobody waits for a timer.
//!
//! Metrics leave in the order in which they came, and each batch is sent until it
//! has arrived or was refused. While the tracker is away for long, what waits goes
//! through a file on the disk ([`crate::spill`]), in the same order: then the queue
//! hardly ever is full, and whatever ends the program, the rest is in the file. Params,
//! tags and the end of the run, which are not queued, go there too when they cannot be
//! sent ([`Queue::keep`]).

mod state;
mod worker;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, mpsc};
use std::time::{Duration, Instant};

use runledger_entities::{Metric, RunId, limits, validate};

use crate::spill::Record;
use crate::{Client, TrackingError, background};
use state::{Kept, Shared, State};

/// How many metrics may wait: ten batches, about a megabyte.
const ROOM: usize = 10 * limits::BATCH_METRICS;

/// How often those who flush look how long the tracker has been away.
const LOOK: Duration = Duration::from_secs(1);

/// How long the disk may take to keep something.
const DISK: Duration = Duration::from_mins(1);

/// What becomes of metrics while the tracker is away.
#[derive(Clone, Debug)]
pub(crate) struct Keeping {
    /// The folder of files, instead of the one of [`crate::spill::folder`].
    pub(crate) folder: Option<Arc<Path>>,
    /// How long the end of a run waits for a tracker that gives no answer, if what waits
    /// is kept in a file.
    pub(crate) patience: Duration,
}

impl Default for Keeping {
    fn default() -> Self {
        Self {
            folder: None,
            patience: Duration::from_mins(1),
        }
    }
}

/// The queue of a run.
#[derive(Debug)]
pub(crate) struct Queue {
    shared: Arc<Shared>,
    patience: Duration,
    can_be_away: bool,
}

impl Queue {
    /// A queue whose metrics go to this run.
    pub(crate) fn new(client: Client, run: RunId, keeping: Keeping) -> Result<Self, TrackingError> {
        let shared = Arc::new(Shared::new(run));
        let can_be_away = client.can_be_away();
        background::handle()?.spawn(worker::work(client, Arc::clone(&shared), keeping.folder));
        Ok(Self {
            shared,
            patience: keeping.patience,
            can_be_away,
        })
    }

    /// Adds a metric; waits for room as long as `limit`.
    pub(crate) fn push(&self, metric: Metric, limit: Duration) -> Result<(), TrackingError> {
        validate::metric("", &metric)?;
        let shared = &self.shared;
        let mut state = shared.lock();
        if state.waiting.len() >= ROOM {
            let full = |state: &mut State| state.waiting.len() >= ROOM && !state.is_closed;
            let waited = shared.room.wait_timeout_while(state, limit, full);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        if state.is_closed {
            let run_id = shared.run.clone();
            return Err(TrackingError::RunEnded { run_id });
        }
        if state.waiting.len() >= ROOM {
            return Err(TrackingError::NoRoom {
                run_id: shared.run.clone(),
                waiting: state.on_their_way(),
                seconds: limit.as_secs(),
                reason: state.reason(),
            });
        }
        let is_first = state.waiting.is_empty();
        state.waiting.push_back(metric);
        drop(state);
        if is_first {
            shared.wake.notify_one();
        }
        Ok(())
    }

    /// Waits until everything that was added has arrived, as long as `limit`.
    ///
    /// Tells of refusals that nobody was told of.
    pub(crate) fn flush(&self, limit: Duration) -> Result<(), TrackingError> {
        self.settle(limit, |_| false)
    }

    /// The same at the end of a run: not so long if the tracker gives no answer and
    /// what waits can be kept.
    pub(crate) fn flush_last(&self, limit: Duration) -> Result<(), TrackingError> {
        self.settle(limit, |state| {
            let away = state
                .away_since
                .filter(|_| self.can_be_away)
                .map(|since| since.elapsed());
            state.spill_trouble.is_none() && away.is_some_and(|away| away >= self.patience)
        })
    }

    fn settle(
        &self,
        limit: Duration,
        is_hopeless: impl Fn(&State) -> bool,
    ) -> Result<(), TrackingError> {
        let shared = &self.shared;
        let start = Instant::now();
        let mut state = shared.lock();
        while state.is_waiting() {
            let left = limit.saturating_sub(start.elapsed());
            if left.is_zero() || is_hopeless(&state) {
                return Err(TrackingError::MetricsWaiting {
                    run_id: shared.run.clone(),
                    count: state.on_their_way(),
                    seconds: start.elapsed().as_secs(),
                    reason: state.reason(),
                });
            }
            // Now and then it is looked at how long the tracker has been away.
            let waited = shared.settled.wait_timeout(state, left.min(LOOK));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let run_id = shared.run.clone();
        if let Some((count, source)) = state.refused.take() {
            return Err(TrackingError::MetricsRefused {
                run_id,
                count,
                source,
            });
        }
        if let Some(left) = state.left.take() {
            return Err(TrackingError::MetricsLeft {
                run_id,
                count: left.count,
                path: left.path,
                reason: left.reason,
            });
        }
        state
            .changed_param
            .take()
            .map_or(Ok(()), |error| Err(error.into()))
    }

    /// What was kept in this file, if it will not be sent without somebody's doing.
    pub(crate) fn barred(&self, path: PathBuf) -> Result<(), TrackingError> {
        let state = self.shared.lock();
        if !state.is_barred {
            return Ok(());
        }
        Err(TrackingError::MetricsLeft {
            run_id: self.shared.run.clone(),
            count: state.on_their_way(),
            path,
            reason: state.trouble.clone().unwrap_or_default(),
        })
    }

    /// Whether there is a file at all: what is on this machine is not away when it fails.
    pub(crate) fn can_keep(&self) -> bool {
        self.can_be_away
    }

    /// Whether the tracker has been away for so long that what is logged goes to a file.
    pub(crate) fn is_spilling(&self) -> bool {
        self.shared.lock().is_spilling
    }

    /// Keeps params, tags or an end in the file of this run, which it says, and with them
    /// all metrics that have not arrived. They are sent when the tracker is there again.
    pub(crate) fn keep(&self, records: Vec<Record>) -> Result<PathBuf, TrackingError> {
        let (answer, kept) = mpsc::sync_channel(1);
        let ticket;
        {
            let mut state = self.shared.lock();
            if state.is_over {
                let run_id = self.shared.run.clone();
                return Err(TrackingError::RunEnded { run_id });
            }
            state.last_ticket += 1;
            ticket = state.last_ticket;
            state.kept.push_back(Kept {
                records,
                answer,
                ticket,
            });
        }
        self.shared.wake.notify_one();
        let reason = match kept.recv_timeout(DISK) {
            Ok(Ok(path)) => return Ok(path),
            Ok(Err(reason)) => reason,
            Err(_) => {
                // What was not begun is not kept later either.
                let mut state = self.shared.lock();
                state.kept.retain(|kept| kept.ticket != ticket);
                format!("the disk took longer than {} s", DISK.as_secs())
            }
        };
        Err(TrackingError::NotKept {
            run_id: self.shared.run.clone(),
            reason,
        })
    }

    /// Takes no more metrics; those that were taken go on their way.
    pub(crate) fn close(&self) {
        self.shared.lock().is_closed = true;
        self.shared.room.notify_all();
        self.shared.wake.notify_one();
    }

    /// What has not arrived by now, and is in no file, is lost. Whoever calls this has
    /// told of it.
    pub(crate) fn give_up(&self) {
        self.shared.lock().is_given_up = true;
        self.shared.wake.notify_one();
    }

    /// Nobody keeps anything any more either.
    pub(crate) fn end(&self) {
        let mut state = self.shared.lock();
        (state.is_closed, state.is_over) = (true, true);
        drop(state);
        self.shared.room.notify_all();
        self.shared.wake.notify_one();
    }
}

/// A queue that nobody can add to any more; what waits still goes out.
impl Drop for Queue {
    fn drop(&mut self) {
        self.end();
    }
}
