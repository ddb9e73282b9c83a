//! Spans, and the traces that they make or widen.
//!
//! Everything is read and written for all traces of a call together, but for a
//! trace that was there before and changes: that is an update of its own.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use runledger_entities::{
    Cost, ExperimentId, Span, TokenUsage, TraceId, TraceState, UsageNode, UsageTree, trace_keys,
};
use runledger_store::StoreError;

use super::{OrStoreError as _, assessments, experiments, rows::put_rows, traces};
use crate::{
    connection::Connection, error::CONTENTION, migrate::python::Json, sql::Sql, values::SerialId,
};

/// How many bytes of spans a statement writes, but for one span that has more:
/// databases bound the length of a statement.
const BYTES: usize = 4 << 20;

const CHAT_USAGE: &str = "mlflow.chat.tokenUsage";
const LLM_COST: &str = "mlflow.llm.cost";

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

/// What the spans of a call say about one trace.
struct News<'a> {
    id: &'a str,
    /// Of equal spans the last one.
    spans: BTreeMap<&'a str, &'a Span>,
    start: i64,
    /// Absent while no span has ended.
    end: Option<i64>,
    /// What the root says.
    state: Option<TraceState>,
    usage: Option<TokenUsage>,
    cost: Option<Cost>,
}

fn news_of(spans: &[Span]) -> BTreeMap<&str, News<'_>> {
    let mut traces: BTreeMap<&str, BTreeMap<&str, &Span>> = BTreeMap::new();
    for span in spans {
        let of = traces.entry(span.trace_id.as_str()).or_default();
        of.insert(&span.span_id, span);
    }
    traces
        .into_iter()
        .map(|(id, spans)| (id, News::new(id, spans)))
        .collect()
}

impl<'a> News<'a> {
    fn new(id: &'a str, spans: BTreeMap<&'a str, &'a Span>) -> Self {
        const MILLI: i64 = 1_000_000;
        let starts = spans.values().map(|span| span.start_time_unix_nano);
        let ends = spans.values().map(|span| span.end_time_unix_nano);
        let nodes: Vec<UsageNode> = spans.values().map(|span| node(span)).collect();
        let tree = UsageTree::new(&nodes);
        Self {
            start: starts.min().unwrap_or_default() / MILLI,
            end: ends.filter(|end| *end > 0).max().map(|end| end / MILLI),
            state: spans
                .values()
                .find(|span| span.parent_id.is_none())
                .map(|root| match root.status {
                    runledger_entities::SpanStatus::Error => TraceState::Error,
                    _ => TraceState::Ok,
                }),
            usage: tree.token_usage(),
            cost: tree.cost(),
            id,
            spans,
        }
    }

    /// The first value that a span has.
    fn first<T>(&self, value: impl Fn(&'a Span) -> Option<T>) -> Option<T> {
        self.in_time().find_map(value)
    }

    /// The spans as they began.
    fn in_time(&self) -> impl Iterator<Item = &'a Span> {
        let mut spans: Vec<&Span> = self.spans.values().copied().collect();
        spans.sort_by_key(|span| span.start_time_unix_nano);
        spans.into_iter()
    }

    fn name(&self) -> Option<&'a str> {
        self.first(|span| {
            let tags = &span.trace_tags;
            let name = tags.iter().find(|tag| tag.key == trace_keys::NAME)?;
            Some(&*name.value)
        })
    }
}

fn node(span: &Span) -> UsageNode {
    UsageNode {
        span_id: span.span_id.clone(),
        parent_id: span.parent_id.clone(),
        token_usage: span.token_usage,
        cost: span.cost,
    }
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
    let head = "insert into spans (trace_id, span_id, experiment_id, parent_span_id, name, type, \
        status, start_time_unix_nano, end_time_unix_nano, content, input_cost, output_cost, \
        total_cost, model_name, model_provider) values ";
    let tail = connection
        .dialect()
        .or_replace_all("trace_id, span_id", REPLACED);
    let bind = |sql: Sql, (experiment, span): &(i64, &Span)| {
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
    };
    let mut rows: Vec<(i64, &Span)> = Vec::new();
    let mut bytes = 0;
    for news in news.values() {
        let Some(trace) = traces.get(news.id) else {
            // It was deleted after it was found: the transaction is repeated, and makes it anew.
            return Err(StoreError::Unavailable { reason: CONTENTION });
        };
        for span in news.spans.values() {
            if bytes + span.content.len() > BYTES {
                put_rows(connection, head, &rows, bind, &tail)?;
                rows.clear();
                bytes = 0;
            }
            bytes += span.content.len();
            rows.push((trace.experiment, span));
        }
    }
    put_rows(connection, head, &rows, bind, &tail)
}

/// Updates traces that were there before.
fn widen(
    connection: &mut Connection,
    old: &[&News<'_>],
    traces: &HashMap<String, Known>,
) -> Result<(), StoreError> {
    let finalized = finalized(connection, old)?;
    let may_change = |news: &News<'_>, known: &Known| {
        let told = finalized.contains(news.id);
        (
            news.usage.is_some() && !(told && known.has_usage),
            news.cost.is_some() && !(told && known.has_cost),
        )
    };
    let recount = old.iter().filter(|news| {
        traces
            .get(news.id)
            .is_some_and(|known| may_change(news, known) != (false, false))
    });
    let stored = stored_nodes(connection, &recount.copied().collect::<Vec<_>>())?;
    for news in old {
        let Some(known) = traces.get(news.id) else {
            continue;
        };
        let (recount_usage, recount_cost) = may_change(news, known);
        let (mut usage, mut cost) = (None, None);
        if recount_usage || recount_cost {
            let mut nodes: Vec<UsageNode> = news.spans.values().map(|span| node(span)).collect();
            nodes.extend(stored.get(news.id).into_iter().flatten().cloned());
            let tree = UsageTree::new(&nodes);
            usage = tree.token_usage().filter(|_| recount_usage);
            cost = tree.cost().filter(|_| recount_cost);
        }
        update(
            connection,
            news,
            known,
            finalized.contains(news.id),
            usage,
            cost,
        )?;
    }
    Ok(())
}

/// Of traces whose spans say what they used, or name a session, those that a
/// client has told all about: others are not asked for, as in MLflow.
fn finalized(
    connection: &mut Connection,
    news: &[&News<'_>],
) -> Result<HashSet<String>, StoreError> {
    let asked = news.iter().filter(|news| {
        news.usage.is_some()
            || news.cost.is_some()
            || news.first(|span| span.session_id.as_ref()).is_some()
    });
    let asked: Vec<String> = asked.map(|news| news.id.to_owned()).collect();
    if asked.is_empty() {
        return Ok(HashSet::new());
    }
    let found = Sql::new("select request_id from trace_request_metadata where \"key\" = ")
        .text(trace_keys::FINALIZED)
        .sql(" and request_id")
        .in_texts(false, asked)
        .rows::<Text, String>(connection)
        .or_store_error()?;
    Ok(found.into_iter().collect())
}

/// The spans of traces that are kept already, but for those of the call.
///
/// Only the JSON of spans that say something is read.
fn stored_nodes(
    connection: &mut Connection,
    news: &[&News<'_>],
) -> Result<HashMap<String, Vec<UsageNode>>, StoreError> {
    type Stored = (String, String, Option<String>, Option<String>);

    let mut nodes: HashMap<String, Vec<UsageNode>> = HashMap::new();
    if news.is_empty() {
        return Ok(nodes);
    }
    let ids = news.iter().map(|news| news.id.to_owned()).collect();
    let rows: Vec<Stored> = Sql::new(
        "select trace_id, span_id, parent_span_id, case when content like \
         '%\"mlflow.chat.tokenUsage\"%' or content like '%\"mlflow.llm.cost\"%' then content end \
         from spans where trace_id",
    )
    .in_texts(false, ids)
    .rows::<(Text, Text, Nullable<Text>, Nullable<Text>), _>(connection)
    .or_store_error()?;
    let now: HashSet<(&str, &str)> = news
        .iter()
        .flat_map(|news| news.spans.keys().map(|span| (news.id, *span)))
        .collect();
    for (trace, span_id, parent_id, content) in rows {
        if now.contains(&(trace.as_str(), span_id.as_str())) {
            continue;
        }
        let (token_usage, cost) = content.as_deref().map(usage_of).unwrap_or_default();
        nodes.entry(trace).or_default().push(UsageNode {
            span_id,
            parent_id,
            token_usage,
            cost,
        });
    }
    Ok(nodes)
}

/// What a span as JSON says that it used and cost.
fn usage_of(content: &str) -> (Option<TokenUsage>, Option<Cost>) {
    let Some(Json::Object(mut span)) = Json::parse(content) else {
        return (None, None);
    };
    let Some(Json::Object(attributes)) = span.remove("attributes") else {
        return (None, None);
    };
    // Attributes are JSON in JSON.
    let members = |key: &str| match attributes.get(key)? {
        Json::Text(text) => match Json::parse(text)? {
            Json::Object(members) => Some(members),
            _ => None,
        },
        Json::Object(members) => Some(members.clone()),
        _ => None,
    };
    let usage = members(CHAT_USAGE).map(|members| {
        let mut usage = TokenUsage::default();
        for (name, member) in TokenUsage::MEMBERS {
            *member(&mut usage) = members.get(name).and_then(Json::count);
        }
        usage
    });
    let cost = members(LLM_COST).map(|members| {
        let mut cost = Cost::default();
        for (name, member) in Cost::MEMBERS {
            *member(&mut cost) = members.get(name).and_then(Json::finite);
        }
        cost
    });
    (usage, cost)
}

/// Updates a trace, if there is anything new about it.
fn update(
    connection: &mut Connection,
    news: &News<'_>,
    known: &Known,
    is_finalized: bool,
    usage: Option<TokenUsage>,
    cost: Option<Cost>,
) -> Result<(), StoreError> {
    let mut sql = Sql::varying("update trace_info set request_id = request_id");
    let unchanged = sql.pieces.len();
    let start = known.start.min(news.start);
    if !is_finalized {
        if start != known.start {
            sql = sql.sql(", timestamp_ms = ").int(start);
        }
        if let Some(end) = news.end {
            let before = known.duration.map(|duration| known.start + duration);
            let end = before.map_or(end, |before| before.max(end));
            sql = sql.sql(", execution_time_ms = ").int(end - start);
        }
    }
    if let Some(state) = news.state.filter(|_| known.state.is_open()) {
        sql = sql.sql(", status = ").text(state.name());
    }
    if !known.has_request
        && let Some(preview) = news.first(|span| span.request_preview.clone())
    {
        sql = sql.sql(", request_preview = ").text(preview);
    }
    if !known.has_response
        && let Some(preview) = news.first(|span| span.response_preview.clone())
    {
        sql = sql.sql(", response_preview = ").text(preview);
    }
    if let Some(name) = news.name() {
        sql = sql.sql(", trace_name = ").text(name);
    }
    if !known.has_session
        && let Some(session) = news.first(|span| span.session_id.clone())
    {
        sql = sql.sql(", session_id = ").text(session);
    }
    let counts = usage.map(TokenUsage::counts).unwrap_or_default();
    for ((column, _), count) in TokenUsage::MEMBERS.into_iter().zip(counts) {
        if let Some(count) = count {
            sql = sql.sql(", ").sql(column).sql(" = ").int(count);
        }
    }
    let amounts = cost.map(Cost::amounts).unwrap_or_default();
    for ((column, _), amount) in Cost::MEMBERS.into_iter().zip(amounts) {
        if let Some(amount) = amount {
            sql = sql.sql(", ").sql(column).sql(" = ").real(amount);
        }
    }
    if sql.pieces.len() > unchanged {
        sql.sql(" where request_id = ")
            .text(news.id)
            .run(connection)
            .or_store_error()?;
    }
    if start != known.start && !is_finalized {
        assessments::move_to(connection, &TraceId::new(news.id), start)?;
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stored_span_used_is_read_from_its_json() {
        let content = r#"{"attributes": {"mlflow.chat.tokenUsage":
            "{\"input_tokens\": 3, \"total_tokens\": 4.0}",
            "mlflow.llm.cost": "{\"total_cost\": 0.5}", "other": "1"}}"#;
        let (usage, cost) = usage_of(content);
        let counts = usage.expect("it says what it used").counts();
        assert_eq!(counts, [Some(3), None, Some(4), None, None, None]);
        let amounts = cost.expect("it says what it cost").amounts();
        assert_eq!(amounts, [None, None, Some(0.5)]);
        for content in [
            "",
            "[]",
            r#"{"attributes": {"mlflow.chat.tokenUsage": "x"}}"#,
        ] {
            assert_eq!(usage_of(content), (None, None), "{content}");
        }
    }
}
