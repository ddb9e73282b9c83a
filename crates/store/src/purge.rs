//! Permanent removal of what was deleted softly: what `gc` does to a store.
//!
//! Artifacts are not looked at here: a caller lists what is deleted, removes the
//! artifacts of each thing, and has the store forget it then.

use std::fmt;

use async_trait::async_trait;
use runledger_entities::{ExperimentId, LoggedModelId, RunId};

use crate::{Page, PageRequest, StoreError};

/// Which deleted things to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedQuery {
    /// In these experiments, or these experiments themselves; all of them if
    /// absent, none if empty.
    pub experiment_ids: Option<Vec<ExperimentId>>,
    /// Keeps what was deleted so long ago, in milliseconds since the epoch; all if
    /// absent. As in MLflow 3.17, runs and logged models deleted at that very
    /// moment are kept, experiments are not, and nothing is kept whose time is
    /// not known.
    pub before_ms: Option<i64>,
    /// The page; things come in the order of their ids. Removing what a page
    /// listed does not move the next one.
    pub page: PageRequest,
}

/// A deleted run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedRun {
    /// The run.
    pub run_id: RunId,
    /// Its experiment, which may be active.
    pub experiment_id: ExperimentId,
    /// Where its artifacts are.
    pub artifact_uri: String,
    /// When it was deleted, in milliseconds since the epoch; old versions of
    /// MLflow did not note it.
    pub deleted_time: Option<i64>,
}

/// A deleted experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedExperiment {
    /// The experiment.
    pub experiment_id: ExperimentId,
    /// Its name, which is taken until it is purged.
    pub name: String,
    /// Where the artifacts of its runs and models are.
    pub artifact_location: String,
    /// When it was deleted, in milliseconds since the epoch; old versions of
    /// MLflow did not note it.
    pub last_update_time: Option<i64>,
}

/// A deleted logged model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedLoggedModel {
    /// The model.
    pub model_id: LoggedModelId,
    /// Its experiment, which may be active.
    pub experiment_id: ExperimentId,
    /// Where its artifacts are.
    pub artifact_location: String,
    /// When it was deleted, in milliseconds since the epoch.
    pub deleted_time: i64,
}

/// A store that can forget what is deleted.
///
/// Only what is in the deleted stage is removed; the error for anything active is
/// [`StoreError::Lifecycle`], for what is not there [`StoreError::NotFound`].
///
/// A removal of many rows is several transactions, so that other writes go on
/// between them. One that is interrupted leaves the thing deleted, with a part of
/// its data: it is to be purged again. Restoring it in the meantime stops the
/// removal, but does not bring back what is gone.
#[async_trait]
pub trait PurgeStore: fmt::Debug + Send + Sync + 'static {
    /// A page of deleted runs.
    async fn deleted_runs(&self, query: DeletedQuery) -> Result<Page<DeletedRun>, StoreError>;

    /// A page of deleted experiments.
    async fn deleted_experiments(
        &self,
        query: DeletedQuery,
    ) -> Result<Page<DeletedExperiment>, StoreError>;

    /// A page of deleted logged models.
    async fn deleted_logged_models(
        &self,
        query: DeletedQuery,
    ) -> Result<Page<DeletedLoggedModel>, StoreError>;

    /// One deleted run.
    async fn deleted_run(&self, id: &RunId) -> Result<DeletedRun, StoreError>;

    /// One deleted logged model.
    async fn deleted_logged_model(
        &self,
        id: &LoggedModelId,
    ) -> Result<DeletedLoggedModel, StoreError>;

    /// Removes a deleted run with all that it logged.
    ///
    /// Its datasets stay in the experiment, and the logged models that it made
    /// stay too, without the metrics that it measured.
    async fn purge_run(&self, id: &RunId) -> Result<(), StoreError>;

    /// Removes a deleted logged model with its params, tags and metrics.
    ///
    /// Runs that read or made it still name it.
    async fn purge_logged_model(&self, id: &LoggedModelId) -> Result<(), StoreError>;

    /// Removes a deleted experiment with all that is in it: runs and logged
    /// models in any stage, datasets, traces and what else belongs to it.
    async fn purge_experiment(&self, id: ExperimentId) -> Result<(), StoreError>;
}
