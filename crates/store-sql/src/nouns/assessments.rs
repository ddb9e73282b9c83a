//! Assessments of traces.

use std::collections::{BTreeMap, HashMap};

use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use runledger_entities::{
    Assessment, AssessmentError, AssessmentId, AssessmentSource, AssessmentValue, SourceType,
    TraceId, quote, trace_keys,
};
use runledger_store::{AssessmentPatch, Resource, StoreError};
use serde_json::{Value, json};

use super::OrStoreError as _;
use crate::{connection::Connection, migrate::python, sql::Sql};

/// The columns that [`Row`] reads.
const COLUMNS: &str = "assessment_id, trace_id, name, assessment_type, value, error, \
    created_timestamp, last_updated_timestamp, source_type, source_id, span_id, rationale, \
    overrides, valid, assessment_metadata";

pub(super) type Columns = (
    (Text, Text, Text, Text, Text),
    (Nullable<Text>, BigInt, BigInt, Text, Nullable<Text>),
    (
        Nullable<Text>,
        Nullable<Text>,
        Nullable<Text>,
        Bool,
        Nullable<Text>,
    ),
);

pub(super) type Row = (
    (String, String, String, String, String),
    (Option<String>, i64, i64, String, Option<String>),
    (
        Option<String>,
        Option<String>,
        Option<String>,
        bool,
        Option<String>,
    ),
);

/// Selects the assessments of traces, in the order they were given.
pub(super) fn of_traces(traces: Vec<String>) -> Sql {
    Sql::new("select ")
        .sql(COLUMNS)
        .sql(" from assessments where trace_id")
        .in_texts(false, traces)
        .sql(" order by created_timestamp, assessment_id")
}

/// The assessments of such rows, by their trace.
pub(super) fn by_trace(rows: Vec<Row>) -> Result<HashMap<String, Vec<Assessment>>, StoreError> {
    let mut assessments: HashMap<String, Vec<Assessment>> = HashMap::new();
    for row in rows {
        let trace = row.0.1.clone();
        assessments.entry(trace).or_default().push(read(row)?);
    }
    Ok(assessments)
}

fn read(
    (
        (id, trace, name, kind, value),
        (error, create_time, last_update_time, source_type, source_id),
        (span_id, rationale, overrides, valid, metadata),
    ): Row,
) -> Result<Assessment, StoreError> {
    let corrupt = |reason: String| StoreError::Corrupt {
        place: "assessments",
        key: id.clone(),
        reason,
    };
    let parse = |text: &str| -> Result<Value, StoreError> {
        serde_json::from_str(text).map_err(|error| corrupt(error.to_string()))
    };
    let text = |value: &Value, member: &str| Some(value.get(member)?.as_str()?.to_owned());
    let value = match kind.as_str() {
        "feedback" => AssessmentValue::Feedback {
            json: value,
            error: match error.as_deref().map(parse).transpose()? {
                None | Some(Value::Null) => None,
                Some(error) => Some(AssessmentError {
                    error_code: text(&error, "error_code").unwrap_or_default(),
                    error_message: text(&error, "error_message"),
                    stack_trace: text(&error, "stack_trace"),
                }),
            },
        },
        "expectation" => AssessmentValue::Expectation { json: value },
        "issue" => AssessmentValue::Issue {
            issue_name: text(&parse(&value)?, "issue_name").unwrap_or_default(),
        },
        _ => return Err(corrupt(format!("assessment_type is '{kind}'"))),
    };
    let metadata: BTreeMap<String, String> = match metadata.as_deref().map(parse).transpose()? {
        Some(Value::Object(members)) => members
            .into_iter()
            .map(|(key, value)| match value {
                Value::String(text) => (key, text),
                other => (key, other.to_string()),
            })
            .collect(),
        _ => BTreeMap::new(),
    };
    Ok(Assessment {
        trace_id: TraceId::new(trace),
        span_id,
        name,
        source: AssessmentSource {
            source_type: SourceType::from_name(&source_type).unwrap_or_default(),
            source_id,
        },
        value,
        rationale,
        metadata,
        create_time,
        last_update_time,
        overrides: overrides.map(AssessmentId::new),
        valid,
        assessment_id: AssessmentId::new(id),
    })
}

/// An assessment.
pub(crate) fn get(
    connection: &mut Connection,
    trace: &TraceId,
    id: &AssessmentId,
) -> Result<Assessment, StoreError> {
    super::traces::require_schema(connection)?;
    let dialect = connection.dialect();
    let row: Option<Row> = Sql::new("select ")
        .sql(COLUMNS)
        .sql(" from assessments where ")
        .with(dialect.equal("trace_id", trace.as_str()))
        .sql(" and ")
        .with(dialect.equal("assessment_id", id.as_str()))
        .first::<Columns, _>(connection)
        .or_store_error()?;
    if let Some(row) = row {
        return read(row);
    }
    Err(match place(connection, trace)? {
        Some(_) => StoreError::not_found_in(Resource::Assessment, id, trace),
        None => StoreError::not_found(Resource::AssessedTrace, trace),
    })
}

/// Locks a trace until the end of the transaction; says whether it is there.
fn lock(connection: &mut Connection, trace: &TraceId) -> Result<bool, StoreError> {
    let dialect = connection.dialect();
    let found: Option<String> = Sql::new("select request_id from trace_info where ")
        .with(dialect.equal("request_id", trace.as_str()))
        .sql(dialect.for_update())
        .first::<Text, _>(connection)
        .or_store_error()?;
    Ok(found.is_some())
}

/// The experiment of a trace and when it began. Whoever calls has the trace locked,
/// or writes it in this transaction.
fn place(connection: &mut Connection, trace: &TraceId) -> Result<Option<(i64, i64)>, StoreError> {
    use diesel::sql_types::Integer;

    let found: Option<(crate::values::SerialId, i64)> =
        Sql::new("select experiment_id, timestamp_ms from trace_info where ")
            .with(connection.dialect().equal("request_id", trace.as_str()))
            .first::<(Integer, BigInt), _>(connection)
            .or_store_error()?;
    Ok(found.map(|(experiment, time)| (experiment.0, time)))
}

/// Adds an assessment.
pub(crate) fn create(
    connection: &mut Connection,
    new: &Assessment,
    now: i64,
) -> Result<Assessment, StoreError> {
    let trace = &new.trace_id;
    let dialect = connection.dialect();
    if !lock(connection, trace)? {
        return Err(StoreError::not_found(Resource::Trace, trace));
    }
    if let Some(overridden) = &new.overrides {
        let there = Sql::new("update assessments set valid = ")
            .bool(false)
            .sql(" where ")
            .with(dialect.equal("trace_id", trace.as_str()))
            .sql(" and ")
            .with(dialect.equal("assessment_id", overridden.as_str()))
            .run(connection)
            .or_store_error()?;
        if there == 0 {
            return Err(StoreError::not_found_in(
                Resource::Assessment,
                overridden,
                trace,
            ));
        }
    }
    let taken: Option<String> =
        Sql::new("select assessment_id from assessments where assessment_id = ")
            .text(new.assessment_id.as_str())
            .first::<Text, _>(connection)
            .or_store_error()?;
    if taken.is_some() {
        return Err(StoreError::invalid(format!(
            "Failed to create assessment for trace '{trace}' due to a constraint violation."
        )));
    }
    put(connection, new, now)?;
    get(connection, trace, &new.assessment_id)
}

/// The columns that [`put`] writes over, where the assessment is there already.
const REPLACED: [&str; 19] = [
    "trace_id",
    "name",
    "assessment_type",
    "value",
    "error",
    "created_timestamp",
    "last_updated_timestamp",
    "source_type",
    "source_id",
    "run_id",
    "span_id",
    "rationale",
    "overrides",
    "valid",
    "assessment_metadata",
    "experiment_id",
    "trace_timestamp_ms",
    "aggregate_value",
    "is_numeric_value",
];

/// Writes an assessment of a trace that is there: a valid one, as all new ones are.
pub(super) fn put(
    connection: &mut Connection,
    assessment: &Assessment,
    now: i64,
) -> Result<(), StoreError> {
    let Some(place) = place(connection, &assessment.trace_id)? else {
        return Err(StoreError::not_found(Resource::Trace, &assessment.trace_id));
    };
    let or_now = |time: i64| if time == 0 { now } else { time };
    let assessment = Assessment {
        create_time: or_now(assessment.create_time),
        last_update_time: or_now(assessment.last_update_time),
        valid: true,
        ..assessment.clone()
    };
    write(connection, &assessment, place)
}

/// Writes an assessment as it is, with the experiment of its trace and when that
/// began.
pub(super) fn write(
    connection: &mut Connection,
    assessment: &Assessment,
    (experiment, time): (i64, i64),
) -> Result<(), StoreError> {
    let (value, error) = columns(&assessment.value);
    let (aggregate, is_number) = aggregate(&assessment.value, &value);
    Sql::new(
        "insert into assessments (assessment_id, trace_id, name, assessment_type, value, error, \
         created_timestamp, last_updated_timestamp, source_type, source_id, run_id, span_id, \
         rationale, overrides, valid, assessment_metadata, experiment_id, trace_timestamp_ms, \
         aggregate_value, is_numeric_value) values (",
    )
    .text(assessment.assessment_id.as_str())
    .sql(", ")
    .text(assessment.trace_id.as_str())
    .sql(", ")
    .text(&*assessment.name)
    .sql(", ")
    .text(assessment.value.kind().name())
    .sql(", ")
    .text(value)
    .sql(", ")
    .optional_text(error)
    .sql(", ")
    .int(assessment.create_time)
    .sql(", ")
    .int(assessment.last_update_time)
    .sql(", ")
    .text(assessment.source.source_type.name())
    .sql(", ")
    .optional_text(assessment.source.source_id.clone())
    .sql(", ")
    .optional_text(assessment.metadata.get(trace_keys::ASSESSMENT_RUN).cloned())
    .sql(", ")
    .optional_text(assessment.span_id.clone())
    .sql(", ")
    .optional_text(assessment.rationale.clone())
    .sql(", ")
    .optional_text(
        assessment
            .overrides
            .as_ref()
            .map(|id| id.as_str().to_owned()),
    )
    .sql(", ")
    .bool(assessment.valid)
    .sql(", ")
    .optional_text(metadata_json(&assessment.metadata))
    .sql(", ")
    .int(experiment)
    .sql(", ")
    .int(time)
    .sql(", ")
    .optional_real(aggregate)
    .sql(", ")
    .bool(is_number)
    .sql(")")
    .with(
        connection
            .dialect()
            .or_replace_all("assessment_id", REPLACED),
    )
    .run(connection)
    .or_store_error()?;
    Ok(())
}

/// The columns `value` and `error`.
fn columns(value: &AssessmentValue) -> (String, Option<String>) {
    match value {
        AssessmentValue::Feedback { json, error } => {
            let error = error.as_ref().map(|error| {
                json!({
                    "error_code": error.error_code,
                    "error_message": error.error_message,
                    "stack_trace": error.stack_trace,
                })
                .to_string()
            });
            (json.clone(), error)
        }
        AssessmentValue::Expectation { json } => (json.clone(), None),
        AssessmentValue::Issue { issue_name } => {
            let name = quote::json_whole(issue_name);
            (format!("{{\"issue_name\": {name}}}"), None)
        }
    }
}

/// What charts make of a value, and whether it is a number.
fn aggregate(value: &AssessmentValue, json: &str) -> (Option<f64>, bool) {
    match value {
        AssessmentValue::Issue { .. } => (None, false),
        AssessmentValue::Feedback { .. } | AssessmentValue::Expectation { .. } => {
            python::aggregate(json)
        }
    }
}

/// The column `assessment_metadata`, in which searches look for a key.
fn metadata_json(metadata: &BTreeMap<String, String>) -> Option<String> {
    let members: Vec<String> = metadata
        .iter()
        .map(|(key, value)| {
            let (key, value) = (quote::json_whole(key), quote::json_whole(value));
            format!("{key}: {value}")
        })
        .collect();
    (!members.is_empty()).then(|| format!("{{{}}}", members.join(", ")))
}

/// Changes an assessment.
pub(crate) fn update(
    connection: &mut Connection,
    trace: &TraceId,
    id: &AssessmentId,
    patch: &AssessmentPatch,
    now: i64,
) -> Result<Assessment, StoreError> {
    // Two changes at once come one after the other, and lose nothing of each other.
    lock(connection, trace)?;
    let mut assessment = get(connection, trace, id)?;
    match (&patch.value, &assessment.value) {
        (None, _) => {}
        (Some(value), old) if value.kind() == old.kind() => assessment.value = value.clone(),
        (Some(AssessmentValue::Expectation { .. }), _) => {
            return Err(StoreError::invalid(
                "Cannot update expectation value on a Feedback assessment.",
            ));
        }
        (Some(_), _) => {
            return Err(StoreError::invalid(
                "Cannot update feedback value on an Expectation assessment.",
            ));
        }
    }
    if let Some(name) = &patch.name {
        assessment.name.clone_from(name);
    }
    if patch.rationale.is_some() && !matches!(assessment.value, AssessmentValue::Expectation { .. })
    {
        assessment.rationale.clone_from(&patch.rationale);
    }
    assessment.metadata.extend(patch.metadata.clone());
    let (value, error) = columns(&assessment.value);
    let (aggregate, is_number) = aggregate(&assessment.value, &value);
    Sql::new("update assessments set name = ")
        .text(&*assessment.name)
        .sql(", value = ")
        .text(value)
        .sql(", error = ")
        .optional_text(error)
        .sql(", last_updated_timestamp = ")
        .int(now)
        .sql(", rationale = ")
        .optional_text(assessment.rationale.clone())
        .sql(", assessment_metadata = ")
        .optional_text(metadata_json(&assessment.metadata))
        .sql(", aggregate_value = ")
        .optional_real(aggregate)
        .sql(", is_numeric_value = ")
        .bool(is_number)
        .sql(" where assessment_id = ")
        .text(id.as_str())
        .run(connection)
        .or_store_error()?;
    assessment.last_update_time = now;
    Ok(assessment)
}

/// Deletes an assessment, if it is there.
pub(crate) fn delete(
    connection: &mut Connection,
    trace: &TraceId,
    id: &AssessmentId,
) -> Result<(), StoreError> {
    let assessment = match get(connection, trace, id) {
        Err(StoreError::NotFound { .. }) => return Ok(()),
        found => found?,
    };
    if let Some(overridden) = &assessment.overrides {
        Sql::new("update assessments set valid = ")
            .bool(true)
            .sql(" where assessment_id = ")
            .text(overridden.as_str())
            .run(connection)
            .or_store_error()?;
    }
    Sql::new("delete from assessments where assessment_id = ")
        .text(id.as_str())
        .run(connection)
        .or_store_error()?;
    Ok(())
}

/// Notes when the trace of assessments began.
pub(super) fn move_to(
    connection: &mut Connection,
    trace: &TraceId,
    time: i64,
) -> Result<(), StoreError> {
    Sql::new("update assessments set trace_timestamp_ms = ")
        .int(time)
        .sql(" where trace_id = ")
        .text(trace.as_str())
        .run(connection)
        .or_store_error()?;
    Ok(())
}
