//! Experiments.

use crate::{ExperimentId, LifecycleStage, Tag};

/// A named group of runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Experiment {
    /// Its id.
    pub experiment_id: ExperimentId,
    /// Unique among active and deleted experiments.
    pub name: String,
    /// The URI under which its runs keep their artifacts.
    pub artifact_location: String,
    /// Active or deleted.
    pub lifecycle_stage: LifecycleStage,
    /// Milliseconds since the epoch; absent in databases older than MLflow 1.29.
    pub creation_time: Option<i64>,
    /// Milliseconds since the epoch of the last rename, delete or restore.
    pub last_update_time: Option<i64>,
    /// Tags, ordered by key.
    pub tags: Vec<Tag>,
}
