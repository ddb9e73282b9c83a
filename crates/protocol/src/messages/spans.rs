//! Stored spans as answers: in OpenTelemetry's form, and as they are kept.

mod client;
mod file;
mod kept;

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use runledger_entities::StoredSpan;
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

pub use self::{
    client::{UnsendableSpan, request},
    file::{file, read_file},
    kept::kept,
};
use crate::json::{
    repair,
    write::{self, write_text},
};

/// The spans as a JSON list in the form of OpenTelemetry's protobuf, with fields
/// in `snake_case`.
///
/// What Python's JSON has and JSON has not is read as a text that says so. A span
/// that is no JSON at all, which no version of MLflow writes, is left out.
pub(super) fn to_otlp(spans: &[StoredSpan]) -> Vec<u8> {
    let mut out = vec![b'['];
    for span in spans {
        let Some(content) = Content::read(span) else {
            continue;
        };
        if out.len() > 1 {
            out.push(b',');
        }
        out.extend_from_slice(&content.write());
    }
    out.push(b']');
    out
}

/// A kept span. Attributes, events and links are rewritten as they are read.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Content {
    trace_id: String,
    span_id: String,
    parent_span_id: Option<String>,
    name: String,
    start_time_unix_nano: u64,
    end_time_unix_nano: Option<u64>,
    status: Status,
    attributes: Attributes,
    events: Events,
    links: Links,
}

#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Status {
    code: String,
    message: Option<String>,
}

impl Content {
    /// A span that is JSON, be it Python's.
    fn read(span: &StoredSpan) -> Option<Self> {
        let read = serde_json::from_str(&span.content).ok();
        let repaired = || serde_json::from_slice(&repair::for_readers(&span.content)?).ok();
        read.or_else(repaired)
    }

    fn write(&self) -> Vec<u8> {
        write::object(|o| {
            o.text("trace_id", &self.trace_id);
            o.text("span_id", &self.span_id);
            let parent = self.parent_span_id.as_deref();
            o.maybe_text("parent_span_id", parent.filter(|id| !id.is_empty()));
            o.text("name", &self.name);
            o.uint("start_time_unix_nano", self.start_time_unix_nano);
            if let Some(end) = self.end_time_unix_nano.filter(|end| *end > 0) {
                o.uint("end_time_unix_nano", end);
            }
            for (key, list) in [
                ("attributes", &self.attributes.0),
                ("events", &self.events.0),
                ("links", &self.links.0),
            ] {
                if !list.is_empty() && list != b"[]" {
                    o.raw(key, list);
                }
            }
            o.object("status", |o| {
                let message = self.status.message.as_deref();
                o.maybe_text("message", message.filter(|text| !text.is_empty()));
                let code = self.status.code.as_str();
                if !code.is_empty() && code != "STATUS_CODE_UNSET" {
                    o.text("code", code);
                }
            });
        })
    }
}

/// Attributes whose values are JSON texts, as a list.
#[derive(Debug, Default)]
struct Attributes(Vec<u8>);

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut out = Vec::new();
        Pairs {
            out: &mut out,
            inside: true,
        }
        .deserialize(deserializer)?;
        Ok(Self(out))
    }
}

/// Writes the members of an object as a list of keys and values.
struct Pairs<'o> {
    out: &'o mut Vec<u8>,
    /// Whether a text stands for the JSON in it.
    inside: bool,
}

impl<'de> DeserializeSeed<'de> for Pairs<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Pairs<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.out.extend_from_slice(b"[]");
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.out.push(b'[');
        let mut first = true;
        while let Some(key) = map.next_key::<String>()? {
            if !first {
                self.out.push(b',');
            }
            first = false;
            self.out.extend_from_slice(b"{\"key\":");
            write_text(self.out, &key);
            let mut value = Vec::new();
            map.next_value_seed(Any {
                out: &mut value,
                inside: self.inside,
            })?;
            // A value that is nothing is no value.
            if value != b"{}" {
                self.out.extend_from_slice(b",\"value\":");
                self.out.extend_from_slice(&value);
            }
            self.out.push(b'}');
        }
        self.out.push(b']');
        Ok(())
    }
}

/// Writes any value as OpenTelemetry's.
struct Any<'o> {
    out: &'o mut Vec<u8>,
    inside: bool,
}

impl Any<'_> {
    fn plain(self, kind: &str, json: &str) {
        self.out.extend_from_slice(b"{\"");
        self.out.extend_from_slice(kind.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out.extend_from_slice(json.as_bytes());
        self.out.push(b'}');
    }
}

impl<'de> DeserializeSeed<'de> for Any<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Any<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.out.extend_from_slice(b"{}");
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.plain("bool_value", if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        self.plain("int_value", &value.to_string());
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        if let Ok(value) = i64::try_from(value) {
            return self.visit_i64(value);
        }
        // What no integer of the protocol can be is a text.
        self.plain("string_value", &format!("\"{value}\""));
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        let text = runledger_entities::validate::python_float(value);
        self.plain("double_value", &text);
        Ok(())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        if self.inside {
            let mut value = Vec::new();
            let mut deserializer = serde_json::Deserializer::from_str(text);
            let read = Any {
                out: &mut value,
                inside: false,
            }
            .deserialize(&mut deserializer);
            if read.is_ok() && deserializer.end().is_ok() {
                self.out.extend_from_slice(&value);
                return Ok(());
            }
        }
        self.out.extend_from_slice(b"{\"string_value\":");
        write_text(self.out, text);
        self.out.push(b'}');
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.out.extend_from_slice(b"{\"array_value\":{");
        let begin = self.out.len();
        loop {
            let before = self.out.len();
            let head: &[u8] = if before == begin {
                b"\"values\":["
            } else {
                b","
            };
            self.out.extend_from_slice(head);
            let next = seq.next_element_seed(Any {
                out: self.out,
                inside: false,
            })?;
            if next.is_none() {
                self.out.truncate(before);
                break;
            }
        }
        if self.out.len() > begin {
            self.out.push(b']');
        }
        self.out.extend_from_slice(b"}}");
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let mut pairs = Vec::new();
        Pairs {
            out: &mut pairs,
            inside: false,
        }
        .visit_map(map)?;
        self.out.extend_from_slice(b"{\"kvlist_value\":{");
        if pairs != b"[]" {
            self.out.extend_from_slice(b"\"values\":");
            self.out.extend_from_slice(&pairs);
        }
        self.out.extend_from_slice(b"}}");
        Ok(())
    }
}

/// An event or a link, as it is kept.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Attached {
    name: String,
    time_unix_nano: u64,
    trace_id: String,
    span_id: String,
    attributes: PlainAttributes,
}

/// Attributes whose values are what they are.
#[derive(Default)]
struct PlainAttributes(Vec<u8>);

impl<'de> Deserialize<'de> for PlainAttributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut out = Vec::new();
        Pairs {
            out: &mut out,
            inside: false,
        }
        .deserialize(deserializer)?;
        Ok(Self(out))
    }
}

/// Declares a list that is rewritten item by item.
macro_rules! rewritten {
    ($($(#[$doc:meta])* $name:ident: $write:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Default)]
        struct $name(Vec<u8>);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Items;

                impl<'de> Visitor<'de> for Items {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("a list")
                    }

                    fn visit_unit<E: de::Error>(self) -> Result<$name, E> {
                        Ok($name::default())
                    }

                    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<$name, A::Error> {
                        let mut out = vec![b'['];
                        while let Some(item) = seq.next_element::<Attached>()? {
                            let Some(item) = $write(&item) else { continue };
                            if out.len() > 1 {
                                out.push(b',');
                            }
                            out.extend_from_slice(&item);
                        }
                        out.push(b']');
                        Ok($name(out))
                    }

                    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                        Ok($name::default())
                    }
                }

                deserializer.deserialize_any(Items)
            }
        }
    )*};
}

rewritten! {
    /// The events of a span.
    Events: |event: &Attached| Some(write::object(|o| {
        o.uint("time_unix_nano", event.time_unix_nano);
        o.text("name", &event.name);
        if !matches!(&*event.attributes.0, b"" | b"[]") {
            o.raw("attributes", &event.attributes.0);
        }
    }));
    /// The links of a span.
    Links: |link: &Attached| {
        let trace = link.trace_id.rsplit('/').next()?;
        let trace = STANDARD.encode(hex::<16>(trace.strip_prefix("tr-").unwrap_or(trace))?);
        let span = STANDARD.encode(hex::<8>(&link.span_id)?);
        Some(write::object(|o| {
            o.text("trace_id", &trace);
            o.text("span_id", &span);
            if !matches!(&*link.attributes.0, b"" | b"[]") {
                o.raw("attributes", &link.attributes.0);
            }
        }))
    };
}

/// The bytes of hexadecimal digits, with zeros before fewer ones.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.trim_start_matches('0');
    if digits.len() > 2 * N || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (place, digit) in digits.chars().rev().enumerate() {
        let digit = u8::try_from(digit.to_digit(16)?).ok()?;
        bytes[N - 1 - place / 2] |= digit << (4 * (place % 2));
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_span_is_shown_in_the_form_of_opentelemetry() {
        let content = r#"{"trace_id": "AA==", "span_id": "AQ==", "parent_span_id": null, "name": "n",
            "start_time_unix_nano": 1, "end_time_unix_nano": 2, "events": [{"name": "e",
            "time_unix_nano": 5, "attributes": {"t": "1"}}], "status": {"code": "STATUS_CODE_ERROR",
            "message": "m"}, "attributes": {"z": "[1, 2.0, null]", "a": "\"x\"", "o": "{\"k\": true}",
            "bad": "{"}, "links": [{"trace_id": "tr-0a", "span_id": "0b", "attributes": null}]}"#;
        let span = StoredSpan {
            content: content.to_owned(),
        };
        assert_eq!(
            String::from_utf8(to_otlp(&[span])).unwrap(),
            concat!(
                r#"[{"trace_id":"AA==","span_id":"AQ==","name":"n","start_time_unix_nano":1,"#,
                r#""end_time_unix_nano":2,"attributes":[{"key":"z","value":{"array_value":{"values":"#,
                r#"[{"int_value":1},{"double_value":2.0},{}]}}},{"key":"a","value":{"string_value":"x"}},"#,
                r#"{"key":"o","value":{"kvlist_value":{"values":[{"key":"k","value":{"bool_value":true}}]}}},"#,
                r#"{"key":"bad","value":{"string_value":"{"}}],"events":[{"time_unix_nano":5,"name":"e","#,
                r#""attributes":[{"key":"t","value":{"string_value":"1"}}]}],"links":[{"trace_id":"#,
                r#""AAAAAAAAAAAAAAAAAAAACg==","span_id":"AAAAAAAAAAs="}],"status":{"message":"m","#,
                r#""code":"STATUS_CODE_ERROR"}}]"#
            )
        );
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        let span = |content: &str| StoredSpan {
            content: content.to_owned(),
        };
        assert_eq!(to_otlp(&[span("{"), span("7")]), b"[]");
    }
}
