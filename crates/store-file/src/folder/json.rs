//! JSON as Python writes it, and the YAML of the same value.

use runledger_entities::{quote, validate::python_float};
use serde_json::Value;

use crate::yaml::Yaml;

/// A value as JSON, the way Python's `json` writes it.
pub(super) fn json_of(value: &Yaml) -> String {
    let mut out = String::new();
    push(value, &mut out);
    out
}

fn push(value: &Yaml, out: &mut String) {
    match value {
        Yaml::Null => out.push_str("null"),
        Yaml::Bool(true) => out.push_str("true"),
        Yaml::Bool(false) => out.push_str("false"),
        Yaml::Int(number) => out.push_str(&number.to_string()),
        Yaml::Float(number) => out.push_str(&match python_float(*number).as_str() {
            "nan" => "NaN".to_owned(),
            infinite @ ("inf" | "-inf") => infinite.replace("inf", "Infinity"),
            text => text.to_owned(),
        }),
        // A number beyond 64 bits, or what only YAML knows.
        Yaml::Other(text) if is_integer(text) => out.push_str(text),
        Yaml::Str(text) | Yaml::Other(text) => out.push_str(&quote::json_whole(text)),
        Yaml::List(items) => {
            out.push('[');
            for (number, item) in items.iter().enumerate() {
                out.push_str(if number == 0 { "" } else { ", " });
                push(item, out);
            }
            out.push(']');
        }
        Yaml::Map(map) => {
            out.push('{');
            for (number, (key, value)) in map.iter().enumerate() {
                out.push_str(if number == 0 { "" } else { ", " });
                out.push_str(&quote::json_whole(key));
                out.push_str(": ");
                push(value, out);
            }
            out.push('}');
        }
    }
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit())
}

/// The value of a JSON text; what is none is a text.
pub(super) fn yaml_of(json: &str) -> Yaml {
    match serde_json::from_str(json) {
        Ok(value) => from_json(value),
        Err(_) => match json {
            "NaN" => Yaml::Float(f64::NAN),
            "Infinity" => Yaml::Float(f64::INFINITY),
            "-Infinity" => Yaml::Float(f64::NEG_INFINITY),
            text => Yaml::Str(text.to_owned()),
        },
    }
}

fn from_json(value: Value) -> Yaml {
    match value {
        Value::Null => Yaml::Null,
        Value::Bool(value) => Yaml::Bool(value),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Yaml::Int(number),
            (None, _) if number.is_u64() => Yaml::Other(number.to_string()),
            (None, float) => Yaml::Float(float.unwrap_or(f64::NAN)),
        },
        Value::String(text) => Yaml::Str(text),
        Value::Array(items) => Yaml::List(items.into_iter().map(from_json).collect()),
        Value::Object(members) => {
            let members = members.into_iter();
            Yaml::Map(members.map(|(key, it)| (key, from_json(it))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_comes_back_as_it_was() {
        for json in [
            "null",
            "true",
            "5.0",
            "5",
            "1e-07",
            "1e+22",
            "\"5\"",
            "\"a\\n\\u00e9\\ud83d\\ude00\"",
            "[\"a\", 1.5, []]",
            "{\"a\": {\"q\": null}, \"z\": 1}",
            "18446744073709551615",
            "NaN",
            "-Infinity",
        ] {
            assert_eq!(json_of(&yaml_of(json)), json);
        }
    }
}
