//! Logged models (MLflow 3.x): models as tracked things of their own.

use crate::{ExperimentId, LifecycleStage, LoggedModelId, Param, RunId, Tag};

/// Whether a logged model's files are complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LoggedModelStatus {
    /// Not said.
    Unspecified,
    /// Being uploaded.
    #[default]
    Pending,
    /// Complete.
    Ready,
    /// The upload failed.
    UploadFailed,
}

impl LoggedModelStatus {
    /// The number in MLflow's database and messages.
    pub fn number(self) -> i32 {
        match self {
            Self::Unspecified => 0,
            Self::Pending => 1,
            Self::Ready => 2,
            Self::UploadFailed => 3,
        }
    }

    /// The status of this number.
    pub fn from_number(number: i32) -> Option<Self> {
        match number {
            0 => Some(Self::Unspecified),
            1 => Some(Self::Pending),
            2 => Some(Self::Ready),
            3 => Some(Self::UploadFailed),
            _ => None,
        }
    }

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "LOGGED_MODEL_STATUS_UNSPECIFIED",
            Self::Pending => "LOGGED_MODEL_PENDING",
            Self::Ready => "LOGGED_MODEL_READY",
            Self::UploadFailed => "LOGGED_MODEL_UPLOAD_FAILED",
        }
    }

    /// The status of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        (0..4)
            .filter_map(Self::from_number)
            .find(|status| status.name() == name)
    }
}

/// A logged model.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedModel {
    /// Its id.
    pub model_id: LoggedModelId,
    /// The experiment it belongs to.
    pub experiment_id: ExperimentId,
    /// Its name; not unique.
    pub name: String,
    /// The URI of its files.
    pub artifact_location: String,
    /// Milliseconds since the epoch.
    pub creation_timestamp: i64,
    /// Milliseconds since the epoch.
    pub last_updated_timestamp: i64,
    /// Whether its files are complete.
    pub status: LoggedModelStatus,
    /// More about the status.
    pub status_message: Option<String>,
    /// Free text, such as `Agent`.
    pub model_type: Option<String>,
    /// The run that made it.
    pub source_run_id: Option<RunId>,
    /// Active or deleted.
    pub lifecycle_stage: LifecycleStage,
    /// Tags, ordered by key.
    pub tags: Vec<Tag>,
    /// Params, ordered by key.
    pub params: Vec<Param>,
    /// Metrics measured on it.
    pub metrics: Vec<LoggedModelMetric>,
}

/// A metric of a logged model.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedModelMetric {
    /// The metric's name.
    pub key: String,
    /// The value; absent for a value that no number stands for.
    pub value: Option<f64>,
    /// Milliseconds since the epoch.
    pub timestamp: i64,
    /// The training step.
    pub step: i64,
    /// The run that measured it.
    pub run_id: RunId,
    /// The dataset it was measured on.
    pub dataset_name: Option<String>,
    /// That dataset's digest.
    pub dataset_digest: Option<String>,
}

/// A logged model that a run read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelInput {
    /// The model.
    pub model_id: LoggedModelId,
}

/// A logged model that a run made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelOutput {
    /// The model.
    pub model_id: LoggedModelId,
    /// The training step that it was made at.
    pub step: i64,
}
