//! Traces, their spans, and what people and judges think of them.

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use runledger_entities::{
    Assessment, AssessmentId, AssessmentValue, ExperimentId, RunId, Span, Tag, Trace, TraceId,
    TraceInfo, TraceState,
};
use runledger_search::{Order, TraceClause, TraceKey};

use crate::{Page, PageRequest, StoreError, TraceMetricPoint, TraceMetricQuery};

/// A trace that a client of MLflow 2.x begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTrace {
    /// The experiment, which must be active.
    pub experiment_id: ExperimentId,
    /// When it began, in milliseconds since the epoch.
    pub request_time: i64,
    /// Its metadata.
    pub metadata: BTreeMap<String, String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// The end of a trace that a client of MLflow 2.x began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceEnd {
    /// When it ended, in milliseconds since the epoch.
    pub end_time: i64,
    /// What became of it.
    pub state: TraceState,
    /// Metadata to add.
    pub metadata: BTreeMap<String, String>,
    /// Tags to add.
    pub tags: BTreeMap<String, String>,
}

/// Which traces to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TraceDeletion {
    /// These, as far as they are of the experiment.
    Ids(Vec<TraceId>),
    /// Those that began at this time or before, the oldest first.
    Until {
        /// In milliseconds since the epoch.
        time: i64,
        /// At most so many.
        at_most: Option<u64>,
    },
}

/// A search of traces.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceQuery {
    /// The experiments to search in; without any, nothing is found.
    pub experiment_ids: Vec<ExperimentId>,
    /// Which.
    pub filter: Vec<TraceClause>,
    /// The order; the youngest first and then by id after it.
    pub order_by: Vec<Order<TraceKey>>,
    /// The page.
    pub page: PageRequest,
}

/// A change of an assessment: what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssessmentPatch {
    /// The new name.
    pub name: Option<String>,
    /// The new value, of the kind that the assessment has.
    pub value: Option<AssessmentValue>,
    /// The new rationale; only feedback keeps one.
    pub rationale: Option<String>,
    /// Metadata to add.
    pub metadata: BTreeMap<String, String>,
}

/// The clauses of a filter, all of which a trace must pass.
pub type TraceFilter = Vec<TraceClause>;

/// A store of traces.
///
/// Names, values and lengths are checked by the caller
/// (`runledger_entities::validate`). A trace that is not there is
/// [`Resource::Trace`](crate::Resource::Trace).
///
/// A trace may come from two sides, in any order and at the same time: from a
/// client that tells all about it at its end ([`TraceStore::start_trace`]), and
/// span by span ([`TraceStore::log_spans`]). What the client tells wins.
#[async_trait]
pub trait TraceStore: fmt::Debug + Send + Sync + 'static {
    /// Begins a trace of a client of MLflow 2.x, under a new id.
    ///
    /// It gets the tag `mlflow.artifactLocation`: the folder of its files.
    async fn begin_trace(&self, new: NewTrace) -> Result<TraceInfo, StoreError>;

    /// Ends a trace. Its duration is that since it began.
    async fn end_trace(&self, id: &TraceId, end: TraceEnd) -> Result<TraceInfo, StoreError>;

    /// Keeps what a client tells about a trace, new or known.
    ///
    /// Of a known one the times, the state and the client's id are those that are
    /// told; previews, the name, tags, metadata and assessments only where they
    /// are told. It gets the tag `mlflow.artifactLocation` and the metadata
    /// `mlflow.trace.infoFinalized`, and its spans and assessments move to the
    /// experiment that is told.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] and [`StoreError::Lifecycle`] of the experiment;
    /// [`StoreError::InvalidState`] if the spans are no longer kept beside it.
    async fn start_trace(&self, info: TraceInfo) -> Result<TraceInfo, StoreError>;

    /// A trace without its spans.
    async fn get_trace_info(&self, id: &TraceId) -> Result<TraceInfo, StoreError>;

    /// Traces in the order of these ids, without those that are not there or in
    /// none of these experiments; each once.
    async fn get_trace_infos(
        &self,
        ids: Vec<TraceId>,
        experiments: Option<Vec<ExperimentId>>,
    ) -> Result<Vec<TraceInfo>, StoreError>;

    /// As [`TraceStore::get_trace_infos`], with the spans that are kept beside
    /// the traces.
    ///
    /// # Errors
    /// [`StoreError::InvalidArgument`] if the spans have more than
    /// [`limits::SPANS_READ_BYTES`](runledger_entities::limits::SPANS_READ_BYTES).
    async fn get_traces(
        &self,
        ids: Vec<TraceId>,
        experiments: Option<Vec<ExperimentId>>,
    ) -> Result<Vec<Trace>, StoreError>;

    /// A page of traces.
    async fn search_traces(&self, query: TraceQuery) -> Result<Page<TraceInfo>, StoreError>;

    /// How many traces of the experiments pass all filters of each of these lists,
    /// all in one state of the store.
    ///
    /// The clauses about spans of one filter are about one span; those of two may
    /// be about two.
    async fn count_traces(
        &self,
        experiments: Vec<ExperimentId>,
        lists: Vec<Vec<TraceFilter>>,
    ) -> Result<Vec<u64>, StoreError>;

    /// Sets a tag; `mlflow.traceName` names the trace.
    async fn set_trace_tag(&self, id: &TraceId, tag: Tag) -> Result<(), StoreError>;

    /// Deletes a tag.
    ///
    /// # Errors
    /// [`Resource::TraceTag`](crate::Resource::TraceTag) if the trace, or the tag,
    /// is not there.
    async fn delete_trace_tag(&self, id: &TraceId, key: &str) -> Result<(), StoreError>;

    /// Deletes traces with all that belongs to them, for good; says how many.
    ///
    /// Many are deleted in steps, each of which is whole: others may see that
    /// some are gone already, and a crash leaves those that were not reached.
    async fn delete_traces(
        &self,
        experiment: ExperimentId,
        deletion: TraceDeletion,
    ) -> Result<u64, StoreError>;

    /// Keeps spans, all of them or none, and makes or widens their traces. What can be
    /// refused is refused before anything is kept; a folder then writes trace by trace, so
    /// that a failing disk or a crash may leave some of a call's traces. Sent again, spans
    /// are kept once.
    ///
    /// Spans may come in any order, in several calls, and more than once: of the
    /// same span the last one stays. A trace that is not there is made in
    /// `experiment`; another keeps the experiment that it has. From its spans a
    /// trace gets the earliest start, the latest end, the state and the previews
    /// of its root, its session, its user, and what all of them used and cost
    /// together: nothing of that which it was told before.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] of the experiment, if a trace must be made;
    /// [`StoreError::InvalidState`] if the spans of a trace are kept elsewhere.
    async fn log_spans(&self, experiment: ExperimentId, spans: Vec<Span>)
    -> Result<(), StoreError>;

    /// Adds an assessment. One that takes the place of another makes that invalid.
    ///
    /// # Errors
    /// [`Resource::Assessment`](crate::Resource::Assessment) if the other is not
    /// there.
    async fn create_assessment(&self, new: Assessment) -> Result<Assessment, StoreError>;

    /// An assessment.
    ///
    /// # Errors
    /// [`Resource::AssessedTrace`](crate::Resource::AssessedTrace) or
    /// [`Resource::Assessment`](crate::Resource::Assessment).
    async fn get_assessment(
        &self,
        trace: &TraceId,
        id: &AssessmentId,
    ) -> Result<Assessment, StoreError>;

    /// Changes an assessment, and the time of its update.
    ///
    /// # Errors
    /// As [`TraceStore::get_assessment`], and [`StoreError::InvalidArgument`] for
    /// a value of another kind.
    async fn update_assessment(
        &self,
        trace: &TraceId,
        id: &AssessmentId,
        patch: AssessmentPatch,
    ) -> Result<Assessment, StoreError>;

    /// Deletes an assessment; what it took the place of is valid again. One that
    /// is not there does no harm.
    async fn delete_assessment(&self, trace: &TraceId, id: &AssessmentId)
    -> Result<(), StoreError>;

    /// Links traces to a run. Neither needs to be there; a link that is there
    /// stays.
    async fn link_traces_to_run(&self, traces: Vec<TraceId>, run: &RunId)
    -> Result<(), StoreError>;

    /// Links versions of prompts, each `name/version`, to a trace.
    async fn link_prompts_to_trace(
        &self,
        trace: &TraceId,
        prompts: Vec<String>,
    ) -> Result<(), StoreError>;

    /// Measurements of traces, spans or assessments, by interval and dimensions.
    async fn trace_metrics(
        &self,
        query: TraceMetricQuery,
    ) -> Result<Vec<TraceMetricPoint>, StoreError>;
}
