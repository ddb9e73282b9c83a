//! From the fields of a request to spans in MLflow's form.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use runledger_entities::{
    Cost, LongValues, Span, SpanStatus, Tag, TokenUsage, TraceId, limits, trace_keys, validate,
};
use serde_json::Value as Json;

use super::{
    MAX_SPANS, MAX_TAG_BYTES, MAX_TAGS, OtlpError, Received,
    attributes::{Attributes, parsed, plain_text},
    preview::preview,
    translate::{keys, translate},
    value::{AnyValue, KeyValue, ascii},
    wire::{Fields, Value},
};
use crate::json::python;

const REQUEST_ID: &str = "mlflow.traceRequestId";
/// Attributes of a root that are tags of its trace.
const TRACE_TAG: &str = "mlflow.traceTag.";

/// Programs whose name is put on their roots: they are known to MLflow's pages.
const KNOWN_SERVICES: [&str; 5] = [
    "claude-code",
    "codex_cli_rs",
    "codex_vscode",
    "gemini-cli",
    "qwen-code",
];

/// Reads a request.
pub(super) fn read(body: &[u8]) -> Result<Received, OtlpError> {
    let mut received = Received::default();
    let (mut tagged, mut completed) = (HashMap::new(), HashSet::new());
    let (mut tags, mut tag_bytes) = (0, 0);
    let mut empty = true;
    for field in Fields::of(body) {
        let (1, message) = field? else { continue };
        empty = false;
        let message = message.bytes()?;
        let resource = Resource::read(message)?;
        for field in Fields::of(message) {
            let (2, scope) = field? else { continue };
            for field in Fields::of(scope.bytes()?) {
                let (2, span) = field? else { continue };
                if received.spans.len() == MAX_SPANS {
                    return Err(OtlpError::TooMany);
                }
                let mut span = read_span(span.bytes()?, &resource)?;
                // One span brings them for all of its trace; told again, it does so again, since
                // only the last of equal spans is kept.
                let brings = !resource.tags.is_empty()
                    && *tagged
                        .entry(span.trace_id.clone())
                        .or_insert_with(|| span.span_id.clone())
                        == span.span_id;
                if brings {
                    // Each trace has its own: a small request must not become a huge one.
                    tags += resource.tags.len();
                    tag_bytes += resource.tag_bytes;
                    if tags > MAX_TAGS || tag_bytes > MAX_TAG_BYTES {
                        return Err(OtlpError::TooManyTags);
                    }
                    span.resource_tags.clone_from(&resource.tags);
                }
                if span.parent_id.is_none() && completed.insert(span.trace_id.clone()) {
                    received.completed.push(span.trace_id.clone());
                }
                received.spans.push(span);
            }
        }
    }
    if empty {
        return Err(OtlpError::Empty);
    }
    Ok(received)
}

/// What produced spans.
#[derive(Default)]
struct Resource {
    /// Its attributes, but for those of OpenTelemetry's SDK, which become tags.
    tags: Vec<Tag>,
    /// What a copy of them takes, about.
    tag_bytes: usize,
    service: Option<String>,
}

impl Resource {
    fn read(message: &[u8]) -> Result<Self, OtlpError> {
        let mut resource = Self::default();
        for field in Fields::of(message) {
            let (1, message) = field? else { continue };
            for field in Fields::of(message.bytes()?) {
                let (1, attribute) = field? else { continue };
                resource.attribute(&KeyValue::read(attribute.bytes()?)?)?;
            }
        }
        Ok(resource)
    }

    fn attribute(&mut self, attribute: &KeyValue<'_>) -> Result<(), OtlpError> {
        let key = attribute.key;
        if key == "service.name"
            && let AnyValue::Text(name) = attribute.value
            && KNOWN_SERVICES.contains(&name)
        {
            self.service = Some(name.to_owned());
        }
        // What is MLflow's own must not be written over.
        if key.starts_with("telemetry.sdk.") || key.starts_with("mlflow.") {
            return Ok(());
        }
        let value = attribute.value.to_tag()?.replace('\0', "\u{fffd}");
        let mut tag = Tag::new(key, value);
        if validate::trace_tag(&mut tag, LongValues::Truncate).is_ok() {
            self.tag_bytes += size_of::<Tag>() + tag.key.len() + tag.value.len();
            self.tags.push(tag);
        }
        Ok(())
    }
}

/// The fields of a span that are texts or numbers.
#[derive(Default)]
struct Plain<'a> {
    trace_id: &'a [u8],
    span_id: &'a [u8],
    parent_id: &'a [u8],
    name: &'a str,
    start: u64,
    end: u64,
    status: u64,
    message: &'a str,
}

fn read_span(message: &[u8], resource: &Resource) -> Result<Span, OtlpError> {
    let mut plain = Plain::default();
    let mut attributes = Attributes::default();
    let (mut events, mut links) = (String::new(), String::new());
    for field in Fields::of(message) {
        match field? {
            (1, id) => plain.trace_id = id.bytes()?,
            (2, id) => plain.span_id = id.bytes()?,
            (4, id) => plain.parent_id = id.bytes()?,
            (5, name) => plain.name = name.text()?,
            (7, Value::Fixed64(time)) => plain.start = time,
            (8, Value::Fixed64(time)) => plain.end = time,
            (9, attribute) => {
                let attribute = KeyValue::read(attribute.bytes()?)?;
                attributes.push(attribute.key, attribute.value.to_attribute()?);
            }
            (11, event) => write_event(event.bytes()?, &mut events)?,
            (13, link) => write_link(link.bytes()?, &mut links)?,
            (15, status) => {
                for field in Fields::of(status.bytes()?) {
                    match field? {
                        (2, message) => plain.message = message.text()?,
                        (3, Value::Varint(code)) => plain.status = code,
                        _ => {}
                    }
                }
            }
            (7 | 8, _) => return Err(OtlpError::Malformed),
            _ => {}
        }
    }
    attributes.distinct();
    build(&plain, attributes, &events, &links, resource)
}

fn build(
    plain: &Plain<'_>,
    mut attributes: Attributes,
    events: &str,
    links: &str,
    resource: &Resource,
) -> Result<Span, OtlpError> {
    let trace_bytes = padded::<16>(plain.trace_id)?;
    let span_bytes = padded::<8>(plain.span_id)?;
    let parent_bytes = match plain.parent_id {
        [] => None,
        id => Some(padded::<8>(id)?).filter(|id| *id != [0; 8]),
    };
    let trace_id = TraceId::new(format!("tr-{}", hex(&trace_bytes)));
    attributes.set(REQUEST_ID, ascii(trace_id.as_str()));
    if parent_bytes.is_none()
        && let Some(service) = &resource.service
    {
        attributes.set("service.name", ascii(service));
    }
    // The type that the span was sent with: translations are in its JSON only.
    let span_type = attributes
        .text(keys::TYPE)
        .filter(|text| text != "null")
        .map(|text| kept(text, limits::SPAN_TYPE));
    translate(&mut attributes);
    let status = match plain.status {
        1 => SpanStatus::Ok,
        2 => SpanStatus::Error,
        _ => SpanStatus::Unset,
    };
    let is_root = parent_bytes.is_none();
    let of_root = |key: &str, role: &str| {
        let json = attributes
            .get(key)
            .filter(|json| is_root && !json.is_empty());
        json.map(|json| preview(json, role))
    };
    let session_id = ["session.id", "gen_ai.conversation.id"]
        .into_iter()
        .find_map(|key| {
            attributes
                .get(key)
                .filter(|json| !json.is_empty())
                .and(attributes.text(key))
        });
    if let Some(id) = &session_id {
        validate::session_id(id)?;
    }
    let nanos = |time: u64| i64::try_from(time).map_err(|_| OtlpError::BadSpan);
    let bounded = |key: &str| text_of(&attributes, key);
    Ok(Span {
        content: content(
            plain,
            (&trace_bytes, &span_bytes, parent_bytes.as_ref()),
            status,
            &attributes,
            events,
            links,
        ),
        span_id: hex(&span_bytes),
        parent_id: parent_bytes.as_ref().map(|id| hex(id)),
        name: kept(plain.name.to_owned(), limits::SPAN_NAME),
        span_type,
        status,
        start_time_unix_nano: nanos(plain.start)?,
        end_time_unix_nano: nanos(plain.end)?,
        token_usage: usage(&attributes),
        cost: cost(&attributes),
        model_name: bounded(keys::MODEL),
        model_provider: bounded(keys::PROVIDER),
        session_id,
        user_id: attributes
            .get("user.id")
            .filter(|json| !json.is_empty())
            .and_then(|_| attributes.text("user.id"))
            .map(|user| kept(user, limits::TRACE_METADATA_KEPT)),
        request_preview: of_root(keys::INPUTS, "user"),
        response_preview: of_root(keys::OUTPUTS, "assistant"),
        trace_tags: if is_root {
            trace_tags(&attributes)
        } else {
            Vec::new()
        },
        resource_tags: Vec::new(),
        trace_id,
    })
}

/// An id of as many bytes, with zeros before a shorter one.
fn padded<const N: usize>(id: &[u8]) -> Result<[u8; N], OtlpError> {
    let mut bytes = [0; N];
    let start = N.checked_sub(id.len()).filter(|_| !id.is_empty());
    bytes[start.ok_or(OtlpError::BadSpan)?..].copy_from_slice(id);
    Ok(bytes)
}

/// The hexadecimal digits of bytes.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble & 0xf)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(*byte)])
        .collect()
}

fn cut(text: String, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => text[..end].to_owned(),
        None => text,
    }
}

/// A text as a column can keep it: of so many characters, and none of them a NUL, which
/// not every database has. One span must not refuse those that come with it; its JSON
/// has the text as it was sent.
fn kept(text: String, limit: usize) -> String {
    let text = cut(text, limit);
    if text.contains('\0') {
        return text.replace('\0', "\u{fffd}");
    }
    text
}

fn text_of(attributes: &Attributes, key: &str) -> Option<String> {
    let json = attributes.get(key)?;
    match parsed(json) {
        Some(Json::String(text)) => Some(kept(text, limits::SPAN_MODEL)),
        // What is another value is none; what is no JSON is a text.
        Some(_) => None,
        None => Some(kept(json.to_owned(), limits::SPAN_MODEL)),
    }
}

fn usage(attributes: &Attributes) -> Option<TokenUsage> {
    let members = attributes.object(keys::USAGE)?;
    let mut usage = TokenUsage::default();
    for (name, member) in TokenUsage::MEMBERS {
        *member(&mut usage) = members.get(name).and_then(count);
    }
    Some(usage)
}

/// A whole number, also as a float.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a whole number within the range"
)]
fn count(value: &Json) -> Option<i64> {
    const LIMIT: f64 = 9_007_199_254_740_992.0;
    value.as_i64().or_else(|| {
        let value = value.as_f64()?;
        (value.fract() == 0.0 && value.abs() <= LIMIT).then_some(value as i64)
    })
}

fn cost(attributes: &Attributes) -> Option<Cost> {
    let members = attributes.object(keys::COST)?;
    let mut cost = Cost::default();
    for (name, member) in Cost::MEMBERS {
        *member(&mut cost) = members.get(name).and_then(Json::as_f64);
    }
    Some(cost)
}

/// The tags that a root gives to its trace.
fn trace_tags(attributes: &Attributes) -> Vec<Tag> {
    let mut tags = Vec::new();
    for (key, json) in attributes.iter() {
        let Some(name) = key.strip_prefix(TRACE_TAG) else {
            continue;
        };
        let mut tag = Tag::new(name, plain_text(json).replace('\0', "\u{fffd}"));
        let is_fixed = validate::trace_tag_may_change(name, false).is_err();
        if !is_fixed && validate::trace_tag(&mut tag, LongValues::Truncate).is_ok() {
            tags.push(tag);
        }
    }
    debug_assert!(tags.iter().all(|tag| tag.key != trace_keys::SPANS_LOCATION));
    tags
}

/// The span as JSON, in MLflow's form.
fn content(
    plain: &Plain<'_>,
    (trace_id, span_id, parent_id): (&[u8], &[u8], Option<&[u8; 8]>),
    status: SpanStatus,
    attributes: &Attributes,
    events: &str,
    links: &str,
) -> String {
    let length: usize = attributes.iter().map(|(k, v)| k.len() + v.len() + 16).sum();
    let mut out = String::with_capacity(400 + length + events.len() + links.len());
    let mut text = |before: &str, value: &str| {
        out.push_str(before);
        python::push_text(value, &mut out);
    };
    text("{\"trace_id\": ", &STANDARD.encode(trace_id));
    text(", \"span_id\": ", &STANDARD.encode(span_id));
    match parent_id {
        Some(id) => text(", \"parent_span_id\": ", &STANDARD.encode(id)),
        None => out.push_str(", \"parent_span_id\": null"),
    }
    let mut text = |before: &str, value: &str| {
        out.push_str(before);
        python::push_text(value, &mut out);
    };
    text(", \"name\": ", plain.name);
    let times = format!(
        ", \"start_time_unix_nano\": {}, \"end_time_unix_nano\": {}, \"events\": [",
        plain.start, plain.end
    );
    out.push_str(&times);
    out.push_str(events);
    out.push(']');
    let message: Cow<'_, str> = match status {
        SpanStatus::Error => plain.message.into(),
        // OpenTelemetry keeps a message of errors only.
        SpanStatus::Unset | SpanStatus::Ok => "".into(),
    };
    out.push_str(", \"status\": {\"code\": \"");
    out.push_str(status.otlp_name());
    out.push_str("\", \"message\": ");
    python::push_text(&message, &mut out);
    out.push_str("}, \"attributes\": {");
    for (number, (key, value)) in attributes.iter().enumerate() {
        out.push_str(if number == 0 { "" } else { ", " });
        python::push_text(key, &mut out);
        out.push_str(": ");
        python::push_text(value, &mut out);
    }
    out.push_str("}, \"links\": [");
    out.push_str(links);
    out.push_str("]}");
    out
}

/// Appends an object of attributes, with plain values.
fn write_attributes(attributes: &[&[u8]], out: &mut String) -> Result<(), OtlpError> {
    out.push('{');
    for (number, message) in attributes.iter().enumerate() {
        let attribute = KeyValue::read(message)?;
        out.push_str(if number == 0 { "" } else { ", " });
        python::push_text(attribute.key, out);
        out.push_str(": ");
        attribute.value.write_strict(out)?;
    }
    out.push('}');
    Ok(())
}

fn write_event(message: &[u8], out: &mut String) -> Result<(), OtlpError> {
    let (mut time, mut name, mut attributes) = (0, "", Vec::new());
    for field in Fields::of(message) {
        match field? {
            (1, Value::Fixed64(nanos)) => time = nanos,
            (2, text) => name = text.text()?,
            (3, attribute) => attributes.push(attribute.bytes()?),
            _ => {}
        }
    }
    out.push_str(if out.is_empty() { "" } else { ", " });
    out.push_str("{\"name\": ");
    python::push_text(name, out);
    let rest = format!(", \"time_unix_nano\": {time}, \"attributes\": ");
    out.push_str(&rest);
    write_attributes(&attributes, out)?;
    out.push('}');
    Ok(())
}

fn write_link(message: &[u8], out: &mut String) -> Result<(), OtlpError> {
    let (mut trace_id, mut span_id, mut attributes) = (&b""[..], &b""[..], Vec::new());
    for field in Fields::of(message) {
        match field? {
            (1, id) => trace_id = id.bytes()?,
            (2, id) => span_id = id.bytes()?,
            (4, attribute) => attributes.push(attribute.bytes()?),
            _ => {}
        }
    }
    // A link without ids links to nothing, and does no harm.
    let trace_id = padded::<16>(trace_id).unwrap_or_default();
    let span_id = padded::<8>(span_id).unwrap_or_default();
    out.push_str(if out.is_empty() { "" } else { ", " });
    let ids = format!(
        "{{\"trace_id\": \"tr-{}\", \"span_id\": \"{}\", \"attributes\": ",
        hex(&trace_id),
        hex(&span_id)
    );
    out.push_str(&ids);
    if attributes.is_empty() {
        out.push_str("null");
    } else {
        write_attributes(&attributes, out)?;
    }
    out.push('}');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Encoding, OtlpError, read};

    fn received(spans: &str) -> Result<super::Received, OtlpError> {
        let resource = r#"{"attributes": [
            {"key": "service.name", "value": {"stringValue": "codex_vscode"}},
            {"key": "mlflow.x", "value": {"stringValue": "no"}},
            {"key": "n", "value": {"intValue": 5}}]}"#;
        let body = format!(
            r#"{{"resourceSpans": [{{"resource": {resource}, "scopeSpans": [{{"spans": [{spans}]}}]}}]}}"#
        );
        read(body.as_bytes(), Encoding::Json)
    }

    const ROOT: &str = r#"{"traceId": "0102", "spanId": "0a", "name": "é", "startTimeUnixNano": 1000000,
        "endTimeUnixNano": "2500000", "status": {"code": 1, "message": "dropped"},
        "attributes": [{"key": "a", "value": {"arrayValue": {"values": [{"intValue": 1}, {}]}}},
            {"key": "j", "value": {"stringValue": "{\"k\": 1}"}},
            {"key": "mlflow.traceTag.t", "value": {"stringValue": "v"}},
            {"key": "mlflow.spanInputs", "value": {"stringValue": "{\"q\": 1}"}}],
        "events": [{"timeUnixNano": 5, "name": "e"}]}"#;

    #[test]
    fn a_span_becomes_the_json_of_mlflow() {
        let received = received(ROOT).unwrap();
        let span = &received.spans[0];
        assert_eq!(
            span.trace_id.as_str(),
            "tr-00000000000000000000000000000102"
        );
        assert_eq!(span.span_id, "000000000000000a");
        assert_eq!(span.request_preview.as_deref(), Some("{\"q\": 1}"));
        assert_eq!(received.completed, std::slice::from_ref(&span.trace_id));
        assert_eq!(
            span.content,
            concat!(
                r#"{"trace_id": "AAAAAAAAAAAAAAAAAAABAg==", "span_id": "AAAAAAAAAAo=", "#,
                r#""parent_span_id": null, "name": "é", "start_time_unix_nano": 1000000, "#,
                r#""end_time_unix_nano": 2500000, "events": [{"name": "e", "time_unix_nano": 5, "#,
                r#""attributes": {}}], "status": {"code": "STATUS_CODE_OK", "message": ""}, "#,
                r#""attributes": {"a": "[1, null]", "j": "{\"k\": 1}", "#,
                r#""mlflow.traceTag.t": "\"v\"", "mlflow.spanInputs": "{\"q\": 1}", "#,
                r#""mlflow.traceRequestId": "\"tr-00000000000000000000000000000102\"", "#,
                r#""service.name": "\"codex_vscode\""}, "links": []}"#
            )
        );
    }

    #[test]
    fn a_small_request_becomes_no_huge_one() {
        let value = "v".repeat(4000);
        let attributes: Vec<_> = (0..100)
            .map(|key| format!(r#"{{"key": "k{key}", "value": {{"stringValue": "{value}"}}}}"#))
            .collect();
        let spans: Vec<_> = (1..100)
            .map(|trace| format!(r#"{{"traceId": "{trace:032x}", "spanId": "0a"}}"#))
            .collect();
        let body = format!(
            r#"{{"resourceSpans": [{{"resource": {{"attributes": [{}]}}, "scopeSpans": [{{"spans": [{}]}}]}}]}}"#,
            attributes.join(", "),
            spans.join(", ")
        );
        let error = read(body.as_bytes(), Encoding::Json).unwrap_err();
        assert!(matches!(error, OtlpError::TooManyTags), "{error}");
    }

    #[test]
    fn columns_keep_what_fits_them() {
        let kind = "t".repeat(501);
        let span = format!(
            r#"{{"traceId": "0102", "spanId": "0a", "name": "a\u0000b", "attributes": [
            {{"key": "mlflow.spanType", "value": {{"stringValue": "{kind}"}}}}]}}"#
        );
        let span = &received(&span).unwrap().spans[0];
        assert_eq!(span.name, "a\u{fffd}b");
        assert_eq!(span.span_type.as_deref(), Some(&kind[..500]));
        assert!(span.content.contains(&kind));
    }

    #[test]
    fn what_json_has_no_word_for_is_a_text_in_events() {
        let event =
            r#"{"name": "e", "attributes": [{"key": "loss", "value": {"doubleValue": "NaN"}}]}"#;
        let span = format!(
            r#"{{"traceId": "0102", "spanId": "0a", "events": [{event}],
            "attributes": [{{"key": "x", "value": {{"doubleValue": "Infinity"}}}}]}}"#
        );
        let content = &received(&span).unwrap().spans[0].content;
        let read: serde_json::Value = serde_json::from_str(content).expect("JSON");
        assert_eq!(read["events"][0]["attributes"]["loss"], "NaN");
        assert_eq!(read["attributes"]["x"], "Infinity");
    }

    #[test]
    fn tags_come_from_the_root_and_from_the_resource_once() {
        let child_json = r#"{"traceId": "0102", "spanId": "0b", "parentSpanId": "0a"}"#;
        let once = received(&format!("{child_json}, {ROOT}")).unwrap();
        let [child, root] = &once.spans[..] else {
            panic!("two spans");
        };
        let keys: Vec<_> = child.resource_tags.iter().map(|tag| &*tag.key).collect();
        assert_eq!(keys, ["service.name", "n"]);
        assert!(root.resource_tags.is_empty());
        // The span that brings them is told twice: whichever is kept has them.
        let twice = received(&format!("{child_json}, {ROOT}, {child_json}")).unwrap();
        let with_tags = twice
            .spans
            .iter()
            .filter(|span| !span.resource_tags.is_empty());
        assert_eq!(with_tags.count(), 2);
        assert_eq!(root.trace_tags[0].value, "v");
        assert_eq!(child.parent_id.as_deref(), Some("000000000000000a"));
    }

    #[test]
    fn a_span_without_ids_is_refused() {
        for span in [
            "{}",
            r#"{"traceId": "01"}"#,
            r#"{"spanId": "01"}"#,
            r#"{"traceId": "01", "spanId": "010203040506070809"}"#,
            r#"{"traceId": "01", "spanId": "01", "startTimeUnixNano": "18446744073709551615"}"#,
        ] {
            assert_eq!(received(span), Err(OtlpError::BadSpan), "{span}");
        }
        assert_eq!(read(b"", Encoding::Protobuf), Err(OtlpError::Empty));
        assert_eq!(read(b"\xff", Encoding::Protobuf), Err(OtlpError::Malformed));
    }
}
