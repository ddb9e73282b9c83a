//! The trait boundaries of Runledger's stores.
//!
//! A store keeps experiments, runs, logged models, registered models with their
//! versions, traces, and webhooks. The traits here say what
//! every store does, in types that are parsed and validated already: no store
//! reads filter text, JSON or URLs. `runledger-store-conformance` is the test
//! suite of these contracts; `runledger-store-sql` and `runledger-store-file`
//! implement them.
//!
//! Start at [`TrackingStore`].

mod adopt;
pub mod copy;
mod error;
pub mod locations;
mod logged_models;
mod model_registry;
mod page;
mod place;
mod purge;
mod trace_metrics;
mod traces;
mod tracking;
mod webhooks;

pub use adopt::{
    AdoptStore, AdoptedRegisteredModel, AdoptedRun, AdoptedTrace, Adoption, WholeTraces,
};
pub use error::{ParamChange, Resource, Retry, StoreError};
pub use logged_models::{
    DatasetFilter, LoggedModelPatch, LoggedModelQuery, LoggedModelStore, NewLoggedModel,
};
pub use model_registry::{
    DescriptionPatch, ModelRegistryStore, ModelRegistryStoreExt, ModelVersionQuery,
    NewModelVersion, NewRegisteredModel, RegisteredModelQuery, StageChange,
};
pub use page::{Page, PageRequest};
pub use place::StorePlace;
pub use purge::{DeletedExperiment, DeletedLoggedModel, DeletedQuery, DeletedRun, PurgeStore};
pub use trace_metrics::{
    Aggregation, TraceDimension, TraceMetric, TraceMetricPoint, TraceMetricQuery,
};
pub use traces::{
    AssessmentPatch, NewTrace, TraceDeletion, TraceEnd, TraceFilter, TraceQuery, TraceStore,
};
pub use tracking::{
    Batch, BulkHistoryQuery, ExperimentQuery, HistoryQuery, IntervalQuery, NewExperiment, NewRun,
    RunMetric, RunPatch, RunQuery, SettledRun, StoreKind, TrackingStore, TrackingStoreExt,
};
pub use webhooks::{
    Claimed, Delivery, DeliveryClaim, NewWebhook, RegistryChange, Settlement, Signing,
    WebhookPatch, WebhookSecret, WebhookStore, WebhookTarget, delivery_body, example_data,
};
