//! Experiments, runs and what is logged to them.

use std::fmt;

use async_trait::async_trait;
use runledger_entities::{
    DatasetInput, DatasetSummary, Experiment, ExperimentId, InvalidValue, Metric, ModelInput,
    ModelOutput, Param, Run, RunId, RunInfo, RunStatus, Tag, ViewType, names,
};
use runledger_search::{ExperimentClause, ExperimentKey, Order, RunClause, RunKey};

use crate::{Page, PageRequest, StoreError};

/// The kind of a store, as `server-info` reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreKind {
    /// A folder of files.
    File,
    /// A database.
    Sql,
}

/// An experiment to create. Its name and tags are validated already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewExperiment {
    /// The name.
    pub name: String,
    /// Where artifacts go; `<default artifact root>/<id>` if absent.
    pub artifact_location: Option<String>,
    /// Tags; of equal keys the last wins.
    pub tags: Vec<Tag>,
}

/// A search of experiments.
#[derive(Clone, Debug, PartialEq)]
pub struct ExperimentQuery {
    /// Active, deleted or both.
    pub view: ViewType,
    /// All of these must hold.
    pub filter: Vec<ExperimentClause>,
    /// The order; empty means newest first.
    pub order_by: Vec<Order<ExperimentKey>>,
    /// The page.
    pub page: PageRequest,
}

/// A run to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRun {
    /// The experiment, which must be active.
    pub experiment_id: ExperimentId,
    /// Who starts it.
    pub user_id: String,
    /// The name; taken from the tag `mlflow.runName` if absent, else random.
    pub run_name: Option<String>,
    /// Milliseconds since the epoch.
    pub start_time: i64,
    /// Tags.
    pub tags: Vec<Tag>,
}

/// A [`NewRun`] whose name is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledRun {
    /// The experiment.
    pub experiment_id: ExperimentId,
    /// Who starts it.
    pub user_id: String,
    /// The name.
    pub run_name: String,
    /// Milliseconds since the epoch.
    pub start_time: i64,
    /// Tags by key, with the name among them (`mlflow.runName`).
    pub tags: Vec<Tag>,
}

impl NewRun {
    /// Finds the name, and puts the tags in order (MLflow 3.17 `runs/create`).
    ///
    /// # Errors
    /// [`StoreError::InvalidArgument`] if the name and its tag differ, or a tag
    /// is given twice.
    pub fn settle(self) -> Result<SettledRun, StoreError> {
        let mut tags = self.tags;
        let argument = self.run_name.filter(|name| !name.is_empty());
        let tag = tags.iter().find(|tag| tag.key == Tag::RUN_NAME);
        let run_name = match (argument, tag.map(|tag| tag.value.clone())) {
            (Some(run_name), Some(tag)) if run_name != tag => {
                let conflict = InvalidValue::TwoRunNames { run_name, tag };
                return Err(StoreError::invalid(conflict.to_string()));
            }
            (_, Some(name)) => name,
            (argument, None) => {
                let name = argument.unwrap_or_else(names::random);
                tags.push(Tag::new(Tag::RUN_NAME, name.clone()));
                name
            }
        };
        tags.sort_unstable();
        let mut equal = tags.chunk_by(|a, b| a.key == b.key);
        if let Some(twice) = equal.find(|same| same.len() > 1) {
            return Err(StoreError::invalid(format!(
                "The tag '{}' is given twice: give each tag of a new run once.",
                twice[0].key
            )));
        }
        Ok(SettledRun {
            experiment_id: self.experiment_id,
            user_id: self.user_id,
            run_name,
            start_time: self.start_time,
            tags,
        })
    }
}

/// A change of a run; absent fields stay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunPatch {
    /// The new status.
    pub status: Option<RunStatus>,
    /// The new end time, in milliseconds since the epoch.
    pub end_time: Option<i64>,
    /// The new name; the tag `mlflow.runName` follows.
    pub run_name: Option<String>,
}

/// A search of runs.
#[derive(Clone, Debug, PartialEq)]
pub struct RunQuery {
    /// In these experiments; none means no runs.
    pub experiment_ids: Vec<ExperimentId>,
    /// Active, deleted or both.
    pub view: ViewType,
    /// All of these must hold.
    pub filter: Vec<RunClause>,
    /// The order; newest first, then by id, after or instead of it.
    pub order_by: Vec<Order<RunKey>>,
    /// The page.
    pub page: PageRequest,
}

/// Metrics, params and tags to log together. Validated already.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// Metrics, in any order.
    pub metrics: Vec<Metric>,
    /// Params; keys are unique.
    pub params: Vec<Param>,
    /// Tags; of equal keys the last wins.
    pub tags: Vec<Tag>,
}

/// A page of the history of one metric of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryQuery {
    /// The run.
    pub run_id: RunId,
    /// The metric.
    pub key: String,
    /// The page; without a limit where `max_results` is `u32::MAX`.
    pub page: PageRequest,
}

/// The history of one metric of several runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkHistoryQuery {
    /// The runs.
    pub run_ids: Vec<RunId>,
    /// The metric.
    pub key: String,
    /// At most this many points in all.
    pub max_results: u32,
}

/// A sample of the history of one metric of several runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntervalQuery {
    /// The runs.
    pub run_ids: Vec<RunId>,
    /// The metric.
    pub key: String,
    /// Only points whose step lies in this closed range.
    pub steps: Option<(i64, i64)>,
    /// At most this many points per run.
    pub max_results: u32,
}

/// A metric and the run that logged it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunMetric {
    /// The run.
    pub run_id: RunId,
    /// The metric.
    pub metric: Metric,
}

/// A store of experiments, runs, and what is logged to them.
///
/// Every write that returned `Ok` survives a crash of this process, and a
/// write that returned an error changed nothing. Futures may be dropped at any
/// time: the write then happens whole or not at all.
///
/// Reads see every write that returned before they began.
#[async_trait]
pub trait TrackingStore: fmt::Debug + Send + Sync + 'static {
    /// What kind of store this is.
    fn kind(&self) -> StoreKind;

    /// Creates an experiment and returns its id.
    ///
    /// The name is unique among active and deleted experiments
    /// ([`StoreError::ExperimentExists`]).
    async fn create_experiment(&self, new: NewExperiment) -> Result<ExperimentId, StoreError>;

    /// An experiment, active or deleted.
    async fn get_experiment(&self, id: ExperimentId) -> Result<Experiment, StoreError>;

    /// The experiment of this name, active or deleted.
    async fn get_experiment_by_name(&self, name: &str) -> Result<Experiment, StoreError>;

    /// A page of experiments.
    ///
    /// Without an order: newest first, ties by id. With one: ties by id, largest first.
    async fn search_experiments(
        &self,
        query: ExperimentQuery,
    ) -> Result<Page<Experiment>, StoreError>;

    /// Deletes an active experiment, and all its runs, softly.
    async fn delete_experiment(&self, id: ExperimentId) -> Result<(), StoreError>;

    /// Restores a deleted experiment, and all its runs.
    async fn restore_experiment(&self, id: ExperimentId) -> Result<(), StoreError>;

    /// Renames an active experiment.
    async fn rename_experiment(&self, id: ExperimentId, name: String) -> Result<(), StoreError>;

    /// Sets a tag of an active experiment.
    async fn set_experiment_tag(&self, id: ExperimentId, tag: Tag) -> Result<(), StoreError>;

    /// Deletes a tag of an active experiment.
    async fn delete_experiment_tag(&self, id: ExperimentId, key: &str) -> Result<(), StoreError>;

    /// Creates a run in an active experiment.
    async fn create_run(&self, new: NewRun) -> Result<Run, StoreError>;

    /// A run with all it logged, active or deleted.
    async fn get_run(&self, id: &RunId) -> Result<Run, StoreError>;

    /// Changes an active run.
    async fn update_run(&self, id: &RunId, patch: RunPatch) -> Result<RunInfo, StoreError>;

    /// Deletes a run softly; deleting again changes nothing.
    async fn delete_run(&self, id: &RunId) -> Result<(), StoreError>;

    /// Restores a run; restoring again changes nothing.
    async fn restore_run(&self, id: &RunId) -> Result<(), StoreError>;

    /// A page of runs.
    ///
    /// Ties, and everything without an order, are newest first, then by id.
    /// Missing values and NaN come last in both directions, NaN before missing.
    async fn search_runs(&self, query: RunQuery) -> Result<Page<Run>, StoreError>;

    /// Logs metrics, params and tags to an active run: all of them or none.
    ///
    /// A metric that is there already, equal in every field, is dropped. A param
    /// that is there with the same value is dropped, with another value it fails
    /// the batch ([`StoreError::ParamsChanged`]). Tags are replaced.
    async fn log_batch(&self, run: &RunId, batch: Batch) -> Result<(), StoreError>;

    /// Logs one param, as [`TrackingStore::log_batch`] does.
    async fn log_param(&self, run: &RunId, param: Param) -> Result<(), StoreError>;

    /// Deletes a tag of an active run.
    async fn delete_tag(&self, run: &RunId, key: &str) -> Result<(), StoreError>;

    /// Appends a model's description to the tag `mlflow.log-model.history` of an
    /// active run, which holds a JSON list (`runs/log-model`).
    async fn record_logged_model(&self, run: &RunId, model_json: &str) -> Result<(), StoreError>;

    /// A page of a metric's history, ordered by timestamp, step and value.
    ///
    /// Empty where the run or the metric is not there.
    async fn metric_history(&self, query: HistoryQuery) -> Result<Page<Metric>, StoreError>;

    /// The history of a metric in several runs, ordered by run, timestamp, step
    /// and value.
    async fn bulk_metric_history(
        &self,
        query: BulkHistoryQuery,
    ) -> Result<Vec<RunMetric>, StoreError>;

    /// A sample of a metric's history in several runs.
    ///
    /// Per run the points, ordered by step, timestamp and value, are cut into
    /// `max_results` parts whose lengths differ by one at most, the longer ones
    /// first. The first point of each part counts, but of the last part the last
    /// one (MLflow 3.17 `metrics/get-history-bulk-interval`). Runs come in the
    /// order they were asked for.
    async fn metric_interval(&self, query: IntervalQuery) -> Result<Vec<RunMetric>, StoreError>;

    /// Records what an active run read. A dataset or model that the run has
    /// already is left as it is.
    async fn log_inputs(
        &self,
        run: &RunId,
        datasets: Vec<DatasetInput>,
        models: Vec<ModelInput>,
    ) -> Result<(), StoreError>;

    /// Records which logged models an active run made.
    async fn log_outputs(&self, run: &RunId, models: Vec<ModelOutput>) -> Result<(), StoreError>;

    /// The datasets that runs of these experiments used, at most
    /// [`runledger_entities::limits::DATASET_SEARCH_RESULTS`].
    async fn search_datasets(
        &self,
        experiments: &[ExperimentId],
    ) -> Result<Vec<DatasetSummary>, StoreError>;
}

/// Calls that are compositions of [`TrackingStore`]'s.
#[async_trait]
pub trait TrackingStoreExt: TrackingStore {
    /// Logs one metric.
    async fn log_metric(&self, run: &RunId, metric: Metric) -> Result<(), StoreError> {
        self.log_batch(
            run,
            Batch {
                metrics: vec![metric],
                ..Batch::default()
            },
        )
        .await
    }

    /// Sets one tag.
    async fn set_tag(&self, run: &RunId, tag: Tag) -> Result<(), StoreError> {
        self.log_batch(
            run,
            Batch {
                tags: vec![tag],
                ..Batch::default()
            },
        )
        .await
    }
}

impl<S: TrackingStore + ?Sized> TrackingStoreExt for S {}
