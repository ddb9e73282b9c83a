//! The nouns of experiment tracking, as MLflow names them.
//!
//! Types, ids, limits, name and length validation, and the error codes that
//! every layer shares. No I/O, no async, no serialisation: the wire form is
//! `runledger-protocol`, storage is behind `runledger-store`.
//!
//! Times are milliseconds since the Unix epoch (`*_ms` in prose, MLflow's own
//! field names in code). Ids are newtypes.

mod assessment;
mod code;
mod dataset;
mod experiment;
mod ids;
mod lifecycle;
pub mod limits;
mod logged_model;
mod metric;
mod model_uri;
mod model_version;
pub mod names;
pub mod quote;
mod registered_model;
mod run;
mod span;
mod span_usage;
mod tag;
pub mod time;
mod trace;
pub mod validate;
mod webhook;

pub use assessment::{
    Assessment, AssessmentError, AssessmentKind, AssessmentSource, AssessmentValue, SourceType,
};
pub use code::{Coded, ErrorCode};
pub use dataset::{Dataset, DatasetInput, DatasetSummary};
pub use experiment::Experiment;
pub use ids::{AssessmentId, ExperimentId, LoggedModelId, ParseIdError, RunId, TraceId, WebhookId};
pub use lifecycle::{LifecycleStage, ViewType};
pub use logged_model::{
    LoggedModel, LoggedModelMetric, LoggedModelStatus, ModelInput, ModelOutput,
};
pub use metric::{Metric, MetricModel};
pub use model_uri::ModelUri;
pub use model_version::{
    ModelStage, ModelVersion, ModelVersionNumber, ModelVersionStatus, ParseStageError,
    ParseVersionError,
};
pub use registered_model::{ModelAlias, RegisteredModel};
pub use run::{Run, RunData, RunInfo, RunInputs, RunStatus};
pub use span::{Span, SpanStatus, StoredSpan};
pub use span_usage::{Cost, TokenUsage, UsageNode, UsageTree};
pub use tag::{Param, Tag};
pub use trace::{Trace, TraceInfo, TraceState, trace_keys};
pub use validate::{InvalidValue, LongValues};
pub use webhook::{
    InvalidWebhook, Webhook, WebhookAction, WebhookEntity, WebhookEvent, WebhookStatus,
};
