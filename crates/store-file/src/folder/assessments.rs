//! The assessments of a trace (MLflow 3.x): `assessments/<id>.yaml` each.

use std::collections::BTreeMap;

use runledger_entities::{
    Assessment, AssessmentError, AssessmentId, AssessmentSource, AssessmentValue, SourceType,
    TraceId, time,
};
use serde_json::Value;

use super::json::{json_of, yaml_of};
use super::meta::{self, Fields};
use crate::FolderError;
use crate::layout::{TraceFolder, text_id};
use crate::write::{self, Sync};
use crate::yaml::{MAX_DEPTH, Map, Yaml};

const ASSESSMENTS: &str = "assessments";
const SUFFIX: &str = ".yaml";

/// Where an assessment lies in the folder of its trace.
fn path_of(id: &AssessmentId) -> Result<String, FolderError> {
    text_id("assessment", id.as_str())?;
    Ok(format!("{ASSESSMENTS}/{id}{SUFFIX}"))
}

/// All assessments of a trace, in the order they were given. One that cannot be read
/// is passed over.
pub(super) fn read_all(
    trace: &TraceFolder,
    buffer: &mut Vec<u8>,
) -> Result<Vec<Assessment>, FolderError> {
    let mut ids = Vec::new();
    trace.folder.walk(ASSESSMENTS, &mut |entry| {
        ids.extend(entry.key.strip_suffix(SUFFIX).map(AssessmentId::new));
        Ok(())
    })?;
    let mut all = Vec::with_capacity(ids.len());
    for id in ids {
        match read_assessment(trace, &id, buffer) {
            Ok(assessment) => all.push(assessment),
            // Deleted meanwhile.
            Err(error) if error.is_missing() => {}
            Err(error) => tracing::warn!(%error, "an assessment is passed over"),
        }
    }
    all.sort_by(|a, b| {
        let place = |it: &Assessment| (it.create_time, it.assessment_id.as_str().to_owned());
        place(a).cmp(&place(b))
    });
    Ok(all)
}

/// An assessment.
pub(crate) fn read_assessment(
    trace: &TraceFolder,
    id: &AssessmentId,
    buffer: &mut Vec<u8>,
) -> Result<Assessment, FolderError> {
    let path = path_of(id)?;
    meta::patiently(&trace.folder, &path, || {
        let map = meta::read(&trace.folder, &path, buffer)?;
        let fields = Fields {
            map: &map,
            folder: &trace.folder,
            path: &path,
        };
        from_map(&fields, &trace.trace_id, id)
    })
}

fn from_map(
    fields: &Fields<'_>,
    trace: &TraceId,
    id: &AssessmentId,
) -> Result<Assessment, FolderError> {
    let time_of = |key: &'static str| {
        let text = fields.text(key)?;
        time::parse_timestamp(&text).ok_or_else(|| fields.wrong(key, format!("is '{text}'")))
    };
    let valid = match fields.map.get("valid") {
        Some(Yaml::Bool(valid)) => *valid,
        _ => true,
    };
    let create_time = time_of("create_time")?;
    Ok(Assessment {
        assessment_id: id.clone(),
        trace_id: trace.clone(),
        span_id: fields.optional_text("span_id")?,
        name: fields.text("assessment_name")?,
        source: source_of(fields.map),
        value: value_of(fields)?,
        rationale: fields.optional_text("rationale")?,
        metadata: texts(fields.map.get("metadata")),
        create_time,
        last_update_time: time_of("last_update_time")?,
        overrides: fields.optional_text("overrides")?.map(AssessmentId::new),
        valid,
    })
}

fn member<'a>(map: &'a Map, key: &str) -> Option<&'a Map> {
    match map.get(key) {
        Some(Yaml::Map(map)) => Some(map),
        _ => None,
    }
}

fn text_in(map: &Map, key: &str) -> Option<String> {
    map.get(key).and_then(meta::text_of)
}

fn texts(value: Option<&Yaml>) -> BTreeMap<String, String> {
    let Some(Yaml::Map(map)) = value else {
        return BTreeMap::new();
    };
    let texts = map.iter().map(|(key, value)| {
        let text = meta::text_of(value).unwrap_or_else(|| json_of(value));
        (key.clone(), text)
    });
    texts.collect()
}

fn source_of(map: &Map) -> AssessmentSource {
    let Some(source) = member(map, "source") else {
        return AssessmentSource::default();
    };
    let name = text_in(source, "source_type").unwrap_or_default();
    AssessmentSource {
        source_type: SourceType::from_name(&name).unwrap_or_default(),
        source_id: text_in(source, "source_id"),
    }
}

fn value_of(fields: &Fields<'_>) -> Result<AssessmentValue, FolderError> {
    if let Some(expectation) = member(fields.map, "expectation") {
        let serialized = member(expectation, "serialized_value");
        let json = match serialized.and_then(|it| text_in(it, "value")) {
            Some(json) => json,
            None => json_of(expectation.get("value").unwrap_or(&Yaml::Null)),
        };
        return Ok(AssessmentValue::Expectation { json });
    }
    if let Some(feedback) = member(fields.map, "feedback") {
        return Ok(AssessmentValue::Feedback {
            json: json_of(feedback.get("value").unwrap_or(&Yaml::Null)),
            error: member(feedback, "error").map(|error| AssessmentError {
                error_code: text_in(error, "error_code").unwrap_or_default(),
                error_message: text_in(error, "error_message"),
                stack_trace: text_in(error, "stack_trace"),
            }),
        });
    }
    match member(fields.map, "issue") {
        Some(issue) => Ok(AssessmentValue::Issue {
            issue_name: text_in(issue, "issue_name").unwrap_or_default(),
        }),
        None => Err(fields.wrong(
            "assessment_name",
            "has no `feedback`, `expectation` or `issue` beside it",
        )),
    }
}

/// Writes an assessment in the place of one of the same id.
pub(crate) fn put_assessment(
    trace: &TraceFolder,
    assessment: &Assessment,
    sync: Sync,
) -> Result<(), FolderError> {
    let path = path_of(&assessment.assessment_id)?;
    let map = to_map(assessment);
    // What could not be read again is not written.
    if map.values().map(depth).max() >= Some(MAX_DEPTH) {
        return Err(FolderError::TooDeep {
            path: trace.folder.path_of(&path),
        });
    }
    meta::replace(&trace.folder, &path, &map, sync)
}

fn depth(value: &Yaml) -> usize {
    match value {
        Yaml::Map(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        Yaml::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Deletes an assessment, if it is there.
pub(crate) fn delete_assessment(
    trace: &TraceFolder,
    id: &AssessmentId,
    sync: Sync,
) -> Result<(), FolderError> {
    write::remove(&trace.folder, &path_of(id)?, sync)?;
    // The last one takes the folder along, as in MLflow; it fails where there are more.
    let _ = trace.folder.dir().remove_dir(ASSESSMENTS);
    Ok(())
}

fn to_map(assessment: &Assessment) -> Map {
    let mut map = Map::new();
    let mut put = |key: &str, value: Yaml| map.insert(key.to_owned(), value);
    put("assessment_id", assessment.assessment_id.as_str().into());
    put("assessment_name", assessment.name.as_str().into());
    let times = [
        ("create_time", assessment.create_time),
        ("last_update_time", assessment.last_update_time),
    ];
    for (key, time) in times {
        put(key, Yaml::Str(time::timestamp(time)));
    }
    let source = &assessment.source;
    let source_id = source.source_id.as_deref().map(Yaml::from);
    let source_type = Some(source.source_type.name().into());
    let source = some([("source_id", source_id), ("source_type", source_type)]);
    put("source", source);
    put("trace_id", assessment.trace_id.as_str().into());
    put("valid", Yaml::Bool(assessment.valid));
    let (kind, value) = of_value(&assessment.value);
    put(kind, value);
    let texts = [
        ("rationale", assessment.rationale.as_deref()),
        ("span_id", assessment.span_id.as_deref()),
        (
            "overrides",
            assessment.overrides.as_ref().map(AssessmentId::as_str),
        ),
    ];
    for (key, text) in texts {
        if let Some(text) = text {
            put(key, text.into());
        }
    }
    if !assessment.metadata.is_empty() {
        let metadata = assessment.metadata.iter();
        let metadata = metadata.map(|(key, value)| (key.clone(), value.as_str().into()));
        put("metadata", Yaml::Map(metadata.collect()));
    }
    map
}

/// A mapping of the members that there are.
fn some<const N: usize>(members: [(&str, Option<Yaml>); N]) -> Yaml {
    let members = members.into_iter();
    let members = members.filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Yaml::Map(members.collect())
}

fn of_value(value: &AssessmentValue) -> (&'static str, Yaml) {
    match value {
        AssessmentValue::Feedback { json, error } => {
            let error = error.as_ref().map(|error| {
                let code = Some(error.error_code.as_str().into());
                some([
                    ("error_code", code),
                    (
                        "error_message",
                        error.error_message.as_deref().map(Yaml::from),
                    ),
                    ("stack_trace", error.stack_trace.as_deref().map(Yaml::from)),
                ])
            });
            let value = some([("error", error), ("value", Some(yaml_of(json)))]);
            ("feedback", value)
        }
        AssessmentValue::Expectation { json } => {
            let is_plain = !matches!(
                serde_json::from_str(json),
                Ok(Value::Object(_) | Value::Array(_))
            );
            let value = if is_plain {
                some([("value", Some(yaml_of(json)))])
            } else {
                let serialized = some([
                    ("serialization_format", Some("JSON_FORMAT".into())),
                    ("value", Some(json.as_str().into())),
                ]);
                some([("serialized_value", Some(serialized))])
            };
            ("expectation", value)
        }
        AssessmentValue::Issue { issue_name } => {
            let name = Some(issue_name.as_str().into());
            ("issue", some([("issue_name", name)]))
        }
    }
}
