//! A tracker of a test, and what its runs have.

use std::time::Duration;

use runledger::entities::{Metric, Run, RunId};
use runledger::{ActiveRun, RunLogger, Tracker};
use tempfile::TempDir;

/// A folder of runs.
pub(crate) struct World {
    pub(crate) tracker: Tracker,
    pub(crate) folder: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path().join("mlruns");
        let tracker = Tracker::open(&runs.display().to_string()).unwrap();
        Self {
            tracker: tracker.with_patience(Duration::from_secs(5)),
            folder,
        }
    }

    pub(crate) fn start(&self) -> ActiveRun {
        self.tracker.start_run().unwrap()
    }

    /// What has ended, as the tracker has it.
    pub(crate) fn read(&self, id: &RunId) -> Read {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let client = self.tracker.client();
        let run = runtime.block_on(client.get_run(id)).unwrap();
        let metrics = run.data.metrics.iter().map(|metric| {
            let history = client.metric_history(id, &metric.key);
            (metric.key.clone(), runtime.block_on(history).unwrap())
        });
        let metrics = metrics.collect();
        Read { run, metrics }
    }

    /// Ends a run, and reads it.
    pub(crate) fn end(&self, run: ActiveRun) -> Read {
        let id = run.run_id().clone();
        run.end().unwrap();
        self.read(&id)
    }
}

/// A run with the whole history of its metrics.
pub(crate) struct Read {
    run: Run,
    metrics: Vec<(String, Vec<Metric>)>,
}

impl Read {
    pub(crate) fn params(&self) -> Vec<(&str, &str)> {
        let params = self.run.data.params.iter();
        params.map(|it| (&*it.key, &*it.value)).collect()
    }

    pub(crate) fn tag(&self, key: &str) -> Option<&str> {
        let mut tags = self.run.data.tags.iter();
        tags.find(|tag| tag.key == key).map(|tag| &*tag.value)
    }

    /// The names of all metrics, sorted.
    pub(crate) fn metrics(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.metrics.iter().map(|(key, _)| &**key).collect();
        names.sort_unstable();
        names
    }

    fn history(&self, key: &str) -> &[Metric] {
        let found = self.metrics.iter().find(|(found, _)| found == key);
        found.map_or(&[], |(_, history)| history)
    }

    pub(crate) fn steps(&self, key: &str) -> Vec<i64> {
        self.history(key).iter().map(|point| point.step).collect()
    }

    pub(crate) fn values(&self, key: &str) -> Vec<f64> {
        self.history(key).iter().map(|point| point.value).collect()
    }
}

/// The names in a folder of a run.
pub(crate) fn files(run: &RunLogger, folder: &str) -> Vec<String> {
    let found = run.list_artifacts(Some(folder)).unwrap().into_iter();
    found.map(|file| file.name).collect()
}

/// Compares values that were computed in another way.
#[track_caller]
pub(crate) fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    let close = |(a, b): (&f64, &f64)| (a - b).abs() <= tolerance;
    assert!(
        found.len() == expected.len() && found.iter().zip(expected).all(close),
        "{found:?} is not {expected:?}"
    );
}
