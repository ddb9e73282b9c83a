//! Traces, with their tags, metadata and assessments.
//!
//! What charts need is in columns of the trace and nowhere else: its name, which
//! the API has among the tags, its session, and what it used and cost, which the
//! API has in the metadata. Here they go from one form to the other.

mod parts;
mod read;
mod row;

use std::collections::BTreeMap;

use diesel::sql_types::{BigInt, Nullable, Text};
use runledger_entities::{ExperimentId, Tag, TraceId, TraceInfo, TraceState, trace_keys};
use runledger_store::{NewTrace, Resource, StoreError, TraceDeletion, TraceEnd, locations};

pub(super) use self::parts::Parts;
pub(crate) use self::read::{complete, get, list, with_spans};
use self::read::{missing, texts};
pub(crate) use self::row::{COLUMNS, Columns, Row};
use super::{
    OrStoreError as _, assessments, experiments,
    rows::{Values, put_rows},
};
use crate::{connection::Connection, sql::Sql};

/// Refuses where a schema keeps traces in another form.
pub(crate) fn require_schema(connection: &Connection) -> Result<(), StoreError> {
    if connection.schema().traces {
        return Ok(());
    }
    Err(StoreError::Unsupported {
        operation: "reading traces",
        store: "a database of an older schema",
    })
}

/// Writes tags over those of the same keys.
pub(super) fn put_tags<'a>(
    connection: &mut Connection,
    tags: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>,
) -> Result<(), StoreError> {
    let rows: Vec<(&str, &str, &str)> = tags.into_iter().collect();
    let head = "insert into trace_tags (request_id, \"key\", value)";
    let tail = connection
        .dialect()
        .or_replace("\"key\", request_id", "value");
    put_rows(connection, head, &rows, pair, &tail)
}

fn put_metadata(
    connection: &mut Connection,
    id: &TraceId,
    metadata: &BTreeMap<String, String>,
) -> Result<(), StoreError> {
    let rows: Vec<(&str, &str, &str)> = metadata
        .iter()
        .map(|(key, value)| (id.as_str(), key.as_str(), value.as_str()))
        .collect();
    let head = "insert into trace_request_metadata (request_id, \"key\", value)";
    let tail = connection
        .dialect()
        .or_replace("\"key\", request_id", "value");
    put_rows(connection, head, &rows, pair, &tail)
}

/// The row of a tag, or of metadata.
pub(super) fn pair((id, key, value): &(&str, &str, &str)) -> Values {
    Values::default().text(*id).text(*key).text(*value)
}

/// Where a trace keeps its files.
pub(super) fn location(experiment: &str, id: &TraceId) -> String {
    locations::append(experiment, &["traces", id.as_str(), "artifacts"])
}

/// The row of a new trace, with what each has from the beginning.
fn insert(id: &TraceId, experiment: ExperimentId, begin: i64, state: TraceState) -> Sql {
    Sql::new(
        "insert into trace_info (request_id, experiment_id, timestamp_ms, status, \
         db_payload_generation) values (",
    )
    .text(id.as_str())
    .sql(", ")
    .int(experiment.0)
    .sql(", ")
    .int(begin)
    .sql(", ")
    .text(state.name())
    .sql(", 0)")
}

/// Begins a trace of an old client.
pub(crate) fn begin(
    connection: &mut Connection,
    id: &TraceId,
    new: &NewTrace,
) -> Result<TraceInfo, StoreError> {
    let experiment = experiments::active_location(connection, new.experiment_id)?;
    insert(
        id,
        new.experiment_id,
        new.request_time,
        TraceState::InProgress,
    )
    .run(connection)
    .or_store_error()?;
    let mut parts = Parts::of(&new.tags, &new.metadata);
    let location = location(&experiment, id);
    parts
        .tags
        .insert(trace_keys::ARTIFACT_LOCATION.to_owned(), location);
    tell(connection, id, &parts)?;
    get(connection, id)
}

/// Writes what a client tells beside the times and the state.
fn tell(connection: &mut Connection, id: &TraceId, parts: &Parts) -> Result<(), StoreError> {
    let update = Sql::new("update trace_info set request_id = request_id");
    let mut update = parts.set(update);
    if update.pieces.len() > 1 {
        update = update.sql(" where request_id = ").text(id.as_str());
        update.run(connection).or_store_error()?;
    }
    let tags = parts
        .tags
        .iter()
        .map(|(key, value)| (id.as_str(), key.as_str(), value.as_str()));
    put_tags(connection, tags)?;
    put_metadata(connection, id, &parts.metadata)
}

/// When a trace began; keeps others from changing it until the end of the
/// transaction.
fn lock(connection: &mut Connection, id: &TraceId) -> Result<Option<i64>, StoreError> {
    Sql::new("select timestamp_ms from trace_info where ")
        .with(connection.dialect().equal("request_id", id.as_str()))
        .sql(connection.dialect().for_update())
        .first::<BigInt, i64>(connection)
        .or_store_error()
}

/// Ends a trace.
pub(crate) fn end(
    connection: &mut Connection,
    id: &TraceId,
    end: &TraceEnd,
) -> Result<TraceInfo, StoreError> {
    let began = lock(connection, id)?.ok_or_else(|| missing(id))?;
    Sql::new("update trace_info set execution_time_ms = ")
        .int(end.end_time.saturating_sub(began))
        .sql(", status = ")
        .text(end.state.name())
        .sql(" where request_id = ")
        .text(id.as_str())
        .run(connection)
        .or_store_error()?;
    tell(connection, id, &Parts::of(&end.tags, &end.metadata))?;
    get(connection, id)
}

/// Keeps what a client tells about a trace, new or known.
pub(crate) fn start(
    connection: &mut Connection,
    told: &TraceInfo,
    now: i64,
) -> Result<TraceInfo, StoreError> {
    let id = &told.trace_id;
    let experiment = experiments::active_location(connection, told.experiment_id)?;
    // Whoever comes second, to a row of this transaction or of another, finds it.
    insert(id, told.experiment_id, told.request_time, told.state)
        .with(connection.dialect().or_keep("request_id"))
        .run(connection)
        .or_store_error()?;
    lock(connection, id)?.ok_or_else(|| missing(id))?;
    if is_elsewhere(connection, id)? {
        return Err(StoreError::InvalidState {
            message: format!("Cannot update traces that are no longer DB-backed: '{id}'."),
        });
    }
    let mut parts = Parts::of(&told.tags, &told.metadata);
    parts.tags.insert(
        trace_keys::ARTIFACT_LOCATION.to_owned(),
        location(&experiment, id),
    );
    parts
        .metadata
        .insert(trace_keys::FINALIZED.to_owned(), "true".to_owned());
    Sql::new(
        "update trace_info set db_payload_generation = db_payload_generation + 1, experiment_id = ",
    )
    .int(told.experiment_id.0)
    .sql(", timestamp_ms = ")
    .int(told.request_time)
    .sql(", execution_time_ms = ")
    .optional_int(told.execution_duration)
    .sql(", status = ")
    .text(told.state.name())
    .sql(", client_request_id = ")
    .optional_text(told.client_request_id.clone())
    .sql(", request_preview = coalesce(")
    .optional_text(told.request_preview.clone())
    .sql(", request_preview), response_preview = coalesce(")
    .optional_text(told.response_preview.clone())
    .sql(", response_preview) where request_id = ")
    .text(id.as_str())
    .run(connection)
    .or_store_error()?;
    tell(connection, id, &parts)?;
    for assessment in &told.assessments {
        assessments::put(connection, assessment, now)?;
    }
    let moved = [
        "update spans set experiment_id = ",
        "update assessments set experiment_id = ",
    ];
    for update in moved {
        Sql::new(update)
            .int(told.experiment_id.0)
            .sql(" where trace_id = ")
            .text(id.as_str())
            .run(connection)
            .or_store_error()?;
    }
    assessments::move_to(connection, id, told.request_time)?;
    get(connection, id)
}

/// Whether the spans of a trace were moved away, or are among its files.
fn is_elsewhere(connection: &mut Connection, id: &TraceId) -> Result<bool, StoreError> {
    let tag: Option<Option<String>> = Sql::new("select value from trace_tags where request_id = ")
        .text(id.as_str())
        .sql(" and \"key\" = ")
        .text(trace_keys::SPANS_LOCATION)
        .first::<Nullable<Text>, _>(connection)
        .or_store_error()?;
    Ok(tag.is_some_and(|value| value.as_deref() != Some(trace_keys::IN_STORE)))
}

/// Sets a tag.
pub(crate) fn set_tag(
    connection: &mut Connection,
    id: &TraceId,
    tag: &Tag,
) -> Result<(), StoreError> {
    lock(connection, id)?.ok_or_else(|| missing(id))?;
    if tag.key != trace_keys::NAME {
        return put_tags(connection, [(id.as_str(), &*tag.key, &*tag.value)]);
    }
    Sql::new("update trace_info set trace_name = ")
        .text(&*tag.value)
        .sql(" where request_id = ")
        .text(id.as_str())
        .run(connection)
        .or_store_error()?;
    Ok(())
}

/// Deletes a tag.
pub(crate) fn delete_tag(
    connection: &mut Connection,
    id: &TraceId,
    key: &str,
) -> Result<(), StoreError> {
    let dialect = connection.dialect();
    let delete = if key == trace_keys::NAME {
        if lock(connection, id)?.is_none() {
            return Err(missing(id));
        }
        Sql::new("update trace_info set trace_name = null where trace_name is not null and ")
            .with(dialect.equal("request_id", id.as_str()))
    } else {
        Sql::new("delete from trace_tags where ")
            .with(dialect.equal("request_id", id.as_str()))
            .sql(" and ")
            .with(dialect.equal("\"key\"", key))
    };
    if delete.run(connection).or_store_error()? == 0 {
        return Err(StoreError::not_found_in(Resource::TraceTag, key, id));
    }
    Ok(())
}

/// How many traces are deleted in one step.
pub(crate) const STEP: u64 = 1000;

/// Deletes some traces; says how many. Fewer than [`STEP`] are the last ones.
pub(crate) fn delete_some(
    connection: &mut Connection,
    experiment: ExperimentId,
    deletion: &TraceDeletion,
    at_most: u64,
) -> Result<u64, StoreError> {
    let mut select =
        Sql::new("select request_id from trace_info where experiment_id = ").int(experiment.0);
    select = match deletion {
        TraceDeletion::Ids(ids) => select.sql(" and request_id").in_texts(false, texts(ids)),
        TraceDeletion::Until { time, .. } => select.sql(" and timestamp_ms <= ").int(*time),
    };
    // Locked, so that two deletions do not count the same trace, and nobody adds to it meanwhile.
    let ids: Vec<String> = select
        .sql(" order by timestamp_ms, request_id limit ")
        .int(i64::try_from(at_most).unwrap_or(i64::MAX))
        .sql(connection.dialect().for_update())
        .rows::<Text, _>(connection)
        .or_store_error()?;
    if ids.is_empty() {
        return Ok(0);
    }
    for table in [
        "delete from span_metrics where trace_id",
        "delete from spans where trace_id",
        "delete from assessments where trace_id",
        "delete from trace_metrics where request_id",
        "delete from trace_request_metadata where request_id",
        "delete from trace_tags where request_id",
        "delete from review_queue_items where item_type = 'trace' and item_id",
        "delete from entity_associations where source_type = 'trace' and source_id",
        "delete from trace_info where request_id",
    ] {
        Sql::new(table)
            .in_texts(false, ids.clone())
            .run(connection)
            .or_store_error()?;
    }
    Ok(ids.len() as u64)
}
