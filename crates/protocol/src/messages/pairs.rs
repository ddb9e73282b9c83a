//! Keys with values: params and tags of all kinds.

use runledger_entities::{Param, Tag};

use crate::{RequestError, json::field::Field, json::message::messages, json::write::Object};

messages! {
    /// A param or tag.
    Pair {
        key: String,
        value: String,
    }
}

/// The tags of the list `name`; a missing value is an empty one.
pub(super) fn tags(field: Field<Vec<Pair>>, name: &str) -> Result<Vec<Tag>, RequestError> {
    read(field, name, |key, value| Tag { key, value })
}

/// The params of the list `name`; a missing value is an empty one.
pub(super) fn params(field: Field<Vec<Pair>>, name: &str) -> Result<Vec<Param>, RequestError> {
    read(field, name, |key, value| Param { key, value })
}

fn read<T>(
    field: Field<Vec<Pair>>,
    name: &str,
    build: impl Fn(String, String) -> T,
) -> Result<Vec<T>, RequestError> {
    field
        .or_default(name)?
        .into_iter()
        .enumerate()
        .map(|(i, pair)| {
            let key = pair.key.required_text(format_args!("{name}[{i}].key"))?;
            let value = pair.value.or_default(format_args!("{name}[{i}].value"))?;
            Ok(build(key, value))
        })
        .collect()
}

pub(super) fn write_tag(o: &mut Object<'_>, tag: &Tag) {
    o.text("key", &tag.key);
    o.text("value", &tag.value);
}

pub(super) fn write_param(o: &mut Object<'_>, param: &Param) {
    o.text("key", &param.key);
    o.text("value", &param.value);
}
