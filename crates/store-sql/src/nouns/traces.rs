//! Traces, with their tags, metadata and assessments.
//!
//! What charts need is in columns of the trace and nowhere else: its name, which
//! the API has among the tags, its session, and what it used and cost, which the
//! API has in the metadata. Here they go from one form to the other.

use std::collections::{BTreeMap, HashMap};

use diesel::sql_types::{BigInt, Double, Integer, Nullable, Text};
use runledger_entities::{
    Cost, ExperimentId, StoredSpan, Tag, TokenUsage, Trace, TraceId, TraceInfo, TraceState,
    trace_keys, validate,
};
use runledger_store::{NewTrace, Resource, StoreError, TraceDeletion, TraceEnd, locations};

use super::{OrStoreError as _, assessments, experiments, rows::put_rows};
use crate::{connection::Connection, migrate::python::Json, sql::Sql, values::SerialId};

/// The columns that [`Row`] reads, of the table `trace_info t`.
pub(crate) const COLUMNS: &str = "t.request_id, t.experiment_id, t.timestamp_ms, \
    t.execution_time_ms, t.status, t.client_request_id, t.request_preview, t.response_preview, \
    t.trace_name, t.session_id, t.input_tokens, t.output_tokens, t.total_tokens, \
    t.cache_read_input_tokens, t.cache_creation_input_tokens, \
    t.cache_creation_input_tokens_above_1hr, t.input_cost, t.output_cost, t.total_cost";

/// The SQL types of [`COLUMNS`].
pub(crate) type Columns = (
    (Text, Integer, BigInt, Nullable<BigInt>, Text),
    (
        Nullable<Text>,
        Nullable<Text>,
        Nullable<Text>,
        Nullable<Text>,
        Nullable<Text>,
    ),
    (
        Nullable<BigInt>,
        Nullable<BigInt>,
        Nullable<BigInt>,
        Nullable<BigInt>,
        Nullable<BigInt>,
        Nullable<BigInt>,
    ),
    (Nullable<Double>, Nullable<Double>, Nullable<Double>),
);

type Texts = (
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

type Counts = (
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<i64>,
);

/// A row of [`COLUMNS`].
pub(crate) type Row = (
    (String, SerialId, i64, Option<i64>, String),
    Texts,
    Counts,
    (Option<f64>, Option<f64>, Option<f64>),
);

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

/// A trace.
pub(crate) fn get(connection: &mut Connection, id: &TraceId) -> Result<TraceInfo, StoreError> {
    require_schema(connection)?;
    let row = Sql::new("select ")
        .sql(COLUMNS)
        .sql(" from trace_info t where ")
        .with(connection.dialect().equal("t.request_id", id.as_str()))
        .first::<Columns, Row>(connection)
        .or_store_error()?
        .ok_or_else(|| missing(id))?;
    complete(connection, vec![row])?
        .pop()
        .ok_or_else(|| StoreError::internal("a row became no trace"))
}

fn missing(id: &TraceId) -> StoreError {
    StoreError::not_found(Resource::Trace, id)
}

/// Traces in the order of these ids, each once.
pub(crate) fn list(
    connection: &mut Connection,
    ids: &[TraceId],
    experiments: Option<&[ExperimentId]>,
) -> Result<Vec<TraceInfo>, StoreError> {
    require_schema(connection)?;
    let mut sql = Sql::new("select ")
        .sql(COLUMNS)
        .sql(" from trace_info t where t.request_id")
        .in_texts(false, texts(ids));
    if let Some(experiments) = experiments {
        sql = sql
            .sql(" and t.experiment_id")
            .in_ints(false, experiments.iter().map(|id| id.0).collect());
    }
    let rows: Vec<Row> = sql.rows::<Columns, _>(connection).or_store_error()?;
    let mut found: HashMap<String, TraceInfo> = complete(connection, rows)?
        .into_iter()
        .map(|info| (info.trace_id.as_str().to_owned(), info))
        .collect();
    Ok(ids
        .iter()
        .filter_map(|id| found.remove(id.as_str()))
        .collect())
}

fn texts(ids: &[TraceId]) -> Vec<String> {
    ids.iter().map(|id| id.as_str().to_owned()).collect()
}

/// Traces with the spans that are kept beside them.
pub(crate) fn with_spans(
    connection: &mut Connection,
    ids: &[TraceId],
    experiments: Option<&[ExperimentId]>,
) -> Result<Vec<Trace>, StoreError> {
    let infos = list(connection, ids, experiments)?;
    let of = infos.iter().filter(|info| info.has_spans_in_store());
    let of: Vec<String> = of.map(|info| info.trace_id.as_str().to_owned()).collect();
    let mut spans: HashMap<String, Vec<StoredSpan>> = HashMap::new();
    if !of.is_empty() {
        let rows: Vec<(String, String)> = Sql::new(
            "select trace_id, content from spans where content <> '' and trace_id",
        )
        .in_texts(false, of)
        // Roots first, then in the order they began.
        .sql(
            " order by case when parent_span_id is null then 0 else 1 end, start_time_unix_nano, \
             span_id",
        )
        .rows::<(Text, Text), _>(connection)
        .or_store_error()?;
        for (trace, content) in rows {
            spans.entry(trace).or_default().push(StoredSpan { content });
        }
    }
    let traces = infos.into_iter().map(|info| Trace {
        spans: spans.remove(info.trace_id.as_str()).unwrap_or_default(),
        info,
    });
    Ok(traces.collect())
}

/// The traces of these rows, in their order, with all that belongs to them.
pub(crate) fn complete(
    connection: &mut Connection,
    rows: Vec<Row>,
) -> Result<Vec<TraceInfo>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<String> = rows.iter().map(|row| row.0.0.clone()).collect();
    let mut tags = pairs_of(
        connection,
        "select request_id, \"key\", value from trace_tags where request_id",
        ids.clone(),
    )?;
    let mut metadata = pairs_of(
        connection,
        "select request_id, \"key\", value from trace_request_metadata where request_id",
        ids.clone(),
    )?;
    let mut assessments = assessments::of_traces(connection, ids)?;
    rows.into_iter()
        .map(|row| {
            let id = row.0.0.clone();
            let tags = tags.remove(&id).unwrap_or_default();
            let metadata = metadata.remove(&id).unwrap_or_default();
            let mut info = info(row, tags, metadata)?;
            info.assessments = assessments.remove(&id).unwrap_or_default();
            Ok(info)
        })
        .collect()
}

fn pairs_of(
    connection: &mut Connection,
    select: &'static str,
    ids: Vec<String>,
) -> Result<HashMap<String, BTreeMap<String, String>>, StoreError> {
    let rows: Vec<(String, String, Option<String>)> = Sql::new(select)
        .in_texts(false, ids)
        .rows::<(Text, Text, Nullable<Text>), _>(connection)
        .or_store_error()?;
    let mut pairs: HashMap<String, BTreeMap<String, String>> = HashMap::new();
    for (id, key, value) in rows {
        let of = pairs.entry(id).or_default();
        of.insert(key, value.unwrap_or_default());
    }
    Ok(pairs)
}

fn info(
    ((id, experiment, time, duration, status), texts, counts, costs): Row,
    mut tags: BTreeMap<String, String>,
    mut metadata: BTreeMap<String, String>,
) -> Result<TraceInfo, StoreError> {
    let (client_request_id, request_preview, response_preview, name, session) = texts;
    let state = TraceState::from_name(&status).ok_or_else(|| StoreError::Corrupt {
        place: "trace_info",
        key: id.clone(),
        reason: format!("status is '{status}'"),
    })?;
    let put = |into: &mut BTreeMap<String, String>, key: &str, value: Option<String>| {
        into.remove(key);
        into.extend(value.map(|value| (key.to_owned(), value)));
    };
    put(&mut tags, trace_keys::NAME, name);
    put(&mut metadata, trace_keys::SESSION, session);
    let counts = [counts.0, counts.1, counts.2, counts.3, counts.4, counts.5];
    let counts = counts.map(|count| count.map(|count| count.to_string()));
    let names = TokenUsage::MEMBERS.map(|(name, _)| name);
    put(&mut metadata, trace_keys::TOKEN_USAGE, json(names, counts));
    let costs = [costs.0, costs.1, costs.2].map(|cost| cost.map(validate::python_float));
    let names = Cost::MEMBERS.map(|(name, _)| name);
    put(&mut metadata, trace_keys::COST, json(names, costs));
    Ok(TraceInfo {
        trace_id: TraceId::new(id),
        experiment_id: ExperimentId(experiment.0),
        request_time: time,
        execution_duration: duration,
        state,
        client_request_id,
        request_preview,
        response_preview,
        metadata,
        tags,
        assessments: Vec::new(),
    })
}

/// An object of numbers as Python writes it; nothing if there are none.
pub(crate) fn json<const N: usize>(
    names: [&'static str; N],
    numbers: [Option<String>; N],
) -> Option<String> {
    let members: Vec<String> = names
        .into_iter()
        .zip(numbers)
        .filter_map(|(name, number)| Some(format!("\"{name}\": {}", number?)))
        .collect();
    (!members.is_empty()).then(|| format!("{{{}}}", members.join(", ")))
}

/// What of tags and metadata is in columns, and what remains.
struct Parts {
    name: Option<String>,
    session: Option<String>,
    /// The columns of numbers that are named, with their values.
    numbers: Vec<(&'static str, Number)>,
    tags: BTreeMap<String, String>,
    metadata: BTreeMap<String, String>,
}

#[derive(Clone, Copy)]
enum Number {
    Count(Option<i64>),
    Amount(Option<f64>),
}

impl Number {
    fn bind(self, sql: Sql) -> Sql {
        match self {
            Self::Count(count) => sql.optional_int(count),
            Self::Amount(amount) => sql.optional_real(amount),
        }
    }
}

impl Parts {
    fn of(tags: &BTreeMap<String, String>, metadata: &BTreeMap<String, String>) -> Self {
        let (mut tags, mut metadata) = (tags.clone(), metadata.clone());
        let members = |text: Option<String>| match text.as_deref().and_then(Json::parse) {
            Some(Json::Object(members)) => members,
            _ => HashMap::new(),
        };
        let usage = members(metadata.remove(trace_keys::TOKEN_USAGE));
        let cost = members(metadata.remove(trace_keys::COST));
        let counts = TokenUsage::MEMBERS.into_iter().filter_map(|(name, _)| {
            let count = usage.get(name)?;
            Some((name, Number::Count(count.count())))
        });
        let amounts = Cost::MEMBERS.into_iter().filter_map(|(name, _)| {
            let amount = cost.get(name)?;
            Some((name, Number::Amount(amount.finite())))
        });
        Self {
            numbers: counts.chain(amounts).collect(),
            name: tags.remove(trace_keys::NAME),
            session: metadata.remove(trace_keys::SESSION),
            tags,
            metadata,
        }
    }

    /// The assignments of what is there, each after a comma.
    fn set(&self, mut sql: Sql) -> Sql {
        sql.varies = true;
        if let Some(name) = &self.name {
            sql = sql.sql(", trace_name = ").text(&**name);
        }
        if let Some(session) = &self.session {
            sql = sql.sql(", session_id = ").text(&**session);
        }
        for (column, number) in &self.numbers {
            sql = number.bind(sql.sql(", ").sql(column).sql(" = "));
        }
        sql
    }
}

/// Writes tags over those of the same keys.
pub(super) fn put_tags<'a>(
    connection: &mut Connection,
    tags: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>,
) -> Result<(), StoreError> {
    let rows: Vec<(&str, &str, &str)> = tags.into_iter().collect();
    let head = "insert into trace_tags (request_id, \"key\", value) values ";
    let tail = connection
        .dialect()
        .or_replace("\"key\", request_id", "value");
    put_rows(connection, head, &rows, bind_pair, &tail)
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
    let head = "insert into trace_request_metadata (request_id, \"key\", value) values ";
    let tail = connection
        .dialect()
        .or_replace("\"key\", request_id", "value");
    put_rows(connection, head, &rows, bind_pair, &tail)
}

pub(super) fn bind_pair(sql: Sql, (id, key, value): &(&str, &str, &str)) -> Sql {
    sql.text(*id).sql(", ").text(*key).sql(", ").text(*value)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_python_writes_them() {
        let names = ["a", "b"];
        let numbers = [Some("1".to_owned()), None];
        assert_eq!(json(names, numbers).as_deref(), Some(r#"{"a": 1}"#));
        assert_eq!(json(names, [None, None]), None);
    }

    #[test]
    fn numbers_that_are_none_are_told_as_none() {
        let usage = r#"{"input_tokens": "x", "total_tokens": 3.0, "other": 1}"#;
        let metadata = BTreeMap::from([
            (trace_keys::TOKEN_USAGE.to_owned(), usage.to_owned()),
            ("m".to_owned(), "v".to_owned()),
        ]);
        let parts = Parts::of(&BTreeMap::new(), &metadata);
        assert!(matches!(
            parts.numbers[..],
            [
                ("input_tokens", Number::Count(None)),
                ("total_tokens", Number::Count(Some(3)))
            ]
        ));
        assert_eq!(parts.metadata.len(), 1);
    }
}
