//! The methods of [`TraceStore`], each a call of the REST API or a few.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use bytes::Bytes;
use runledger_entities::{
    Assessment, AssessmentId, AssessmentValue, ExperimentId, RunId, Span, Tag, Trace, TraceId,
    TraceInfo, limits,
};
use runledger_protocol::Endpoint;
use runledger_protocol::messages::{
    assessments::{self, UpdateAssessment},
    traces as messages,
};
use runledger_store::{
    AssessmentPatch, NewTrace, Page, Resource, StoreError, TraceDeletion, TraceEnd, TraceFilter,
    TraceMetricPoint, TraceMetricQuery, TraceQuery, TraceStore,
};
use serde_json::{Value, json};

use super::call::{Call, body};
use super::trace_calls::{
    Search, check_id, date, filter, identify, read_assessment, read_info, texts, unknown_assessment,
};
use super::tracking::{order_texts, plainly};
use super::{RestStore, answers, gather::Gather, refusal, trace_metrics, traces_v2};

/// Traces that one request names.
const IDS: usize = 500;

/// A filter that every trace passes; servers refuse an empty one where they count.
const ALL: &str = "request_id != ''";

#[async_trait]
impl TraceStore for RestStore {
    async fn begin_trace(&self, new: NewTrace) -> Result<TraceInfo, StoreError> {
        let message = json!({
            "experiment_id": new.experiment_id.to_string(),
            "timestamp_ms": new.request_time,
            "request_metadata": traces_v2::pairs(&new.metadata),
            "tags": traces_v2::pairs(&new.tags),
        });
        let answer = self
            .post_once(Endpoint::StartTraceV2, &message)
            .await
            .map_err(refusal::of_experiment(new.experiment_id))?;
        traces_v2::info(answers::member(&answer, "trace_info")?)
    }

    async fn end_trace(&self, id: &TraceId, end: TraceEnd) -> Result<TraceInfo, StoreError> {
        let message = body(&json!({
            "timestamp_ms": end.end_time,
            "status": end.state.status_name(),
            "request_metadata": traces_v2::pairs(&end.metadata),
            "tags": traces_v2::pairs(&end.tags),
        }));
        let call = Call::of(Endpoint::EndTraceV2).with(&message);
        let answer = self.of_trace(id, call, None).await;
        let answer = answer.map_err(refusal::of_trace(id))?;
        traces_v2::info(answers::member(&answer, "trace_info")?)
    }

    async fn start_trace(&self, mut info: TraceInfo) -> Result<TraceInfo, StoreError> {
        for assessment in &mut info.assessments {
            identify(assessment);
            date(assessment);
        }
        let message = Bytes::from(messages::start(&info));
        let call = Call::of(Endpoint::StartTrace).with(&message);
        let answer = self.answer(call).await;
        let answer = answer.map_err(refusal::of_experiment(info.experiment_id))?;
        read_info(&answer)
    }

    async fn get_trace_info(&self, id: &TraceId) -> Result<TraceInfo, StoreError> {
        check_id(id)?;
        let path = [("trace_id", id.as_str())];
        match self
            .answer(Call::of(Endpoint::GetTraceInfo).at(&path))
            .await
        {
            Ok(answer) => read_info(&answer),
            Err(error) if refusal::is_unknown_endpoint(&error) => {
                let call = Call::of(Endpoint::GetTraceInfoV2).at(&path);
                let answer = self.call(call).await.map_err(refusal::of_trace(id))?;
                traces_v2::info(answers::member(&answer, "trace_info")?)
            }
            Err(error) => Err(refusal::of_trace(id)(error)),
        }
    }

    async fn get_trace_infos(
        &self,
        ids: Vec<TraceId>,
        experiments: Option<Vec<ExperimentId>>,
    ) -> Result<Vec<TraceInfo>, StoreError> {
        let mut seen = HashSet::new();
        let ids: Vec<&TraceId> = ids.iter().filter(|id| seen.insert(*id)).collect();
        let experiments: Option<Vec<String>> =
            experiments.map(|ids| ids.iter().map(ToString::to_string).collect());
        // An empty list would be one that is not told.
        if experiments.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        for ids in ids.chunks(IDS) {
            let names: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
            let mut message = json!({"trace_ids": names});
            if let Some(experiments) = &experiments {
                message["experiment_ids"] = json!(experiments);
            }
            let message = body(&message);
            let call = Call::of(Endpoint::BatchGetTraceInfos).with(&message);
            let answer = self.answer(call).await.map_err(plainly)?;
            let infos = messages::read_infos(&answer).map_err(|error| refusal::misread(&error))?;
            let infos = infos.into_iter().map(|info| (info.trace_id.clone(), info));
            let mut infos: HashMap<TraceId, TraceInfo> = infos.collect();
            found.extend(ids.iter().filter_map(|id| infos.remove(*id)));
        }
        Ok(found)
    }

    async fn get_traces(
        &self,
        ids: Vec<TraceId>,
        experiments: Option<Vec<ExperimentId>>,
    ) -> Result<Vec<Trace>, StoreError> {
        let infos = self.get_trace_infos(ids, experiments).await?;
        let mut traces = Vec::with_capacity(infos.len());
        let mut left = usize::try_from(limits::SPANS_READ_BYTES).unwrap_or(usize::MAX);
        // Not at the same time: each may take all the bytes that are left.
        for info in infos {
            let Some(trace) = self.with_spans(info, left).await? else {
                continue;
            };
            let contents = trace.spans.iter().map(|span| span.content.len());
            left = left
                .checked_sub(contents.sum())
                .ok_or_else(StoreError::too_many_spans)?;
            traces.push(trace);
        }
        Ok(traces)
    }

    async fn search_traces(&self, query: TraceQuery) -> Result<Page<TraceInfo>, StoreError> {
        // Servers refuse a search of no experiments.
        if query.experiment_ids.is_empty() {
            return Ok(Page::empty());
        }
        let search = Search {
            experiments: texts(&query.experiment_ids),
            filter: filter(&query.filter)?,
            order: order_texts(&query.order_by),
        };
        let mut gather = Gather::new(query.page, limits::TRACES_MAX_RESULTS);
        while let Some(page) = gather.next() {
            gather.add(self.page_of_traces(&search, &page).await?);
        }
        Ok(gather.page())
    }

    /// Each list in a call of its own, and so in a state of its own.
    async fn count_traces(
        &self,
        experiments: Vec<ExperimentId>,
        lists: Vec<Vec<TraceFilter>>,
    ) -> Result<Vec<u64>, StoreError> {
        let experiments = texts(&experiments);
        let mut counts = Vec::with_capacity(lists.len());
        for list in lists {
            let filters = list.iter().map(|clauses| filter(clauses));
            let mut filters: Vec<String> = filters.collect::<Result<_, _>>()?;
            filters.retain(|filter| !filter.is_empty());
            let (first, second, base) = match &filters[..] {
                [] => (ALL, ALL, None),
                [one] => (&**one, &**one, None),
                [one, two] => (&**one, &**two, None),
                [one, two, three] => (&**one, &**two, Some(three)),
                _ => {
                    return Err(StoreError::Unsupported {
                        operation: "a count of traces that pass more than three filters",
                        store: "the REST API of tracking servers",
                    });
                }
            };
            if experiments.is_empty() {
                counts.push(0);
                continue;
            }
            let mut message = json!({
                "experiment_ids": experiments, "filter_string1": first, "filter_string2": second
            });
            if let Some(base) = base {
                message["base_filter"] = json!(base);
            }
            let asked = self.post(Endpoint::CorrelateTraceFilters, &message).await;
            let count = answers::int(&asked.map_err(plainly)?, "joint_count")?;
            counts.push(u64::try_from(count).map_err(|_| refusal::unreadable("joint_count"))?);
        }
        Ok(counts)
    }

    async fn set_trace_tag(&self, id: &TraceId, tag: Tag) -> Result<(), StoreError> {
        let message = body(&json!({"key": tag.key, "value": tag.value}));
        let call = Call::of(Endpoint::SetTraceTag).with(&message);
        let set = self.of_trace(id, call, Some(Endpoint::SetTraceTagV2)).await;
        set.map(drop).map_err(refusal::of_trace(id))
    }

    async fn delete_trace_tag(&self, id: &TraceId, key: &str) -> Result<(), StoreError> {
        let unknown = || StoreError::not_found_in(Resource::TraceTag, key, id);
        check_id(id).map_err(|_| unknown())?;
        let message = body(&json!({"key": key}));
        let call = Call::of(Endpoint::DeleteTraceTag).with(&message).once();
        let old = Some(Endpoint::DeleteTraceTagV2);
        let deleted = self.of_trace(id, call, old).await;
        deleted
            .map(drop)
            .map_err(|error| refusal::known(error, [unknown()]))
    }

    async fn delete_traces(
        &self,
        experiment: ExperimentId,
        deletion: TraceDeletion,
    ) -> Result<u64, StoreError> {
        let message = |what: Value| {
            let mut message = what;
            message["experiment_id"] = json!(experiment.to_string());
            message
        };
        match deletion {
            TraceDeletion::Ids(ids) => {
                let mut deleted = 0;
                for ids in ids.chunks(IDS) {
                    let ids: Vec<&str> = ids.iter().map(TraceId::as_str).collect();
                    deleted += self
                        .delete(&message(json!({"request_ids": ids})))
                        .await
                        .map_err(refusal::of_experiment(experiment))?;
                }
                Ok(deleted)
            }
            TraceDeletion::Until {
                at_most: Some(0), ..
            } => Ok(0),
            TraceDeletion::Until { time, at_most } => {
                let mut until = json!({"max_timestamp_millis": time});
                if let Some(count) = at_most {
                    until["max_traces"] = json!(i32::try_from(count).unwrap_or(i32::MAX));
                }
                let deleted = self.delete(&message(until)).await;
                deleted.map_err(refusal::of_experiment(experiment))
            }
        }
    }

    async fn log_spans(
        &self,
        experiment: ExperimentId,
        spans: Vec<Span>,
    ) -> Result<(), StoreError> {
        self.send_spans(experiment, spans).await
    }

    /// Times that are not told are those of this machine: MLflow takes their absence for 1970.
    async fn create_assessment(&self, mut new: Assessment) -> Result<Assessment, StoreError> {
        check_id(&new.trace_id)?;
        date(&mut new);
        let id = new.trace_id.clone();
        let message = Bytes::from(assessments::create(&new));
        let path = [("trace_id", id.as_str())];
        let call = Call::of(Endpoint::CreateAssessment).at(&path);
        let answer = self.answer(call.with(&message).once()).await;
        let answer = answer.map_err(|error| {
            let overridden = new.overrides.iter();
            let unknown = overridden.map(|other| unknown_assessment(&id, other));
            let unknown = unknown.chain([StoreError::not_found(Resource::Trace, &id)]);
            refusal::known(error, unknown)
        })?;
        read_assessment(&answer, &id)
    }

    async fn get_assessment(
        &self,
        trace: &TraceId,
        id: &AssessmentId,
    ) -> Result<Assessment, StoreError> {
        let answer = self
            .of_assessment(trace, id, Call::of(Endpoint::GetAssessment))
            .await?;
        read_assessment(&answer, trace)
    }

    async fn update_assessment(
        &self,
        trace: &TraceId,
        id: &AssessmentId,
        patch: AssessmentPatch,
    ) -> Result<Assessment, StoreError> {
        if let Some(AssessmentValue::Issue { .. }) = patch.value {
            return Err(StoreError::invalid(
                "The value of an issue cannot be changed over the REST API: add another \
                 assessment.",
            ));
        }
        let update = UpdateAssessment {
            name: patch.name,
            value: patch.value,
            rationale: patch.rationale,
            metadata: patch.metadata,
        };
        let message = Bytes::from(update.write());
        let call = Call::of(Endpoint::UpdateAssessment).with(&message);
        read_assessment(&self.of_assessment(trace, id, call).await?, trace)
    }

    async fn delete_assessment(
        &self,
        trace: &TraceId,
        id: &AssessmentId,
    ) -> Result<(), StoreError> {
        let call = Call::of(Endpoint::DeleteAssessment);
        match self.of_assessment(trace, id, call).await {
            Ok(_) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn link_traces_to_run(
        &self,
        traces: Vec<TraceId>,
        run: &RunId,
    ) -> Result<(), StoreError> {
        for ids in traces.chunks(limits::TRACE_LINKS) {
            let ids: Vec<&str> = ids.iter().map(TraceId::as_str).collect();
            let message = json!({"trace_ids": ids, "run_id": run.as_str()});
            let linked = self.post(Endpoint::LinkTracesToRun, &message).await;
            linked.map_err(refusal::of_run(run))?;
        }
        Ok(())
    }

    async fn link_prompts_to_trace(
        &self,
        trace: &TraceId,
        prompts: Vec<String>,
    ) -> Result<(), StoreError> {
        if prompts.is_empty() {
            return Ok(());
        }
        check_id(trace)?;
        let mut versions = Vec::with_capacity(prompts.len());
        for prompt in &prompts {
            let Some((name, version)) = prompt.rsplit_once('/') else {
                return Err(StoreError::invalid(format!(
                    "'{prompt}' is no version of a prompt: it should be like 'name/1'."
                )));
            };
            versions.push(json!({"name": name, "version": version}));
        }
        let message = json!({"trace_id": trace.as_str(), "prompt_versions": versions});
        let linked = self.post(Endpoint::LinkPromptsToTrace, &message).await;
        linked.map(drop).map_err(refusal::of_trace(trace))
    }

    async fn trace_metrics(
        &self,
        query: TraceMetricQuery,
    ) -> Result<Vec<TraceMetricPoint>, StoreError> {
        if query.experiment_ids.is_empty() {
            return Ok(Vec::new());
        }
        let message = trace_metrics::message(&query)?;
        let asked = self.post(Endpoint::QueryTraceMetrics, &message).await;
        trace_metrics::points(&query, &asked.map_err(plainly)?)
    }
}
