//! What an answer that is no success becomes: a [`StoreError`].
//!
//! The server's code and words are kept. Where a caller knows which of the store's
//! own errors might be meant, and the words are exactly those of one, it is that.

use http::StatusCode;
use runledger_entities::{
    ErrorCode, ExperimentId, LifecycleStage, LoggedModelId, Param, RunId, TraceId,
};
use runledger_protocol::{Endpoint, RequestError};
use runledger_store::{ParamChange, Resource, StoreError};
use serde_json::Value;

/// The most characters of an answer that an error repeats.
const EXCERPT: usize = 300;

/// An answer that is no success.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) error: StoreError,
    /// It is in the words of a tracking server, and they name a fault of the caller's.
    pub(super) is_the_callers: bool,
}

/// Reads an answer that is no success.
pub(super) fn read(server: &str, endpoint: Endpoint, status: StatusCode, text: &[u8]) -> Refusal {
    let value: Value = serde_json::from_slice(text).unwrap_or(Value::Null);
    let told = value["error_code"].as_str();
    if let Some(name) = told {
        let known = ErrorCode::ALL.into_iter().find(|code| code.name() == name);
        let code = known.unwrap_or_else(|| code_of(status));
        let message = match value["message"].as_str() {
            Some(message) if !message.is_empty() => message.to_owned(),
            _ => format!("{server} answered {name} to {}", endpoint.template()),
        };
        let is_the_callers =
            known.is_some() && code.http_status() < 500 && code.http_status() != 429;
        return Refusal {
            error: StoreError::Answered { code, message },
            is_the_callers,
        };
    }
    let message = format!(
        "{server} answered {status} to {}, which is not how a tracking server refuses: {}",
        endpoint.template(),
        excerpt(text)
    );
    let code = code_of(status);
    Refusal {
        error: StoreError::Answered { code, message },
        is_the_callers: false,
    }
}

/// The error of a success that is no JSON.
pub(super) fn not_json(server: &str, endpoint: Endpoint, text: &[u8]) -> StoreError {
    StoreError::Answered {
        code: ErrorCode::BadRequest,
        message: format!(
            "What {server} answered to {} is no JSON; is it the address of a tracking server? It \
             begins with: {}",
            endpoint.template(),
            excerpt(text)
        ),
    }
}

/// The error of an answer that is longer than what is read; asked again, it would be again.
pub(super) fn too_long(
    server: &str,
    endpoint: Endpoint,
    most: usize,
    announced: Option<u64>,
) -> StoreError {
    let length = announced.map(|bytes| format!(", it has {bytes}"));
    StoreError::Answered {
        code: ErrorCode::BadRequest,
        message: format!(
            "What {server} answered to {} is longer than the {most} bytes that are read at \
             once{}. Ask for less: a smaller page, or fewer things.",
            endpoint.template(),
            length.unwrap_or_default()
        ),
    }
}

/// The error of an answer that lacks something, or has something of the wrong kind.
pub(super) fn unreadable(what: &str) -> StoreError {
    StoreError::Answered {
        code: ErrorCode::DataLoss,
        message: format!("The answer of the tracking server has no valid '{what}'."),
    }
}

/// The error of an answer that the reader of its message refuses.
pub(super) fn misread(error: &RequestError) -> StoreError {
    StoreError::Answered {
        code: ErrorCode::DataLoss,
        message: format!("The answer of the tracking server cannot be read: {error}"),
    }
}

/// Whether a server does not know an endpoint, as one that is older than it.
pub(super) fn is_unknown_endpoint(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Answered {
            code: ErrorCode::EndpointNotFound,
            ..
        }
    )
}

fn excerpt(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(&text[..text.len().min(4 * EXCERPT)]);
    format!("{:?}", text.chars().take(EXCERPT).collect::<String>())
}

fn code_of(status: StatusCode) -> ErrorCode {
    match status.as_u16() {
        401 => ErrorCode::Unauthenticated,
        403 => ErrorCode::PermissionDenied,
        404 | 405 => ErrorCode::EndpointNotFound,
        409 => ErrorCode::ResourceConflict,
        429 => ErrorCode::RequestLimitExceeded,
        501 => ErrorCode::NotImplemented,
        408 | 502 | 503 => ErrorCode::TemporarilyUnavailable,
        504 => ErrorCode::DeadlineExceeded,
        500.. => ErrorCode::InternalError,
        _ => ErrorCode::BadRequest,
    }
}

/// The one of `candidates` that the server's words are those of, or else the error
/// itself.
pub(super) fn known(
    error: StoreError,
    candidates: impl IntoIterator<Item = StoreError>,
) -> StoreError {
    let StoreError::Answered { code, message } = error else {
        return error;
    };
    let meant = candidates
        .into_iter()
        .find(|candidate| candidate.to_string() == message);
    meant.unwrap_or(match code {
        ErrorCode::InvalidParameterValue => StoreError::InvalidArgument { message },
        ErrorCode::InvalidState => StoreError::InvalidState { message },
        code => StoreError::Answered { code, message },
    })
}

/// The error of a call about a run.
pub(super) fn of_run(run: &RunId) -> impl Fn(StoreError) -> StoreError {
    move |error| known(error, self::run(run))
}

/// What may be wrong with a run.
pub(super) fn run(run: &RunId) -> Vec<StoreError> {
    let mut candidates = lifecycle("run", run.as_str());
    candidates.push(StoreError::not_found(Resource::Run, run));
    candidates
}

/// The error of a call about an experiment.
pub(super) fn of_experiment(id: ExperimentId) -> impl Fn(StoreError) -> StoreError {
    move |error| known(error, experiment(id))
}

/// What may be wrong with an experiment.
pub(super) fn experiment(id: ExperimentId) -> Vec<StoreError> {
    let mut candidates = lifecycle("experiment", &id.to_string());
    candidates.push(StoreError::not_found(Resource::Experiment, id));
    candidates
}

/// The error of a call about a trace.
pub(super) fn of_trace(id: &TraceId) -> impl Fn(StoreError) -> StoreError {
    move |error| known(error, [StoreError::not_found(Resource::Trace, id)])
}

/// The error of a call about a logged model.
pub(super) fn of_model(id: &LoggedModelId) -> impl Fn(StoreError) -> StoreError {
    move |error| known(error, model(id))
}

/// What may be wrong with a logged model.
pub(super) fn model(id: &LoggedModelId) -> Vec<StoreError> {
    let mut candidates = lifecycle("logged model", id.as_str());
    candidates.push(StoreError::not_found(Resource::LoggedModel, id));
    candidates
}

fn lifecycle(what: &'static str, id: &str) -> Vec<StoreError> {
    use LifecycleStage::{Active, Deleted};

    [(Active, Deleted), (Deleted, Active)]
        .map(|(wanted, current)| StoreError::Lifecycle {
            what,
            id: id.to_owned(),
            wanted,
            current,
        })
        .into()
}

/// The error of a call that logs params to a run.
pub(super) fn of_params(
    run: &RunId,
    params: &[Param],
    error: StoreError,
    single: bool,
) -> StoreError {
    let StoreError::Answered { message, .. } = &error else {
        return error;
    };
    let changes: Vec<ParamChange> = params
        .iter()
        .filter_map(|param| {
            let old = if single {
                old_of_one(message, param)
            } else {
                old_of_many(message, param)
            };
            Some(ParamChange {
                key: param.key.clone(),
                old: old?,
                new: param.value.clone(),
            })
        })
        .collect();
    let mut candidates = self::run(run);
    candidates.push(StoreError::ParamsChanged {
        run_id: run.clone(),
        changes,
        single,
    });
    known(error, candidates)
}

/// The value that a param had, from the words about one.
fn old_of_one(message: &str, param: &Param) -> Option<String> {
    let before = format!(
        "Param with key='{}' was already logged with value='",
        param.key
    );
    let (_, rest) = message.split_once(&before)?;
    let (old, _) = rest.rsplit_once("' for run ID='")?;
    Some(old.to_owned())
}

/// The value that a param had, from the list of all that would have changed.
fn old_of_many(message: &str, param: &Param) -> Option<String> {
    use runledger_entities::quote::python;

    let before = format!("{{'key': {}, 'old_value': ", python(&param.key));
    let after = format!(", 'new_value': {}}}", python(&param.value));
    let (_, rest) = message.split_once(&before)?;
    let (old, _) = rest.split_once(&after)?;
    // Texts with escapes are left to the server's own words.
    let old = old.get(1..old.len().checked_sub(1)?)?;
    Some(old.to_owned())
}

#[cfg(test)]
mod tests {
    use runledger_entities::Coded;

    use super::*;

    fn answered(status: u16, text: &str) -> (StoreError, bool) {
        let status = StatusCode::from_u16(status).expect("a status");
        let refusal = read("http://h", Endpoint::GetRun, status, text.as_bytes());
        (refusal.error, refusal.is_the_callers)
    }

    #[test]
    fn codes_and_words_are_the_servers() {
        let text = r#"{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"no such run"}"#;
        let (error, is_the_callers) = answered(404, text);
        assert!(is_the_callers);
        assert_eq!(error.code(), ErrorCode::ResourceDoesNotExist);
        assert_eq!(error.to_string(), "no such run");

        // MLflow answers 500 to a rename of a deleted experiment.
        let (error, is_the_callers) =
            answered(500, r#"{"error_code":"INVALID_STATE","message":"m"}"#);
        assert!(is_the_callers);
        assert!(matches!(known(error, []), StoreError::InvalidState { .. }));
    }

    #[test]
    fn an_answer_of_something_else_is_shown() {
        let (error, is_the_callers) = answered(502, "<html>Bad Gateway</html>");
        assert!(!is_the_callers);
        assert_eq!(error.code(), ErrorCode::TemporarilyUnavailable);
        assert!(error.to_string().contains("Bad Gateway"), "{error}");
        assert_eq!(answered(404, "").0.code(), ErrorCode::EndpointNotFound);
    }

    #[test]
    fn the_stores_own_errors_are_found_by_their_words() {
        let run = RunId::new("r");
        let back = |error: StoreError, params: &[Param], single| {
            let (code, message) = (error.code(), error.to_string());
            of_params(&run, params, StoreError::Answered { code, message }, single)
        };
        let params = [Param::new("it's", "2"), Param::new("b", "x, y")];
        for single in [true, false] {
            let error = StoreError::ParamsChanged {
                run_id: run.clone(),
                changes: vec![ParamChange {
                    key: "it's".to_owned(),
                    old: "1".to_owned(),
                    new: "2".to_owned(),
                }],
                single,
            };
            let error = back(error, &params, single);
            assert!(matches!(error, StoreError::ParamsChanged { .. }), "{error}");
        }
        let gone = back(StoreError::not_found(Resource::Run, &run), &params, false);
        assert!(matches!(gone, StoreError::NotFound { .. }));
        let other = back(StoreError::invalid("else"), &params, false);
        assert!(matches!(other, StoreError::InvalidArgument { .. }));
    }
}
