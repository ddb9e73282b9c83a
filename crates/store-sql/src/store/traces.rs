//! Traces, spans and assessments: [`TraceStore`].

use std::sync::Arc;

use async_trait::async_trait;
use runledger_entities::{
    Assessment, AssessmentId, ExperimentId, RunId, Span, Tag, Trace, TraceId, TraceInfo,
};
use runledger_store::{
    AssessmentPatch, NewTrace, Page, StoreError, TraceDeletion, TraceEnd, TraceFilter,
    TraceMetricPoint, TraceMetricQuery, TraceQuery, TraceStore,
};

use super::SqlStore;
use crate::{
    nouns::{assessments, spans, trace_links, trace_metrics, traces},
    search,
};

#[async_trait]
impl TraceStore for SqlStore {
    async fn begin_trace(&self, new: NewTrace) -> Result<TraceInfo, StoreError> {
        let id = TraceId::random();
        self.executor
            .write(move |c| traces::begin(c, &id, &new))
            .await
    }

    async fn end_trace(&self, id: &TraceId, end: TraceEnd) -> Result<TraceInfo, StoreError> {
        let id = id.clone();
        self.executor
            .write(move |c| traces::end(c, &id, &end))
            .await
    }

    async fn start_trace(&self, info: TraceInfo) -> Result<TraceInfo, StoreError> {
        let now = self.now();
        self.executor
            .write(move |c| traces::start(c, &info, now))
            .await
    }

    async fn get_trace_info(&self, id: &TraceId) -> Result<TraceInfo, StoreError> {
        let id = id.clone();
        self.executor.read(move |c| traces::get(c, &id)).await
    }

    async fn get_trace_infos(
        &self,
        ids: Vec<TraceId>,
        experiments: Option<Vec<ExperimentId>>,
    ) -> Result<Vec<TraceInfo>, StoreError> {
        self.executor
            .read(move |c| traces::list(c, &ids, experiments.as_deref()))
            .await
    }

    async fn get_traces(
        &self,
        ids: Vec<TraceId>,
        experiments: Option<Vec<ExperimentId>>,
    ) -> Result<Vec<Trace>, StoreError> {
        self.executor
            .read(move |c| traces::with_spans(c, &ids, experiments.as_deref()))
            .await
    }

    async fn search_traces(&self, query: TraceQuery) -> Result<Page<TraceInfo>, StoreError> {
        self.executor
            .read(move |c| search::traces::search(c, &query))
            .await
    }

    async fn count_traces(
        &self,
        experiments: Vec<ExperimentId>,
        lists: Vec<Vec<TraceFilter>>,
    ) -> Result<Vec<u64>, StoreError> {
        self.executor
            .read(move |c| search::traces::count(c, &experiments, &lists))
            .await
    }

    async fn set_trace_tag(&self, id: &TraceId, tag: Tag) -> Result<(), StoreError> {
        let id = id.clone();
        self.executor
            .write(move |c| traces::set_tag(c, &id, &tag))
            .await
    }

    async fn delete_trace_tag(&self, id: &TraceId, key: &str) -> Result<(), StoreError> {
        let (id, key) = (id.clone(), key.to_owned());
        self.executor
            .write(move |c| traces::delete_tag(c, &id, &key))
            .await
    }

    async fn delete_traces(
        &self,
        experiment: ExperimentId,
        deletion: TraceDeletion,
    ) -> Result<u64, StoreError> {
        let mut left = match &deletion {
            TraceDeletion::Ids(_) => u64::MAX,
            TraceDeletion::Until { at_most, .. } => at_most.unwrap_or(u64::MAX),
        };
        let deletion = Arc::new(deletion);
        let mut deleted = 0;
        while left > 0 {
            let step = left.min(traces::STEP);
            let of = Arc::clone(&deletion);
            let now = self
                .executor
                .write(move |c| traces::delete_some(c, experiment, &of, step))
                .await?;
            deleted += now;
            left -= now;
            if now < step {
                break;
            }
        }
        Ok(deleted)
    }

    async fn log_spans(
        &self,
        experiment: ExperimentId,
        spans: Vec<Span>,
    ) -> Result<(), StoreError> {
        self.executor
            .write(move |c| spans::log(c, experiment, &spans))
            .await
    }

    async fn create_assessment(&self, new: Assessment) -> Result<Assessment, StoreError> {
        let now = self.now();
        self.executor
            .write(move |c| assessments::create(c, &new, now))
            .await
    }

    async fn get_assessment(
        &self,
        trace: &TraceId,
        id: &AssessmentId,
    ) -> Result<Assessment, StoreError> {
        let (trace, id) = (trace.clone(), id.clone());
        self.executor
            .read(move |c| assessments::get(c, &trace, &id))
            .await
    }

    async fn update_assessment(
        &self,
        trace: &TraceId,
        id: &AssessmentId,
        patch: AssessmentPatch,
    ) -> Result<Assessment, StoreError> {
        let (trace, id, now) = (trace.clone(), id.clone(), self.now());
        self.executor
            .write(move |c| assessments::update(c, &trace, &id, &patch, now))
            .await
    }

    async fn delete_assessment(
        &self,
        trace: &TraceId,
        id: &AssessmentId,
    ) -> Result<(), StoreError> {
        let (trace, id) = (trace.clone(), id.clone());
        self.executor
            .write(move |c| assessments::delete(c, &trace, &id))
            .await
    }

    async fn link_traces_to_run(
        &self,
        traces: Vec<TraceId>,
        run: &RunId,
    ) -> Result<(), StoreError> {
        let (run, now) = (run.as_str().to_owned(), self.now());
        self.executor
            .write(move |c| trace_links::to_run(c, &traces, &run, now))
            .await
    }

    async fn link_prompts_to_trace(
        &self,
        trace: &TraceId,
        prompts: Vec<String>,
    ) -> Result<(), StoreError> {
        let (trace, now) = (trace.clone(), self.now());
        self.executor
            .write(move |c| trace_links::to_prompts(c, &trace, &prompts, now))
            .await
    }

    async fn trace_metrics(
        &self,
        query: TraceMetricQuery,
    ) -> Result<Vec<TraceMetricPoint>, StoreError> {
        self.executor
            .read(move |c| trace_metrics::query(c, &query))
            .await
    }
}
