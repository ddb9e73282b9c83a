//! The YAML of `meta.yaml` files: a value, a bounded parser, and `PyYAML`'s printer.
//!
//! The grammar is `saphyr-parser`'s, which hands over events; what plain text
//! means is YAML 1.1 as `PyYAML` takes it (`scalar`), because that is who wrote
//! the files. Which keys a file has is left to `folder`.
//! Other programs of the project print their own files with it ([`document`]).

mod parse;
mod print;
mod scalar;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub(crate) use parse::{MAX_BYTES, MAX_DEPTH, YamlError, parse};
pub use print::document;
pub(crate) use print::print;

/// A mapping, ordered by key as `PyYAML`'s `sort_keys` orders it.
pub type Map = BTreeMap<String, Yaml>;

/// A YAML value.
#[derive(Clone, Debug, PartialEq)]
pub enum Yaml {
    /// `null`, `~`, or nothing at all.
    Null,
    /// `true`, `no`, `On`, …
    Bool(bool),
    /// A number without a point, in any of YAML 1.1's bases.
    Int(i64),
    /// A number with a point, `.nan`, `.inf`.
    Float(f64),
    /// Text.
    Str(String),
    /// Plain text of a type that we do not model: a timestamp, a number of base
    /// 60 or beyond 64 bits. It is printed as it was read, so that keys of other
    /// programs survive a rewrite.
    Other(String),
    /// A sequence.
    List(Vec<Self>),
    /// A mapping.
    Map(Map),
}

impl Yaml {
    /// Text, or `null` for none.
    pub(crate) fn optional(text: Option<&str>) -> Self {
        text.map_or(Self::Null, Self::from)
    }
}

impl From<&str> for Yaml {
    fn from(text: &str) -> Self {
        Self::Str(text.to_owned())
    }
}

impl From<i64> for Yaml {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}
