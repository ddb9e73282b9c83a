//! The guard of a run, which begins and ends it.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use runledger_entities::{ExperimentId, RunInfo, RunStatus, Tag};

use super::{Inner, PATIENCE, RunLogger};
use crate::client::now;
use crate::delivery::is_away;
use crate::queue::{Keeping, Queue};
use crate::spill::Record;
use crate::system_metrics::{Monitor, SystemMetrics, SystemMetricsOptions};
use crate::{Client, RunOptions, TrackingError, active, background, context};

/// A run that is going on: the active run of its thread, which ends when this is
/// dropped.
///
/// Dropped, it sends what waits and ends `FINISHED`, or `FAILED` while its thread
/// panics; what goes wrong then is logged by `tracing`. [`ActiveRun::end`] does the
/// same and tells. A return with `?` drops it like any other: where an error should
/// show in the status, end it with [`ActiveRun::end_as`]. `KILLED` is never set
/// silently, only so.
///
/// Everything that a [`RunLogger`] does, this does; a clone of it
/// ([`ActiveRun::logger`]) logs from other threads and tasks.
///
/// ```no_run
/// # fn main() -> Result<(), runledger::TrackingError> {
/// let tracker = runledger::Tracker::open("http://localhost:5000")?;
/// tracker.set_experiment("digits")?;
/// let run = tracker.start_run()?;
/// run.log_param("depth", 7)?;
/// for step in 0..100_u32 {
///     run.log_metric_at("loss", 1.0 / f64::from(step + 1), step.into())?;
/// }
/// run.end()
/// # }
/// ```
#[must_use = "the run ends when this is dropped"]
pub struct ActiveRun {
    logger: RunLogger,
    /// Measures as long as it is there.
    monitor: Option<Monitor>,
    is_ended: bool,
    /// It is active on the thread that started it, and has to end there.
    _stays: PhantomData<*const ()>,
}

impl fmt::Debug for ActiveRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ActiveRun").field(self.run_id()).finish()
    }
}

impl Deref for ActiveRun {
    type Target = RunLogger;

    fn deref(&self) -> &RunLogger {
        &self.logger
    }
}

impl ActiveRun {
    /// Starts a run with the automatic tags.
    pub(crate) fn start(
        client: Client,
        experiment: ExperimentId,
        mut options: RunOptions,
        keeping: Keeping,
    ) -> Result<Self, TrackingError> {
        // What the caller says goes before what was found out.
        let found = context::tags().into_iter();
        let found = found.filter(|tag| options.tags.iter().all(|own| own.key != tag.key));
        let found: Vec<Tag> = found.collect();
        options.tags.extend(found);
        let system_metrics = std::mem::take(&mut options.system_metrics).wanted()?;
        let asked = client.clone();
        let run = background::wait(async move { asked.create_run(experiment, options).await })?;
        Self::begin(client, run.info, keeping, system_metrics, false)
    }

    /// Goes on with a run.
    pub(crate) fn resume(
        client: Client,
        info: RunInfo,
        keeping: Keeping,
    ) -> Result<Self, TrackingError> {
        let system_metrics = SystemMetrics::FromEnv.wanted()?;
        Self::begin(client, info, keeping, system_metrics, true)
    }

    fn begin(
        client: Client,
        info: RunInfo,
        keeping: Keeping,
        system_metrics: Option<SystemMetricsOptions>,
        goes_on: bool,
    ) -> Result<Self, TrackingError> {
        let queue = Queue::new(client.clone(), info.run_id.clone(), keeping.clone())?;
        let inner = Inner {
            client,
            info,
            queue,
            keeping,
        };
        let logger = RunLogger {
            inner: Arc::new(inner),
        };
        let monitor = system_metrics.and_then(|it| Monitor::start(&logger, &it, goes_on));
        active::begin(logger.clone());
        Ok(Self {
            logger,
            monitor,
            is_ended: false,
            _stays: PhantomData,
        })
    }

    /// What logs to this run from other threads and tasks.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let run = tracker.start_run()?;
    /// let logger = run.logger();
    /// let worker = std::thread::spawn(move || logger.log_metric_at("loss", 0.25, 1));
    /// worker.join().map_err(|_| "it panicked")??;
    /// run.flush()?;
    /// assert_eq!(run.get()?.data.metrics[0].value, 0.25);
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn logger(&self) -> RunLogger {
        self.logger.clone()
    }

    /// Sends what waits, and ends the run `FINISHED`.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// use runledger::entities::RunStatus;
    ///
    /// let run = tracker.start_run()?;
    /// run.log_metric_at("loss", 0.25, 1)?;
    /// let logger = run.logger();
    /// run.end()?;
    /// assert_eq!(logger.get()?.info.status, RunStatus::Finished);
    /// assert!(logger.log_metric_at("loss", 0.2, 2).is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`RunLogger::flush`], after which the run is ended all the same, if the store
    /// can be reached. A tracker that is away is none if the rest can be kept on this
    /// machine ([`crate::spill`]), of which `tracing` warns: it is sent in the background
    /// while the program lives, and by `runledger sync` after that.
    pub fn end(self) -> Result<(), TrackingError> {
        self.end_as(RunStatus::Finished)
    }

    /// Sends what waits, and ends the run with this status.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// use runledger::entities::RunStatus;
    ///
    /// let run = tracker.start_run()?;
    /// let logger = run.logger();
    /// match "12,5".parse::<f64>() {
    ///     Ok(alcohol) => run.log_metric("alcohol", alcohol)?,
    ///     Err(_) => run.end_as(RunStatus::Failed)?,
    /// }
    /// assert_eq!(logger.get()?.info.status, RunStatus::Failed);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`ActiveRun::end`].
    pub fn end_as(mut self, status: RunStatus) -> Result<(), TrackingError> {
        self.finish(status)
    }

    fn finish(&mut self, status: RunStatus) -> Result<(), TrackingError> {
        self.is_ended = true;
        active::end(self.run_id());
        self.monitor.take();
        let inner = &self.logger.inner;
        // First, so that no other thread adds what nobody would wait for.
        inner.queue.close();
        let flushed = inner.queue.flush_last(PATIENCE);
        let is_waiting = matches!(flushed, Err(TrackingError::MetricsWaiting { .. }));
        let kept = (is_waiting && inner.queue.can_keep()).then(|| self.keep_end(status));
        let outcome = if let Some(Ok(path)) = kept {
            inner.queue.barred(path)
        } else {
            if is_waiting {
                inner.queue.give_up();
            }
            let ended = self.send_end(status, kept.is_none());
            if let (Err(_), Err(error)) = (&flushed, &ended) {
                tracing::error!(run = %self.run_id(), %error, "the run cannot be ended");
            }
            flushed.and(ended)
        };
        inner.queue.end();
        outcome
    }

    /// Ends the run, or keeps its end, if it may, where the tracker is away.
    fn send_end(&self, status: RunStatus, may_keep: bool) -> Result<(), TrackingError> {
        let inner = &self.logger.inner;
        let (client, id) = (inner.client.clone(), self.run_id().clone());
        match background::wait(async move { client.end_run(&id, status).await }) {
            Err(TrackingError::Store(error))
                if may_keep && inner.queue.can_keep() && is_away(&error) =>
            {
                // Where it cannot be kept, what the tracker said tells more.
                self.keep_end(status).map(drop).map_err(|_| error.into())
            }
            ended => ended.map(drop),
        }
    }

    /// Keeps the end, and all metrics that have not arrived, for `runledger sync`.
    fn keep_end(&self, status: RunStatus) -> Result<PathBuf, TrackingError> {
        let kept = self
            .logger
            .inner
            .queue
            .keep(vec![Record::End(status, now())]);
        let run = self.run_id();
        match &kept {
            Ok(path) => tracing::warn!(
                %run, path = %path.display(),
                "the tracker is away: the rest of the run is sent when it is back, or by `runledger sync`"
            ),
            Err(error) => tracing::error!(%run, %error, "the rest of the run is lost"),
        }
        kept
    }
}

impl Drop for ActiveRun {
    fn drop(&mut self) {
        if self.is_ended {
            return;
        }
        let status = if std::thread::panicking() {
            RunStatus::Failed
        } else {
            RunStatus::Finished
        };
        if let Err(error) = self.finish(status) {
            tracing::error!(run = %self.run_id(), %error, "a run did not end well");
        }
    }
}
