//! What a client sends about traces, and reads of them.

use std::collections::BTreeMap;

use runledger_entities::{ExperimentId, TraceInfo};

use super::{
    AnsweredInfo, InfoMessage, InfosAnswer,
    answers::{Parts, write_parts},
    most, read_told,
};
use crate::{
    Input, RequestError,
    json::{decode::decode, write},
    messages::assessments,
};

/// The request that tells all about a trace, whole.
pub fn start(info: &TraceInfo) -> Vec<u8> {
    let parts = Parts {
        metadata: pairs(&info.metadata),
        tags: pairs(&info.tags),
        assessment: assessments::write_told,
    };
    write::object(|o| {
        o.object("trace", |o| {
            o.object("trace_info", |o| write_parts(o, info, parts));
        });
    })
}

fn pairs(map: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
    map.iter().map(|(key, value)| (&**key, &**value))
}

/// Reads an answer with one trace, as [`info`](super::info) writes it.
///
/// # Errors
/// What of the answer is not as it should be.
pub fn read_info(answer: &[u8]) -> Result<TraceInfo, RequestError> {
    let body: InfoMessage<{ most::OF_ANSWER }, { most::OF_ANSWER }> = decode(Input::Body(answer))?;
    let trace = body.trace.required("trace")?;
    read(trace.trace_info.required("trace.trace_info")?)
}

/// Reads an answer with several traces, as [`infos`](super::infos) writes it.
///
/// # Errors
/// What of the answer is not as it should be.
pub fn read_infos(answer: &[u8]) -> Result<Vec<TraceInfo>, RequestError> {
    let body: InfosAnswer = decode(Input::Body(answer))?;
    let infos = body.trace_infos.all("trace_infos")?;
    infos.into_iter().map(read).collect()
}

/// Reads a page of traces, as [`page`](super::page) writes it, and the token of the next one.
///
/// # Errors
/// What of the answer is not as it should be.
pub fn read_page(answer: &[u8]) -> Result<(Vec<TraceInfo>, Option<String>), RequestError> {
    let body: InfosAnswer = decode(Input::Body(answer))?;
    let infos = body.traces.all("traces")?;
    let infos = infos.into_iter().map(read).collect::<Result<_, _>>()?;
    Ok((infos, body.next_page_token.non_empty("next_page_token")?))
}

fn read(info: AnsweredInfo) -> Result<TraceInfo, RequestError> {
    let told = read_told(info, assessments::read_answered)?;
    let experiment: ExperimentId = told.experiment_id.parse().map_err(|_| {
        let id = &told.experiment_id;
        RequestError::rule(format!(
            "Invalid value '{id}' for parameter 'experiment_id'."
        ))
    })?;
    let mut info = told.info;
    info.experiment_id = experiment;
    Ok(info)
}

#[cfg(test)]
mod tests {
    use runledger_entities::{
        Assessment, AssessmentId, AssessmentSource, AssessmentValue, TraceId, TraceState,
    };

    use super::*;
    use crate::messages::{
        Request,
        traces::{self, StartTrace},
    };

    fn known() -> TraceInfo {
        let map = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter();
            pairs
                .map(|&(key, value)| (key.to_owned(), value.to_owned()))
                .collect()
        };
        let trace_id = TraceId::new("tr-1");
        TraceInfo {
            trace_id: trace_id.clone(),
            experiment_id: ExperimentId(7),
            request_time: 1_500,
            execution_duration: Some(250),
            state: TraceState::Error,
            client_request_id: Some("c".to_owned()),
            request_preview: Some("hi".to_owned()),
            response_preview: None,
            metadata: map(&[("m", "v")]),
            tags: map(&[("t", ""), ("u", "é")]),
            assessments: vec![Assessment {
                assessment_id: AssessmentId::new("a-1"),
                trace_id,
                span_id: None,
                name: "q".to_owned(),
                source: AssessmentSource::default(),
                value: AssessmentValue::Feedback {
                    json: "true".to_owned(),
                    error: None,
                },
                rationale: Some("r".to_owned()),
                metadata: BTreeMap::new(),
                create_time: 1,
                last_update_time: 2,
                overrides: Some(AssessmentId::new("a-0")),
                valid: false,
            }],
        }
    }

    #[test]
    fn what_a_server_answers_is_what_a_client_reads() {
        let info = known();
        assert_eq!(read_info(&traces::info(&info)), Ok(info.clone()));
        let two = [info.clone(), info];
        assert_eq!(read_infos(&traces::infos(&two)), Ok(two.to_vec()));
        let next = Some("next".to_owned());
        let page = traces::page(&two, next.as_deref());
        assert_eq!(read_page(&page), Ok((two.to_vec(), next)));
        assert_eq!(read_page(&traces::page(&[], None)), Ok((Vec::new(), None)));
        assert!(read_info(b"{}").is_err());
    }

    #[test]
    fn an_answer_may_have_more_than_a_request() {
        let mut info = known();
        info.assessments = vec![info.assessments.remove(0); most::ASSESSMENTS + 1];
        assert!(StartTrace::decode(Input::Body(&start(&info))).is_err());
        let pairs = || (0..=most::PAIRS).map(|n| (format!("k{n}"), String::new()));
        info.tags = pairs().collect();
        info.metadata = pairs().collect();
        info.assessments[0].metadata = pairs().collect();
        assert_eq!(read_info(&traces::info(&info)), Ok(info.clone()));
        let one = [info];
        assert_eq!(read_infos(&traces::infos(&one)), Ok(one.to_vec()));
        let page = read_page(&traces::page(&one, None));
        assert_eq!(page, Ok((one.to_vec(), None)));
    }

    #[test]
    fn what_a_client_sends_is_what_a_server_reads() {
        let mut info = known();
        let long = "x".repeat(5000);
        info.metadata.insert("long".to_owned(), long);
        let body = start(&info);
        let told = StartTrace::decode(Input::Body(&body)).unwrap();
        assert_eq!(told.experiment_id, "7");
        info.experiment_id = ExperimentId::DEFAULT;
        // The server's to say.
        info.assessments[0].valid = true;
        assert_eq!(told.info, info);
    }
}
