//! Text to [`Yaml`], with bounds on size, depth and what aliases may copy.
//!
//! Other programs write these files, so nothing here may cost more than a small
//! multiple of the input, whatever the input is.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Tag};

use super::{Map, Yaml, scalar};

/// The longest text that is parsed, in bytes.
pub(crate) const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Collections within collections.
pub(crate) const MAX_DEPTH: usize = 64;
/// Values and bytes of text that all aliases of a document together may copy.
const MAX_ALIASED: usize = MAX_BYTES;

/// Why a text is not the YAML that we read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum YamlError {
    /// More than [`MAX_BYTES`].
    #[error("longer than {MAX_BYTES} bytes")]
    TooLong,
    /// The grammar is broken.
    #[error(transparent)]
    Syntax(#[from] ScanError),
    /// More than [`MAX_DEPTH`] levels.
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// Aliases copy more than [`MAX_ALIASED`], or name what is not there yet.
    #[error("its aliases copy too much, or refer to what contains them")]
    Alias,
    /// A key that is a list or a mapping.
    #[error("a key that is not a scalar")]
    Key,
    /// A tag that no plain data has.
    #[error("the tag '{0}' is not supported")]
    Tag(String),
    /// A second document.
    #[error("more than one document")]
    Documents,
}

/// The value of a text; of no text at all, [`Yaml::Null`].
///
/// Of equal keys in one mapping the last wins, as in `PyYAML`.
pub(crate) fn parse(text: &str) -> Result<Yaml, YamlError> {
    if text.len() > MAX_BYTES {
        return Err(YamlError::TooLong);
    }
    let text = old_breaks(text);
    let mut builder = Builder::default();
    for event in Parser::new_from_str(&text) {
        builder.take(event?.0)?;
    }
    Ok(builder.root.unwrap_or(Yaml::Null))
}

/// Makes line breaks that only YAML 1.1 has, U+2028 and U+2029, mean to a parser
/// of 1.2, which takes them for text, what they meant to libyaml when it printed
/// them in single quotes.
fn old_breaks(text: &str) -> Cow<'_, str> {
    let is_old = |c| matches!(c, '\u{2028}' | '\u{2029}');
    if !text.contains(is_old) {
        return Cow::Borrowed(text);
    }
    let is_between = |c: char| is_old(c) || matches!(c, '\n' | ' ' | '\t');
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some(start) = rest.find(is_between) {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        let end = from.find(|c| !is_between(c)).unwrap_or(from.len());
        let (between, after) = from.split_at(end);
        rest = after;
        if !between.contains(is_old) {
            out.push_str(between);
            continue;
        }
        // Blanks before and between the breaks are none of the text, nor are those
        // after them: they are the indentation. Alone, the first newline would be
        // folded into a space; before others it is nothing.
        let indent = &between[between.trim_end_matches([' ', '\t']).len()..];
        let breaks = between.trim_start_matches([' ', '\t']);
        let mut is_folded = false;
        for c in breaks.strip_prefix('\n').unwrap_or(breaks).chars() {
            if is_old(c) {
                if is_folded {
                    out.push_str(indent);
                }
                out.push(c);
                is_folded = false;
            } else if c == '\n' {
                if !is_folded {
                    out.push('\n');
                }
                out.push('\n');
                is_folded = true;
            }
        }
        if is_folded {
            out.push_str(indent);
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// An unfinished collection.
enum Open {
    List(Vec<Yaml>),
    Map {
        entries: Map,
        key: Option<String>,
        merged: Vec<Map>,
    },
}

#[derive(Default)]
struct Builder {
    root: Option<Yaml>,
    open: Vec<(Open, usize)>,
    anchors: HashMap<usize, Yaml>,
    aliased: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), YamlError> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                if self.wants_key() {
                    return self.key(text.into_owned(), plain, anchor);
                }
                let value = scalar_value(&text, plain, tag.as_deref())?;
                self.finish(value, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                collection_tag(tag, "seq")?;
                self.begin(Open::List(Vec::new()), anchor)
            }
            Event::MappingStart(anchor, tag) => {
                collection_tag(tag, "map")?;
                let map = Open::Map {
                    entries: Map::new(),
                    key: None,
                    merged: Vec::new(),
                };
                self.begin(map, anchor)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some((Open::List(list), anchor)) => self.finish(Yaml::List(list), anchor),
                Some((
                    Open::Map {
                        mut entries,
                        merged,
                        ..
                    },
                    anchor,
                )) => {
                    for (key, value) in merged.into_iter().flatten() {
                        entries.entry(key).or_insert(value);
                    }
                    self.finish(Yaml::Map(entries), anchor)
                }
                None => Ok(()),
            },
            Event::Alias(anchor) => {
                let target = self.anchors.get(&anchor).ok_or(YamlError::Alias)?;
                let left = MAX_ALIASED - self.aliased;
                let cost = weight(target, left).ok_or(YamlError::Alias)?;
                let value = target.clone();
                self.aliased += cost;
                if self.wants_key() {
                    let Yaml::Str(text) = value else {
                        return Err(YamlError::Key);
                    };
                    return self.key(text, false, 0);
                }
                self.finish(value, 0)
            }
            Event::DocumentStart(_) if self.root.is_some() => Err(YamlError::Documents),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, collection: Open, anchor: usize) -> Result<(), YamlError> {
        if self.wants_key() {
            return Err(YamlError::Key);
        }
        if self.open.len() == MAX_DEPTH {
            return Err(YamlError::TooDeep);
        }
        self.open.push((collection, anchor));
        Ok(())
    }

    fn wants_key(&self) -> bool {
        matches!(self.open.last(), Some((Open::Map { key: None, .. }, _)))
    }

    /// A key is its text, whatever the text would mean as a value.
    fn key(&mut self, text: String, plain: bool, anchor: usize) -> Result<(), YamlError> {
        if anchor > 0 {
            self.remember(anchor, &Yaml::Str(text.clone()))?;
        }
        if let Some((Open::Map { key, merged, .. }, _)) = self.open.last_mut() {
            if plain && text == "<<" {
                // Merged where the value is a mapping; see `finish`.
                merged.push(Map::new());
            }
            *key = Some(text);
        }
        Ok(())
    }

    fn finish(&mut self, value: Yaml, anchor: usize) -> Result<(), YamlError> {
        if anchor > 0 {
            self.remember(anchor, &value)?;
        }
        match self.open.last_mut() {
            None => self.root = Some(value),
            Some((Open::List(list), _)) => list.push(value),
            Some((
                Open::Map {
                    entries,
                    key,
                    merged,
                },
                _,
            )) => match (key.take(), value) {
                (Some(key), Yaml::Map(map)) if key == "<<" && !merged.is_empty() => {
                    merged.push(map);
                }
                (Some(key), value) => {
                    entries.insert(key, value);
                }
                (None, _) => return Err(YamlError::Key),
            },
        }
        Ok(())
    }

    /// What an anchor keeps is a copy, and counts as one.
    fn remember(&mut self, anchor: usize, value: &Yaml) -> Result<(), YamlError> {
        let left = MAX_ALIASED - self.aliased;
        self.aliased += weight(value, left).ok_or(YamlError::Alias)?;
        self.anchors.insert(anchor, value.clone());
        Ok(())
    }
}

/// How much a copy costs, unless it is more than `most`.
fn weight(value: &Yaml, most: usize) -> Option<usize> {
    let mut total = match value {
        Yaml::Str(text) | Yaml::Other(text) => text.len() + 1,
        _ => 1,
    };
    match value {
        Yaml::List(list) => {
            for item in list {
                total += weight(item, most.checked_sub(total)?)?;
            }
        }
        Yaml::Map(map) => {
            for (key, item) in map {
                total += key.len();
                total += weight(item, most.checked_sub(total)?)?;
            }
        }
        _ => {}
    }
    (total <= most).then_some(total)
}

fn scalar_value(text: &str, plain: bool, tag: Option<&Tag>) -> Result<Yaml, YamlError> {
    let Some(tag) = tag else {
        return Ok(if plain {
            scalar::resolve(text)
        } else {
            Yaml::Str(text.to_owned())
        });
    };
    let refused = || YamlError::Tag(format!("{}{}", tag.handle, tag.suffix));
    if tag.handle.is_empty() && tag.suffix == "!" {
        return Ok(Yaml::Str(text.to_owned()));
    }
    if !tag.is_yaml_core_schema() {
        return Err(refused());
    }
    let value = scalar::resolve(text);
    match (tag.suffix.as_str(), &value) {
        ("str", _) => Ok(Yaml::Str(text.to_owned())),
        ("int", Yaml::Int(_) | Yaml::Other(_))
        | ("float", Yaml::Float(_))
        | ("bool", Yaml::Bool(_))
        | ("timestamp", Yaml::Other(_))
        | ("null", Yaml::Null) => Ok(value),
        _ => Err(refused()),
    }
}

fn collection_tag(tag: Option<Cow<'_, Tag>>, plain: &str) -> Result<(), YamlError> {
    match tag {
        Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == plain) => {
            Err(YamlError::Tag(format!("{}{}", tag.handle, tag.suffix)))
        }
        _ => Ok(()),
    }
}
