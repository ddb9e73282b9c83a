//! Keys with values: params and tags of all kinds.

use runledger_entities::{Param, Tag};

use crate::{
    RequestError,
    json::{
        field::{Field, List},
        message::messages,
        write::Object,
    },
};

messages! {
    /// A param or tag.
    Pair {
        key: String,
        value: String,
    }
}

/// The tags of the list `name`; a missing value is an empty one.
pub(super) fn tags<const MAX: usize>(
    field: Field<List<Pair, MAX>>,
    name: &str,
) -> Result<Vec<Tag>, RequestError> {
    read(field.all(name)?, name, tag)
}

/// The params of the list `name`; a missing value is an empty one.
pub(super) fn params<const MAX: usize>(
    field: Field<List<Pair, MAX>>,
    name: &str,
) -> Result<Vec<Param>, RequestError> {
    read(field.all(name)?, name, param)
}

pub(super) fn tag(key: String, value: String) -> Tag {
    Tag { key, value }
}

pub(super) fn param(key: String, value: String) -> Param {
    Param { key, value }
}

/// What `build` makes of the pairs of the list `name`.
pub(super) fn read<T>(
    pairs: Vec<Pair>,
    name: &str,
    build: impl Fn(String, String) -> T,
) -> Result<Vec<T>, RequestError> {
    pairs
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
