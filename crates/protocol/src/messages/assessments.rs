//! Assessments of traces: `traces/{trace_id}/assessments`.

mod client;

use std::{borrow::Cow, collections::BTreeMap};

use runledger_entities::{
    Assessment, AssessmentError, AssessmentId, AssessmentSource, AssessmentValue, SourceType,
    TraceId,
};

pub use self::client::{create, expectation, feedback, read_one};
pub(super) use self::client::{read_answered, write_told};
use super::{Request, most};
use crate::{
    Input, RequestError,
    json::{
        decode::decode,
        field::{Field, Texts},
        message::messages,
        python::{self, AnyJson},
        time,
        write::{self, Object},
    },
};

/// The one form in which lists and objects are expected.
const JSON_FORMAT: &str = "JSON_FORMAT";

/// Characters of a stack trace that are shown, and what stands for the others.
const STACK_TRACE: usize = 10_000;
const CUT: &str = "[Stack trace is truncated]\n...\n";

messages! {
    /// `traces/{trace_id}/assessments`, and the answers with one assessment
    AssessmentMessage<const PAIRS> {
        assessment: AssessmentBody<PAIRS>,
    }
    /// `traces/{trace_id}/assessments/{assessment_id}`
    UpdateBody {
        assessment: AssessmentBody<{ most::PAIRS }>,
        update_mask: String,
    }
    /// An assessment.
    AssessmentBody<const PAIRS> {
        assessment_id: String,
        assessment_name: String,
        span_id: String,
        source: SourceBody,
        create_time: String,
        last_update_time: String,
        feedback: FeedbackBody,
        expectation: ExpectationBody,
        issue: IssueBody,
        rationale: String,
        metadata: Texts<PAIRS>,
        overrides: String,
        valid: bool,
    }
    /// Who gave it.
    SourceBody {
        source_type: SourceType,
        source_id: String,
    }
    /// Feedback.
    FeedbackBody {
        value: AnyJson,
        error: ErrorBody,
    }
    /// Why there is no feedback.
    ErrorBody {
        error_code: String,
        error_message: String,
        stack_trace: String,
    }
    /// An expectation.
    ExpectationBody {
        value: AnyJson,
        serialized_value: SerializedBody,
    }
    /// A list or an object that is expected.
    SerializedBody {
        serialization_format: String,
        value: String,
    }
    /// A known problem.
    IssueBody {
        issue_name: String,
    }
}

pub(crate) type CreateBody = AssessmentMessage<{ most::PAIRS }>;

/// Adds an assessment to a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateAssessment {
    /// The assessment, of no trace yet. Times that are 0 are not told.
    pub assessment: Assessment,
}

impl Request for CreateAssessment {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: CreateBody = decode(input)?;
        let assessment = body.assessment.required("assessment")?;
        Ok(Self {
            assessment: read(assessment, "assessment")?,
        })
    }
}

/// Changes an assessment: what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UpdateAssessment {
    /// The new name.
    pub name: Option<String>,
    /// The new value.
    pub value: Option<AssessmentValue>,
    /// The new rationale.
    pub rationale: Option<String>,
    /// Metadata to add.
    pub metadata: BTreeMap<String, String>,
}

impl Request for UpdateAssessment {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: UpdateBody = decode(input)?;
        let new = body.assessment.required("assessment")?;
        let mask = body.update_mask.required_text("update_mask")?;
        let paths: Vec<&str> = mask.split(',').map(str::trim).collect();
        let has = |snake: &str, camel: &str| paths.iter().any(|p| *p == snake || *p == camel);
        let mut update = Self::default();
        if has("assessment_name", "assessmentName") {
            update.name = Some(new.assessment_name.or_default("assessment_name")?);
        }
        let (feedback, expectation) = (has("feedback", ""), has("expectation", ""));
        if feedback && expectation {
            return Err(RequestError::rule(
                "Cannot specify both `expectation` and `feedback` parameters.",
            ));
        }
        if feedback {
            update.value = Some(feedback_of(new.feedback.or_default("feedback")?)?);
        }
        if expectation {
            update.value = Some(expectation_of(new.expectation.or_default("expectation")?)?);
        }
        if has("rationale", "") {
            update.rationale = Some(new.rationale.or_default("rationale")?);
        }
        if has("metadata", "") {
            update.metadata = new.metadata.or_default("metadata")?.0;
        }
        Ok(update)
    }
}

/// Reads the assessment of the field `name`.
pub(super) fn read<const PAIRS: usize>(
    body: AssessmentBody<PAIRS>,
    name: &str,
) -> Result<Assessment, RequestError> {
    let (feedback, expectation, issue) = (
        body.feedback.optional("feedback")?,
        body.expectation.optional("expectation")?,
        body.issue.optional("issue")?,
    );
    let value = match (feedback, expectation, issue) {
        (Some(feedback), None, None) => feedback_of(feedback)?,
        (None, Some(expectation), None) => expectation_of(expectation)?,
        (None, None, Some(issue)) => AssessmentValue::Issue {
            issue_name: issue.issue_name.or_default("issue_name")?,
        },
        (None, None, None) => {
            return Err(RequestError::rule("Unknown assessment type: None"));
        }
        _ => {
            return Err(RequestError::rule(format!(
                "The {name} has more than one of `feedback`, `expectation` and `issue`."
            )));
        }
    };
    let is_expectation = matches!(value, AssessmentValue::Expectation { .. });
    let source = body.source.or_default("source")?;
    let id = body.assessment_id.non_empty("assessment_id")?;
    let rationale = body.rationale.non_empty("rationale")?;
    Ok(Assessment {
        assessment_id: id.map_or_else(AssessmentId::random, AssessmentId::new),
        trace_id: TraceId::new(""),
        span_id: body.span_id.non_empty("span_id")?,
        name: body.assessment_name.or_default("assessment_name")?,
        source: AssessmentSource {
            source_type: source.source_type.or_default("source_type")?,
            source_id: source.source_id.non_empty("source_id")?,
        },
        value,
        // Expectations have none in MLflow.
        rationale: rationale.filter(|_| !is_expectation),
        metadata: body.metadata.or_default("metadata")?.0,
        create_time: time(body.create_time, "create_time")?,
        last_update_time: time(body.last_update_time, "last_update_time")?,
        overrides: body
            .overrides
            .non_empty("overrides")?
            .filter(|_| !is_expectation)
            .map(AssessmentId::new),
        valid: true,
    })
}

/// A time; 0 if it is not told.
fn time(field: Field<String>, name: &'static str) -> Result<i64, RequestError> {
    match field.non_empty(name)? {
        None => Ok(0),
        Some(text) => time::parse_timestamp(&text).ok_or_else(|| {
            RequestError::rule(format!("Invalid time '{text}' for parameter '{name}'."))
        }),
    }
}

fn feedback_of(body: FeedbackBody) -> Result<AssessmentValue, RequestError> {
    let error = match body.error.optional("error")? {
        None => None,
        Some(error) => Some(AssessmentError {
            error_code: error.error_code.or_default("error_code")?,
            error_message: error.error_message.non_empty("error_message")?,
            stack_trace: error.stack_trace.non_empty("stack_trace")?,
        }),
    };
    let value = body.value.optional("value")?;
    Ok(AssessmentValue::Feedback {
        json: value.map_or_else(|| "null".to_owned(), |value| value.0),
        error,
    })
}

fn expectation_of(body: ExpectationBody) -> Result<AssessmentValue, RequestError> {
    let json = match body.serialized_value.optional("serialized_value")? {
        Some(serialized) => {
            let format = serialized.serialization_format;
            let format = format.or_default("serialization_format")?;
            if format != JSON_FORMAT {
                return Err(RequestError::rule(format!(
                    "Unknown serialization format: {format}. Only JSON_FORMAT is supported."
                )));
            }
            let text = serialized.value.or_default("value")?;
            python::rewritten(&text).ok_or_else(|| {
                RequestError::rule("The `serialized_value` of an expectation is no JSON.")
            })?
        }
        None => body
            .value
            .optional("value")?
            .map_or_else(|| "null".to_owned(), |value| value.0),
    };
    if json == "null" {
        return Err(RequestError::rule("The `value` field must be specified."));
    }
    Ok(AssessmentValue::Expectation { json })
}

/// The answer to creating, getting and changing an assessment.
pub fn one(assessment: &Assessment) -> Vec<u8> {
    write::object(|o| o.object("assessment", |o| write_assessment(o, assessment)))
}

pub(super) fn write_assessment(o: &mut Object<'_>, assessment: &Assessment) {
    o.text("assessment_id", assessment.assessment_id.as_str());
    o.text("assessment_name", &assessment.name);
    o.text("trace_id", assessment.trace_id.as_str());
    o.maybe_text("span_id", assessment.span_id.as_deref());
    write_source(o, &assessment.source);
    o.text("create_time", &time::timestamp(assessment.create_time));
    let updated = time::timestamp(assessment.last_update_time);
    o.text("last_update_time", &updated);
    write_value(o, &assessment.value, shown_stack);
    o.maybe_text("rationale", assessment.rationale.as_deref());
    write_metadata(o, &assessment.metadata);
    let overrides = assessment.overrides.as_ref();
    o.maybe_text("overrides", overrides.map(AssessmentId::as_str));
    o.flag("valid", assessment.valid);
    if let AssessmentValue::Issue { issue_name } = &assessment.value {
        o.object("issue", |o| o.text("issue_name", issue_name));
    }
}

fn write_source(o: &mut Object<'_>, source: &AssessmentSource) {
    o.object("source", |o| {
        o.text("source_type", source.source_type.name());
        o.maybe_text("source_id", source.source_id.as_deref());
    });
}

fn write_metadata(o: &mut Object<'_>, metadata: &BTreeMap<String, String>) {
    let pairs = metadata.iter();
    o.map("metadata", pairs.map(|(key, value)| (&**key, &**value)));
}

/// Feedback or an expectation; an issue has its place elsewhere.
fn write_value(
    o: &mut Object<'_>,
    value: &AssessmentValue,
    stack: for<'t> fn(&'t str) -> Cow<'t, str>,
) {
    match value {
        AssessmentValue::Feedback { json, error } => o.object("feedback", |o| {
            // Numbers are doubles in protobuf.
            o.raw("value", as_doubles(json).as_bytes());
            if let Some(error) = error {
                o.object("error", |o| write_error(o, error, stack));
            }
        }),
        AssessmentValue::Expectation { json } => o.object("expectation", |o| {
            if json.starts_with(['[', '{']) {
                o.object("serialized_value", |o| {
                    o.text("serialization_format", JSON_FORMAT);
                    o.text("value", json);
                });
            } else {
                o.raw("value", as_doubles(json).as_bytes());
            }
        }),
        AssessmentValue::Issue { .. } => {}
    }
}

fn as_doubles(json: &str) -> String {
    python::rewritten_as_doubles(json).unwrap_or_else(|| "null".to_owned())
}

fn write_error(
    o: &mut Object<'_>,
    error: &AssessmentError,
    stack: for<'t> fn(&'t str) -> Cow<'t, str>,
) {
    o.text("error_code", &error.error_code);
    o.maybe_text("error_message", error.error_message.as_deref());
    if let Some(trace) = &error.stack_trace {
        o.text("stack_trace", &stack(trace));
    }
}

/// The end of a stack trace that is too long to be shown.
fn shown_stack(trace: &str) -> Cow<'_, str> {
    let length = trace.chars().count();
    if length <= STACK_TRACE {
        return trace.into();
    }
    let kept = STACK_TRACE - CUT.chars().count();
    let end: String = trace.chars().skip(length - kept).collect();
    format!("{CUT}{end}").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn created(body: &str) -> Result<Assessment, RequestError> {
        let body = format!("{{\"assessment\": {body}}}");
        CreateAssessment::decode(Input::Body(body.as_bytes())).map(|request| request.assessment)
    }

    #[test]
    fn values_are_kept_as_python_writes_them() {
        for (body, json) in [
            (r#"{"feedback": {"value": 5}}"#, "5.0"),
            (r#"{"feedback": {"value": null}}"#, "null"),
            (r#"{"feedback": {}}"#, "null"),
            (
                r#"{"feedback": {"value": {"a":1,"z":["é"]}}}"#,
                r#"{"a": 1.0, "z": ["\u00e9"]}"#,
            ),
        ] {
            let AssessmentValue::Feedback { json: kept, .. } = created(body).unwrap().value else {
                panic!("{body}");
            };
            assert_eq!(kept, json);
        }
        let serialized = r#"{"rationale": "r", "expectation": {"serialized_value":
            {"serialization_format": "JSON_FORMAT", "value": "{\"a\":1}"}}}"#;
        let assessment = created(serialized).unwrap();
        let json = "{\"a\": 1}".to_owned();
        assert_eq!(assessment.value, AssessmentValue::Expectation { json });
        assert_eq!(assessment.rationale, None);
    }

    #[test]
    fn an_assessment_has_one_value() {
        for (body, message) in [
            ("{}", "Unknown assessment type: None"),
            (
                r#"{"expectation": {}}"#,
                "The `value` field must be specified.",
            ),
            (
                r#"{"expectation": {"serialized_value": {"serialization_format": "X"}}}"#,
                "Unknown serialization format: X. Only JSON_FORMAT is supported.",
            ),
        ] {
            assert_eq!(created(body).unwrap_err().to_string(), message);
        }
        assert!(created(r#"{"feedback": {}, "expectation": {"value": 1}}"#).is_err());
    }

    #[test]
    fn only_what_the_mask_names_changes() {
        let body = br#"{"assessment": {"rationale": "r", "feedback": {"value": "v"}},
            "update_mask": "assessmentName,rationale"}"#;
        let update = UpdateAssessment::decode(Input::Body(body)).unwrap();
        assert_eq!(update.name.as_deref(), Some(""));
        assert_eq!(update.rationale.as_deref(), Some("r"));
        assert_eq!(update.value, None);
    }
}
