//! Traces: what one request to an application did, span by span.

use std::{collections::BTreeMap, fmt};

use crate::{Assessment, ExperimentId, StoredSpan, TraceId};

/// Keys of tags and of metadata that have a meaning.
pub mod trace_keys {
    /// The tag that holds the trace's name.
    pub const NAME: &str = "mlflow.traceName";
    /// The tag that says where the trace keeps its files.
    pub const ARTIFACT_LOCATION: &str = "mlflow.artifactLocation";
    /// The tag that says where the spans are.
    pub const SPANS_LOCATION: &str = "mlflow.trace.spansLocation";
    /// The value of [`SPANS_LOCATION`] for spans beside the trace.
    pub const IN_STORE: &str = "TRACKING_STORE";
    /// The value of [`SPANS_LOCATION`] for spans that MLflow moved to an archive.
    pub const IN_ARCHIVE: &str = "ARCHIVE_REPO";
    /// The tag that says where an archive is.
    pub const ARCHIVE_LOCATION: &str = "mlflow.trace.archiveLocation";
    /// The tag that says why a trace was not moved to the archive.
    pub const ARCHIVAL_FAILURE: &str = "mlflow.trace.archivalFailure";
    /// The tag that lists prompts; searches find them by their links.
    pub const LINKED_PROMPTS: &str = "mlflow.linkedPrompts";
    /// The metadata that names the run in which the trace began.
    pub const SOURCE_RUN: &str = "mlflow.sourceRun";
    /// The metadata that names the session.
    pub const SESSION: &str = "mlflow.trace.session";
    /// The metadata that names the user of the application.
    pub const USER: &str = "mlflow.trace.user";
    /// The metadata with the tokens that the trace used, as JSON.
    pub const TOKEN_USAGE: &str = "mlflow.trace.tokenUsage";
    /// The metadata with what the trace cost, as JSON.
    pub const COST: &str = "mlflow.trace.cost";
    /// The metadata with the number of spans, as JSON.
    pub const SIZE_STATS: &str = "mlflow.trace.sizeStats";
    /// The metadata of a trace whose client has told all about it.
    pub const FINALIZED: &str = "mlflow.trace.infoFinalized";
    /// The metadata of an assessment that names the run it was made in.
    pub const ASSESSMENT_RUN: &str = "mlflow.assessment.sourceRunId";
}

/// What became of a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TraceState {
    /// Nobody said.
    #[default]
    Unspecified,
    /// It ended well.
    Ok,
    /// It ended with an error.
    Error,
    /// It goes on.
    InProgress,
}

impl TraceState {
    /// The name as in MLflow's database and in the API since 3.0.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "STATE_UNSPECIFIED",
            Self::Ok => "OK",
            Self::Error => "ERROR",
            Self::InProgress => "IN_PROGRESS",
        }
    }

    /// The name in the API of MLflow 2.x.
    pub fn status_name(self) -> &'static str {
        match self {
            Self::Unspecified => "TRACE_STATUS_UNSPECIFIED",
            named => named.name(),
        }
    }

    /// The state of a name, of either API.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "STATE_UNSPECIFIED" | "TRACE_STATUS_UNSPECIFIED" => Some(Self::Unspecified),
            "OK" => Some(Self::Ok),
            "ERROR" => Some(Self::Error),
            "IN_PROGRESS" => Some(Self::InProgress),
            _ => None,
        }
    }

    /// Whether spans that come later may still say what became of the trace.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Unspecified | Self::InProgress)
    }
}

impl fmt::Display for TraceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is known about a trace as a whole.
///
/// The session, the tokens and the cost are in the metadata, however a store
/// keeps them; the name is in the tags.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceInfo {
    /// Its id.
    pub trace_id: TraceId,
    /// The experiment that it belongs to.
    pub experiment_id: ExperimentId,
    /// When it began, in milliseconds since the epoch.
    pub request_time: i64,
    /// How long it took, in milliseconds; absent while it goes on.
    pub execution_duration: Option<i64>,
    /// What became of it.
    pub state: TraceState,
    /// The id that the client gave to the request.
    pub client_request_id: Option<String>,
    /// The beginning of the request, as JSON or as the text of a chat message.
    pub request_preview: Option<String>,
    /// The beginning of the response, likewise.
    pub response_preview: Option<String>,
    /// What does not change, such as the run in which it began.
    pub metadata: BTreeMap<String, String>,
    /// What may change.
    pub tags: BTreeMap<String, String>,
    /// What people, judges and code think of it.
    pub assessments: Vec<Assessment>,
}

impl TraceInfo {
    /// Whether the spans are kept beside the trace, and not among its files.
    pub fn has_spans_in_store(&self) -> bool {
        self.tags
            .get(trace_keys::SPANS_LOCATION)
            .is_some_and(|location| location == trace_keys::IN_STORE)
    }
}

/// A trace with its spans.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// What is known about it.
    pub info: TraceInfo,
    /// Its spans: those without a parent first, then in the order they began.
    pub spans: Vec<StoredSpan>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_has_a_name_in_both_apis() {
        for state in [
            TraceState::Unspecified,
            TraceState::Ok,
            TraceState::Error,
            TraceState::InProgress,
        ] {
            assert_eq!(TraceState::from_name(state.name()), Some(state));
            assert_eq!(TraceState::from_name(state.status_name()), Some(state));
        }
        assert_eq!(TraceState::from_name("ok"), None);
    }
}
