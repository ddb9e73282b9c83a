//! What the methods of traces have in common: their calls, and reading their answers.

use bytes::Bytes;
use runledger_entities::{Assessment, AssessmentId, ExperimentId, Trace, TraceId, TraceInfo};
use runledger_protocol::Endpoint;
use runledger_protocol::messages::{assessments, traces as messages};
use runledger_search::{TraceClause, parse_trace_filter};
use runledger_store::{Page, PageRequest, Resource, StoreError};
use serde_json::{Value, json};

use super::call::{Call, body};
use super::tracking::{check_spelling, joined, plainly};
use super::{RestStore, answers, refusal, requests, traces_v2};
use crate::client::now;

/// A search, but for its page.
pub(super) struct Search {
    pub(super) experiments: Vec<String>,
    pub(super) filter: String,
    pub(super) order: Vec<String>,
}

impl RestStore {
    /// Calls an endpoint of one trace, or where a server does not know it, another.
    pub(super) async fn of_trace(
        &self,
        id: &TraceId,
        call: Call<'_>,
        old: Option<Endpoint>,
    ) -> Result<Value, StoreError> {
        check_id(id)?;
        let path = [("trace_id", id.as_str())];
        let call = call.at(&path);
        match (self.call(call).await, old) {
            (Err(error), Some(endpoint)) if refusal::is_unknown_endpoint(&error) => {
                self.call(Call { endpoint, ..call }).await
            }
            (answer, _) => answer,
        }
    }

    /// Calls an endpoint of one assessment.
    pub(super) async fn of_assessment(
        &self,
        trace: &TraceId,
        id: &AssessmentId,
        call: Call<'_>,
    ) -> Result<Bytes, StoreError> {
        let unknown = [
            StoreError::not_found(Resource::AssessedTrace, trace),
            unknown_assessment(trace, id),
        ];
        // The path of no assessment is that of all.
        if trace.as_str().is_empty() || id.as_str().is_empty() {
            return Err(unknown_assessment(trace, id));
        }
        let path = [("trace_id", trace.as_str()), ("assessment_id", id.as_str())];
        let answer = self.answer(call.at(&path)).await;
        answer.map_err(|error| refusal::known(error, unknown))
    }

    /// A page of a search, in the messages of MLflow 3 or else of MLflow 2.
    pub(super) async fn page_of_traces(
        &self,
        search: &Search,
        page: &PageRequest,
    ) -> Result<Page<TraceInfo>, StoreError> {
        let locations = search.experiments.iter().map(
            |id| json!({"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": id}}),
        );
        let mut message = serde_json::Map::new();
        message.insert("locations".to_owned(), locations.collect());
        message.insert("max_results".to_owned(), json!(page.max_results));
        message.insert("order_by".to_owned(), json!(search.order));
        let filter = Some(&*search.filter).filter(|filter| !filter.is_empty());
        requests::insert(&mut message, "filter", filter);
        requests::insert(&mut message, "page_token", page.token.as_deref());
        let message = body(&Value::Object(message));
        match self
            .answer(Call::of(Endpoint::SearchTraces).with(&message))
            .await
        {
            Ok(answer) => {
                let read = messages::read_page(&answer);
                let (items, next_token) = read.map_err(|error| refusal::misread(&error))?;
                Ok(Page { items, next_token })
            }
            Err(error) if refusal::is_unknown_endpoint(&error) => {
                self.old_page_of_traces(search, page).await
            }
            Err(error) => Err(plainly(error)),
        }
    }

    async fn old_page_of_traces(
        &self,
        search: &Search,
        page: &PageRequest,
    ) -> Result<Page<TraceInfo>, StoreError> {
        let most = page.max_results.to_string();
        let mut asked = vec![("max_results", most.as_str())];
        let experiments = search.experiments.iter();
        asked.extend(experiments.map(|id| ("experiment_ids", id.as_str())));
        asked.extend(search.order.iter().map(|clause| ("order_by", &**clause)));
        if !search.filter.is_empty() {
            asked.push(("filter", &search.filter));
        }
        if let Some(token) = &page.token {
            asked.push(("page_token", token));
        }
        let answer = self.get(Endpoint::SearchTracesV2, &asked).await;
        answers::page(&answer.map_err(plainly)?, "traces", traces_v2::info)
    }

    /// Deletes what a message says; how many.
    pub(super) async fn delete(&self, message: &Value) -> Result<u64, StoreError> {
        let message = body(message);
        let call = Call::of(Endpoint::DeleteTraces).with(&message).once();
        let answer = match self.call(call).await {
            Err(error) if refusal::is_unknown_endpoint(&error) => {
                let endpoint = Endpoint::DeleteTracesV2;
                self.call(Call { endpoint, ..call }).await?
            }
            answer => answer?,
        };
        let count = answers::int(&answer, "traces_deleted")?;
        u64::try_from(count).map_err(|_| refusal::unreadable("traces_deleted"))
    }

    /// A trace with the spans that are kept beside it, which may have so many bytes, unless it is
    /// not there any more.
    pub(super) async fn with_spans(
        &self,
        info: TraceInfo,
        bytes: usize,
    ) -> Result<Option<Trace>, StoreError> {
        if !info.has_spans_in_store() {
            let spans = Vec::new();
            return Ok(Some(Trace { info, spans }));
        }
        let spans = self.spans_of(&info.trace_id, bytes).await?;
        Ok(spans.map(|spans| Trace { info, spans }))
    }
}

/// The path of no trace is that of all.
pub(super) fn check_id(id: &TraceId) -> Result<(), StoreError> {
    if id.as_str().is_empty() {
        return Err(StoreError::not_found(Resource::Trace, id));
    }
    Ok(())
}

pub(super) fn unknown_assessment(trace: &TraceId, id: &AssessmentId) -> StoreError {
    StoreError::not_found_in(Resource::Assessment, id, trace)
}

/// Gives an assessment an id, unless it was told one: servers give it another one each time
/// that it comes.
pub(super) fn identify(assessment: &mut Assessment) {
    if assessment.assessment_id.as_str().is_empty() {
        assessment.assessment_id = AssessmentId::random();
    }
}

/// Gives an assessment the times that it was not told.
pub(super) fn date(assessment: &mut Assessment) {
    let now = now();
    for time in [
        &mut assessment.create_time,
        &mut assessment.last_update_time,
    ] {
        if *time == 0 {
            *time = now;
        }
    }
}

pub(super) fn texts(ids: &[ExperimentId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

pub(super) fn filter(clauses: &[TraceClause]) -> Result<String, StoreError> {
    let text = joined(clauses);
    check_spelling(&text, clauses, parse_trace_filter)?;
    Ok(text)
}

pub(super) fn read_info(answer: &[u8]) -> Result<TraceInfo, StoreError> {
    messages::read_info(answer).map_err(|error| refusal::misread(&error))
}

pub(super) fn read_assessment(answer: &[u8], trace: &TraceId) -> Result<Assessment, StoreError> {
    assessments::read_one(answer, trace).map_err(|error| refusal::misread(&error))
}
