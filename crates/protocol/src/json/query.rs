//! Messages out of query strings.

use percent_encoding::percent_decode;
use serde::de::{
    Deserializer, IntoDeserializer, Visitor,
    value::{Error, MapDeserializer, SeqDeserializer},
};

use super::{
    decode::of_field,
    field::{FieldType, Shape},
    message::Message,
};
use crate::RequestError;

/// The pairs of a query string, decoded; `+` is a space.
pub fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), decode(value))
        })
}

fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode(spaced.as_bytes())
        .decode_utf8_lossy()
        .into_owned()
}

/// Reads a message whose fields are parameters of a query string.
pub(super) fn read<M: Message + FieldType + Default>(query: &str) -> Result<M, RequestError> {
    let pairs: Vec<_> = pairs(query).collect();
    let mut fields = Vec::new();
    for &(name, shape) in M::FIELDS {
        let mut values = pairs
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.as_str());
        let Some(first) = values.next() else {
            continue;
        };
        let value = match shape {
            Shape::One => Parameter::One(first),
            Shape::Flag => Parameter::Flag(flag(first)?),
            Shape::Many => Parameter::Many(std::iter::once(first).chain(values).collect()),
        };
        fields.push((name, value));
    }
    match M::read(MapDeserializer::<_, Error>::new(fields.into_iter())) {
        Ok(field) => of_field(field),
        Err(_) => Err(RequestError::NotAnObject),
    }
}

fn flag(text: &str) -> Result<bool, RequestError> {
    if text.eq_ignore_ascii_case("true") {
        Ok(true)
    } else if text.eq_ignore_ascii_case("false") {
        Ok(false)
    } else {
        Err(RequestError::Boolean {
            value: text.to_owned(),
        })
    }
}

/// The value of a parameter.
enum Parameter<'a> {
    One(&'a str),
    Flag(bool),
    Many(Vec<&'a str>),
}

impl IntoDeserializer<'_, Error> for Parameter<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Parameter<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Self::One(text) => visitor.visit_str(text),
            Self::Flag(flag) => visitor.visit_bool(flag),
            Self::Many(texts) => visitor.visit_seq(SeqDeserializer::new(texts.into_iter())),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}
