//! Spans, and the traces that they make or widen.
//!
//! Everything is read and written for all traces of a call together, but for a
//! trace that was there before and changes: that is an update of its own.

mod news;
mod widen;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use runledger_entities::{Cost, ExperimentId, Span, TokenUsage, TraceId, TraceState, trace_keys};
use runledger_store::StoreError;

use self::{
    news::{News, news_of},
    widen::widen,
};
use super::{OrStoreError as _, experiments, rows::put_rows, traces};
use crate::{connection::Connection, error::CONTENTION, sql::Sql, values::SerialId};

/// How many bytes of spans a statement writes, but for one span that has more:
/// databases bound the length of a statement.
const BYTES: usize = 4 << 20;

/// Keeps spans, and makes or widens their traces.
pub(crate) fn log(
    connection: &mut Connection,
    experiment: ExperimentId,
    spans: &[Span],
) -> Result<(), StoreError> {
    let news = news_of(spans);
    if news.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = news.keys().map(|id| (*id).to_owned()).collect();
    let known: HashSet<String> = Sql::new("select request_id from trace_info where request_id")
        .in_texts(false, ids.clone())
        .rows::<Text, String>(connection)
        .or_store_error()?
        .into_iter()
        .collect();
    if known.len() < news.len() {
        let new = news.values().filter(|news| !known.contains(news.id));
        make(connection, experiment, &new.collect::<Vec<_>>())?;
    }
    let traces = lock(connection, &ids)?;
    refuse_elsewhere(connection, &ids)?;
    write(connection, &news, &traces)?;
    // A trace that another made at the same time is no new one.
    let is_new = |id: &str| !known.contains(id) && traces.get(id).is_some_and(Known::is_untouched);
    let old: Vec<&News<'_>> = news.values().filter(|news| !is_new(news.id)).collect();
    widen(connection, &old, &traces)?;
    Sql::new(
        "update trace_info set db_payload_generation = db_payload_generation + 1 where request_id",
    )
    .in_texts(false, ids)
    .run(connection)
    .or_store_error()?;
    tag(connection, &news)
}

/// Makes traces; one that somebody else made meanwhile stays.
fn make(
    connection: &mut Connection,
    experiment: ExperimentId,
    news: &[&News<'_>],
) -> Result<(), StoreError> {
    let folder = experiments::get(connection, experiment)?.artifact_location;
    let head = "insert into trace_info (request_id, experiment_id, timestamp_ms, \
        execution_time_ms, status, request_preview, response_preview, db_payload_generation, \
        trace_name, session_id, input_tokens, output_tokens, total_tokens, \
        cache_read_input_tokens, cache_creation_input_tokens, \
        cache_creation_input_tokens_above_1hr, input_cost, output_cost, total_cost) values ";
    let bind = |sql: Sql, news: &&News<'_>| {
        let state = news.state.unwrap_or(TraceState::InProgress);
        let mut sql = sql
            .text(news.id)
            .sql(", ")
            .int(experiment.0)
            .sql(", ")
            .int(news.start)
            .sql(", ")
            .optional_int(news.end.map(|end| end.saturating_sub(news.start)))
            .sql(", ")
            .text(state.name())
            .sql(", ")
            .optional_text(news.first(|span| span.request_preview.clone()))
            .sql(", ")
            .optional_text(news.first(|span| span.response_preview.clone()))
            .sql(", 0, ")
            .optional_text(news.name().map(str::to_owned))
            .sql(", ")
            .optional_text(news.first(|span| span.session_id.clone()));
        for count in news.usage.map(TokenUsage::counts).unwrap_or_default() {
            sql = sql.sql(", ").optional_int(count);
        }
        for amount in news.cost.map(Cost::amounts).unwrap_or_default() {
            sql = sql.sql(", ").optional_real(amount);
        }
        sql
    };
    let keep = connection.dialect().or_keep("request_id");
    put_rows(connection, head, news, bind, &keep)?;
    let locations: Vec<(&str, String)> = news
        .iter()
        .map(|news| (news.id, traces::location(&folder, &TraceId::new(news.id))))
        .collect();
    let rows: Vec<(&str, &str, &str)> = locations
        .iter()
        .map(|(id, location)| (*id, trace_keys::ARTIFACT_LOCATION, location.as_str()))
        .collect();
    let head = "insert into trace_tags (request_id, \"key\", value) values ";
    let keep = connection.dialect().or_keep("value");
    put_rows(connection, head, &rows, traces::bind_pair, &keep)
}

/// A trace as it is in the database.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says whether one thing is there"
)]
struct Known {
    experiment: i64,
    start: i64,
    duration: Option<i64>,
    state: TraceState,
    generation: i64,
    has_request: bool,
    has_response: bool,
    has_session: bool,
    has_usage: bool,
    has_cost: bool,
}

impl Known {
    /// Whether nobody but this transaction wrote spans of it, or told about it.
    fn is_untouched(&self) -> bool {
        self.generation == 0
    }
}

type KnownColumns = (
    (Text, Integer, BigInt, Nullable<BigInt>, Text, Integer),
    (Bool, Bool, Bool, Bool, Bool),
);

type KnownRow = (
    (String, SerialId, i64, Option<i64>, String, SerialId),
    (bool, bool, bool, bool, bool),
);

/// Traces, which stay as they are until the end of the transaction.
fn lock(connection: &mut Connection, ids: &[String]) -> Result<HashMap<String, Known>, StoreError> {
    let rows: Vec<KnownRow> = Sql::new(
        "select request_id, experiment_id, timestamp_ms, execution_time_ms, status, \
         db_payload_generation, request_preview is not null, response_preview is not null, \
         session_id is not null, coalesce(input_tokens, output_tokens, total_tokens, \
         cache_read_input_tokens, cache_creation_input_tokens, \
         cache_creation_input_tokens_above_1hr) is not null, \
         coalesce(input_cost, output_cost, total_cost) is not null \
         from trace_info where request_id",
    )
    .in_texts(false, ids.to_vec())
    // In one order for all, so that no two wait for each other.
    .sql(" order by request_id")
    .sql(connection.dialect().for_update())
    .rows::<KnownColumns, _>(connection)
    .or_store_error()?;
    let known = rows.into_iter().map(|(trace, has)| {
        let known = Known {
            experiment: trace.1.0,
            start: trace.2,
            duration: trace.3,
            state: TraceState::from_name(&trace.4).unwrap_or_default(),
            generation: trace.5.0,
            has_request: has.0,
            has_response: has.1,
            has_session: has.2,
            has_usage: has.3,
            has_cost: has.4,
        };
        (trace.0, known)
    });
    Ok(known.collect())
}

/// Refuses spans of traces that keep theirs elsewhere.
fn refuse_elsewhere(connection: &mut Connection, ids: &[String]) -> Result<(), StoreError> {
    let mut elsewhere: Vec<(String, Option<String>)> =
        Sql::new("select request_id, value from trace_tags where \"key\" = ")
            .text(trace_keys::SPANS_LOCATION)
            .sql(" and value <> ")
            .text(trace_keys::IN_STORE)
            .sql(" and request_id")
            .in_texts(false, ids.to_vec())
            .rows::<(Text, Nullable<Text>), _>(connection)
            .or_store_error()?;
    if elsewhere.is_empty() {
        return Ok(());
    }
    elsewhere.sort_unstable();
    let list = |archived: bool| {
        let is_archived =
            |location: &Option<String>| location.as_deref() == Some(trace_keys::IN_ARCHIVE);
        let some = elsewhere
            .iter()
            .filter(|(_, location)| is_archived(location) == archived);
        let some: Vec<String> = some.map(|(id, _)| format!("'{id}'")).collect();
        some.join(", ")
    };
    let (archived, other) = (list(true), list(false));
    let message = if other.is_empty() {
        format!("Cannot log spans to archived traces: {archived}.")
    } else {
        let archived = match archived.as_str() {
            "" => String::new(),
            archived => format!("archived={archived}; "),
        };
        format!(
            "Cannot log spans because one or more traces are unavailable for DB-backed span \
             writes: {archived}other={other}"
        )
    };
    Err(StoreError::InvalidState { message })
}

/// The columns that a span writes over where it is there already.
const REPLACED: [&str; 13] = [
    "experiment_id",
    "parent_span_id",
    "name",
    "type",
    "status",
    "start_time_unix_nano",
    "end_time_unix_nano",
    "content",
    "input_cost",
    "output_cost",
    "total_cost",
    "model_name",
    "model_provider",
];

/// Writes the spans.
fn write(
    connection: &mut Connection,
    news: &BTreeMap<&str, News<'_>>,
    traces: &HashMap<String, Known>,
) -> Result<(), StoreError> {
    let mut rows: Vec<(i64, &Span)> = Vec::new();
    for news in news.values() {
        let Some(trace) = traces.get(news.id) else {
            // It was deleted after it was found: the transaction is repeated, and makes it anew.
            return Err(StoreError::Unavailable { reason: CONTENTION });
        };
        rows.extend(news.spans.values().map(|span| (trace.experiment, *span)));
    }
    put(connection, &rows)
}

/// Writes spans, each with the experiment of its trace, over those that are there.
pub(super) fn put(connection: &mut Connection, spans: &[(i64, &Span)]) -> Result<(), StoreError> {
    let head = "insert into spans (trace_id, span_id, experiment_id, parent_span_id, name, type, \
        status, start_time_unix_nano, end_time_unix_nano, content, input_cost, output_cost, \
        total_cost, model_name, model_provider) values ";
    let tail = connection
        .dialect()
        .or_replace_all("trace_id, span_id", REPLACED);
    let mut from = 0;
    let mut bytes = 0;
    for (at, (_, span)) in spans.iter().enumerate() {
        if bytes + span.content.len() > BYTES {
            put_rows(connection, head, &spans[from..at], bind, &tail)?;
            from = at;
            bytes = 0;
        }
        bytes += span.content.len();
    }
    put_rows(connection, head, &spans[from..], bind, &tail)
}

fn bind(sql: Sql, (experiment, span): &(i64, &Span)) -> Sql {
    let mut sql = sql
        .text(span.trace_id.as_str())
        .sql(", ")
        .text(&*span.span_id)
        .sql(", ")
        .int(*experiment)
        .sql(", ")
        .optional_text(span.parent_id.clone())
        .sql(", ")
        .text(&*span.name)
        .sql(", ")
        .optional_text(span.span_type.clone())
        .sql(", ")
        .text(span.status.name())
        .sql(", ")
        .int(span.start_time_unix_nano)
        .sql(", ")
        .optional_int(Some(span.end_time_unix_nano).filter(|end| *end > 0))
        .sql(", ")
        .text(&*span.content);
    for amount in span.cost.map(Cost::amounts).unwrap_or_default() {
        sql = sql.sql(", ").optional_real(amount);
    }
    sql.sql(", ")
        .optional_text(span.model_name.clone())
        .sql(", ")
        .optional_text(span.model_provider.clone())
}

/// Writes the tags that spans bring, and says where they are.
fn tag(connection: &mut Connection, news: &BTreeMap<&str, News<'_>>) -> Result<(), StoreError> {
    let mut tags: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    let mut users: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    for news in news.values() {
        tags.insert((news.id, trace_keys::SPANS_LOCATION), trace_keys::IN_STORE);
        // What its producer says of itself, and then what it was given by name.
        let resource = news
            .in_time()
            .find(|span| !span.resource_tags.is_empty())
            .map_or(&[][..], |span| &span.resource_tags);
        let given = news.in_time().flat_map(|span| &span.trace_tags);
        for tag in resource.iter().chain(given) {
            if tag.key != trace_keys::NAME {
                tags.insert((news.id, &*tag.key), &*tag.value);
            }
        }
        if let Some(user) = news.first(|span| span.user_id.as_deref()) {
            users.insert((news.id, trace_keys::USER, user));
        }
    }
    let tags = tags.into_iter().map(|((id, key), value)| (id, key, value));
    traces::put_tags(connection, tags)?;
    let users: Vec<_> = users.into_iter().collect();
    let head = "insert into trace_request_metadata (request_id, \"key\", value) values ";
    let keep = connection.dialect().or_keep("value");
    put_rows(connection, head, &users, traces::bind_pair, &keep)
}
