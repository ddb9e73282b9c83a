//! Request messages: named fields, in `snake_case` or camelCase.

use std::{borrow::Cow, fmt};

use serde::de::{self, DeserializeSeed, Deserializer, Visitor};

use super::field::Shape;

/// A request message.
pub(crate) trait Message: Sized {
    /// Its fields by their `snake_case` names.
    const FIELDS: &'static [(&'static str, Shape)];
}

/// The camelCase form of a field name, as protobuf derives it.
pub(crate) fn camel_case(name: &str) -> String {
    let mut camel = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        if c == '_' {
            upper = true;
        } else if upper {
            camel.push(c.to_ascii_uppercase());
            upper = false;
        } else {
            camel.push(c);
        }
    }
    camel
}

/// How a request spells a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    Snake,
    Camel,
}

/// Whether `key` names the field `name`, and in which spelling.
pub(crate) fn spelling(key: &str, name: &str) -> Option<Spelling> {
    if key == name {
        return Some(Spelling::Snake);
    }
    // Nearly all keys fail here; both spellings begin alike.
    if key.as_bytes().first() != name.as_bytes().first() {
        return None;
    }
    let underscores = name.bytes().filter(|b| *b == b'_').count();
    if underscores == 0 || key.len() + underscores != name.len() {
        return None;
    }
    (key == camel_case(name)).then_some(Spelling::Camel)
}

/// Reads a key without copying it where the text allows.
pub(crate) struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_borrowed_str<E: de::Error>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

/// Declares request messages.
///
/// Each becomes a struct whose members are [`Field`](super::field::Field)s, readable from JSON and from
/// a query string. Unknown fields are skipped; of equal keys the last wins. The limits of its
/// lists may be parameters, for messages that are requests and answers.
macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident $(<$(const $limit:ident),+>)? {
        $($field:ident: $type:ty,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub(crate) struct $name $(<$(const $limit: usize),+>)? {
            $(pub(crate) $field: $crate::json::field::Field<$type>,)*
        }

        impl $(<$(const $limit: usize),+>)? $crate::json::message::Message
            for $name $(<$($limit),+>)?
        {
            const FIELDS: &'static [(&'static str, $crate::json::field::Shape)] = &[
                $((
                    stringify!($field),
                    <$type as $crate::json::field::FieldType>::SHAPE,
                ),)*
            ];
        }

        impl $(<$(const $limit: usize),+>)? $crate::json::describe::Describe
            for $name $(<$($limit),+>)?
        {
            fn describe() -> $crate::json::describe::Described {
                $crate::json::describe::Described::Message(vec![
                    $((
                        stringify!($field),
                        <$type as $crate::json::describe::Describe>::describe(),
                    ),)*
                ])
            }
        }

        impl $(<$(const $limit: usize),+>)? $crate::json::field::FieldType
            for $name $(<$($limit),+>)?
        {
            const SHAPE: $crate::json::field::Shape = $crate::json::field::Shape::One;

            fn read<'de, D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<$crate::json::field::Field<Self>, D::Error> {
                use $crate::json::{field::{Field, Wrong}, message, value::not_this};

                struct MessageVisitor $(<$(const $limit: usize),+>)?;

                impl<'de $($(, const $limit: usize)+)?> serde::de::Visitor<'de>
                    for MessageVisitor $(<$($limit),+>)?
                {
                    type Value = Field<$name $(<$($limit),+>)?>;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("a JSON value")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(
                        self,
                        mut map: A,
                    ) -> Result<Self::Value, A::Error> {
                        #[derive(Default)]
                        struct Spellings {
                            $($field: Option<message::Spelling>,)*
                        }
                        let mut spellings = Spellings::default();
                        let mut spelled_twice = None;
                        let mut read = <$name $(<$($limit),+>)?>::default();
                        while let Some(key) = map.next_key_seed(message::Key)? {
                            $(if let Some(spelling) = message::spelling(&key, stringify!($field)) {
                                if spellings.$field.is_some_and(|before| before != spelling) {
                                    spelled_twice.get_or_insert(stringify!($field));
                                }
                                spellings.$field = Some(spelling);
                                read.$field = map.next_value()?;
                                continue;
                            })*
                            map.next_value::<serde::de::IgnoredAny>()?;
                        }
                        Ok(match spelled_twice {
                            Some(name) => Field::Wrong(Box::new(Wrong::Spelling(name))),
                            None => Field::Value(read),
                        })
                    }

                    not_this! { unit, bool, i64, u64, f64, str, seq }
                }

                deserializer.deserialize_any(MessageVisitor $(::<$($limit),+>)?)
            }
        }
    )*};
}
pub(crate) use messages;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_in_both_spellings() {
        assert_eq!(spelling("run_id", "run_id"), Some(Spelling::Snake));
        assert_eq!(spelling("runId", "run_id"), Some(Spelling::Camel));
        assert_eq!(
            spelling("artifactDirectoryPath", "artifact_directory_path"),
            Some(Spelling::Camel)
        );
        for other in ["runid", "RunId", "run_Id", "key", ""] {
            assert_eq!(spelling(other, "run_id"), None, "{other}");
        }
    }
}
