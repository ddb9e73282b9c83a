//! Metrics on their way: a bounded queue for each run, and the task that empties it.
//!
//! Whoever logs a metric puts it into the queue and goes on; only a full queue makes
//! it wait. [`worker`] takes what waits, up to as many metrics as the API takes at
//! once, and sends it. While a batch is on its way the next one gathers: the faster
//! the loop, the larger the batches. Nobody waits for a timer.
//!
//! Metrics leave in the order in which they came, and each batch is sent until it
//! has arrived or was refused. Params and tags are not queued.

mod worker;

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use runledger_entities::{Metric, RunId, limits, validate};
use runledger_store::StoreError;
use tokio::sync::{Notify, watch};

use crate::{Client, TrackingError, background};

/// How many metrics may wait: ten batches, about a megabyte.
const ROOM: usize = 10 * limits::BATCH_METRICS;

/// The queue of a run.
#[derive(Debug)]
pub(crate) struct Queue {
    shared: Arc<Shared>,
}

/// What both ends of a queue see.
#[derive(Debug)]
struct Shared {
    run: RunId,
    state: Mutex<State>,
    /// Tells those who log that there is room again.
    room: Condvar,
    /// Tells those who flush that something arrived or was refused.
    settled: Condvar,
    /// Tells the task that something waits, or that nothing will come any more.
    wake: Notify,
    /// Nobody waits any more: what does not arrive is lost, which was said.
    given_up: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Metric>,
    /// How many are with the task.
    sending: usize,
    is_closed: bool,
    /// Refusals that nobody was told of: how many metrics, and the first reason.
    refused: Option<(usize, Arc<StoreError>)>,
    /// What went wrong with the last attempt, if it may pass.
    trouble: Option<String>,
}

impl State {
    fn on_their_way(&self) -> usize {
        self.waiting.len() + self.sending
    }

    fn reason(&self) -> String {
        match &self.trouble {
            Some(trouble) => format!("the last attempt failed: {trouble}"),
            None => "no attempt has failed so far".to_owned(),
        }
    }
}

impl Queue {
    /// A queue whose metrics go to this run.
    pub(crate) fn new(client: Client, run: RunId) -> Result<Self, TrackingError> {
        let shared = Arc::new(Shared {
            run,
            state: Mutex::default(),
            room: Condvar::new(),
            settled: Condvar::new(),
            wake: Notify::new(),
            given_up: watch::Sender::new(false),
        });
        background::handle()?.spawn(worker::work(client, Arc::clone(&shared)));
        Ok(Self { shared })
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
        let shared = &self.shared;
        let start = Instant::now();
        let mut state = shared.lock();
        while state.on_their_way() > 0 {
            let left = limit.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(TrackingError::MetricsWaiting {
                    run_id: shared.run.clone(),
                    count: state.on_their_way(),
                    seconds: limit.as_secs(),
                    reason: state.reason(),
                });
            }
            let waited = shared.settled.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        match state.refused.take() {
            None => Ok(()),
            Some((count, source)) => Err(TrackingError::MetricsRefused {
                run_id: shared.run.clone(),
                count,
                source,
            }),
        }
    }

    /// Takes no more metrics; those that were taken go on their way.
    pub(crate) fn close(&self) {
        self.shared.lock().is_closed = true;
        self.shared.room.notify_all();
        self.shared.wake.notify_one();
    }

    /// What has not arrived by now is given up. Whoever calls this has told of it, or
    /// has waited until there was nothing.
    pub(crate) fn give_up(&self) {
        self.shared.lock().waiting.clear();
        self.shared.given_up.send_replace(true);
        self.shared.wake.notify_one();
    }
}

/// A queue that nobody can add to any more; what waits still goes out.
impl Drop for Queue {
    fn drop(&mut self) {
        self.shared.lock().is_closed = true;
        self.shared.wake.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that holds it panics, and a list of metrics would be whole even then.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next batch; nothing once the queue is closed and empty.
    async fn next(&self) -> Option<Vec<Metric>> {
        loop {
            {
                let mut state = self.lock();
                if !state.waiting.is_empty() {
                    let count = state.waiting.len().min(limits::BATCH_METRICS);
                    let batch: Vec<Metric> = state.waiting.drain(..count).collect();
                    state.sending = batch.len();
                    drop(state);
                    self.room.notify_all();
                    return Some(batch);
                }
                if state.is_closed {
                    return None;
                }
            }
            // A wake that came in between is kept.
            self.wake.notified().await;
        }
    }

    /// Ends when what has not arrived is given up.
    async fn given_up(&self) {
        // The sender lives as long as this.
        let _ = self
            .given_up
            .subscribe()
            .wait_for(|given_up| *given_up)
            .await;
    }

    /// The batch on its way is given up.
    fn abandon(&self) {
        let count = std::mem::take(&mut self.lock().sending);
        tracing::error!(run = %self.run, count, "metrics are given up");
        self.settled.notify_all();
    }

    /// An attempt failed, and there will be another.
    fn failed(&self, error: &StoreError) {
        self.lock().trouble = Some(error.to_string());
    }

    /// The batch on its way has arrived, or was refused.
    fn settle(&self, outcome: Result<(), StoreError>) {
        let mut state = self.lock();
        let count = std::mem::take(&mut state.sending);
        match outcome {
            Ok(()) => state.trouble = None,
            Err(error) => {
                tracing::error!(run = %self.run, count, %error, "metrics were refused");
                let refused = state.refused.take();
                let (before, first) = refused.unwrap_or_else(|| (0, Arc::new(error)));
                state.refused = Some((before + count, first));
            }
        }
        drop(state);
        self.settled.notify_all();
    }
}
