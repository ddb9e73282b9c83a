//! The spans of a trace as a file, each as it is kept.

use runledger_entities::StoredSpan;

/// The spans as a file: `{"spans": […]}`, each as it is kept.
pub fn file(spans: &[StoredSpan]) -> Vec<u8> {
    let length: usize = spans.iter().map(|span| span.content.len() + 1).sum();
    let mut out = Vec::with_capacity(length + 16);
    out.extend_from_slice(b"{\"spans\":[");
    for (number, span) in spans.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        out.extend_from_slice(span.content.as_bytes());
    }
    out.extend_from_slice(b"]}");
    out
}

/// The spans of such a file, ours or MLflow's; nothing if it is none.
///
/// The texts are cut out as they are: they may have the words of Python's JSON, such as
/// `NaN`, and numbers of any size.
pub fn read_file(file: &str) -> Option<Vec<StoredSpan>> {
    let mut spans = None;
    let mut rest = inside(file.trim(), '{', '}')?;
    while let Some((key, after)) = split_value(rest) {
        let (value, after) = split_value(after.trim_start().strip_prefix(':')?)?;
        if key == "\"spans\"" {
            spans = Some(items(inside(value, '[', ']')?)?);
        }
        rest = after_comma(after)?;
    }
    spans
}

fn items(mut list: &str) -> Option<Vec<StoredSpan>> {
    let mut items = Vec::new();
    while let Some((item, after)) = split_value(list) {
        items.push(StoredSpan {
            content: item.to_owned(),
        });
        list = after_comma(after)?;
    }
    Some(items)
}

fn inside(text: &str, open: char, close: char) -> Option<&str> {
    text.strip_prefix(open)?.strip_suffix(close)
}

/// What follows the comma, or nothing at the end; `None` where there is something else.
fn after_comma(text: &str) -> Option<&str> {
    let text = text.trim_start();
    if text.is_empty() {
        return Some(text);
    }
    // A comma at the end is none that stands between values.
    text.strip_prefix(',')
        .filter(|rest| !rest.trim_start().is_empty())
}

/// The value that a text begins with, and what follows it.
fn split_value(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
        } else {
            match byte {
                b'"' => in_text = true,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.checked_sub(1)?,
                b',' | b':' if depth == 0 => return split_at(text, at),
                _ if depth > 0 || !byte.is_ascii_whitespace() => {}
                _ => return split_at(text, at),
            }
        }
    }
    if depth > 0 || in_text {
        return None;
    }
    split_at(text, text.len())
}

fn split_at(text: &str, at: usize) -> Option<(&str, &str)> {
    (at > 0).then(|| text.split_at(at))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spans(contents: &[&str]) -> Vec<StoredSpan> {
        let contents = contents.iter();
        contents
            .map(|content| StoredSpan {
                content: (*content).to_owned(),
            })
            .collect()
    }

    #[test]
    fn spans_come_back_as_they_are() {
        for contents in [
            &[][..],
            &["{}", "{}"],
            &[
                r#"{"a": NaN, "b": "\\\"]},{", "c": [1e999, {"d": -Infinity}]}"#,
                "{\n}",
            ],
        ] {
            let spans = spans(contents);
            let text = String::from_utf8(file(&spans)).unwrap();
            assert_eq!(read_file(&text), Some(spans), "{text}");
        }
    }

    #[test]
    fn a_file_of_mlflow_has_more_in_it() {
        let text =
            r#" {"request": "{\"x\": 1}", "spans" : [ {"a": 1} , {"b": 2} ], "response": null} "#;
        assert_eq!(
            read_file(text),
            Some(spans(&[r#"{"a": 1}"#, r#"{"b": 2}"#]))
        );
    }

    #[test]
    fn what_is_no_file_of_spans_is_none() {
        for text in [
            "",
            "{}",
            "[]",
            "{\"spans\": 5}",
            "{\"spans\": [{]}",
            "{\"spans\": [{},]}",
            "{\"spans\": [{}] 5}",
            "{\"spans\" [{}]}",
            "<html>",
        ] {
            assert_eq!(read_file(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "[\\[\\]{}:,\"\\\\ spané0-9]{0,60}") {
            let _ = read_file(&text);
            let _ = read_file(&format!("{{\"spans\":[{text}]}}"));
        }
    }
}
