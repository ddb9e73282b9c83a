//! Values of attributes as JSON texts, as Python writes them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use runledger_entities::quote;

use super::{
    OtlpError,
    wire::{Fields, Value},
};
use crate::json::python;

/// How deep values may be nested.
const DEPTH: usize = 100;

/// An attribute: its key and its value, as the wire has it.
pub(super) struct KeyValue<'a> {
    pub(super) key: &'a str,
    pub(super) value: AnyValue<'a>,
}

impl<'a> KeyValue<'a> {
    pub(super) fn read(message: &'a [u8]) -> Result<Self, OtlpError> {
        let (mut key, mut value) = ("", &b""[..]);
        for field in Fields::of(message) {
            match field? {
                (1, text) => key = text.text()?,
                (2, message) => value = message.bytes()?,
                _ => {}
            }
        }
        Ok(Self {
            key,
            value: AnyValue::read(value)?,
        })
    }
}

/// A value: of several kinds the last one counts.
#[derive(Clone, Copy)]
pub(super) enum AnyValue<'a> {
    None,
    Text(&'a str),
    Bool(bool),
    Integer(i64),
    Double(f64),
    List(&'a [u8]),
    Object(&'a [u8]),
    Bytes(&'a [u8]),
}

impl<'a> AnyValue<'a> {
    fn read(message: &'a [u8]) -> Result<Self, OtlpError> {
        let mut value = Self::None;
        for field in Fields::of(message) {
            value = match field? {
                (1, text) => Self::Text(text.text()?),
                (2, Value::Varint(flag)) => Self::Bool(flag != 0),
                (3, Value::Varint(integer)) => Self::Integer(integer.cast_signed()),
                (4, Value::Fixed64(bits)) => Self::Double(f64::from_bits(bits)),
                (5, list) => Self::List(list.bytes()?),
                (6, object) => Self::Object(object.bytes()?),
                (7, bytes) => Self::Bytes(bytes.bytes()?),
                (2..=4, _) => return Err(OtlpError::Malformed),
                _ => value,
            };
        }
        Ok(value)
    }

    /// Appends the value as JSON, whatever characters its texts have.
    ///
    /// The three floats that JSON has no word for are Python's words, which whoever reads the
    /// value of an attribute knows.
    pub(super) fn write(self, out: &mut String) -> Result<(), OtlpError> {
        self.write_at(out, DEPTH, true)
    }

    /// As [`Self::write`], with texts for those three: any reader of JSON reads it.
    pub(super) fn write_strict(self, out: &mut String) -> Result<(), OtlpError> {
        self.write_at(out, DEPTH, false)
    }

    fn write_at(self, out: &mut String, depth: usize, words: bool) -> Result<(), OtlpError> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(OtlpError::Malformed);
        };
        match self {
            Self::None => out.push_str("null"),
            Self::Text(text) => python::push_text(text, out),
            Self::Bool(flag) => out.push_str(if flag { "true" } else { "false" }),
            Self::Integer(integer) => out.push_str(&integer.to_string()),
            Self::Double(value) if words || value.is_finite() => python::push_float(value, out),
            Self::Double(value) => {
                let mut word = String::new();
                python::push_float(value, &mut word);
                python::push_text(&word, out);
            }
            Self::Bytes(bytes) => python::push_text(&STANDARD.encode(bytes), out),
            Self::List(message) => {
                out.push('[');
                let mut first = true;
                for field in Fields::of(message) {
                    let (1, value) = field? else { continue };
                    out.push_str(if first { "" } else { ", " });
                    first = false;
                    Self::read(value.bytes()?)?.write_at(out, depth, words)?;
                }
                out.push(']');
            }
            Self::Object(message) => {
                out.push('{');
                let mut first = true;
                for field in Fields::of(message) {
                    let (1, value) = field? else { continue };
                    let member = KeyValue::read(value.bytes()?)?;
                    out.push_str(if first { "" } else { ", " });
                    first = false;
                    python::push_text(member.key, out);
                    out.push_str(": ");
                    member.value.write_at(out, depth, words)?;
                }
                out.push('}');
            }
        }
        Ok(())
    }

    /// The value as a tag: a text as it is, anything else as JSON.
    pub(super) fn to_tag(self) -> Result<String, OtlpError> {
        match self {
            Self::Text(text) => Ok(text.to_owned()),
            other => {
                let mut out = String::new();
                other.write(&mut out)?;
                Ok(out)
            }
        }
    }

    /// The value as an attribute of a span is kept: as JSON, where a text that is
    /// itself JSON of a text, a list or an object stands for that.
    pub(super) fn to_attribute(self) -> Result<String, OtlpError> {
        if let Self::Text(text) = self
            && python::is_json_of_more_than_a_number(text)
        {
            return Ok(text.to_owned());
        }
        let mut out = String::new();
        self.write(&mut out)?;
        Ok(out)
    }
}

/// A text as JSON in ASCII.
pub(super) fn ascii(text: &str) -> String {
    quote::json_whole(text)
}
