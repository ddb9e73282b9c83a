//! The task that sends the metrics of one run, and keeps them in a file while the
//! tracker is away.
//!
//! It turns to a file after [`SPILL_AFTER`] failed attempts in a row, or when one takes
//! as long as [`SLOW`]: the batch on its way is its first line, what waits follows, and
//! from then on everything goes through it, until all of it was sent. That nothing goes
//! out twice is the business of [`Delivery`].

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use runledger_entities::Metric;
use runledger_store::StoreError;
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use super::state::{Disk, Interruption, Kept, Shared, Step};
use crate::delivery::{Delivery, is_away, is_barred, is_fault};
use crate::spill::{self, Record, SpillError, SpillFile};
use crate::{Client, rest};

/// The pause after the first failed attempt; the others grow to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Faults of the server in a row after which a batch is taken for the cause.
const MOST_FAULTS: u32 = 10;

/// Failed attempts in a row after which a file is used: about two seconds.
const SPILL_AFTER: u32 = 4;

/// How long an attempt may take until a file is used.
const SLOW: Duration = Duration::from_secs(20);

/// How long the disk is left alone after it failed.
const DISK_PAUSE: Duration = Duration::from_secs(30);

/// Sends what comes, until nothing will come any more.
pub(super) async fn work(client: Client, shared: Arc<Shared>, folder: Option<Arc<Path>>) {
    let mut worker = Worker {
        uri: client.uri(),
        can_be_away: client.can_be_away(),
        // Repeating is done here, where it is known when nobody waits any more.
        client: client.asking_once(),
        shared,
        folder,
        file: None,
        first_end: None,
        disk_failed: None,
    };
    loop {
        match worker.shared.next(worker.disk()).await {
            Step::Send(metrics) => worker.send(metrics).await,
            Step::SendSpilled => worker.send_spilled().await,
            Step::Spill => worker.spill(None).await,
            Step::Over => break,
        }
    }
    worker.end();
}

struct Worker {
    client: Client,
    /// Without an account.
    uri: String,
    shared: Arc<Shared>,
    folder: Option<Arc<Path>>,
    file: Option<SpillFile>,
    /// Where the lines end of the batch that is on its way, if the file began with it.
    first_end: Option<u64>,
    disk_failed: Option<Instant>,
    /// Without that, there is never a file.
    can_be_away: bool,
}

/// How sending a batch ended.
enum Outcome {
    /// It has arrived or was refused.
    Settled(Result<(), StoreError>),
    /// It was given up.
    GivenUp,
}

impl Worker {
    /// Sends metrics that are in no file, at first.
    async fn send(&mut self, metrics: Vec<Metric>) {
        let metrics = Arc::new(metrics);
        let mut delivery = Delivery::of_metrics(Arc::clone(&metrics));
        let Outcome::Settled(outcome) = self.deliver(&mut delivery, Some(&metrics)).await else {
            return;
        };
        // They may have become the first lines of a file.
        match (outcome, self.first_end.take()) {
            (Ok(()), until) => {
                if let Some(until) = until {
                    self.advance(until).await;
                }
                self.shared.arrived(metrics.len());
            }
            (Err(error), None) => self.shared.refused(metrics.len(), error),
            (Err(error), Some(_)) => self.leave(&error),
        }
    }

    /// Sends the first lines of the file. What is refused stays there, but for a param
    /// that has another value already: it can never be logged, and what follows can.
    async fn send_spilled(&mut self) {
        let Some(unsent) = self.with_file(|file| file.unsent()).await else {
            return;
        };
        let (until, count) = (unsent.until, unsent.count());
        // What a file begins with is sent by `send`, which knows what may have arrived.
        let mut delivery = Delivery::of(unsent.batch, unsent.end, false);
        let Outcome::Settled(outcome) = self.deliver(&mut delivery, None).await else {
            return;
        };
        match outcome {
            Ok(()) => {
                self.advance(until).await;
                self.shared.arrived(count);
            }
            Err(error @ StoreError::ParamsChanged { .. }) => {
                self.advance(until).await;
                self.shared.param_is_another(error);
            }
            Err(error) => self.leave(&error),
        }
    }

    /// Attempts until it has arrived, is refused or is given up. Meanwhile what waits goes
    /// to the file, if there is one. `metrics` are those that are in no file.
    async fn deliver(&mut self, delivery: &mut Delivery, metrics: Option<&[Metric]>) -> Outcome {
        let mut pause = FIRST_PAUSE;
        let (mut failures, mut faults) = (0, 0);
        let (client, shared) = (self.client.clone(), Arc::clone(&self.shared));
        loop {
            let attempt = delivery.attempt(&client, &shared.run);
            let Some(outcome) = self.meanwhile(attempt, SLOW, metrics).await else {
                return Outcome::GivenUp;
            };
            let may_pass = |error: &StoreError| {
                is_away(error) || is_fault(error) || (self.can_be_away && is_barred(error))
            };
            let error = match outcome {
                Err(error) if may_pass(&error) => error,
                outcome => return Outcome::Settled(outcome),
            };
            faults = if is_fault(&error) { faults + 1 } else { 0 };
            // What is in a file is not lost by waiting.
            if faults >= MOST_FAULTS && self.file.is_none() {
                return Outcome::Settled(Err(error));
            }
            tracing::warn!(run = %shared.run, %error, "metrics are sent again");
            shared.failed(&error, is_barred(&error));
            failures += 1;
            if failures >= SPILL_AFTER && self.file.is_none() && !self.has_no_disk() {
                self.spill(metrics).await;
            }
            let jitter = pause.mul_f64(rest::random());
            let sleep = tokio::time::sleep(pause / 2 + jitter / 2);
            if self
                .meanwhile(sleep, LONGEST_PAUSE, metrics)
                .await
                .is_none()
            {
                return Outcome::GivenUp;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Waits for something, and keeps what comes meanwhile. Nothing if it is given up.
    async fn meanwhile<T>(
        &mut self,
        future: impl Future<Output = T>,
        slow: Duration,
        metrics: Option<&[Metric]>,
    ) -> Option<T> {
        let mut future = pin!(future);
        let shared = Arc::clone(&self.shared);
        let mut slow = pin!(tokio::time::sleep(slow));
        loop {
            let may_begin = self.file.is_none() && !self.has_no_disk() && !slow.is_elapsed();
            tokio::select! {
                biased;
                value = &mut future => return Some(value),
                why = shared.interrupted(self.disk()) => match why {
                    Interruption::GivenUp => return None,
                    Interruption::Spill => self.spill(metrics).await,
                },
                () = &mut slow, if may_begin => {
                    shared.is_slow();
                    self.spill(metrics).await;
                }
            }
        }
    }

    /// Puts what waits into the file, which is made if there is none; then `first` are
    /// its first lines, which are with the task.
    async fn spill(&mut self, first: Option<&[Metric]>) {
        let first = first.filter(|_| self.file.is_none()).unwrap_or_default();
        let (waiting, kept, added) = {
            let mut state = self.shared.lock();
            let has_room = self.file.as_ref().is_none_or(SpillFile::has_room);
            // Params, tags and ends have a reserve of their own.
            let waiting = if has_room {
                Vec::from(std::mem::take(&mut state.waiting))
            } else {
                Vec::new()
            };
            let kept = Vec::from(std::mem::take(&mut state.kept));
            let records = kept.iter().map(|kept| kept.records.len());
            let added = waiting.len() + records.sum::<usize>();
            // They are on their way all the time.
            state.spilled += added;
            (waiting, kept, added)
        };
        let begin = first.iter().cloned().map(Record::Metric).collect();
        let waiting_records = waiting.iter().cloned().map(Record::Metric);
        let kept_records = kept.iter().flat_map(|kept| kept.records.iter().cloned());
        let then = waiting_records.chain(kept_records).collect();
        let outcome = self.append(begin, then).await;
        let mut state = self.shared.lock();
        match &outcome {
            Ok(_) => {
                if !first.is_empty() {
                    state.spilled += std::mem::take(&mut state.sending);
                }
                state.spill_trouble = None;
                state.is_spilling = true;
            }
            Err(error) => {
                tracing::error!(run = %self.shared.run, %error, "what waits cannot be kept");
                state.spilled -= added;
                for metric in waiting.into_iter().rev() {
                    state.waiting.push_front(metric);
                }
                state.spill_trouble = Some(error.to_string());
            }
        }
        drop(state);
        self.shared.room.notify_all();
        for Kept { answer, .. } in kept {
            let told = outcome
                .as_ref()
                .map(Clone::clone)
                .map_err(SpillError::to_string);
            // Who asked may have gone.
            let _ = answer.send(told);
        }
    }

    /// Adds records to the file, and says which one it is. `first` begin a new one.
    async fn append(
        &mut self,
        first: Vec<Record>,
        then: Vec<Record>,
    ) -> Result<PathBuf, SpillError> {
        let file = self.file.take();
        let folder = self.folder.clone();
        let (run, uri) = (self.shared.run.clone(), self.uri.clone());
        let has_first = !first.is_empty();
        let appended = spawn_blocking(move || {
            if let Some(mut file) = file {
                let outcome = file.append(&then).map(|()| file.path().to_owned());
                return Ok((file, None, outcome));
            }
            let folder = match folder {
                Some(folder) => folder.to_path_buf(),
                None => spill::folder()?,
            };
            let (file, first_end) = SpillFile::create(&folder, &run, &uri, &first, &then)?;
            let path = file.path().to_owned();
            Ok((file, Some(first_end), Ok(path)))
        });
        let (file, made, outcome) = match appended.await {
            Ok(Ok(appended)) => appended,
            Ok(Err(error)) => {
                self.disk_failed = Some(Instant::now());
                return Err(error);
            }
            Err(broken) => return Err(self.broken(broken)),
        };
        if let Some(first_end) = made {
            self.first_end = has_first.then_some(first_end);
            let (run, path) = (&self.shared.run, file.path().display());
            tracing::warn!(%run, %path, "the tracker is away: what is logged goes to a file");
        }
        self.disk_failed = outcome.is_err().then(Instant::now);
        self.file = Some(file);
        outcome
    }

    /// Notes what was sent; a file that was sent to its end is removed.
    async fn advance(&mut self, until: u64) {
        self.with_file(move |file| file.advance(until)).await;
        let Some(file) = self.file.take_if(|file| file.is_sent()) else {
            return;
        };
        match spawn_blocking(move || file.remove()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(run = %self.shared.run, %error, "a file that was sent stays");
            }
            Err(broken) => drop(self.broken(broken)),
        }
        self.shared.lock().is_spilling = false;
    }

    /// Does something with the file, if there is one. If that fails, it is left.
    async fn with_file<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut SpillFile) -> Result<T, SpillError> + Send + 'static,
    ) -> Option<T> {
        let mut file = self.file.take()?;
        let done = spawn_blocking(move || {
            let outcome = work(&mut file);
            (file, outcome)
        });
        match done.await {
            Ok((file, Ok(value))) => {
                self.file = Some(file);
                Some(value)
            }
            Ok((file, Err(error))) => {
                self.file = Some(file);
                self.leave(&error);
                None
            }
            Err(broken) => {
                let error = self.broken(broken);
                self.leave(&error);
                None
            }
        }
    }

    /// Leaves the file as it is, for `runledger sync`, and goes on without one.
    fn leave(&mut self, reason: &impl ToString) {
        let path = self.file.take().map(|file| file.path().to_owned());
        self.first_end = None;
        self.shared
            .left(path.unwrap_or_default(), reason.to_string());
    }

    fn broken(&mut self, broken: tokio::task::JoinError) -> SpillError {
        self.disk_failed = Some(Instant::now());
        SpillError::Io {
            path: self
                .folder
                .as_deref()
                .map(PathBuf::from)
                .unwrap_or_default(),
            source: broken.into(),
        }
    }

    fn has_no_disk(&self) -> bool {
        let failing = |failed: Instant| failed.elapsed() < DISK_PAUSE;
        !self.can_be_away
            || self.disk_failed.is_some_and(failing)
            || self.file.as_ref().is_some_and(|file| !file.has_room())
    }

    fn disk(&self) -> Disk {
        match &self.file {
            _ if self.has_no_disk() => Disk::Failing {
                has_unsent: self.file.is_some(),
            },
            Some(_) => Disk::Used,
            None => Disk::Unused,
        }
    }

    /// What is not sent or kept by now is lost, of which somebody was told.
    fn end(&self) {
        let mut state = self.shared.lock();
        state.is_over = true;
        let count = state.waiting.len() + state.sending;
        state.waiting.clear();
        state.sending = 0;
        // Who waits for them hears that they are not kept.
        state.kept.clear();
        drop(state);
        if count > 0 {
            tracing::error!(run = %self.shared.run, count, "metrics are given up");
        }
        self.shared.settled.notify_all();
    }
}
