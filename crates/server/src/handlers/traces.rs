//! `traces/*` of both APIs, but for spans that are sent and for metrics.

use std::time::Duration;

use axum::response::Response;
use http::{HeaderValue, header, request::Parts};
use runledger_entities::{
    AssessmentId, ErrorCode, ExperimentId, Tag, Trace, TraceId, TraceInfo, trace_keys, validate,
};
use runledger_protocol::messages::{
    assessments::{self, CreateAssessment, UpdateAssessment},
    spans,
    traces::{
        self as messages, CorrelateTraceFilters, DeleteTraceTag, DeleteTraces, FilterCounts,
        GetTrace, LinkPromptsToTrace, LinkTracesToRun, SearchTraces, SetTraceTag, StartTrace,
        TraceIds, WhichTraces,
    },
    traces_v2::{self, EndTraceV2, SearchTracesV2, StartTraceV2},
};
use runledger_search::{parse_trace_filter, parse_trace_order};
use runledger_store::{
    AssessmentPatch, NewTrace, Page, PageRequest, StoreError, TraceDeletion, TraceEnd, TraceQuery,
};

use super::{Reply, experiment_ids};
use crate::{
    apart::apart,
    app::{App, Traces},
    artifact_routes::{self, TraceArtifactQuery},
    failure::Failure,
    reply,
};

/// The file in which a trace keeps spans that are not in the store.
const SPANS_FILE: &str = "traces.json";

/// How long, and how often, spans that are still on their way are waited for.
const PATIENCE: [Duration; 2] = [Duration::from_millis(250), Duration::from_secs(1)];

pub(crate) async fn start_v2(traces: Traces<'_>, request: StartTraceV2) -> Reply {
    check_told(&request.metadata, &request.tags)?;
    let new = NewTrace {
        experiment_id: request.experiment_id.parse()?,
        request_time: request.timestamp_ms,
        metadata: request.metadata,
        tags: request.tags,
    };
    let info = traces.store.begin_trace(new).await?;
    Ok(reply::json(traces_v2::info(&info)))
}

type Pairs = std::collections::BTreeMap<String, String>;

fn check_told(metadata: &Pairs, tags: &Pairs) -> Result<(), Failure> {
    if let Some(name) = tags.get(trace_keys::NAME) {
        validate::trace_name(name)?;
    }
    validate::trace_metadata(metadata.get(trace_keys::SESSION).map(String::as_str))?;
    Ok(())
}

pub(crate) async fn end_v2(traces: Traces<'_>, id: TraceId, request: EndTraceV2) -> Reply {
    check_told(&request.metadata, &request.tags)?;
    let end = TraceEnd {
        end_time: request.timestamp_ms,
        state: request.status,
        metadata: request.metadata,
        tags: request.tags,
    };
    let info = traces.store.end_trace(&id, end).await?;
    Ok(reply::json(traces_v2::info(&info)))
}

pub(crate) async fn info_v2(traces: Traces<'_>, id: TraceId) -> Reply {
    let info = traces.store.get_trace_info(&id).await?;
    Ok(reply::json(traces_v2::info(&info)))
}

async fn found(traces: Traces<'_>, request: SearchTraces) -> Result<Page<TraceInfo>, Failure> {
    let query = TraceQuery {
        experiment_ids: experiment_ids(&request.experiment_ids)?,
        order_by: parse_trace_order(&request.order_by)?,
        filter: parse_trace_filter(&request.filter)?,
        page: PageRequest {
            max_results: request.max_results,
            token: request.page_token,
        },
    };
    Ok(traces.store.search_traces(query).await?)
}

pub(crate) async fn search_v2(
    traces: Traces<'_>,
    SearchTracesV2(request): SearchTracesV2,
) -> Reply {
    let page = found(traces, request).await?;
    Ok(reply::json(traces_v2::page(
        &page.items,
        page.next_token.as_deref(),
    )))
}

pub(crate) async fn start(traces: Traces<'_>, request: StartTrace) -> Reply {
    let mut info = request.info;
    info.experiment_id = request.experiment_id.parse()?;
    validate::trace_info(&info)?;
    let info = traces.store.start_trace(info).await?;
    Ok(reply::json(messages::info(&info)))
}

pub(crate) async fn info(traces: Traces<'_>, id: TraceId) -> Reply {
    let info = traces.store.get_trace_info(&id).await?;
    Ok(reply::json(messages::info(&info)))
}

pub(crate) async fn search(traces: Traces<'_>, request: SearchTraces) -> Reply {
    let page = found(traces, request).await?;
    Ok(reply::json(messages::page(
        &page.items,
        page.next_token.as_deref(),
    )))
}

fn of_experiments(texts: Option<Vec<String>>) -> Result<Option<Vec<ExperimentId>>, Failure> {
    texts.map(|texts| experiment_ids(&texts)).transpose()
}

pub(crate) async fn batch_infos(traces: Traces<'_>, request: TraceIds) -> Reply {
    let experiments = of_experiments(request.experiment_ids)?;
    let infos = traces
        .store
        .get_trace_infos(request.trace_ids, experiments)
        .await?;
    Ok(reply::json(messages::infos(&infos)))
}

pub(crate) async fn batch(traces: Traces<'_>, request: TraceIds) -> Reply {
    let experiments = of_experiments(request.experiment_ids)?;
    let mut found = traces
        .store
        .get_traces(request.trace_ids, experiments)
        .await?;
    if found.iter().any(|trace| !trace.info.has_spans_in_store()) {
        return Err(not_in_store());
    }
    found.retain(|trace| !trace.spans.is_empty() && is_whole(trace));
    let written = apart(move || Ok(messages::all(&found)));
    Ok(reply::json(written.await?))
}

pub(crate) async fn get(traces: Traces<'_>, request: GetTrace) -> Reply {
    let mut patience = PATIENCE.into_iter();
    let mut waiting = None;
    loop {
        let trace = one(traces, &request.trace_id).await?;
        if !trace.info.has_spans_in_store() {
            return Err(not_in_store());
        }
        if request.allow_partial || !trace.spans.is_empty() && is_whole(&trace) {
            let written = apart(move || Ok(messages::one(&trace)));
            return Ok(reply::json(written.await?));
        }
        // Clients that find no place to wait ask again themselves.
        waiting = waiting.or_else(|| traces.tracking.waiting.try_acquire().ok());
        let Some(time) = patience.next().filter(|_| waiting.is_some()) else {
            return Err(Failure::new(
                ErrorCode::ResourceDoesNotExist,
                format!(
                    "Trace with ID {} is not fully exported yet, please try again later.",
                    request.trace_id
                ),
            ));
        };
        tokio::time::sleep(time).await;
    }
}

async fn one(traces: Traces<'_>, id: &TraceId) -> Result<Trace, Failure> {
    let found = traces.store.get_traces(vec![id.clone()], None).await?;
    found.into_iter().next().ok_or_else(|| {
        Failure::new(
            ErrorCode::ResourceDoesNotExist,
            format!("Trace with ID {id} is not found."),
        )
    })
}

/// Whether as many spans are there as the client has told.
fn is_whole(trace: &Trace) -> bool {
    let told = trace
        .info
        .metadata
        .get(trace_keys::SIZE_STATS)
        .and_then(|json| serde_json::from_str::<serde_json::Value>(json).ok())
        .and_then(|stats| stats.get("num_spans")?.as_u64());
    told.is_none_or(|told| trace.spans.len() as u64 >= told)
}

/// MLflow's clients look for the spans among the files of the trace then.
fn not_in_store() -> Failure {
    Failure::new(
        ErrorCode::InternalError,
        "Trace data not stored in tracking store",
    )
}

pub(crate) async fn delete(traces: Traces<'_>, request: DeleteTraces) -> Reply {
    let experiment = request.experiment_id.parse()?;
    let deletion = match request.which {
        WhichTraces::Ids(ids) => TraceDeletion::Ids(ids),
        WhichTraces::Until { time, at_most } => TraceDeletion::Until { time, at_most },
    };
    let deleted = traces.store.delete_traces(experiment, deletion).await?;
    Ok(reply::json(messages::deleted(deleted)))
}

pub(crate) async fn set_tag(traces: Traces<'_>, id: TraceId, request: SetTraceTag) -> Reply {
    let mut tag: Tag = request.tag;
    validate::trace_tag_may_change(&tag.key, false)?;
    validate::trace_tag(&mut tag, traces.tracking.long_values)?;
    traces.store.set_trace_tag(&id, tag).await?;
    Ok(reply::empty())
}

pub(crate) async fn delete_tag(traces: Traces<'_>, id: TraceId, request: DeleteTraceTag) -> Reply {
    validate::trace_tag_may_change(&request.key, true)?;
    let deleted = traces.store.delete_trace_tag(&id, &request.key).await;
    match deleted {
        // MLflow does not look for the trace.
        Err(StoreError::NotFound { .. }) => {
            Err(
                StoreError::not_found_in(runledger_store::Resource::TraceTag, &request.key, &id)
                    .into(),
            )
        }
        deleted => {
            deleted?;
            Ok(reply::empty())
        }
    }
}

pub(crate) async fn link_to_run(traces: Traces<'_>, request: LinkTracesToRun) -> Reply {
    traces
        .store
        .link_traces_to_run(request.trace_ids, &request.run_id)
        .await?;
    Ok(reply::empty())
}

pub(crate) async fn link_prompts(traces: Traces<'_>, request: LinkPromptsToTrace) -> Reply {
    if !request.prompts.is_empty() {
        traces
            .store
            .link_prompts_to_trace(&request.trace_id, request.prompts)
            .await?;
    }
    Ok(reply::empty())
}

pub(crate) async fn correlate(traces: Traces<'_>, request: CorrelateTraceFilters) -> Reply {
    let experiments = experiment_ids(&request.experiment_ids)?;
    let base = parse_trace_filter(&request.base)?;
    let first = parse_trace_filter(&request.filter1)?;
    let second = parse_trace_filter(&request.filter2)?;
    let lists = vec![
        vec![base.clone()],
        vec![base.clone(), first.clone()],
        vec![base.clone(), second.clone()],
        vec![base, first, second],
    ];
    let counts = traces.store.count_traces(experiments, lists).await?;
    let &[total, filter1, filter2, joint] = counts.as_slice() else {
        return Err(StoreError::internal("four filters have not four counts").into());
    };
    Ok(reply::json(messages::correlation(FilterCounts {
        filter1,
        filter2,
        joint,
        total,
    })))
}

pub(crate) async fn create_assessment(
    traces: Traces<'_>,
    id: TraceId,
    request: CreateAssessment,
) -> Reply {
    let mut assessment = request.assessment;
    assessment.trace_id = id;
    validate::assessment(&assessment)?;
    let created = traces.store.create_assessment(assessment).await?;
    Ok(reply::json(assessments::one(&created)))
}

pub(crate) async fn get_assessment(traces: Traces<'_>, trace: TraceId, id: AssessmentId) -> Reply {
    let assessment = traces.store.get_assessment(&trace, &id).await?;
    Ok(reply::json(assessments::one(&assessment)))
}

pub(crate) async fn update_assessment(
    traces: Traces<'_>,
    trace: TraceId,
    id: AssessmentId,
    request: UpdateAssessment,
) -> Reply {
    if let Some(name) = &request.name {
        let limit = runledger_entities::limits::ASSESSMENT_NAME;
        validate::length("assessment_name", name, limit)?;
    }
    let patch = AssessmentPatch {
        name: request.name,
        value: request.value,
        rationale: request.rationale,
        metadata: request.metadata,
    };
    let updated = traces.store.update_assessment(&trace, &id, patch).await?;
    Ok(reply::json(assessments::one(&updated)))
}

pub(crate) async fn delete_assessment(
    traces: Traces<'_>,
    trace: TraceId,
    id: AssessmentId,
) -> Reply {
    traces.store.delete_assessment(&trace, &id).await?;
    Ok(reply::empty())
}

/// The spans of a trace as a file, or a file that is attached to it.
pub(crate) async fn artifact(app: &App, traces: Traces<'_>, parts: &Parts) -> Reply {
    let query = TraceArtifactQuery::of(parts.uri.query())?;
    let trace = one(traces, &TraceId::new(query.trace_id)).await?;
    let attached = query.path.is_some();
    if !attached && trace.info.has_spans_in_store() {
        let written = apart(move || Ok(spans::file(&trace.spans)));
        return Ok(file(written.await?));
    }
    let missing = || {
        Failure::new(
            ErrorCode::NotFound,
            format!("Trace data not found for path={SPANS_FILE}"),
        )
    };
    let Some(location) = trace.info.tags.get(trace_keys::ARTIFACT_LOCATION) else {
        return Err(missing());
    };
    let path = match query.path {
        Some(path) => artifact_routes::attachment(&path)?,
        None => artifact_routes::file_of(SPANS_FILE)?,
    };
    let sent = artifact_routes::download(&app.artifacts, location, &path, &parts.headers).await;
    match sent {
        Err(error) if !attached && error.is_not_found() => Err(missing()),
        sent => Ok(sent?),
    }
}

/// A file that a browser keeps.
fn file(content: Vec<u8>) -> Response {
    let mut response = reply::json(content);
    let headers = response.headers_mut();
    // As MLflow has it, so that no page is made of it.
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=traces.json"),
    );
    response
}
