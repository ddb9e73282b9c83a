//! Traces that were there before their spans came: what changes about them.

use std::collections::{HashMap, HashSet};

use diesel::sql_types::{Nullable, Text};
use runledger_entities::{Cost, TokenUsage, TraceId, UsageNode, UsageTree, trace_keys};
use runledger_store::StoreError;

use super::{
    Known,
    news::{News, node},
};
use crate::{
    connection::Connection,
    migrate::python::Json,
    nouns::{OrStoreError as _, assessments},
    sql::Sql,
};

const CHAT_USAGE: &str = "mlflow.chat.tokenUsage";
const LLM_COST: &str = "mlflow.llm.cost";

/// Updates traces that were there before.
pub(super) fn widen(
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
            let before = known
                .duration
                .map(|duration| known.start.saturating_add(duration));
            let end = before.map_or(end, |before| before.max(end));
            sql = sql
                .sql(", execution_time_ms = ")
                .int(end.saturating_sub(start));
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
