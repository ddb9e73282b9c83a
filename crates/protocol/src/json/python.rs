//! JSON as Python's `json` writes it: with spaces after `:` and `,`, and floats
//! with their point.

use std::fmt;

use runledger_entities::{quote, validate};
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{
    field::{Field, FieldType, Shape},
    repair,
};

/// Appends a text, with all its characters.
pub(crate) fn push_text(text: &str, out: &mut String) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x8 => "\\b",
            0xc => "\\f",
            0..=0x1f => "",
            _ => continue,
        };
        out.push_str(&text[plain..at]);
        plain = at + 1;
        if escape.is_empty() {
            let code = format!("\\u{byte:04x}");
            out.push_str(&code);
        } else {
            out.push_str(escape);
        }
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

/// Appends a float; the three that JSON cannot write are bare words.
pub(crate) fn push_float(value: f64, out: &mut String) {
    if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
    } else {
        out.push_str(&validate::python_float(value));
    }
}

/// Whether a text is JSON of a text, a list or an object.
pub(crate) fn is_json_of_more_than_a_number(text: &str) -> bool {
    matches!(
        text.trim_start().as_bytes().first(),
        Some(b'"' | b'[' | b'{')
    ) && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Any JSON value, as Python writes it after protobuf has read it: its numbers
/// are floats, and it is in ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AnyJson(pub(crate) String);

impl FieldType for AnyJson {
    const SHAPE: Shape = Shape::One;

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Field<Self>, D::Error> {
        let mut out = String::new();
        let writer = Writer {
            out: &mut out,
            doubles: true,
        };
        writer.deserialize(deserializer)?;
        Ok(Field::Value(Self(out)))
    }
}

/// A JSON text as Python would write what it reads there, in ASCII; nothing if it
/// is no JSON.
pub(crate) fn rewritten(json: &str) -> Option<String> {
    rewrite(json, false)
}

/// [`rewritten`], with all numbers as floats.
pub(crate) fn rewritten_as_doubles(json: &str) -> Option<String> {
    rewrite(json, true)
}

fn rewrite(json: &str, doubles: bool) -> Option<String> {
    let mut out = String::with_capacity(json.len());
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let writer = Writer {
        out: &mut out,
        doubles,
    };
    writer.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(out)
}

/// Writes what it reads.
struct Writer<'a> {
    out: &'a mut String,
    /// Whether all numbers are floats.
    doubles: bool,
}

impl Writer<'_> {
    fn inner(&mut self) -> Writer<'_> {
        Writer {
            out: self.out,
            doubles: self.doubles,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Writer<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Writer<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.out.push_str("null");
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.out.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "protobuf keeps doubles only")]
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<(), E> {
        if self.doubles {
            return self.visit_f64(value as f64);
        }
        self.out.push_str(&value.to_string());
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "protobuf keeps doubles only")]
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<(), E> {
        if self.doubles {
            return self.visit_f64(value as f64);
        }
        self.out.push_str(&value.to_string());
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<(), E> {
        push_float(value, self.out);
        Ok(())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        match repair::number(text) {
            Some(value) => push_float(value, self.out),
            None => self.out.push_str(&quote::json_whole(text)),
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        self.out.push('[');
        let mut first = true;
        loop {
            let before = self.out.len();
            self.out.push_str(if first { "" } else { ", " });
            first = false;
            if seq.next_element_seed(self.inner())?.is_none() {
                self.out.truncate(before);
                break;
            }
        }
        self.out.push(']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        self.out.push('{');
        let mut first = true;
        while let Some(key) = map.next_key::<String>()? {
            self.out.push_str(if first { "" } else { ", " });
            first = false;
            self.out.push_str(&quote::json_whole(&key));
            self.out.push_str(": ");
            map.next_value_seed(self.inner())?;
        }
        self.out.push('}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let mut out = String::new();
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let writer = Writer {
            out: &mut out,
            doubles: true,
        };
        writer.deserialize(&mut deserializer).unwrap();
        out
    }

    #[test]
    fn a_text_of_json_keeps_its_integers() {
        assert_eq!(
            rewritten("{\"a\":1,\"b\":[1.0,\"é\"]}").as_deref(),
            Some("{\"a\": 1, \"b\": [1.0, \"\\u00e9\"]}")
        );
        assert_eq!(rewritten("x"), None);
    }

    #[test]
    fn values_are_written_as_python_writes_them() {
        for (text, written) in [
            ("5", "5.0"),
            ("null", "null"),
            (
                r#"{"a":1,"z":[true,null,"é"],"e":[],"o":{}}"#,
                r#"{"a": 1.0, "z": [true, null, "\u00e9"], "e": [], "o": {}}"#,
            ),
            ("[[], [1.5], \"\"]", "[[], [1.5], \"\"]"),
        ] {
            assert_eq!(read(text), written);
        }
    }

    #[test]
    fn a_text_keeps_its_characters() {
        let mut out = String::new();
        push_text("é\"\\\n\u{1}\u{7f}", &mut out);
        assert_eq!(out, "\"é\\\"\\\\\\n\\u0001\u{7f}\"");
    }

    #[test]
    fn a_text_may_be_json_itself() {
        for text in ["\"x\"", "[1]", " {\"a\": 1}"] {
            assert!(is_json_of_more_than_a_number(text), "{text}");
        }
        for text in ["x", "1", "true", "{", "[1]x", ""] {
            assert!(!is_json_of_more_than_a_number(text), "{text}");
        }
    }
}
