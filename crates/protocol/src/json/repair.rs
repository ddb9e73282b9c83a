//! The tokens that Python's JSON has and JSON has not.

use serde::de::IgnoredAny;

/// Rewrites bare `NaN`, `Infinity` and `-Infinity`, and numbers too large for
/// a double, as texts that [`number`] knows.
///
/// `None` if there is nothing to rewrite. Text inside strings stays as it is.
pub(super) fn python_tokens(bytes: &[u8]) -> Option<Vec<u8>> {
    tokens_as_texts(bytes, b"\\u0000")
}

/// Rewrites what Python's JSON has and JSON has not for readers who do not tell
/// them apart: bare tokens as their texts (`"NaN"`), and halves of surrogate
/// pairs as the replacement character.
///
/// `None` if there is nothing to rewrite.
pub(crate) fn for_readers(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.as_bytes().to_vec();
    let mut from = 0;
    let mut changed = false;
    while let Some(start) = bytes.get(from..).and_then(first_lone_surrogate) {
        let end = from + start + 6;
        bytes[from + start..end].copy_from_slice(b"\\ufffd");
        from = end;
        changed = true;
    }
    match tokens_as_texts(&bytes, b"") {
        Some(rewritten) => Some(rewritten),
        None => changed.then_some(bytes),
    }
}

/// Rewrites bare tokens as texts of their names, with `mark` before the name.
fn tokens_as_texts(bytes: &[u8], mark: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len() + 16);
    let mut changed = false;
    let mut rest = bytes;
    while let Some(&first) = rest.first() {
        let length = match first {
            b'"' => string_length(rest),
            b'-' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => token_length(rest),
            _ => 1,
        };
        let (token, after) = rest.split_at(length);
        match name_of(token) {
            Some(name) => {
                out.push(b'"');
                out.extend_from_slice(mark);
                out.extend_from_slice(name.as_bytes());
                out.push(b'"');
                changed = true;
            }
            None => out.extend_from_slice(token),
        }
        rest = after;
    }
    changed.then_some(out)
}

/// The number that a rewritten token stands for. A text that a client sends is
/// none: only the NUL before the name tells them apart.
pub(super) fn number(text: &str) -> Option<f64> {
    match text.strip_prefix('\0')? {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// The protobuf name of a number that JSON cannot write.
fn name_of(token: &[u8]) -> Option<&'static str> {
    match token {
        b"NaN" => Some("NaN"),
        b"Infinity" => Some("Infinity"),
        b"-Infinity" => Some("-Infinity"),
        [b'-' | b'0'..=b'9', ..] => {
            let value: f64 = std::str::from_utf8(token).ok()?.parse().ok()?;
            match value {
                f64::INFINITY => Some("Infinity"),
                f64::NEG_INFINITY => Some("-Infinity"),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The first escape that is half of a surrogate pair, in a text that is JSON
/// but for that.
pub(super) fn lone_surrogate(bytes: &[u8]) -> Option<String> {
    let start = first_lone_surrogate(bytes)?;
    let escape = bytes.get(start..start + 6)?;
    // Reading without interest in the strings accepts any escapes in them.
    let reads = |bytes: &[u8]| serde_json::from_slice::<IgnoredAny>(bytes).is_ok();
    (reads(bytes) || python_tokens(bytes).is_some_and(|bytes| reads(&bytes)))
        .then(|| String::from_utf8_lossy(escape).into_owned())
}

/// Where the first escape begins that is half of a pair.
fn first_lone_surrogate(bytes: &[u8]) -> Option<usize> {
    let mut start = 0;
    loop {
        start += bytes.get(start..)?.iter().position(|byte| *byte == b'\\')?;
        let rest = bytes.get(start..)?;
        start += match (surrogate(rest), rest.get(6..).and_then(surrogate)) {
            (Some(Half::High), Some(Half::Low)) => 12,
            (Some(_), _) => return Some(start),
            (None, _) => 2,
        };
    }
}

/// A half of a surrogate pair.
enum Half {
    High,
    Low,
}

/// The half that an escape `\uXXXX` at the start of a text stands for.
fn surrogate(text: &[u8]) -> Option<Half> {
    let [b'\\', b'u', b'd' | b'D', high, a, b, ..] = text else {
        return None;
    };
    if !a.is_ascii_hexdigit() || !b.is_ascii_hexdigit() {
        return None;
    }
    match high.to_ascii_lowercase() {
        b'8' | b'9' | b'a' | b'b' => Some(Half::High),
        b'c'..=b'f' => Some(Half::Low),
        _ => None,
    }
}

fn string_length(text: &[u8]) -> usize {
    let mut escaped = false;
    for (index, &byte) in text.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

fn token_length(text: &[u8]) -> usize {
    let inside = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'+' | b'.');
    text.iter()
        .position(|byte| !inside(byte))
        .unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(text: &str) -> Option<String> {
        python_tokens(text.as_bytes()).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn any_reader_reads_what_python_wrote() {
        let text =
            r#"{"a": NaN, "b": [-Infinity, "NaN"], "c": "\ud800x\udc00", "d": "\ud83d\ude00"}"#;
        let read: serde_json::Value = serde_json::from_slice(&for_readers(text).unwrap()).unwrap();
        let expected = serde_json::json!({
            "a": "NaN", "b": ["-Infinity", "NaN"], "c": "\u{fffd}x\u{fffd}", "d": "😀",
        });
        assert_eq!(read, expected);
        assert_eq!(for_readers(r#"{"a": 1, "b": "\\ud800"}"#), None);
    }

    #[test]
    fn only_bare_tokens_are_rewritten() {
        assert_eq!(
            repaired(r#"{"NaN": [NaN, -Infinity, 1e999], "b": "x\" NaN"}"#).as_deref(),
            Some(r#"{"NaN": ["\u0000NaN", "\u0000-Infinity", "\u0000Infinity"], "b": "x\" NaN"}"#)
        );
        for text in [r#"{"a": "NaN"}"#, "{\"a", "NaNa", "1.5", ""] {
            assert_eq!(repaired(text), None, "{text}");
        }
    }
}
