//! What a client sends about assessments, and reads of them.

use std::borrow::Cow;

use runledger_entities::{Assessment, AssessmentId, AssessmentValue, TraceId};

use super::{
    AssessmentBody, AssessmentMessage, UpdateAssessment, as_doubles, most, read, write_metadata,
    write_source, write_value,
};
use crate::{
    Input, RequestError,
    json::{
        decode::decode,
        python, time,
        write::{self, Object},
    },
};

/// Feedback of this value, as MLflow keeps it: all numbers are floats.
pub fn feedback(value: &serde_json::Value) -> AssessmentValue {
    AssessmentValue::Feedback {
        json: as_doubles(&value.to_string()),
        error: None,
    }
}

/// The expectation of this value, as MLflow keeps it: a number by itself is a float.
pub fn expectation(value: &serde_json::Value) -> AssessmentValue {
    let text = value.to_string();
    let json = if value.is_array() || value.is_object() {
        python::rewritten(&text).unwrap_or(text)
    } else {
        as_doubles(&text)
    };
    AssessmentValue::Expectation { json }
}

/// The request that adds an assessment to its trace. Times that are 0 are not told.
pub fn create(assessment: &Assessment) -> Vec<u8> {
    write::object(|o| o.object("assessment", |o| write_told(o, assessment)))
}

/// An assessment as a client tells it: whole, and without what is the server's to say.
pub(in super::super) fn write_told(o: &mut Object<'_>, assessment: &Assessment) {
    o.text("assessment_id", assessment.assessment_id.as_str());
    o.text("assessment_name", &assessment.name);
    o.text("trace_id", assessment.trace_id.as_str());
    o.maybe_text("span_id", assessment.span_id.as_deref());
    write_source(o, &assessment.source);
    for (name, time) in [
        ("create_time", assessment.create_time),
        ("last_update_time", assessment.last_update_time),
    ] {
        if time != 0 {
            o.text(name, &time::timestamp(time));
        }
    }
    write_value(o, &assessment.value, whole);
    if let AssessmentValue::Issue { issue_name } = &assessment.value {
        o.object("issue", |o| o.text("issue_name", issue_name));
    }
    o.maybe_text("rationale", assessment.rationale.as_deref());
    write_metadata(o, &assessment.metadata);
    let overrides = assessment.overrides.as_ref();
    o.maybe_text("overrides", overrides.map(AssessmentId::as_str));
}

/// A stack trace is sent whole, and cut where it is shown.
fn whole(stack: &str) -> Cow<'_, str> {
    Cow::Borrowed(stack)
}

impl UpdateAssessment {
    /// The request that changes an assessment so. The value of an issue cannot be sent.
    ///
    /// A change of nothing adds no metadata: servers refuse one that names no part.
    pub fn write(&self) -> Vec<u8> {
        let mut mask = Vec::new();
        if self.name.is_some() {
            mask.push("assessmentName");
        }
        match &self.value {
            Some(AssessmentValue::Feedback { .. }) => mask.push("feedback"),
            Some(AssessmentValue::Expectation { .. }) => mask.push("expectation"),
            Some(AssessmentValue::Issue { .. }) | None => {}
        }
        if self.rationale.is_some() {
            mask.push("rationale");
        }
        if !self.metadata.is_empty() || mask.is_empty() {
            mask.push("metadata");
        }
        write::object(|o| {
            o.object("assessment", |o| {
                o.maybe_text("assessment_name", self.name.as_deref());
                if let Some(value) = &self.value {
                    write_value(o, value, whole);
                }
                o.maybe_text("rationale", self.rationale.as_deref());
                write_metadata(o, &self.metadata);
            });
            o.text("update_mask", &mask.join(","));
        })
    }
}

/// Reads an answer with one assessment of this trace.
///
/// # Errors
/// What of the answer is not as it should be.
pub fn read_one(answer: &[u8], trace: &TraceId) -> Result<Assessment, RequestError> {
    let body: AssessmentMessage<{ most::OF_ANSWER }> = decode(Input::Body(answer))?;
    read_answered(body.assessment.required("assessment")?, trace)
}

pub(in super::super) fn read_answered(
    mut body: AssessmentBody<{ most::OF_ANSWER }>,
    trace: &TraceId,
) -> Result<Assessment, RequestError> {
    let valid = std::mem::take(&mut body.valid).optional("valid")?;
    let mut assessment = read(body, "assessment")?;
    assessment.trace_id = trace.clone();
    assessment.valid = valid.unwrap_or(true);
    Ok(assessment)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use runledger_entities::{AssessmentError, AssessmentSource, SourceType};

    use super::*;
    use crate::messages::{Request, assessments};

    fn given(value: AssessmentValue) -> Assessment {
        Assessment {
            assessment_id: AssessmentId::new("a-1"),
            trace_id: TraceId::new("tr-1"),
            span_id: Some("s".to_owned()),
            name: "q".to_owned(),
            source: AssessmentSource {
                source_type: SourceType::LlmJudge,
                source_id: Some("judge".to_owned()),
            },
            value,
            rationale: None,
            metadata: BTreeMap::from([("k".to_owned(), "v".to_owned())]),
            create_time: 5,
            last_update_time: 6,
            overrides: None,
            valid: false,
        }
    }

    fn values() -> [AssessmentValue; 4] {
        let json = |text: &str| text.to_owned();
        [
            AssessmentValue::Feedback {
                json: json("{\"z\": 1.0, \"a\": [\"\\u00e9\"]}"),
                error: None,
            },
            AssessmentValue::Feedback {
                json: json("null"),
                error: Some(AssessmentError {
                    error_code: "X".to_owned(),
                    error_message: None,
                    stack_trace: Some("s".repeat(20_000)),
                }),
            },
            AssessmentValue::Expectation {
                json: json("{\"a\": 1}"),
            },
            AssessmentValue::Issue {
                issue_name: "bad".to_owned(),
            },
        ]
    }

    #[test]
    fn what_a_client_sends_is_what_a_server_reads() {
        for value in values() {
            let mut told = given(value);
            let body = create(&told);
            let read = assessments::CreateAssessment::decode(Input::Body(&body)).unwrap();
            // These two are the server's to say.
            told.valid = true;
            told.trace_id = TraceId::new("");
            assert_eq!(read.assessment, told);
        }
        let mut at_some_time = given(values()[0].clone());
        (at_some_time.create_time, at_some_time.last_update_time) = (0, 0);
        let body = String::from_utf8(create(&at_some_time)).unwrap();
        assert!(!body.contains("_time"), "{body}");
    }

    #[test]
    fn what_a_server_answers_is_what_a_client_reads() {
        for value in values() {
            let mut kept = given(value);
            let answer = assessments::one(&kept);
            let read = read_one(&answer, &kept.trace_id).unwrap();
            if let AssessmentValue::Feedback {
                error: Some(error), ..
            } = &mut kept.value
            {
                // It is shown cut.
                error.stack_trace = None;
                continue;
            }
            assert_eq!(read, kept);
        }
    }

    #[test]
    fn values_are_those_that_mlflow_keeps() {
        let value = serde_json::json!({"a": [1, "é"]});
        let of = |value: AssessmentValue| match value {
            AssessmentValue::Feedback { json, .. } | AssessmentValue::Expectation { json } => json,
            AssessmentValue::Issue { .. } => panic!("no issue was asked for"),
        };
        assert_eq!(of(feedback(&value)), r#"{"a": [1.0, "\u00e9"]}"#);
        assert_eq!(of(expectation(&value)), r#"{"a": [1, "\u00e9"]}"#);
        assert_eq!(of(expectation(&5.into())), "5.0");
        assert_eq!(of(feedback(&true.into())), "true");
    }

    #[test]
    fn a_change_names_its_parts() {
        let [feedback, _, expectation, _] = values();
        for update in [
            UpdateAssessment {
                name: Some("n".to_owned()),
                value: Some(feedback),
                ..UpdateAssessment::default()
            },
            UpdateAssessment {
                value: Some(expectation),
                rationale: Some(String::new()),
                metadata: BTreeMap::from([("k".to_owned(), String::new())]),
                ..UpdateAssessment::default()
            },
            UpdateAssessment::default(),
        ] {
            let body = update.write();
            assert_eq!(UpdateAssessment::decode(Input::Body(&body)), Ok(update));
        }
    }
}
