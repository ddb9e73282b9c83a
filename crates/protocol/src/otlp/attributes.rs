//! The attributes of a span: each value is a JSON text.

use serde_json::Value;

/// Attributes in their order; of equal keys the last value stays, at the place of
/// the first.
#[derive(Clone, Debug, Default)]
pub(super) struct Attributes {
    pairs: Vec<(String, String)>,
}

impl Attributes {
    pub(super) fn set(&mut self, key: &str, json: String) {
        match self.pairs.iter_mut().find(|(known, _)| known == key) {
            Some((_, value)) => *value = json,
            None => self.pairs.push((key.to_owned(), json)),
        }
    }

    /// Adds one whose key is known to be new, as those of a span are.
    pub(super) fn push(&mut self, key: &str, json: String) {
        self.pairs.push((key.to_owned(), json));
    }

    /// Leaves of equal keys the last value.
    pub(super) fn distinct(&mut self) {
        let mut places = std::collections::HashMap::with_capacity(self.pairs.len());
        let mut kept: Vec<(String, String)> = Vec::with_capacity(self.pairs.len());
        for (key, value) in std::mem::take(&mut self.pairs) {
            if let Some(&place) = places.get(&key) {
                let pair: &mut (String, String) = &mut kept[place];
                pair.1 = value;
            } else {
                places.insert(key.clone(), kept.len());
                kept.push((key, value));
            }
        }
        self.pairs = kept;
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.iter()
            .find(|(known, _)| *known == key)
            .map(|(_, value)| value)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The value of a key that is not nothing: no `null`, 0, `false` or anything
    /// that is empty.
    pub(super) fn something(&self, key: &str) -> Option<&str> {
        self.get(key).filter(|json| is_something(json))
    }

    /// A value as the text that it is, whether or not it is JSON of a text.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.get(key).map(plain_text)
    }

    /// The members of an object, which may be JSON in JSON.
    pub(super) fn object(&self, key: &str) -> Option<serde_json::Map<String, Value>> {
        match parsed(self.get(key)?)? {
            Value::Object(members) => Some(members),
            _ => None,
        }
    }
}

/// The largest value, in bytes, that is looked into: what is made of JSON takes many
/// times its bytes.
const LOOKED_INTO: usize = 1 << 20;

/// The JSON of a value, unless it is too large to be looked into.
pub(super) fn parsed(json: &str) -> Option<Value> {
    (json.len() <= LOOKED_INTO)
        .then(|| serde_json::from_str(json).ok())
        .flatten()
}

/// A value as the text that it is, whether or not it is JSON of a text.
pub(super) fn plain_text(json: &str) -> String {
    match parsed(json) {
        Some(Value::String(text)) => text,
        _ => json.to_owned(),
    }
}

/// Whether Python counts a JSON text as true; what is no JSON is a text.
pub(super) fn is_something(json: &str) -> bool {
    match json {
        "" | "null" | "false" | "0" | "0.0" | "-0.0" | "\"\"" | "[]" | "{}" => false,
        // Nearly everything ends here: only short texts can be nothing.
        long if long.len() > 8 => true,
        short => match serde_json::from_str(short) {
            Ok(Value::Null | Value::Bool(false)) => false,
            Ok(Value::Number(number)) => number.as_f64() != Some(0.0),
            Ok(Value::String(text)) => !text.is_empty(),
            Ok(Value::Array(items)) => !items.is_empty(),
            Ok(Value::Object(members)) => !members.is_empty(),
            Ok(Value::Bool(true)) | Err(_) => true,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_what_python_counts_as_false() {
        for json in ["", "null", "false", "0", "0.0", "[ ]", "{ }", "\"\""] {
            assert!(!is_something(json), "{json}");
        }
        for json in ["x", "1", "true", "[0]", "\" \"", "{\"a\":0}"] {
            assert!(is_something(json), "{json}");
        }
    }

    #[test]
    fn of_equal_keys_the_last_value_stays_at_the_first_place() {
        let mut attributes = Attributes::default();
        for (key, value) in [("a", "1"), ("b", "2"), ("a", "3")] {
            attributes.push(key, value.to_owned());
        }
        attributes.distinct();
        let pairs: Vec<_> = attributes.iter().collect();
        assert_eq!(pairs, [("a", "3"), ("b", "2")]);
        attributes.set("b", "4".to_owned());
        assert_eq!(attributes.get("b"), Some("4"));
    }
}
