//! Texts and numbers as Python writes them: as JSON in ASCII or as it prints them, for
//! error messages and for what MLflow keeps as JSON.

use std::fmt::Write as _;

/// Most characters of a text that a message repeats.
pub const MOST: usize = 1000;

/// Appends `text` as a JSON string of ASCII characters, cut after [`MOST`].
pub fn push_json(text: &str, out: &mut String) {
    push_json_chars(text.chars().take(MOST), out);
}

/// The whole of `text` as a JSON string of ASCII characters: what Python's `json`
/// writes.
pub fn json_whole(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    push_json_chars(text.chars(), &mut out);
    out
}

/// A JSON object of numbers as Python's `json` writes it, without those that are absent;
/// nothing if all are.
pub fn numbers<const N: usize>(
    names: [&'static str; N],
    numbers: [Option<String>; N],
) -> Option<String> {
    let members: Vec<String> = names
        .into_iter()
        .zip(numbers)
        .filter_map(|(name, number)| Some(format!("\"{name}\": {}", number?)))
        .collect();
    (!members.is_empty()).then(|| format!("{{{}}}", members.join(", ")))
}

fn push_json_chars(chars: impl Iterator<Item = char>, out: &mut String) {
    out.push('"');
    for c in chars {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a text does not fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

/// `text` as [`push_json`] writes it.
pub fn json(text: &str) -> String {
    let mut out = String::new();
    push_json(text, &mut out);
    out
}

/// `text` as Python's `repr` writes it, which MLflow's messages print lists and
/// dictionaries with.
pub fn python(text: &str) -> String {
    let double = text.contains('\'') && !text.contains('"');
    let quote = if double { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        let code = u32::from(c);
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if is_printable(c) => out.push(c),
            _ => {
                let written = match code {
                    0..=0xff => write!(out, "\\x{code:02x}"),
                    0x100..=0xffff => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
                debug_assert!(written.is_ok(), "writing to a String cannot fail");
            }
        }
    }
    out.push(quote);
    out
}

/// `str.isprintable`, as near as the standard library comes to it.
fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    // Only a first character is escaped for being a combining mark.
    let mut pair = String::from("x");
    pair.push(c);
    !c.is_whitespace() && pair.escape_debug().nth(1) != Some('\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_printable_ascii_is_escaped() {
        for (text, quoted) in [
            ("a b", r#""a b""#),
            ("\0\t\u{8}\u{7f}", r#""\u0000\t\b\u007f""#),
            ("\"\\", r#""\"\\""#),
            ("é😀", r#""\u00e9\ud83d\ude00""#),
        ] {
            assert_eq!(json(text), quoted);
        }
    }

    #[test]
    fn numbers_are_written_as_python_writes_them() {
        let names = ["a", "b"];
        let given = [Some("1".to_owned()), None];
        assert_eq!(numbers(names, given).as_deref(), Some(r#"{"a": 1}"#));
        assert_eq!(numbers(names, [None, None]), None);
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(json(&"x".repeat(5000)).len(), MOST + 2);
    }
}
