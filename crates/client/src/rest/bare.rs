//! JSON in which numbers may be `NaN`, `Infinity` and `-Infinity`, as Python writes
//! it where MLflow's answers are no messages (`metrics/get-history-bulk`).

use std::borrow::Cow;

use serde_json::Value;

const TOKENS: [&str; 3] = ["NaN", "Infinity", "-Infinity"];

/// The value of a JSON text. Bare tokens become texts, which is how messages hold
/// them.
pub(super) fn read(text: &[u8]) -> Option<Value> {
    if let Ok(value) = serde_json::from_slice(text) {
        return Some(value);
    }
    let text = str::from_utf8(text).ok()?;
    serde_json::from_str(&quoted(text)).ok()
}

/// The text with quotes around bare tokens.
fn quoted(text: &str) -> Cow<'_, str> {
    if !text.contains("NaN") && !text.contains("Infinity") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some(at) = rest.find(['"', 'N', 'I', '-']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = if rest.starts_with('"') {
            string_length(rest)
        } else if let Some(token) = TOKENS.iter().find(|token| rest.starts_with(**token)) {
            out.push('"');
            out.push_str(token);
            out.push('"');
            rest = &rest[token.len()..];
            continue;
        } else {
            1
        };
        out.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// How long the string is that a text begins with, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bare_tokens_become_texts_and_strings_stay() {
        let text = br#"{"a":[NaN,-Infinity, Infinity,-1.5],"b":"NaN \" Infinity","N":"-"}"#;
        let value = json!({
            "a": ["NaN", "-Infinity", "Infinity", -1.5], "b": "NaN \" Infinity", "N": "-"
        });
        assert_eq!(read(text), Some(value));
        for text in ["<html>NaN", "\"NaN", "", "[NaN"] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
    }
}
