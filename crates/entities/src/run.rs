//! Runs.

use crate::{
    DatasetInput, ExperimentId, LifecycleStage, Metric, ModelInput, ModelOutput, Param, RunId, Tag,
};

/// Where a run is in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RunStatus {
    /// Started and not ended.
    #[default]
    Running,
    /// Waiting to start.
    Scheduled,
    /// Ended well.
    Finished,
    /// Ended with an error.
    Failed,
    /// Ended by its user.
    Killed,
}

impl RunStatus {
    /// The name in databases and on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Scheduled => "SCHEDULED",
            Self::Finished => "FINISHED",
            Self::Failed => "FAILED",
            Self::Killed => "KILLED",
        }
    }

    /// The status of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "RUNNING" => Some(Self::Running),
            "SCHEDULED" => Some(Self::Scheduled),
            "FINISHED" => Some(Self::Finished),
            "FAILED" => Some(Self::Failed),
            "KILLED" => Some(Self::Killed),
            _ => None,
        }
    }
}

/// What a run is, without what it logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunInfo {
    /// Its id.
    pub run_id: RunId,
    /// The experiment it belongs to.
    pub experiment_id: ExperimentId,
    /// Its name; the same text as the tag [`Tag::RUN_NAME`].
    pub run_name: Option<String>,
    /// Who started it.
    pub user_id: String,
    /// Its status.
    pub status: RunStatus,
    /// Milliseconds since the epoch.
    pub start_time: i64,
    /// Milliseconds since the epoch, once ended.
    pub end_time: Option<i64>,
    /// The URI of its artifacts.
    pub artifact_uri: String,
    /// Active or deleted.
    pub lifecycle_stage: LifecycleStage,
}

/// What a run logged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunData {
    /// The latest value of each metric, ordered by key.
    pub metrics: Vec<Metric>,
    /// Params, ordered by key.
    pub params: Vec<Param>,
    /// Tags, ordered by key.
    pub tags: Vec<Tag>,
}

/// What a run read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunInputs {
    /// Datasets.
    pub datasets: Vec<DatasetInput>,
    /// Logged models (MLflow 3.x).
    pub models: Vec<ModelInput>,
}

/// A run with all that it logged.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// What it is.
    pub info: RunInfo,
    /// Metrics, params and tags.
    pub data: RunData,
    /// Datasets and models it read.
    pub inputs: RunInputs,
    /// Models it made (MLflow 3.x).
    pub outputs: Vec<ModelOutput>,
}
