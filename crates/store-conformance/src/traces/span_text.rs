//! Spans as JSON in MLflow's form, which says what their fields say: a server reads the fields
//! out of it again.

use std::fmt::Write;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use runledger_entities::{Cost, Span, TokenUsage};

/// The id of a span, whose digits are the bytes of its name, up to eight.
pub(super) fn span_id(name: &str) -> String {
    let number = name
        .bytes()
        .fold(0_u64, |sum, byte| sum << 8 | u64::from(byte));
    format!("{number:016x}")
}

/// A span with the JSON that says what its fields say, and which has these attributes besides.
/// The value of an attribute is JSON.
pub(super) fn written(mut span: Span, attributes: &[(&str, &str)]) -> Span {
    let bytes = |digits: &str| {
        let pairs = digits.as_bytes().chunks(2);
        let bytes = pairs.map(|pair| {
            let pair = str::from_utf8(pair).expect("digits are ASCII");
            u8::from_str_radix(pair, 16).expect("they are hexadecimal")
        });
        STANDARD.encode(bytes.collect::<Vec<u8>>())
    };
    let trace = span.trace_id.as_str().trim_start_matches("tr-");
    let parent = match &span.parent_id {
        Some(id) => format!("\"{}\"", bytes(id)),
        None => "null".to_owned(),
    };
    let mut all = own(&span);
    let others = attributes.iter();
    all.extend(others.map(|&(key, value)| (key.to_owned(), value.to_owned())));
    let mut listed = String::new();
    for (key, value) in all {
        let comma = if listed.is_empty() { "" } else { ", " };
        // Writing to a string does not fail.
        let _ = write!(listed, "{comma}\"{key}\": \"{}\"", escaped(&value));
    }
    span.content = format!(
        "{{\"trace_id\": \"{}\", \"span_id\": \"{}\", \"parent_span_id\": {parent}, \"name\": \
         \"{}\", \"start_time_unix_nano\": {}, \"end_time_unix_nano\": {}, \"events\": [], \
         \"status\": {{\"code\": \"{}\", \"message\": \"\"}}, \"attributes\": {{{listed}}}, \
         \"links\": []}}",
        bytes(trace),
        bytes(&span.span_id),
        span.name,
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        span.status.otlp_name(),
    );
    span
}

/// The attributes that say what the fields of a span say.
fn own(span: &Span) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut say = |key: &str, value: String| all.push((key.to_owned(), value));
    say("mlflow.traceRequestId", text(span.trace_id.as_str()));
    if let Some(kind) = &span.span_type {
        say("mlflow.spanType", text(kind));
    }
    if let Some(usage) = &span.token_usage {
        say("mlflow.chat.tokenUsage", usage_text(*usage));
    }
    if let Some(cost) = &span.cost {
        say("mlflow.llm.cost", cost_text(*cost));
    }
    if let Some(session) = &span.session_id {
        say("session.id", text(session));
    }
    if let Some(user) = &span.user_id {
        say("user.id", text(user));
    }
    let message = |role: &str, content: &str| {
        format!("{{\"messages\": [{{\"role\": \"{role}\", \"content\": \"{content}\"}}]}}")
    };
    if let Some(preview) = &span.request_preview {
        say("mlflow.spanInputs", message("user", preview));
    }
    if let Some(preview) = &span.response_preview {
        say("mlflow.spanOutputs", message("assistant", preview));
    }
    for tag in &span.trace_tags {
        say(&format!("mlflow.traceTag.{}", tag.key), text(&tag.value));
    }
    all
}

/// What stands between quotes for a text.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

fn text(value: &str) -> String {
    format!("\"{value}\"")
}

fn usage_text(mut usage: TokenUsage) -> String {
    let members = TokenUsage::MEMBERS.iter().filter_map(|(name, member)| {
        let value = (*member(&mut usage))?;
        Some(format!("\"{name}\": {value}"))
    });
    format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
}

fn cost_text(mut cost: Cost) -> String {
    let members = Cost::MEMBERS.iter().filter_map(|(name, member)| {
        let value = (*member(&mut cost))?;
        Some(format!("\"{name}\": {value:?}"))
    });
    format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
}
