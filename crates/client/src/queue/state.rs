//! What both ends of a queue see.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use runledger_entities::{Metric, RunId, limits};
use runledger_store::StoreError;
use tokio::sync::Notify;

use crate::spill::Record;

/// What both ends of a queue see.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) run: RunId,
    state: Mutex<State>,
    /// Tells those who log that there is room again.
    pub(super) room: Condvar,
    /// Tells those who flush that something arrived or was refused.
    pub(super) settled: Condvar,
    /// Tells the task that there is something to do, or that nothing will come any more.
    pub(super) wake: Notify,
}

#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one for each thing that happens once"
)]
pub(super) struct State {
    pub(super) waiting: VecDeque<Metric>,
    /// How many are with the task, and in no file.
    pub(super) sending: usize,
    /// How many metrics, params, tags and ends are in the file, and have not arrived.
    pub(super) spilled: usize,
    /// What is to be kept in the file, and was not queued.
    pub(super) kept: VecDeque<Kept>,
    pub(super) last_ticket: u64,
    /// Everything goes through a file.
    pub(super) is_spilling: bool,
    /// No more metrics come.
    pub(super) is_closed: bool,
    /// Nothing more is kept either.
    pub(super) is_over: bool,
    /// What has not arrived and is in no file is lost, which was said.
    pub(super) is_given_up: bool,
    /// Refusals that nobody was told of: how many metrics, and the first reason.
    pub(super) refused: Option<(usize, Arc<StoreError>)>,
    /// A param in the file that has another value already, if nobody was told of it.
    pub(super) changed_param: Option<StoreError>,
    /// What stays in a file, if nobody was told of it.
    pub(super) left: Option<Left>,
    /// What went wrong with the last attempt, if it may pass.
    pub(super) trouble: Option<String>,
    /// That will not pass by itself.
    pub(super) is_barred: bool,
    /// Since when the tracker has given no good answer.
    pub(super) away_since: Option<Instant>,
    /// Why nothing can be kept in a file.
    pub(super) spill_trouble: Option<String>,
}

/// Params, tags or an end that are to be kept, and who waits for that.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) records: Vec<Record>,
    pub(super) answer: SyncSender<Result<PathBuf, String>>,
    /// Which one it is.
    pub(super) ticket: u64,
}

/// What was not taken, and stays in a file.
#[derive(Debug)]
pub(super) struct Left {
    pub(super) count: usize,
    pub(super) path: PathBuf,
    pub(super) reason: String,
}

/// What the task does next.
#[derive(Debug)]
pub(super) enum Step {
    /// Send these, which are in no file.
    Send(Vec<Metric>),
    /// Put what waits into the file.
    Spill,
    /// Send what is first in the file.
    SendSpilled,
    /// End.
    Over,
}

/// Why the task does not go on waiting for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Interruption {
    /// Something is to be put into the file.
    Spill,
    /// It is given up.
    GivenUp,
}

/// What the task has of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disk {
    /// No file, as long as all goes well.
    Unused,
    /// A file with something to send, which takes more.
    Used,
    /// The disk does not take anything just now; what is in a file can be sent.
    Failing { has_unsent: bool },
}

impl State {
    pub(super) fn on_their_way(&self) -> usize {
        self.waiting.len() + self.sending + self.spilled
    }

    pub(super) fn reason(&self) -> String {
        let reason = match &self.trouble {
            Some(trouble) => format!("the last attempt failed: {trouble}"),
            None => "no attempt has failed so far".to_owned(),
        };
        match &self.spill_trouble {
            Some(trouble) => format!("{reason}; nor can they be kept on this machine: {trouble}"),
            None => reason,
        }
    }

    /// Whether anything has not arrived.
    pub(super) fn is_waiting(&self) -> bool {
        self.on_their_way() > 0 || self.is_spilling || !self.kept.is_empty()
    }

    fn take_off(&mut self, count: usize) {
        if self.sending > 0 {
            self.sending = 0;
        } else {
            self.spilled = self.spilled.saturating_sub(count);
        }
    }

    fn wants_disk(&self, disk: Disk) -> bool {
        match disk {
            // Whoever waits for it is told how it went, also of a disk that fails.
            _ if !self.kept.is_empty() => true,
            Disk::Used => !self.waiting.is_empty(),
            Disk::Unused | Disk::Failing { .. } => false,
        }
    }

    fn step(&mut self, disk: Disk) -> Option<Step> {
        if self.is_given_up {
            return Some(Step::Over);
        }
        if self.wants_disk(disk) {
            return Some(Step::Spill);
        }
        let has_unsent = matches!(disk, Disk::Used | Disk::Failing { has_unsent: true });
        if has_unsent {
            return Some(Step::SendSpilled);
        }
        if !self.waiting.is_empty() {
            let count = self.waiting.len().min(limits::BATCH_METRICS);
            let batch: Vec<Metric> = self.waiting.drain(..count).collect();
            self.sending = batch.len();
            return Some(Step::Send(batch));
        }
        self.is_over.then_some(Step::Over)
    }
}

impl Shared {
    pub(super) fn new(run: RunId) -> Self {
        Self {
            run,
            state: Mutex::default(),
            room: Condvar::new(),
            settled: Condvar::new(),
            wake: Notify::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // No code that holds it panics, and a list of metrics would be whole even then.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to do next, as soon as there is something.
    pub(super) async fn next(&self, disk: Disk) -> Step {
        loop {
            let step = self.lock().step(disk);
            if let Some(step) = step {
                if matches!(step, Step::Send(_)) {
                    self.room.notify_all();
                }
                return step;
            }
            // A wake that came in between is kept.
            self.wake.notified().await;
        }
    }

    /// Ends when a batch on its way is given up, or something is to be put into the
    /// file meanwhile.
    pub(super) async fn interrupted(&self, disk: Disk) -> Interruption {
        loop {
            {
                let state = self.lock();
                if state.is_given_up {
                    return Interruption::GivenUp;
                }
                if state.wants_disk(disk) {
                    return Interruption::Spill;
                }
            }
            self.wake.notified().await;
        }
    }

    /// An attempt failed, and there will be another.
    pub(super) fn failed(&self, error: &StoreError, is_barred: bool) {
        let mut state = self.lock();
        state.trouble = Some(error.to_string());
        state.is_barred = is_barred;
        state.away_since.get_or_insert_with(Instant::now);
    }

    /// An attempt takes so long that nobody counts on an answer.
    pub(super) fn is_slow(&self) {
        self.lock().away_since.get_or_insert_with(Instant::now);
    }

    /// So many have arrived.
    pub(super) fn arrived(&self, count: usize) {
        let mut state = self.lock();
        state.away_since = None;
        state.trouble = None;
        state.is_barred = false;
        state.take_off(count);
        drop(state);
        self.settled.notify_all();
    }

    /// Metrics that are in no file were refused.
    pub(super) fn refused(&self, count: usize, error: StoreError) {
        tracing::error!(run = %self.run, count, %error, "metrics were refused");
        let mut state = self.lock();
        state.away_since = None;
        state.take_off(count);
        let (before, first) = state.refused.take().unwrap_or_else(|| (0, Arc::new(error)));
        state.refused = Some((before + count, first));
        drop(state);
        self.settled.notify_all();
    }

    /// A param in the file has another value already.
    pub(super) fn param_is_another(&self, error: StoreError) {
        tracing::error!(run = %self.run, %error, "a param was refused");
        let mut state = self.lock();
        state.take_off(1);
        state.changed_param.get_or_insert(error);
        drop(state);
        self.settled.notify_all();
    }

    /// What is in the file stays there.
    pub(super) fn left(&self, path: PathBuf, reason: String) {
        tracing::error!(run = %self.run, path = %path.display(), reason, "unsent data stays in a file");
        let mut state = self.lock();
        let count = std::mem::take(&mut state.spilled);
        state.is_spilling = false;
        state.away_since = None;
        state.left = Some(Left {
            count,
            path,
            reason,
        });
        drop(state);
        self.settled.notify_all();
    }
}
