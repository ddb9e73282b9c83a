//! A JSON value kept only to be quoted in an error message.

use std::{
    cell::Cell,
    fmt::{self, Write as _},
};

use runledger_entities::quote;
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::repair;

/// Most characters of a quoted value.
const MAX_QUOTED: usize = quote::MOST;
/// Most values inside a value that are kept: each takes at least a character
/// to quote, and a comma.
const MAX_VALUES: usize = MAX_QUOTED / 2;

/// A JSON value in the order of the request.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Int(i64),
    Big(u64),
    Float(f64),
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Json {
    /// The name of the Python type that MLflow reads the value into.
    pub(crate) fn python_type(&self) -> &'static str {
        match self {
            Self::Null => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::Big(_) => "int",
            Self::Float(_) => "float",
            Self::Text(_) => "str",
            Self::List(_) => "list",
            Self::Object(_) => "dict",
        }
    }

    /// The value as MLflow quotes it: compact JSON in ASCII, cut to a
    /// printable length.
    pub(crate) fn quote(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        if let Some((end, _)) = text.char_indices().nth(MAX_QUOTED) {
            text.truncate(end);
            text.push('…');
        }
        text
    }

    fn write(&self, out: &mut String) {
        if out.len() > MAX_QUOTED {
            return;
        }
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Int(value) => push(out, value),
            Self::Big(value) => push(out, value),
            Self::Float(value) if value.is_nan() => out.push_str("NaN"),
            Self::Float(f64::INFINITY) => out.push_str("Infinity"),
            Self::Float(f64::NEG_INFINITY) => out.push_str("-Infinity"),
            Self::Float(value) => {
                out.push_str(&runledger_entities::validate::python_float(*value));
            }
            Self::Text(text) => quote::push_json(text, out),
            Self::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(fields) => {
                out.push('{');
                for (index, (key, value)) in fields.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    quote::push_json(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn push(out: &mut String, value: impl fmt::Display) {
    let _ = write!(out, "{value}");
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

pub(crate) struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Int(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Json, E> {
        Ok(i64::try_from(value).map_or(Json::Big(value), Json::Int))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Float(value))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Json, E> {
        if let Some(number) = repair::number(text) {
            return Ok(Json::Float(number));
        }
        Ok(Json::Text(text.chars().take(MAX_QUOTED).collect()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Json, A::Error> {
        Inside(&Cell::new(MAX_VALUES)).visit_seq(seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Json, A::Error> {
        Inside(&Cell::new(MAX_VALUES)).visit_map(map)
    }
}

/// Reads what is inside a list or object, at any depth, until so many values
/// were kept; the rest could not be quoted anyway.
#[derive(Clone, Copy)]
struct Inside<'a>(&'a Cell<usize>);

impl Inside<'_> {
    fn is_full(self) -> bool {
        self.0.get() == 0
    }

    fn count_one(self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

impl<'de> DeserializeSeed<'de> for Inside<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        self.count_one();
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Inside<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        JsonVisitor.expecting(f)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Json, E> {
        JsonVisitor.visit_unit()
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Json, E> {
        JsonVisitor.visit_bool(value)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Json, E> {
        JsonVisitor.visit_i64(value)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Json, E> {
        JsonVisitor.visit_u64(value)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Json, E> {
        JsonVisitor.visit_f64(value)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Json, E> {
        JsonVisitor.visit_str(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while !self.is_full() {
            match seq.next_element_seed(self)? {
                Some(item) => items.push(item),
                None => return Ok(Json::List(items)),
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut fields = Vec::new();
        while !self.is_full() {
            match map.next_key()? {
                Some(key) => fields.push((key, map.next_value_seed(self)?)),
                None => return Ok(Json::Object(fields)),
            }
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Json::Object(fields))
    }
}

/// The methods of a visitor of a [`Field`](super::field::Field) for JSON that
/// is not of the field's type: `null` is no value, everything else is kept as
/// a wrong one.
macro_rules! not_this {
    ($($kind:ident),*) => { $( not_this!(@$kind); )* };
    (@unit) => {
        fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
            Ok($crate::json::field::Field::Absent)
        }
    };
    (@bool) => { not_this!(@scalar visit_bool(bool)); };
    (@i64) => { not_this!(@scalar visit_i64(i64)); };
    (@u64) => { not_this!(@scalar visit_u64(u64)); };
    (@f64) => { not_this!(@scalar visit_f64(f64)); };
    (@str) => { not_this!(@scalar visit_str(&str)); };
    (@scalar $visit:ident($type:ty)) => {
        fn $visit<E: serde::de::Error>(self, value: $type) -> Result<Self::Value, E> {
            serde::de::Visitor::$visit($crate::json::value::JsonVisitor, value)
                .map($crate::json::field::Field::of_wrong_type)
        }
    };
    (@seq) => {
        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
            serde::de::Visitor::visit_seq($crate::json::value::JsonVisitor, seq)
                .map($crate::json::field::Field::of_wrong_type)
        }
    };
    (@map) => {
        fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            serde::de::Visitor::visit_map($crate::json::value::JsonVisitor, map)
                .map($crate::json::field::Field::of_wrong_type)
        }
    };
}
pub(crate) use not_this;

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(text: &str) -> String {
        serde_json::from_str::<Json>(text).unwrap().quote()
    }

    #[test]
    fn values_are_quoted_as_mlflow_quotes_them() {
        for (text, expected) in [
            ("[\"a\"]", "[\"a\"]"),
            ("{\"b\": 1, \"a\": \"é\"}", "{\"b\":1,\"a\":\"\\u00e9\"}"),
            ("1.50", "1.5"),
            ("false", "false"),
            ("\"😀\"", "\"\\ud83d\\ude00\""),
            ("9223372036854775808", "9223372036854775808"),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }

    #[test]
    fn of_nested_values_no_more_are_kept_than_can_be_quoted() {
        fn values(json: &Json) -> usize {
            match json {
                Json::List(items) => 1 + items.iter().map(values).sum::<usize>(),
                _ => 1,
            }
        }
        let inner = format!("[{}[]]", "[],".repeat(60));
        let outer = format!("[{}[]]", format!("{inner},").repeat(60));
        let json: Json = serde_json::from_str(&outer).unwrap();
        assert!(values(&json) <= MAX_VALUES + 1);
        assert!(json.quote().ends_with('…'));
    }

    #[test]
    fn long_values_are_cut() {
        let text = format!("[{}1]", "1,".repeat(100_000));
        assert!(quoted(&text).chars().count() <= MAX_QUOTED + 1);
    }
}
