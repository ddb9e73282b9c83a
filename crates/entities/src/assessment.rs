//! Assessments: what people, judges and code think of a trace, or expect of it.

use std::collections::BTreeMap;

use crate::{AssessmentId, TraceId};

/// Who gave an assessment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SourceType {
    /// Nobody said.
    #[default]
    Unspecified,
    /// A person.
    Human,
    /// A model that judges.
    LlmJudge,
    /// A program.
    Code,
}

impl SourceType {
    /// The name in the API and in MLflow's database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "SOURCE_TYPE_UNSPECIFIED",
            Self::Human => "HUMAN",
            Self::LlmJudge => "LLM_JUDGE",
            Self::Code => "CODE",
        }
    }

    /// The source of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "SOURCE_TYPE_UNSPECIFIED" => Some(Self::Unspecified),
            "HUMAN" => Some(Self::Human),
            // The name until MLflow 3.0.
            "LLM_JUDGE" | "AI_JUDGE" => Some(Self::LlmJudge),
            "CODE" => Some(Self::Code),
            _ => None,
        }
    }
}

/// Who gave an assessment, and which of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssessmentSource {
    /// What gave it.
    pub source_type: SourceType,
    /// The name of the person, the judge or the program.
    pub source_id: Option<String>,
}

/// Why there is no feedback.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssessmentError {
    /// A short name of what went wrong.
    pub error_code: String,
    /// What went wrong.
    pub error_message: Option<String>,
    /// Where.
    pub stack_trace: Option<String>,
}

/// What is assessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AssessmentKind {
    /// How good the trace is.
    Feedback,
    /// What the trace should have come to.
    Expectation,
    /// A known problem that the trace shows.
    Issue,
}

impl AssessmentKind {
    /// The name in MLflow's database and in filters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Feedback => "feedback",
            Self::Expectation => "expectation",
            Self::Issue => "issue",
        }
    }
}

/// The value of an assessment. Texts named `json` are JSON as Python writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AssessmentValue {
    /// How good the trace is.
    Feedback {
        /// Any value, or `null`.
        json: String,
        /// Why there is none.
        error: Option<AssessmentError>,
    },
    /// What the trace should have come to.
    Expectation {
        /// Any value but `null`.
        json: String,
    },
    /// A known problem, whose id is the assessment's name.
    Issue {
        /// The name of the problem.
        issue_name: String,
    },
}

impl AssessmentValue {
    /// What is assessed.
    pub fn kind(&self) -> AssessmentKind {
        match self {
            Self::Feedback { .. } => AssessmentKind::Feedback,
            Self::Expectation { .. } => AssessmentKind::Expectation,
            Self::Issue { .. } => AssessmentKind::Issue,
        }
    }
}

/// What somebody thinks of a trace, or expects of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessment {
    /// Its id.
    pub assessment_id: AssessmentId,
    /// The trace.
    pub trace_id: TraceId,
    /// The span that it is about; absent if it is about the trace.
    pub span_id: Option<String>,
    /// What is assessed, such as `correctness`.
    pub name: String,
    /// Who says so.
    pub source: AssessmentSource,
    /// What they say.
    pub value: AssessmentValue,
    /// Why they say so.
    pub rationale: Option<String>,
    /// Anything else.
    pub metadata: BTreeMap<String, String>,
    /// When it was given, in milliseconds since the epoch.
    pub create_time: i64,
    /// When it was last changed, likewise.
    pub last_update_time: i64,
    /// The assessment that it takes the place of.
    pub overrides: Option<AssessmentId>,
    /// Whether no other assessment took its place.
    pub valid: bool,
}
