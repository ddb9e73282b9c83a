//! [`TraceStore`], each method handed to the files or to the index.
//!
//! What is asked for by its id comes from the files, searches and measurements from
//! the index.

use async_trait::async_trait;
use runledger_entities::{
    Assessment, AssessmentId, ExperimentId, RunId, Span, Tag, Trace, TraceId, TraceInfo,
};
use runledger_search::{parse_trace_filter, parse_trace_order};
use runledger_store::{
    AdoptedTrace, AssessmentPatch, NewTrace, Page, PageRequest, StoreError, TraceDeletion,
    TraceEnd, TraceFilter, TraceMetricPoint, TraceMetricQuery, TraceQuery, TraceStore, WholeTraces,
};

use super::FileStore;
use crate::index::Scope;

/// How many traces are deleted, or looked for to be deleted, in one step.
const STEP: u32 = 500;

#[async_trait]
impl TraceStore for FileStore {
    async fn begin_trace(&self, new: NewTrace) -> Result<TraceInfo, StoreError> {
        self.write(move |files| files.begin_trace(TraceId::random(), new))
            .await
    }

    async fn end_trace(&self, id: &TraceId, end: TraceEnd) -> Result<TraceInfo, StoreError> {
        let id = id.clone();
        self.write(move |files| files.end_trace(&id, end)).await
    }

    async fn start_trace(&self, info: TraceInfo) -> Result<TraceInfo, StoreError> {
        self.write(move |files| files.start_trace(info)).await
    }

    async fn get_trace_info(&self, id: &TraceId) -> Result<TraceInfo, StoreError> {
        let id = id.clone();
        self.read(move |files| Ok(files.trace(&id)?.1.info)).await
    }

    async fn get_trace_infos(
        &self,
        ids: Vec<TraceId>,
        experiments: Option<Vec<ExperimentId>>,
    ) -> Result<Vec<TraceInfo>, StoreError> {
        self.read(move |files| {
            let traces = files.traces(&ids, experiments.as_deref())?;
            Ok(traces.into_iter().map(|(_, info)| info).collect())
        })
        .await
    }

    async fn get_traces(
        &self,
        ids: Vec<TraceId>,
        experiments: Option<Vec<ExperimentId>>,
    ) -> Result<Vec<Trace>, StoreError> {
        self.read(move |files| files.traces_with_spans(&ids, experiments.as_deref()))
            .await
    }

    async fn search_traces(&self, query: TraceQuery) -> Result<Page<TraceInfo>, StoreError> {
        let scope = Scope::Traces(query.experiment_ids.clone());
        let index = self.index.fresh(scope).await?;
        index.search_traces(query).await
    }

    async fn count_traces(
        &self,
        experiments: Vec<ExperimentId>,
        lists: Vec<Vec<TraceFilter>>,
    ) -> Result<Vec<u64>, StoreError> {
        let index = self.index.fresh(Scope::Traces(experiments.clone())).await?;
        index.count_traces(experiments, lists).await
    }

    async fn set_trace_tag(&self, id: &TraceId, tag: Tag) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |files| files.set_trace_tag(&id, &tag))
            .await
    }

    async fn delete_trace_tag(&self, id: &TraceId, key: &str) -> Result<(), StoreError> {
        let (id, key) = (id.clone(), key.to_owned());
        self.write(move |files| files.delete_trace_tag(&id, &key))
            .await
    }

    async fn delete_traces(
        &self,
        experiment: ExperimentId,
        deletion: TraceDeletion,
    ) -> Result<u64, StoreError> {
        let ids = match deletion {
            TraceDeletion::Ids(ids) => ids,
            TraceDeletion::Until { time, at_most } => {
                self.oldest_traces(experiment, time, at_most.unwrap_or(u64::MAX))
                    .await?
            }
        };
        let mut deleted = 0;
        for some in ids.chunks(STEP as usize) {
            let some = some.to_vec();
            deleted += self
                .write(move |files| files.delete_traces(experiment, &some))
                .await?;
        }
        Ok(deleted)
    }

    async fn log_spans(
        &self,
        experiment: ExperimentId,
        spans: Vec<Span>,
    ) -> Result<(), StoreError> {
        self.write(move |files| files.log_spans(experiment, &spans))
            .await
    }

    async fn create_assessment(&self, new: Assessment) -> Result<Assessment, StoreError> {
        self.write(move |files| files.create_assessment(new)).await
    }

    async fn get_assessment(
        &self,
        trace: &TraceId,
        id: &AssessmentId,
    ) -> Result<Assessment, StoreError> {
        let (trace, id) = (trace.clone(), id.clone());
        self.read(move |files| files.get_assessment(&trace, &id))
            .await
    }

    async fn update_assessment(
        &self,
        trace: &TraceId,
        id: &AssessmentId,
        patch: AssessmentPatch,
    ) -> Result<Assessment, StoreError> {
        let (trace, id) = (trace.clone(), id.clone());
        self.write(move |files| files.update_assessment(&trace, &id, patch))
            .await
    }

    async fn delete_assessment(
        &self,
        trace: &TraceId,
        id: &AssessmentId,
    ) -> Result<(), StoreError> {
        let (trace, id) = (trace.clone(), id.clone());
        self.write(move |files| files.delete_assessment(&trace, &id))
            .await
    }

    async fn link_traces_to_run(
        &self,
        traces: Vec<TraceId>,
        run: &RunId,
    ) -> Result<(), StoreError> {
        let run = run.clone();
        self.write(move |files| files.link_traces(&traces, &run))
            .await
    }

    async fn link_prompts_to_trace(
        &self,
        trace: &TraceId,
        prompts: Vec<String>,
    ) -> Result<(), StoreError> {
        let trace = trace.clone();
        self.write(move |files| files.link_prompts(&trace, &prompts))
            .await
    }

    async fn trace_metrics(
        &self,
        query: TraceMetricQuery,
    ) -> Result<Vec<TraceMetricPoint>, StoreError> {
        let scope = Scope::Traces(query.experiment_ids.clone());
        let index = self.index.fresh(scope).await?;
        index.trace_metrics(query).await
    }
}

#[async_trait]
impl WholeTraces for FileStore {
    async fn whole_traces(&self, ids: Vec<TraceId>) -> Result<Vec<AdoptedTrace>, StoreError> {
        self.read(move |files| files.whole_traces(&ids)).await
    }
}

impl FileStore {
    /// The ids of the traces of an experiment that began at this time or before, the
    /// oldest first.
    async fn oldest_traces(
        &self,
        experiment: ExperimentId,
        time: i64,
        at_most: u64,
    ) -> Result<Vec<TraceId>, StoreError> {
        let index = self.index.fresh(Scope::Traces(vec![experiment])).await?;
        let at_most = usize::try_from(at_most).unwrap_or(usize::MAX);
        let filter = parse_trace_filter(&format!("timestamp_ms <= {time}"));
        let order = ["timestamp_ms ASC".to_owned(), "request_id ASC".to_owned()];
        let order = parse_trace_order(&order).map_err(StoreError::internal)?;
        let filter = filter.map_err(StoreError::internal)?;
        let mut ids = Vec::new();
        let mut token = None;
        while ids.len() < at_most {
            let query = TraceQuery {
                experiment_ids: vec![experiment],
                filter: filter.clone(),
                order_by: order.clone(),
                page: PageRequest {
                    max_results: STEP,
                    token,
                },
            };
            let page = index.search_traces(query).await?;
            ids.extend(page.items.into_iter().map(|info| info.trace_id));
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
        ids.truncate(at_most);
        Ok(ids)
    }
}
