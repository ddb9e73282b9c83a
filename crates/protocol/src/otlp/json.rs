//! OTLP in JSON, rewritten as protobuf.
//!
//! By protobuf's rules for JSON, but for the ids, which OTLP writes in
//! hexadecimal digits: fields in camelCase or `snake_case`, unknown ones skipped,
//! 64-bit integers as numbers or texts, enums as names or numbers.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::wire::{put_bytes, put_key, put_varint};
use crate::json::message::spelling;

/// A field of a message.
struct Field {
    name: &'static str,
    number: u32,
    kind: Kind,
}

/// What a field holds.
#[derive(Clone, Copy)]
enum Kind {
    Message(&'static [Field]),
    Text,
    Hex,
    Base64,
    Bool,
    Integer,
    Fixed64,
    Double,
    Enum(&'static [&'static str]),
}

const fn field(name: &'static str, number: u32, kind: Kind) -> Field {
    Field { name, number, kind }
}

static REQUEST: [Field; 1] = [field("resource_spans", 1, Kind::Message(&RESOURCE_SPANS))];
static RESOURCE_SPANS: [Field; 2] = [
    field("resource", 1, Kind::Message(&RESOURCE)),
    field("scope_spans", 2, Kind::Message(&SCOPE_SPANS)),
];
static RESOURCE: [Field; 1] = [field("attributes", 1, Kind::Message(&KEY_VALUE))];
static SCOPE_SPANS: [Field; 1] = [field("spans", 2, Kind::Message(&SPAN))];
static SPAN: [Field; 11] = [
    field("trace_id", 1, Kind::Hex),
    field("span_id", 2, Kind::Hex),
    field("parent_span_id", 4, Kind::Hex),
    field("name", 5, Kind::Text),
    field("kind", 6, Kind::Enum(&SPAN_KINDS)),
    field("start_time_unix_nano", 7, Kind::Fixed64),
    field("end_time_unix_nano", 8, Kind::Fixed64),
    field("attributes", 9, Kind::Message(&KEY_VALUE)),
    field("events", 11, Kind::Message(&EVENT)),
    field("links", 13, Kind::Message(&LINK)),
    field("status", 15, Kind::Message(&STATUS)),
];
static SPAN_KINDS: [&str; 6] = [
    "SPAN_KIND_UNSPECIFIED",
    "SPAN_KIND_INTERNAL",
    "SPAN_KIND_SERVER",
    "SPAN_KIND_CLIENT",
    "SPAN_KIND_PRODUCER",
    "SPAN_KIND_CONSUMER",
];
static EVENT: [Field; 3] = [
    field("time_unix_nano", 1, Kind::Fixed64),
    field("name", 2, Kind::Text),
    field("attributes", 3, Kind::Message(&KEY_VALUE)),
];
static LINK: [Field; 3] = [
    field("trace_id", 1, Kind::Hex),
    field("span_id", 2, Kind::Hex),
    field("attributes", 4, Kind::Message(&KEY_VALUE)),
];
static STATUS: [Field; 2] = [
    field("message", 2, Kind::Text),
    field("code", 3, Kind::Enum(&STATUS_CODES)),
];
static STATUS_CODES: [&str; 3] = ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];
static KEY_VALUE: [Field; 2] = [
    field("key", 1, Kind::Text),
    field("value", 2, Kind::Message(&ANY_VALUE)),
];
static ANY_VALUE: [Field; 7] = [
    field("string_value", 1, Kind::Text),
    field("bool_value", 2, Kind::Bool),
    field("int_value", 3, Kind::Integer),
    field("double_value", 4, Kind::Double),
    field("array_value", 5, Kind::Message(&VALUES)),
    field("kvlist_value", 6, Kind::Message(&MEMBERS)),
    field("bytes_value", 7, Kind::Base64),
];
static VALUES: [Field; 1] = [field("values", 1, Kind::Message(&ANY_VALUE))];
static MEMBERS: [Field; 1] = [field("values", 1, Kind::Message(&KEY_VALUE))];

/// A request in JSON as one in protobuf; nothing if it is none, or nested too deeply.
pub fn to_protobuf(body: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(body.len() / 2);
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let message = Message {
        fields: &REQUEST,
        out: &mut out,
    };
    message.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(out)
}

/// Writes the fields of an object.
struct Message<'o> {
    fields: &'static [Field],
    out: &'o mut Vec<u8>,
}

impl<'de> DeserializeSeed<'de> for Message<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Message<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(crate::json::message::Key)? {
            let known = self
                .fields
                .iter()
                .find(|field| spelling(&key, field.name).is_some());
            let Some(field) = known else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            map.next_value_seed(Value {
                field,
                out: self.out,
            })?;
        }
        Ok(())
    }
}

/// Writes the value of a field, once for each item of a list.
struct Value<'o> {
    field: &'static Field,
    out: &'o mut Vec<u8>,
}

impl Value<'_> {
    fn bytes(self, bytes: &[u8]) {
        put_bytes(self.out, self.field.number, bytes);
    }

    fn varint(self, value: u64) {
        put_key(self.out, self.field.number, 0);
        put_varint(self.out, value);
    }

    fn fixed64(self, value: u64) {
        put_key(self.out, self.field.number, 1);
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    fn wrong<E: de::Error>(&self) -> E {
        E::custom(format_args!("{} is of another type", self.field.name))
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.field.name)
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        match self.field.kind {
            Kind::Bool => self.varint(value.into()),
            _ => return Err(self.wrong()),
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "a double has 53 bits")]
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        match self.field.kind {
            Kind::Integer | Kind::Enum(_) => self.varint(value.cast_unsigned()),
            Kind::Fixed64 if value >= 0 => self.fixed64(value.cast_unsigned()),
            Kind::Double => self.fixed64((value as f64).to_bits()),
            _ => return Err(self.wrong()),
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "a double has 53 bits")]
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        match self.field.kind {
            Kind::Fixed64 => self.fixed64(value),
            Kind::Double => self.fixed64((value as f64).to_bits()),
            _ => match i64::try_from(value) {
                Ok(value) => return self.visit_i64(value),
                Err(_) => return Err(self.wrong()),
            },
        }
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        match self.field.kind {
            Kind::Double => self.fixed64(value.to_bits()),
            _ => return Err(self.wrong()),
        }
        Ok(())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        match self.field.kind {
            Kind::Text => self.bytes(text.as_bytes()),
            Kind::Hex => match hex(text) {
                Some(bytes) => self.bytes(&bytes),
                None => return Err(self.wrong()),
            },
            Kind::Base64 => match STANDARD.decode(text) {
                Ok(bytes) => self.bytes(&bytes),
                Err(_) => return Err(self.wrong()),
            },
            Kind::Integer => match text.parse::<i64>() {
                Ok(value) => self.varint(value.cast_unsigned()),
                Err(_) => return Err(self.wrong()),
            },
            Kind::Fixed64 => match text.parse() {
                Ok(value) => self.fixed64(value),
                Err(_) => return Err(self.wrong()),
            },
            Kind::Double => match text {
                "NaN" => self.fixed64(f64::NAN.to_bits()),
                "Infinity" => self.fixed64(f64::INFINITY.to_bits()),
                "-Infinity" => self.fixed64(f64::NEG_INFINITY.to_bits()),
                text => match text.parse::<f64>() {
                    Ok(value) if value.is_finite() => self.fixed64(value.to_bits()),
                    _ => return Err(self.wrong()),
                },
            },
            // A name that nobody knows is no value.
            Kind::Enum(names) => {
                if let Some(number) = names.iter().position(|name| *name == text) {
                    self.varint(number as u64);
                }
            }
            Kind::Bool | Kind::Message(_) => return Err(self.wrong()),
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        if !matches!(self.field.kind, Kind::Message(_)) {
            return Err(self.wrong());
        }
        while seq
            .next_element_seed(Value {
                field: self.field,
                out: self.out,
            })?
            .is_some()
        {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let Kind::Message(fields) = self.field.kind else {
            return Err(self.wrong());
        };
        let mut inner = Vec::new();
        let message = Message {
            fields,
            out: &mut inner,
        };
        message.visit_map(map)?;
        self.bytes(&inner);
        Ok(())
    }
}

/// The bytes of hexadecimal digits.
fn hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_becomes_the_same_message() {
        let json = br#"{"resourceSpans": [{"scopeSpans": [{"spans": [
            {"traceId": "0a", "name": "x", "kind": "SPAN_KIND_SERVER", "other": [1],
             "startTimeUnixNano": "7", "attributes": [{"key": "k", "value": {"intValue": "-1"}}]}
        ]}]}]}"#;
        let mut value = Vec::new();
        put_key(&mut value, 3, 0);
        put_varint(&mut value, u64::MAX);
        let mut pair = Vec::new();
        put_bytes(&mut pair, 1, b"k");
        put_bytes(&mut pair, 2, &value);
        let mut span = Vec::new();
        put_bytes(&mut span, 1, &[10]);
        put_bytes(&mut span, 5, b"x");
        put_key(&mut span, 6, 0);
        put_varint(&mut span, 2);
        put_key(&mut span, 7, 1);
        span.extend_from_slice(&7_u64.to_le_bytes());
        put_bytes(&mut span, 9, &pair);
        let mut message = span;
        for number in [2, 2, 1] {
            let mut outer = Vec::new();
            put_bytes(&mut outer, number, &message);
            message = outer;
        }
        assert_eq!(to_protobuf(json).unwrap(), message);
    }

    #[test]
    fn what_is_of_another_type_is_refused() {
        for json in [
            "",
            "[]",
            "{\"resourceSpans\": 5}",
            "{\"resourceSpans\": [5]}",
            "{} x",
            r#"{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "xy"}]}]}]}"#,
            r#"{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": 5}]}]}]}"#,
        ] {
            assert_eq!(to_protobuf(json.as_bytes()), None, "{json}");
        }
        assert_eq!(to_protobuf(b"{\"resourceSpans\": null}"), Some(Vec::new()));
    }
}
