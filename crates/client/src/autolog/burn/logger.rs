//! Metrics of burn as metrics of a run.

use std::collections::{BTreeMap, HashMap};

use burn_train::logger::MetricLogger;
use burn_train::metric::store::{EpochSummary, MetricsUpdate, Split};
use burn_train::metric::{MetricDefinition, MetricId, MetricName, NumericEntry};

use crate::autolog::params;
use crate::autolog::quiet::Quiet;
use crate::{RunLogger, TrackingError};

/// Logs the numeric metrics of a training to a run.
///
/// The metric `Loss` is logged
///
/// - after each iteration as `train/Loss` or `valid/Loss`. The step counts the iterations of
///   the split, over all epochs, from 0; in a run that has such metrics already it goes on
///   after the last step that has arrived.
/// - after each epoch as `epoch/train/Loss` or `epoch/valid/Loss`. The step is the epoch, as
///   burn counts them: from 1. The value is the final one of the metric where it has one,
///   else the mean of its iterations, weighted as burn does.
///
/// Names are burn's, with `_` in the place of characters that MLflow refuses: `CPU Usage`,
/// `Top-K Accuracy @ 2` as `Top-K Accuracy _ 2`. Units are those of the metric. Metrics
/// that are no numbers are not logged. A metric without a value of its own in each iteration
/// has one for epochs only.
///
/// Early stopping and strategies of checkpoints read the values of epochs here, as from any
/// logger; it remembers one for each epoch, and none of iterations.
///
/// What goes wrong is warned of by `tracing`, once for each kind of error, and does not stop
/// the training. By default burn has the warnings written to its `experiment.log`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let runs = folder.path().join("mlruns");
/// # let tracker = runledger::Tracker::open(&runs.display().to_string())?;
/// use std::sync::Arc;
///
/// use burn_train::logger::MetricLogger;
/// use burn_train::metric::store::{MetricsUpdate, NumericMetricUpdate, Split};
/// use burn_train::metric::{
///     MetricAttributes, MetricDefinition, MetricEntry, MetricId, NumericEntry, SerializedEntry,
/// };
/// use runledger::autolog::burn::RunMetricLogger;
///
/// let run = tracker.start_run()?;
/// let mut logger = RunMetricLogger::new(&run);
///
/// // What burn does in a training.
/// let name = Arc::new("Loss".to_owned());
/// let id = MetricId::new(name.clone());
/// logger.log_metric_definition(MetricDefinition {
///     metric_id: id.clone(),
///     name,
///     description: None,
///     attributes: MetricAttributes::None,
/// });
/// let shown = MetricEntry::new(id, SerializedEntry::not_available(None));
/// let loss = NumericMetricUpdate::new(shown, Some(NumericEntry::Value(0.5)), None);
/// logger.log(MetricsUpdate::new(Vec::new(), vec![loss]), 1, &Split::Train);
///
/// run.flush()?;
/// let metrics = run.get()?.data.metrics;
/// assert_eq!((&*metrics[0].key, metrics[0].value), ("train/Loss", 0.5));
/// # run.end()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct RunMetricLogger {
    quiet: Quiet,
    names: HashMap<MetricId, MetricName>,
    /// The next step of each folder of metrics, as [`folder`] names it.
    steps: HashMap<String, i64>,
    epochs: HashMap<(Split, String), BTreeMap<usize, Epoch>>,
}

/// What a metric was in an epoch.
#[derive(Clone, Copy, Debug, Default)]
struct Epoch {
    /// Of the values of iterations, each times its weight.
    sum: f64,
    weight: usize,
    last: Option<f64>,
}

impl Epoch {
    fn add(&mut self, entry: &NumericEntry) {
        match *entry {
            NumericEntry::Value(value) => self.weigh(value, 1),
            NumericEntry::Aggregated {
                aggregated_value,
                count,
            } => self.weigh(aggregated_value, count),
            NumericEntry::Final(value) => self.last = Some(value),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a double has 53 bits")]
    fn weigh(&mut self, value: f64, weight: usize) {
        self.sum += value * weight as f64;
        self.weight += weight;
    }

    /// All of it in one entry.
    #[expect(clippy::cast_precision_loss, reason = "a double has 53 bits")]
    fn entry(&self) -> NumericEntry {
        match self.last {
            Some(value) => NumericEntry::Final(value),
            None => NumericEntry::Aggregated {
                aggregated_value: self.sum / self.weight as f64,
                count: self.weight,
            },
        }
    }
}

impl RunMetricLogger {
    /// Logs to a run. Asks the run for the steps that it has, and waits for the answer.
    ///
    /// ```
    /// # fn example<M: burn_train::LearnerModel>(
    /// #     run: runledger::RunLogger,
    /// #     training: burn_train::SupervisedTraining<M>,
    /// # ) -> burn_train::SupervisedTraining<M> {
    /// use burn_train::logger::FileMetricLogger;
    /// use runledger::autolog::burn::RunMetricLogger;
    ///
    /// // Beside the files that burn writes by itself.
    /// training
    ///     .with_metric_logger(FileMetricLogger::new("/tmp/training"))
    ///     .with_metric_logger(RunMetricLogger::new(&run))
    /// # }
    /// ```
    pub fn new(run: &RunLogger) -> Self {
        let steps = next_steps(run).unwrap_or_else(|error| {
            tracing::warn!(run = %run.run_id(), %error, "steps begin with 0: those that the run has are not known");
            HashMap::new()
        });
        Self {
            quiet: Quiet::new(run),
            names: HashMap::new(),
            steps,
            epochs: HashMap::new(),
        }
    }
}

impl MetricLogger for RunMetricLogger {
    fn log(&mut self, update: MetricsUpdate, epoch: usize, split: &Split) {
        let folder = folder(split);
        let step = self.steps.get(&folder).copied().unwrap_or_default();
        let mut is_iteration = true;
        for update in update.entries_numeric {
            // burn defines metrics before it logs them.
            let (Some(name), Some(entry)) = (
                self.names.get(&update.entry.metric_id),
                update.numeric_entry,
            ) else {
                continue;
            };
            if let NumericEntry::Final(_) = entry {
                is_iteration = false;
            } else {
                let key = format!("{folder}/{}", within(name));
                self.quiet.log(&key, entry.current(), step);
            }
            let epochs = self.epochs.entry((split.clone(), name.to_string()));
            epochs.or_default().entry(epoch).or_default().add(&entry);
        }
        if is_iteration {
            self.steps.insert(folder, step + 1);
        }
    }

    fn read_numeric(
        &mut self,
        name: &str,
        epoch: usize,
        split: &Split,
    ) -> Result<Vec<NumericEntry>, String> {
        let epochs = self.epochs.get(&(split.clone(), name.to_owned()));
        let epoch = epochs.and_then(|epochs| epochs.get(&epoch));
        Ok(epoch.map(Epoch::entry).into_iter().collect())
    }

    fn log_metric_definition(&mut self, definition: MetricDefinition) {
        self.names.insert(definition.metric_id, definition.name);
    }

    fn log_epoch_summary(&mut self, summary: EpochSummary) {
        let EpochSummary {
            epoch_number,
            split,
        } = summary;
        let folder = folder(&split);
        let step = i64::try_from(epoch_number).unwrap_or(i64::MAX);
        for ((of, name), epochs) in &self.epochs {
            if let Some(epoch) = epochs.get(&epoch_number)
                && *of == split
            {
                let key = format!("epoch/{folder}/{}", within(name));
                self.quiet.log(&key, epoch.entry().current(), step);
            }
        }
    }
}

/// A name within a folder.
fn within(name: &str) -> String {
    params::key(name).replace('/', "_")
}

/// What the names of a split's metrics begin with.
fn folder(split: &Split) -> String {
    match split {
        Split::Test(Some(tag)) => format!("{split}/{}", within(tag)),
        _ => split.to_string(),
    }
}

/// The steps after those of each folder of metrics that a run has.
fn next_steps(run: &RunLogger) -> Result<HashMap<String, i64>, TrackingError> {
    let mut steps = HashMap::new();
    for metric in run.get()?.data.metrics {
        if let Some((folder, _)) = metric.key.rsplit_once('/') {
            let next = steps.entry(folder.to_owned()).or_default();
            *next = metric.step.saturating_add(1).max(*next);
        }
    }
    Ok(steps)
}
