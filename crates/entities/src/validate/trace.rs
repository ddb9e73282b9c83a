//! Names and values of traces and assessments.

use super::{InvalidValue, LongValues, length, name, truncate};
use crate::{Assessment, Tag, TraceInfo, limits, trace_keys};

/// Checks a tag of a trace, and cuts its value to the limit.
pub fn trace_tag(tag: &mut Tag, long: LongValues) -> Result<(), InvalidValue> {
    name("key", &tag.key)?;
    length("key", &tag.key, limits::KEY)?;
    truncate("value", &mut tag.value, limits::TRACE_TAG_VALUE, long)
}

/// Checks the name of a trace.
pub fn trace_name(name: &str) -> Result<(), InvalidValue> {
    length("Trace name", name, limits::TRACE_TAG_VALUE)
}

/// Checks the id of a session.
pub fn session_id(id: &str) -> Result<(), InvalidValue> {
    length("Session ID", id, limits::TRACE_METADATA_VALUE)
}

/// Checks the id that a client gave a trace.
fn trace_id(id: &str) -> Result<(), InvalidValue> {
    length("trace_id", id, limits::TRACE_ID)?;
    let odd = |c: char| c.is_control() || matches!(c, '/' | '\\' | '?' | '#' | '%');
    if id == "." || id == ".." || id.contains(odd) {
        return Err(InvalidValue::TraceId { id: id.to_owned() });
    }
    Ok(())
}

/// Checks what a client says about a trace.
pub fn trace_info(info: &TraceInfo) -> Result<(), InvalidValue> {
    if let Some(name) = info.tags.get(trace_keys::NAME) {
        trace_name(name)?;
    }
    trace_metadata(info.metadata.get(trace_keys::SESSION).map(String::as_str))?;
    trace_id(info.trace_id.as_str())?;
    if let Some(id) = &info.client_request_id {
        length("client_request_id", id, limits::TRACE_ID)?;
    }
    for (parameter, preview) in [
        ("request_preview", &info.request_preview),
        ("response_preview", &info.response_preview),
    ] {
        if let Some(preview) = preview {
            length(parameter, preview, limits::TRACE_PREVIEW)?;
        }
    }
    info.assessments.iter().try_for_each(assessment)
}

/// Checks the session that metadata may name.
pub fn trace_metadata(session: Option<&str>) -> Result<(), InvalidValue> {
    session.map_or(Ok(()), session_id)
}

/// Checks an assessment: what MLflow's columns cannot keep is refused.
pub fn assessment(assessment: &Assessment) -> Result<(), InvalidValue> {
    let id = assessment.assessment_id.as_str();
    length("assessment_id", id, limits::TRACE_ID)?;
    length("assessment_name", &assessment.name, limits::ASSESSMENT_NAME)?;
    if let Some(id) = &assessment.source.source_id {
        length("source_id", id, limits::ASSESSMENT_NAME)?;
    }
    if let Some(id) = &assessment.span_id {
        length("span_id", id, limits::TRACE_ID)?;
    }
    if let Some(id) = &assessment.overrides {
        length("overrides", id.as_str(), limits::TRACE_ID)?;
    }
    Ok(())
}

/// Refuses to change tags that only the server sets.
pub fn trace_tag_may_change(key: &str, deleted: bool) -> Result<(), InvalidValue> {
    let fixed = match key {
        trace_keys::SPANS_LOCATION | trace_keys::ARCHIVE_LOCATION => true,
        // Taking this one away asks for another attempt.
        trace_keys::ARCHIVAL_FAILURE => !deleted,
        _ => false,
    };
    if !fixed {
        return Ok(());
    }
    Err(InvalidValue::ImmutableTraceTag {
        key: key.to_owned(),
        operation: if deleted { "deleted" } else { "set" },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_nowhere_else() {
        assert!(trace_id("tr-0123456789abcdef").is_ok());
        assert!(trace_id("a:b.c_d e").is_ok());
        for id in [".", "..", "a/b", "a\\b", "a?b", "a#b", "a%2fb", "a\n"] {
            assert!(trace_id(id).is_err(), "{id:?}");
        }
    }

    #[test]
    fn the_value_of_a_tag_is_cut_and_its_key_is_not() {
        let mut tag = Tag::new("k", "x".repeat(5000));
        trace_tag(&mut tag, LongValues::Truncate).unwrap();
        assert_eq!(tag.value.len(), 4096);
        let mut tag = Tag::new("k".repeat(251), "");
        assert_eq!(
            trace_tag(&mut tag, LongValues::Truncate)
                .unwrap_err()
                .to_string(),
            "'key' exceeds the maximum length of 250 characters"
        );
    }

    #[test]
    fn tags_of_the_server_stay_as_they_are() {
        let refused = trace_tag_may_change(trace_keys::SPANS_LOCATION, false);
        assert_eq!(
            refused.unwrap_err().to_string(),
            "Tag 'mlflow.trace.spansLocation' is immutable and cannot be set on a trace."
        );
        assert!(trace_tag_may_change(trace_keys::ARCHIVAL_FAILURE, true).is_ok());
        assert!(trace_tag_may_change(trace_keys::ARCHIVAL_FAILURE, false).is_err());
        assert!(trace_tag_may_change("k", false).is_ok());
    }
}
