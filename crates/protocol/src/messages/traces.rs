//! Traces in the API of MLflow 3.x, and what both APIs have in common.

mod answers;
mod client;
mod correlation;

use std::collections::BTreeMap;

use runledger_entities::{Assessment, RunId, Tag, TraceId, TraceInfo, TraceState, limits};

pub(super) use self::answers::{shown_metadata, shown_tags};
pub(crate) use self::correlation::CorrelationBody;
pub use self::{
    answers::{all, deleted, info, infos, one, page},
    client::{read_info, read_infos, read_page, start},
    correlation::{CorrelateTraceFilters, FilterCounts, correlation},
};
use super::{Request, assessments, most};
use crate::{
    Input, RequestError,
    json::{
        decode::decode,
        field::{Field, List, Texts},
        message::messages,
        time,
        value::Json,
    },
};

messages! {
    /// `traces` (3.0), and the answers with one trace
    InfoMessage<const PAIRS, const ASSESSMENTS> {
        trace: TraceBody<PAIRS, ASSESSMENTS>,
    }
    /// A trace.
    TraceBody<const PAIRS, const ASSESSMENTS> {
        trace_info: InfoBody<PAIRS, ASSESSMENTS>,
    }
    /// What is known about a trace.
    InfoBody<const PAIRS, const ASSESSMENTS> {
        trace_id: String,
        client_request_id: String,
        trace_location: LocationBody,
        request_preview: String,
        response_preview: String,
        request_time: String,
        execution_duration: String,
        state: TraceState,
        trace_metadata: Texts<PAIRS>,
        tags: Texts<PAIRS>,
        assessments: List<assessments::AssessmentBody<PAIRS>, ASSESSMENTS>,
    }
    /// Answers with several traces.
    InfosAnswer {
        traces: List<AnsweredInfo, { most::OF_ANSWER }>,
        trace_infos: List<AnsweredInfo, { most::OF_ANSWER }>,
        next_page_token: String,
    }
    /// Where a trace is.
    LocationBody {
        mlflow_experiment: ExperimentBody,
    }
    /// The experiment that a trace belongs to.
    ExperimentBody {
        experiment_id: String,
    }
    /// `traces/search`
    SearchBody {
        locations: List<LocationBody, { most::EXPERIMENT_IDS }>,
        filter: String,
        max_results: i32,
        order_by: List<String, { most::ORDER_BY }>,
        page_token: String,
    }
    /// `traces/get`
    GetBody {
        trace_id: String,
        allow_partial: bool,
    }
    /// `traces/batchGet`, `traces/batchGetInfos`
    IdsBody {
        trace_ids: List<String, { most::TRACES }>,
        experiment_ids: List<String, { most::EXPERIMENT_IDS }>,
    }
    /// `traces/delete-traces`
    DeleteBody {
        experiment_id: String,
        max_timestamp_millis: i64,
        max_traces: i32,
        request_ids: List<String, { most::TRACES }>,
    }
    /// `traces/{trace_id}/tags`
    TagBody {
        key: String,
        value: String,
    }
    /// `traces/link-to-run`
    LinkToRunBody {
        trace_ids: List<String, { most::TRACES }>,
        run_id: String,
    }
    /// `traces/link-prompts`
    LinkPromptsBody {
        trace_id: String,
        prompt_versions: List<PromptBody, { most::TRACES }>,
    }
    /// A version of a prompt.
    PromptBody {
        name: String,
        version: String,
    }
}

pub(crate) type StartBody = InfoMessage<{ most::PAIRS }, { most::ASSESSMENTS }>;
type AnsweredInfo = InfoBody<{ most::OF_ANSWER }, { most::OF_ANSWER }>;

/// Tells all about a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct StartTrace {
    /// The experiment as the client wrote it.
    pub experiment_id: String,
    /// The trace, of the default experiment.
    pub info: TraceInfo,
}

impl Request for StartTrace {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: StartBody = decode(input)?;
        let trace = body.trace.required("trace")?;
        let info = trace.trace_info.required("trace.trace_info")?;
        read_told(info, |assessment, trace_id| {
            let mut assessment = assessments::read(assessment, "assessment")?;
            assessment.trace_id = trace_id.clone();
            Ok(assessment)
        })
    }
}

fn read_told<const PAIRS: usize, const ASSESSMENTS: usize>(
    info: InfoBody<PAIRS, ASSESSMENTS>,
    read_assessment: impl Fn(
        assessments::AssessmentBody<PAIRS>,
        &TraceId,
    ) -> Result<Assessment, RequestError>,
) -> Result<StartTrace, RequestError> {
    let location = info.trace_location.required("trace_location")?;
    let experiment = location.mlflow_experiment.required("mlflow_experiment")?;
    let trace_id = TraceId::new(info.trace_id.required_text("trace_id")?);
    let assessments = info.assessments.all("assessments")?.into_iter();
    let assessments = assessments.map(|assessment| read_assessment(assessment, &trace_id));
    let assessments = assessments.collect::<Result<_, _>>()?;
    let texts = |field: Field<Texts<_>>, name| -> Result<BTreeMap<_, _>, RequestError> {
        Ok(field.or_default(name)?.0)
    };
    let invalid = |name: &str, text: &str| {
        RequestError::rule(format!("Invalid value '{text}' for parameter '{name}'."))
    };
    let request_time = match info.request_time.non_empty("request_time")? {
        None => 0,
        Some(text) => time::parse_timestamp(&text).ok_or_else(|| invalid("request_time", &text))?,
    };
    let duration = info.execution_duration.non_empty("execution_duration")?;
    let execution_duration = match duration {
        None => None,
        Some(text) => {
            Some(time::parse_duration(&text).ok_or_else(|| invalid("execution_duration", &text))?)
        }
    };
    Ok(StartTrace {
        experiment_id: experiment.experiment_id.or_default("experiment_id")?,
        info: TraceInfo {
            trace_id,
            experiment_id: runledger_entities::ExperimentId::DEFAULT,
            request_time,
            execution_duration,
            state: info.state.or_default("state")?,
            client_request_id: info.client_request_id.optional("client_request_id")?,
            request_preview: info.request_preview.optional("request_preview")?,
            response_preview: info.response_preview.optional("response_preview")?,
            metadata: texts(info.trace_metadata, "trace_metadata")?,
            tags: texts(info.tags, "tags")?,
            assessments,
        },
    })
}

/// Searches traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchTraces {
    /// The experiments as the client wrote them.
    pub experiment_ids: Vec<String>,
    /// The filter; empty if absent.
    pub filter: String,
    /// Results per page; within MLflow's limit.
    pub max_results: u32,
    /// Order-by clauses.
    pub order_by: Vec<String>,
    /// The page.
    pub page_token: Option<String>,
}

impl Request for SearchTraces {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: SearchBody = decode(input)?;
        let mut experiment_ids = Vec::new();
        for location in body.locations.required_all("locations")? {
            // A location of another kind is none that could be here.
            let experiment = location.mlflow_experiment.optional("mlflow_experiment")?;
            if let Some(experiment) = experiment {
                experiment_ids.push(experiment.experiment_id.or_default("experiment_id")?);
            }
        }
        let dotted: Vec<&str> = experiment_ids
            .iter()
            .filter(|id| id.contains('.'))
            .map(String::as_str)
            .collect();
        if !dotted.is_empty() {
            return Err(RequestError::rule(format!(
                "Locations must be a list of experiment IDs. Found invalid experiment IDs: {}.",
                dotted.join(", ")
            )));
        }
        Ok(Self {
            experiment_ids,
            filter: body.filter.or_default("filter")?,
            max_results: max_results(body.max_results.optional("max_results")?)?,
            order_by: body.order_by.all("order_by")?,
            page_token: body.page_token.non_empty("page_token")?,
        })
    }
}

/// The `max_results` of a search of traces.
pub(super) fn max_results(value: Option<i32>) -> Result<u32, RequestError> {
    let Some(value) = value else {
        return Ok(limits::TRACES_DEFAULT_RESULTS);
    };
    match u32::try_from(value) {
        Ok(results) if results > limits::TRACES_MAX_RESULTS => Err(RequestError::wrong_type(
            "max_results",
            &Json::Int(value.into()),
        )),
        Ok(results) if results > 0 => Ok(results),
        _ => Err(RequestError::MaxResultsNotPositive {
            value: value.into(),
            full_stop: false,
        }),
    }
}

/// Asks for a trace with its spans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetTrace {
    /// The trace.
    pub trace_id: TraceId,
    /// Whether some of its spans may be missing.
    pub allow_partial: bool,
}

impl Request for GetTrace {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: GetBody = decode(input)?;
        Ok(Self {
            trace_id: TraceId::new(body.trace_id.required_text("trace_id")?),
            allow_partial: body.allow_partial.or_default("allow_partial")?,
        })
    }
}

/// Asks for several traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceIds {
    /// The traces.
    pub trace_ids: Vec<TraceId>,
    /// The experiments that they may be of, as the client wrote them; any if absent.
    pub experiment_ids: Option<Vec<String>>,
}

impl Request for TraceIds {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: IdsBody = decode(input)?;
        let ids = body.trace_ids.required_all("trace_ids")?;
        let experiment_ids = match body.experiment_ids {
            Field::Absent => None,
            present => Some(present.all("experiment_ids")?),
        };
        Ok(Self {
            trace_ids: ids.into_iter().map(TraceId::new).collect(),
            experiment_ids,
        })
    }
}

/// Deletes traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteTraces {
    /// The experiment as the client wrote it.
    pub experiment_id: String,
    /// Which.
    pub which: WhichTraces,
}

/// Which traces to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhichTraces {
    /// These.
    Ids(Vec<TraceId>),
    /// Those that began until a time, the oldest first.
    Until {
        /// In milliseconds since the epoch.
        time: i64,
        /// At most so many.
        at_most: Option<u64>,
    },
}

impl Request for DeleteTraces {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: DeleteBody = decode(input)?;
        let experiment_id = body.experiment_id.required_text("experiment_id")?;
        let time = body.max_timestamp_millis.optional("max_timestamp_millis")?;
        let at_most = body.max_traces.optional("max_traces")?;
        let ids = body.request_ids.all("request_ids")?;
        let which = match (time, ids.is_empty(), at_most) {
            (None, true, _) => {
                Err("Either `max_timestamp_millis` or `trace_ids` must be specified.")
            }
            (Some(_), false, _) => {
                Err("Only one of `max_timestamp_millis` and `trace_ids` can be specified.")
            }
            (None, false, Some(_)) => {
                Err("`max_traces` can't be specified if `trace_ids` is specified.")
            }
            (None, false, None) => Ok(WhichTraces::Ids(
                ids.into_iter().map(TraceId::new).collect(),
            )),
            (Some(time), true, None) => Ok(WhichTraces::Until {
                time,
                at_most: None,
            }),
            (Some(time), true, Some(count)) => match u64::try_from(count) {
                Ok(count) if count > 0 => Ok(WhichTraces::Until {
                    time,
                    at_most: Some(count),
                }),
                _ => {
                    return Err(RequestError::rule(format!(
                        "`max_traces` must be a positive integer, received {count}."
                    )));
                }
            },
        };
        Ok(Self {
            experiment_id,
            which: which.map_err(RequestError::rule)?,
        })
    }
}

/// Sets a tag of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetTraceTag {
    /// The tag; its key is not empty.
    pub tag: Tag,
}

impl Request for SetTraceTag {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: TagBody = decode(input)?;
        Ok(Self {
            tag: Tag {
                key: body.key.required_text("key")?,
                value: body.value.or_default("value")?,
            },
        })
    }
}

/// Deletes a tag of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteTraceTag {
    /// The key, not empty.
    pub key: String,
}

impl Request for DeleteTraceTag {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: TagBody = decode(input)?;
        Ok(Self {
            key: body.key.required_text("key")?,
        })
    }
}

/// Links traces to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkTracesToRun {
    /// The traces, at most [`limits::TRACE_LINKS`].
    pub trace_ids: Vec<TraceId>,
    /// The run.
    pub run_id: RunId,
}

impl Request for LinkTracesToRun {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: LinkToRunBody = decode(input)?;
        let ids = body.trace_ids.required_all("trace_ids")?;
        let run_id = RunId::new(body.run_id.required_text("run_id")?);
        if ids.len() > limits::TRACE_LINKS {
            return Err(RequestError::rule(format!(
                "Cannot link more than {} traces to a run in a single request. Provided {} traces.",
                limits::TRACE_LINKS,
                ids.len()
            )));
        }
        Ok(Self {
            trace_ids: ids.into_iter().map(TraceId::new).collect(),
            run_id,
        })
    }
}

/// Links versions of prompts to a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkPromptsToTrace {
    /// The trace.
    pub trace_id: TraceId,
    /// The versions, each `name/version`.
    pub prompts: Vec<String>,
}

impl Request for LinkPromptsToTrace {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: LinkPromptsBody = decode(input)?;
        let trace_id = TraceId::new(body.trace_id.required_text("trace_id")?);
        let mut prompts = Vec::new();
        for prompt in body.prompt_versions.required_all("prompt_versions")? {
            let (name, version) = (
                prompt.name.or_default("name")?,
                prompt.version.or_default("version")?,
            );
            let version: u32 = version.trim().parse().map_err(|_| {
                RequestError::rule(format!(
                    "Parameter 'version' must be an integer, got '{version}'."
                ))
            })?;
            prompts.push(format!("{name}/{version}"));
        }
        Ok(Self { trace_id, prompts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_read_and_written() {
        let body = br#"{"trace": {"trace_info": {"trace_id": "tr-1", "state": "OK",
            "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "7"}},
            "request_time": "1970-01-01T00:00:01.5Z", "execution_duration": "0.25s",
            "trace_metadata": {"m": "v"}, "tags": {"k": "t"},
            "assessments": [{"assessment_name": "q", "feedback": {"value": true}}]}}}"#;
        let request = StartTrace::decode(Input::Body(body)).unwrap();
        assert_eq!(request.experiment_id, "7");
        assert_eq!(request.info.assessments[0].trace_id, request.info.trace_id);
        let mut told = request.info;
        told.assessments.clear();
        assert_eq!(
            String::from_utf8(info(&told)).unwrap(),
            concat!(
                r#"{"trace":{"trace_info":{"trace_id":"tr-1","trace_location":{"type":"MLFLOW_EXPERIMENT","#,
                r#""mlflow_experiment":{"experiment_id":"0"}},"request_time":"1970-01-01T00:00:01.500Z","#,
                r#""execution_duration":"0.250s","state":"OK","trace_metadata":{"m":"v"},"tags":{"k":"t"}}}}"#
            )
        );
    }

    #[test]
    fn exactly_one_thing_says_what_to_delete() {
        let read = |body: &str| DeleteTraces::decode(Input::Body(body.as_bytes()));
        for (body, words) in [
            (r#"{"experiment_id": "0"}"#, "Either `max_timestamp_millis`"),
            (
                r#"{"experiment_id": "0", "max_timestamp_millis": 5, "request_ids": ["a"]}"#,
                "Only one of",
            ),
            (
                r#"{"experiment_id": "0", "request_ids": ["a"], "max_traces": 1}"#,
                "can't be",
            ),
            (
                r#"{"experiment_id": "0", "max_timestamp_millis": 5, "max_traces": 0}"#,
                "must be a positive integer, received 0.",
            ),
        ] {
            let error = read(body).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
