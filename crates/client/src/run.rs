//! What logs to a run. The guard that ends it is in `guard`.

mod guard;

pub use guard::ActiveRun;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use runledger_entities::{ExperimentId, Metric, Param, Run, RunId, RunInfo, Tag};
use runledger_store::Batch;

use crate::client::now;
use crate::delivery::is_away;
use crate::queue::{Keeping, Queue};
use crate::spill::Record;
use crate::{Client, RunOptions, TrackingError, active, background, client};

/// How long a metric waits for room, and an end for the last metrics.
const PATIENCE: Duration = Duration::from_mins(5);

/// Logs to one run, from any thread. Clones log to the same run.
///
/// Metrics are put into a queue of 10,000 and sent behind the caller's back, in the
/// order they came; only a full queue makes the caller wait, and nothing is ever
/// dropped silently. Params and tags are sent at once, and the call waits for the
/// answer. While the tracker is away, all of it goes to a file ([`crate::spill`]). None
/// of the methods is asynchronous: in a task, call those that wait on a thread for
/// blocking work.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
/// # let tracker = runledger::Tracker::open(&uri)?;
/// # let run = tracker.start_run()?;
/// use runledger::{RunLogger, TrackingError};
///
/// fn train(run: &RunLogger) -> Result<(), TrackingError> {
///     run.log_param("depth", 7)?;
///     run.log_metric_at("loss", 0.25, 1)
/// }
/// train(&run)?;
/// assert_eq!(run.get()?.data.params[0].value, "7");
/// # run.end()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RunLogger {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    info: RunInfo,
    queue: Queue,
    keeping: Keeping,
}

impl fmt::Debug for RunLogger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RunLogger").field(self.run_id()).finish()
    }
}

impl RunLogger {
    /// The run's id.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let run = tracker.start_run()?;
    /// let id = run.run_id().clone();
    /// assert_eq!(run.get()?.info.run_id, id);
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn run_id(&self) -> &RunId {
        &self.inner.info.run_id
    }

    /// The experiment it belongs to.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let run = tracker.start_run()?;
    /// use runledger::entities::ExperimentId;
    ///
    /// assert_eq!(run.experiment_id(), ExperimentId::DEFAULT);
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn experiment_id(&self) -> ExperimentId {
        self.inner.info.experiment_id
    }

    /// What it was when it was started.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let run = tracker.start_run()?;
    /// use runledger::entities::RunStatus;
    ///
    /// println!("started by {} at {} ms", run.info().user_id, run.info().start_time);
    /// assert_eq!(run.info().status, RunStatus::Running);
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn info(&self) -> &RunInfo {
        &self.inner.info
    }

    pub(crate) fn client(&self) -> &Client {
        &self.inner.client
    }

    /// Logs a param. Once logged, its value cannot change.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let run = tracker.start_run()?;
    /// run.log_param("learning rate", 0.01)?;
    /// // The same value once more is no change.
    /// run.log_param("learning rate", "0.01")?;
    /// assert!(run.log_param("learning rate", 0.1).is_err());
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`RunLogger::log_params`].
    pub fn log_param(&self, key: &str, value: impl fmt::Display) -> Result<(), TrackingError> {
        self.log_params([(key, value)])
    }

    /// Logs params, a hundred at a time.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let run = tracker.start_run()?;
    /// run.log_params([("depth", 7), ("width", 128)])?;
    /// let params = run.get()?.data.params;
    /// assert_eq!((params[0].key.as_str(), params[0].value.as_str()), ("depth", "7"));
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if a key breaks a rule or is there twice: then none is logged.
    /// [`TrackingError::Store`] if one has another value already, and
    /// [`TrackingError::NotKept`] if the tracker is away and they cannot be kept on this
    /// machine either.
    pub fn log_params<K: Into<String>, V: fmt::Display>(
        &self,
        params: impl IntoIterator<Item = (K, V)>,
    ) -> Result<(), TrackingError> {
        let params = params.into_iter();
        self.log_now(Batch {
            params: params
                .map(|(key, value)| Param::new(key, value.to_string()))
                .collect(),
            ..Batch::default()
        })
    }

    /// Sets a tag.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let run = tracker.start_run()?;
    /// run.set_tag("stage", "candidate")?;
    /// run.set_tag("stage", "final")?;
    /// let tags = run.get()?.data.tags;
    /// assert!(tags.iter().any(|tag| tag.key == "stage" && tag.value == "final"));
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`RunLogger::set_tags`].
    pub fn set_tag(&self, key: &str, value: impl fmt::Display) -> Result<(), TrackingError> {
        self.set_tags([(key, value)])
    }

    /// Sets tags, a hundred at a time.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let run = tracker.start_run()?;
    /// run.set_tags([("team", "vision"), ("dataset", "mnist")])?;
    /// assert!(run.get()?.data.tags.iter().any(|tag| tag.value == "mnist"));
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if a key breaks a rule: then none is set.
    /// [`TrackingError::NotKept`] if the tracker is away and they cannot be kept on this
    /// machine either.
    pub fn set_tags<K: Into<String>, V: fmt::Display>(
        &self,
        tags: impl IntoIterator<Item = (K, V)>,
    ) -> Result<(), TrackingError> {
        let tags = tags.into_iter();
        self.log_now(Batch {
            tags: tags
                .map(|(key, value)| Tag::new(key, value.to_string()))
                .collect(),
            ..Batch::default()
        })
    }

    /// Logs a metric of step 0, measured now.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let run = tracker.start_run()?;
    /// run.log_metric("accuracy", 0.875)?;
    /// run.flush()?;
    /// assert_eq!(run.get()?.data.metrics[0].step, 0);
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`RunLogger::log_point`].
    pub fn log_metric(&self, key: &str, value: f64) -> Result<(), TrackingError> {
        self.log_metric_at(key, value, 0)
    }

    /// Logs a metric of a step, measured now.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let run = tracker.start_run()?;
    /// for step in 0..3_u32 {
    ///     run.log_metric_at("loss", 1.0 / f64::from(step + 1), step.into())?;
    /// }
    /// run.flush()?;
    /// // A run has the latest value of each metric; the others are in its history.
    /// assert_eq!(run.get()?.data.metrics[0].step, 2);
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`RunLogger::log_point`].
    pub fn log_metric_at(&self, key: &str, value: f64, step: i64) -> Result<(), TrackingError> {
        self.log_point(Metric::new(key, value, now(), step))
    }

    /// Logs several metrics of a step, measured now.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let run = tracker.start_run()?;
    /// run.log_metrics([("loss", 0.25), ("accuracy", 0.875)], 10)?;
    /// run.flush()?;
    /// assert_eq!(run.get()?.data.metrics.len(), 2);
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`RunLogger::log_point`]; those before the one at fault are logged.
    pub fn log_metrics<K: Into<String>>(
        &self,
        metrics: impl IntoIterator<Item = (K, f64)>,
        step: i64,
    ) -> Result<(), TrackingError> {
        let timestamp = now();
        metrics
            .into_iter()
            .try_for_each(|(key, value)| self.log_point(Metric::new(key, value, timestamp, step)))
    }

    /// Logs a metric with a timestamp of its own, in milliseconds since the epoch.
    ///
    /// It is queued; what the store says of it, [`RunLogger::flush`] and
    /// [`ActiveRun::end`] tell.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let run = tracker.start_run()?;
    /// use runledger::entities::Metric;
    ///
    /// // 0.25 at step 10, measured in November 2023.
    /// run.log_point(Metric::new("loss", 0.25, 1_700_000_000_000, 10))?;
    /// run.flush()?;
    /// assert_eq!(run.get()?.data.metrics[0].timestamp, 1_700_000_000_000);
    /// assert!(run.log_point(Metric::new("loss", 0.25, -1, 11)).is_err());
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if the key or the timestamp breaks a rule,
    /// [`TrackingError::RunEnded`] after the end, and [`TrackingError::NoRoom`] if the
    /// queue was full for five minutes: then this metric is not logged.
    pub fn log_point(&self, metric: Metric) -> Result<(), TrackingError> {
        self.inner.queue.push(metric, PATIENCE)
    }

    /// Logs a metric if there is room for it now.
    #[cfg(feature = "system-metrics")]
    pub(crate) fn try_log_point(&self, metric: Metric) -> Result<(), TrackingError> {
        self.inner.queue.push(metric, Duration::ZERO)
    }

    /// Waits until every metric that was logged has arrived.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let run = tracker.start_run()?;
    /// run.log_metric_at("loss", 0.25, 1)?;
    /// run.flush()?;
    /// assert_eq!(run.get()?.data.metrics[0].value, 0.25);
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::MetricsRefused`] if some never will, and
    /// [`TrackingError::MetricsWaiting`] if it takes longer than five minutes; they
    /// stay in the queue.
    pub fn flush(&self) -> Result<(), TrackingError> {
        self.inner.queue.flush(PATIENCE)
    }

    /// The run as it is now, with the latest values of all that has arrived.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let run = tracker.start_run()?;
    /// run.log_param("depth", 7)?;
    /// let read = run.get()?;
    /// assert_eq!(read.data.params[0].value, "7");
    /// assert!(read.info.end_time.is_none());
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if it is not there any more, or the store is away.
    pub fn get(&self) -> Result<Run, TrackingError> {
        let (client, id) = (self.inner.client.clone(), self.run_id().clone());
        background::wait(async move { client.get_run(&id).await })
    }

    /// Starts a child of this run, which becomes the active run of this thread.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let run = tracker.start_run()?;
    /// let trial = run.child()?;
    /// trial.log_metric("accuracy", 0.875)?;
    /// let active = runledger::active_run().ok_or("no run")?;
    /// assert_eq!(active.run_id(), trial.run_id());
    /// trial.end()?;
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if the store refuses it, or is away.
    pub fn child(&self) -> Result<ActiveRun, TrackingError> {
        self.child_with(RunOptions::default())
    }

    /// Starts a child of this run, which becomes the active run of this thread. Its
    /// parent is this run, whatever `options` say.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let run = tracker.start_run()?;
    /// use runledger::RunOptions;
    ///
    /// let trial = run.child_with(RunOptions::named("depth 3"))?;
    /// assert_eq!(trial.info().run_name.as_deref(), Some("depth 3"));
    /// assert_eq!(trial.experiment_id(), run.experiment_id());
    /// trial.end()?;
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`RunLogger::child`], and [`TrackingError::Value`] if a tag breaks a rule.
    pub fn child_with(&self, mut options: RunOptions) -> Result<ActiveRun, TrackingError> {
        options.parent = Some(self.run_id().clone());
        let (client, keeping) = (self.inner.client.clone(), self.inner.keeping.clone());
        ActiveRun::start(client, self.experiment_id(), options, keeping)
    }

    /// Makes this the active run of a future, wherever that runs.
    ///
    /// ```no_run
    /// # async fn example(run: runledger::RunLogger) {
    /// let task = run.clone().scope(async {
    ///     assert!(runledger::active_run().is_some());
    /// });
    /// task.await;
    /// # }
    /// ```
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        active::scope(self, future).await
    }

    /// Logs params and tags at once, or keeps them if the tracker is away.
    fn log_now(&self, mut batch: Batch) -> Result<(), TrackingError> {
        client::check(&mut batch)?;
        let inner = &self.inner;
        if !inner.queue.is_spilling() {
            let (client, id, batch) = (inner.client.clone(), self.run_id().clone(), batch.clone());
            match background::wait(async move { client.log_checked(&id, batch).await }) {
                Err(TrackingError::Store(error)) if inner.queue.can_keep() && is_away(&error) => {
                    tracing::warn!(run = %self.run_id(), %error, "params and tags are kept for later");
                }
                logged => return logged,
            }
        }
        let params = batch.params.into_iter().map(Record::Param);
        let tags = batch.tags.into_iter().map(Record::Tag);
        inner.queue.keep(params.chain(tags).collect()).map(drop)
    }
}
