//! Reading traces, with all that belongs to them.

use std::collections::{BTreeMap, HashMap};

use diesel::sql_types::{BigInt, Nullable, Text};
use runledger_entities::{ExperimentId, StoredSpan, Trace, TraceId, TraceInfo, limits};
use runledger_store::{Resource, StoreError};

use super::{
    require_schema,
    row::{COLUMNS, Columns, Row, info},
};
use crate::{
    connection::Connection,
    nouns::{OrStoreError as _, assessments},
    sql::Sql,
};

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

pub(super) fn missing(id: &TraceId) -> StoreError {
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

pub(super) fn texts(ids: &[TraceId]) -> Vec<String> {
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
        refuse_too_much(connection, of.clone())?;
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

/// Refuses to read more than memory should hold.
fn refuse_too_much(connection: &mut Connection, traces: Vec<String>) -> Result<(), StoreError> {
    let beyond: i64 = Sql::new(
        "select count(*) from (select sum(octet_length(content)) as n from spans where trace_id",
    )
    .in_texts(false, traces)
    .sql(") s where n > ")
    .int(limits::SPANS_READ_BYTES)
    .first::<BigInt, _>(connection)
    .or_store_error()?
    .unwrap_or_default();
    if beyond == 0 {
        return Ok(());
    }
    Err(StoreError::too_many_spans())
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
    let (mut tags, mut metadata, mut assessments) = (Vec::new(), Vec::new(), Vec::new());
    let tag = "select request_id, \"key\", value from trace_tags where request_id";
    let entry = "select request_id, \"key\", value from trace_request_metadata where request_id";
    connection
        .together([
            Sql::new(tag)
                .in_texts(false, ids.clone())
                .into_rows::<(Text, Text, Nullable<Text>), _>(&mut tags),
            Sql::new(entry)
                .in_texts(false, ids.clone())
                .into_rows::<(Text, Text, Nullable<Text>), _>(&mut metadata),
            assessments::of_traces(ids).into_rows::<assessments::Columns, _>(&mut assessments),
        ])
        .or_store_error()?;
    let (mut tags, mut metadata) = (by_trace(tags), by_trace(metadata));
    let mut assessments = assessments::by_trace(assessments)?;
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

/// A trace, a key, and its value.
type Pair = (String, String, Option<String>);

fn by_trace(rows: Vec<Pair>) -> HashMap<String, BTreeMap<String, String>> {
    let mut pairs: HashMap<String, BTreeMap<String, String>> = HashMap::new();
    for (id, key, value) in rows {
        let of = pairs.entry(id).or_default();
        of.insert(key, value.unwrap_or_default());
    }
    pairs
}
