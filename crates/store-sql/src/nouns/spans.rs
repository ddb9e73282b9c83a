//! Spans, and the traces that they make or widen.
//!
//! Everything is read and written for all traces of a call together, but for a
//! trace that was there before and changes: that is an update of its own.

mod news;
mod widen;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use runledger_entities::{Cost, ExperimentId, Span, TokenUsage, TraceId, TraceState, trace_keys};
use runledger_store::StoreError;

use self::{
    news::{News, news_of},
    widen::widen,
};
use super::{
    OrStoreError as _, experiments,
    rows::{Values, insert_new_rows, put_rows},
    traces,
};
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
    let known = lock_known(connection, &news)?;
    let (old, new): (Vec<&News<'_>>, Vec<_>) =
        news.values().partition(|news| known.contains_key(news.id));
    let mut tags = Vec::new();
    if !new.is_empty() {
        let folder = experiments::get(connection, experiment)?.artifact_location;
        make(connection, experiment, &new)?;
        tags.extend(new.iter().map(|news| {
            let location = traces::location(&folder, &TraceId::new(news.id));
            (news.id, trace_keys::ARTIFACT_LOCATION, location)
        }));
    }
    let rows: Vec<(i64, &Span)> = news
        .values()
        .flat_map(|news| {
            let of = known
                .get(news.id)
                .map_or(experiment.0, |trace| trace.experiment);
            news.spans.values().map(move |span| (of, *span))
        })
        .collect();
    put(connection, &rows)?;
    widen(connection, &old, &known)?;
    tag(connection, &news, &tags)
}

/// The traces that are there, which stay as they are for others until the end of the
/// transaction, and count that their spans change.
fn lock_known(
    connection: &mut Connection,
    news: &BTreeMap<&str, News<'_>>,
) -> Result<HashMap<String, Known>, StoreError> {
    // Without a lock: where nothing is found, MySQL would lock the place where it could be.
    let ids: Vec<String> = Sql::new("select request_id from trace_info where request_id")
        .in_texts(false, news.keys().map(|id| (*id).to_owned()).collect())
        .rows::<Text, String>(connection)
        .or_store_error()?;
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let known = lock(connection, &ids)?;
    if known.len() < ids.len() {
        // One was deleted after it was found: the transaction is repeated, and makes it anew.
        return Err(StoreError::Unavailable { reason: CONTENTION });
    }
    refuse_elsewhere(connection, &ids)?;
    Sql::new(
        "update trace_info set db_payload_generation = db_payload_generation + 1 where request_id",
    )
    .in_texts(false, ids)
    .run(connection)
    .or_store_error()?;
    Ok(known)
}

/// Makes traces, none of which was there.
fn make(
    connection: &mut Connection,
    experiment: ExperimentId,
    news: &[&News<'_>],
) -> Result<(), StoreError> {
    let head = "insert into trace_info (request_id, experiment_id, timestamp_ms, \
        execution_time_ms, status, request_preview, response_preview, db_payload_generation, \
        trace_name, session_id, input_tokens, output_tokens, total_tokens, \
        cache_read_input_tokens, cache_creation_input_tokens, \
        cache_creation_input_tokens_above_1hr, input_cost, output_cost, total_cost)";
    let row = |news: &&News<'_>| {
        let state = news.state.unwrap_or(TraceState::InProgress);
        let mut row = Values::default()
            .text(news.id)
            .int(experiment.0)
            .int(news.start)
            .optional_int(news.end.map(|end| end.saturating_sub(news.start)))
            .text(state.name())
            .optional_text(news.first(|span| span.request_preview.clone()))
            .optional_text(news.first(|span| span.response_preview.clone()))
            .int(1)
            .optional_text(news.name().map(str::to_owned))
            .optional_text(news.first(|span| span.session_id.clone()));
        for count in news.usage.map(TokenUsage::counts).unwrap_or_default() {
            row = row.optional_int(count);
        }
        for amount in news.cost.map(Cost::amounts).unwrap_or_default() {
            row = row.optional_real(amount);
        }
        row
    };
    insert_new_rows(connection, head, news, row)
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
    has_request: bool,
    has_response: bool,
    has_session: bool,
    has_usage: bool,
    has_cost: bool,
}

type KnownColumns = (
    (Text, Integer, BigInt, Nullable<BigInt>, Text),
    (Bool, Bool, Bool, Bool, Bool),
);

type KnownRow = (
    (String, SerialId, i64, Option<i64>, String),
    (bool, bool, bool, bool, bool),
);

/// Traces, which stay as they are until the end of the transaction.
fn lock(connection: &mut Connection, ids: &[String]) -> Result<HashMap<String, Known>, StoreError> {
    let rows: Vec<KnownRow> = Sql::new(
        "select request_id, experiment_id, timestamp_ms, execution_time_ms, status, \
         request_preview is not null, response_preview is not null, \
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

/// Writes spans, each with the experiment of its trace, over those that are there.
pub(super) fn put(connection: &mut Connection, spans: &[(i64, &Span)]) -> Result<(), StoreError> {
    let head = "insert into spans (trace_id, span_id, experiment_id, parent_span_id, name, type, \
        status, start_time_unix_nano, end_time_unix_nano, content, input_cost, output_cost, \
        total_cost, model_name, model_provider)";
    let tail = connection
        .dialect()
        .or_replace_all("trace_id, span_id", REPLACED);
    let mut from = 0;
    let mut bytes = 0;
    for (at, (_, span)) in spans.iter().enumerate() {
        if bytes + span.content.len() > BYTES {
            put_rows(connection, head, &spans[from..at], row, &tail)?;
            from = at;
            bytes = 0;
        }
        bytes += span.content.len();
    }
    put_rows(connection, head, &spans[from..], row, &tail)
}

fn row((experiment, span): &(i64, &Span)) -> Values {
    let mut row = Values::default()
        .text(span.trace_id.as_str())
        .text(&*span.span_id)
        .int(*experiment)
        .optional_text(span.parent_id.clone())
        .text(&*span.name)
        .optional_text(span.span_type.clone())
        .text(span.status.name())
        .int(span.start_time_unix_nano)
        .optional_int(Some(span.end_time_unix_nano).filter(|end| *end > 0))
        .text(&*span.content);
    for amount in span.cost.map(Cost::amounts).unwrap_or_default() {
        row = row.optional_real(amount);
    }
    row.optional_text(span.model_name.clone())
        .optional_text(span.model_provider.clone())
}

/// Writes the tags of new traces, those that spans bring, and where the spans are.
fn tag(
    connection: &mut Connection,
    news: &BTreeMap<&str, News<'_>>,
    new: &[(&str, &str, String)],
) -> Result<(), StoreError> {
    let new = new.iter().map(|(id, key, value)| ((*id, *key), &**value));
    let mut tags: BTreeMap<(&str, &str), &str> = new.collect();
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
    let head = "insert into trace_request_metadata (request_id, \"key\", value)";
    let keep = connection.dialect().or_keep("value");
    put_rows(connection, head, &users, traces::pair, &keep)
}
