//! One look at the runs: what they are, and the points of the metrics in sight.
//!
//! Points come as samples of the store's, so that a run of millions costs no more
//! than the terminal shows; a metric that has not moved is not asked for again.

use std::collections::{BTreeSet, HashMap, HashSet};

use runledger::{Client, TrackingError};
use runledger_entities::{
    ErrorCode, ExperimentId, LifecycleStage, Metric, Run, RunId, RunStatus, ViewType,
};
use runledger_search::{RunClause, RunText, TextOp, TextTest};
use runledger_store::{IntervalQuery, PageRequest, RunQuery};

/// The most runs that are shown.
pub(super) const RUNS: usize = 8;

/// The most points of a metric of a run.
const POINTS: u32 = 500;

/// What MLflow's metrics of the machine begin with: they are shown last.
const SYSTEM: &str = "system/";

/// Which runs and metrics.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) runs: Vec<RunId>,
    /// In the place of runs.
    pub(super) experiment: Option<ExperimentId>,
    /// Only these metrics; all if empty.
    pub(super) metrics: Vec<String>,
}

/// What a look found.
#[derive(Clone, Debug, Default)]
pub(super) struct Look {
    pub(super) runs: Vec<Run>,
    /// All metrics, of which some are in sight.
    pub(super) keys: Vec<String>,
    /// The first metric in sight.
    pub(super) first: usize,
    /// The points of each metric in sight, by run.
    pub(super) points: HashMap<(RunId, String), Vec<Metric>>,
}

/// Looks again and again.
#[derive(Debug)]
pub(super) struct Poller {
    client: Client,
    wanted: Wanted,
    /// Points, with the newest one of the time when they were asked for.
    known: HashMap<(RunId, String), (Metric, Vec<Metric>)>,
}

impl Poller {
    pub(super) fn new(client: Client, wanted: Wanted) -> Self {
        Self {
            client,
            wanted,
            known: HashMap::new(),
        }
    }

    /// Looks at `count` metrics from `first` on, or at the last ones if there are
    /// fewer.
    pub(super) async fn look(&mut self, first: usize, count: usize) -> Result<Look, TrackingError> {
        let runs = self.runs().await?;
        let keys = keys(&runs, &self.wanted.metrics);
        let first = if first < keys.len() {
            first
        } else {
            keys.len().saturating_sub(1) / count.max(1) * count
        };
        let in_sight: Vec<String> = keys.iter().skip(first).take(count).cloned().collect();
        let ids: HashSet<&RunId> = runs.iter().map(|run| &run.info.run_id).collect();
        self.known
            .retain(|(run, key), _| ids.contains(run) && in_sight.contains(key));
        for key in &in_sight {
            self.points(&runs, key).await?;
        }
        let points = self.known.iter();
        let points = points
            .map(|(of, (_, points))| (of.clone(), points.clone()))
            .collect();
        Ok(Look {
            runs,
            keys,
            first,
            points,
        })
    }

    async fn runs(&mut self) -> Result<Vec<Run>, TrackingError> {
        let mut runs = Vec::with_capacity(self.wanted.runs.len());
        let is_of_experiment = self.wanted.experiment.is_some();
        for id in &self.wanted.runs {
            match self.client.get_run(id).await {
                // Whoever watches an experiment has not asked for this run.
                Ok(run)
                    if is_of_experiment && run.info.lifecycle_stage == LifecycleStage::Deleted => {}
                Err(error)
                    if is_of_experiment
                        && error.code() == Some(ErrorCode::ResourceDoesNotExist) => {}
                run => runs.push(run?),
            }
        }
        if let Some(experiment) = self.wanted.experiment {
            for run in self.of_experiment(experiment).await? {
                seat(&mut runs, run);
            }
            let ids = runs.iter().map(|run| run.info.run_id.clone());
            self.wanted.runs = ids.collect();
        }
        Ok(runs)
    }

    /// The runs of an experiment that are running; the newest few if none is, and
    /// none was seen before.
    async fn of_experiment(&self, experiment: ExperimentId) -> Result<Vec<Run>, TrackingError> {
        let running = RunClause::Text {
            attribute: RunText::Status,
            test: TextTest::Compare {
                op: TextOp::Equal,
                value: RunStatus::Running.name().to_owned(),
            },
        };
        let found = self.search(experiment, vec![running], RUNS).await?;
        if found.is_empty() && self.wanted.runs.is_empty() {
            return self.search(experiment, Vec::new(), RUNS / 2).await;
        }
        Ok(found)
    }

    async fn search(
        &self,
        experiment: ExperimentId,
        filter: Vec<RunClause>,
        most: usize,
    ) -> Result<Vec<Run>, TrackingError> {
        let query = RunQuery {
            experiment_ids: vec![experiment],
            view: ViewType::ActiveOnly,
            filter,
            order_by: Vec::new(),
            page: PageRequest {
                max_results: u32::try_from(most).unwrap_or(1),
                token: None,
            },
        };
        Ok(self.client.store().search_runs(query).await?.items)
    }

    /// Asks for the points of the runs in which a metric moved.
    async fn points(&mut self, runs: &[Run], key: &str) -> Result<(), TrackingError> {
        let mut moved = Vec::new();
        for run in runs {
            let of = (run.info.run_id.clone(), key.to_owned());
            let Some(newest) = run.data.metrics.iter().find(|metric| metric.key == key) else {
                self.known.remove(&of);
                continue;
            };
            let is_known = self
                .known
                .get(&of)
                .is_some_and(|(known, _)| same(known, newest));
            if !is_known {
                moved.push((of, newest.clone()));
            }
        }
        if moved.is_empty() {
            return Ok(());
        }
        let query = IntervalQuery {
            run_ids: moved.iter().map(|((run, _), _)| run.clone()).collect(),
            key: key.to_owned(),
            steps: None,
            max_results: POINTS,
        };
        let mut found: HashMap<RunId, Vec<Metric>> = HashMap::new();
        for point in self.client.store().metric_interval(query).await? {
            found.entry(point.run_id).or_default().push(point.metric);
        }
        for (of, newest) in moved {
            let points = found.remove(&of.0).unwrap_or_default();
            self.known.insert(of, (newest, points));
        }
        Ok(())
    }
}

/// Gives a run a place among those in sight. A run that ended stays in sight as long as
/// nobody needs its place; then the one that ended first goes.
fn seat(runs: &mut Vec<Run>, run: Run) {
    if runs
        .iter()
        .any(|other| other.info.run_id == run.info.run_id)
    {
        return;
    }
    if runs.len() < RUNS {
        runs.push(run);
        return;
    }
    let ended = runs
        .iter_mut()
        .filter(|other| other.info.status != RunStatus::Running);
    let first = ended.min_by_key(|other| other.info.end_time.unwrap_or(other.info.start_time));
    if let Some(place) = first {
        *place = run;
    }
}

/// Whether two points are one; NaN is itself here.
fn same(a: &Metric, b: &Metric) -> bool {
    a.value.to_bits() == b.value.to_bits() && a.step == b.step && a.timestamp == b.timestamp
}

/// The names of all metrics, those of the machine last.
fn keys(runs: &[Run], wanted: &[String]) -> Vec<String> {
    let metrics = runs.iter().flat_map(|run| &run.data.metrics);
    let keys = metrics.map(|metric| metric.key.as_str());
    let keys: BTreeSet<(bool, &str)> = keys
        .filter(|key| wanted.is_empty() || wanted.iter().any(|wanted| wanted == key))
        .map(|key| (key.starts_with(SYSTEM), key))
        .collect();
    keys.into_iter().map(|(_, key)| key.to_owned()).collect()
}
