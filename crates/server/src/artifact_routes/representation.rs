//! How a file is presented to a browser: as a download that runs nothing.

use http::header::{
    CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Extensions that MLflow 3.17 serves as plain text, for its UI to show.
const TEXT_EXTENSIONS: [&str; 25] = [
    "txt",
    "log",
    "err",
    "cfg",
    "conf",
    "cnf",
    "cf",
    "ini",
    "properties",
    "prop",
    "hocon",
    "toml",
    "yaml",
    "yml",
    "xml",
    "json",
    "js",
    "py",
    "py3",
    "csv",
    "tsv",
    "md",
    "rst",
    "ipynb",
    "sh",
];

/// What `filename*` leaves as it is (RFC 8187, `attr-char`).
const ATTRIBUTE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// Adds the type and the name of a file.
///
/// Artifacts are written by anybody who may log: they are always attachments,
/// never sniffed, and sandboxed in case a browser shows one all the same, so
/// that no script of theirs runs with this server's origin.
pub(super) fn describe(headers: &mut HeaderMap, name: &str) {
    headers.insert(CONTENT_TYPE, content_type(name));
    headers.insert(CONTENT_DISPOSITION, disposition(name));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

fn content_type(name: &str) -> HeaderValue {
    // Dots in front are part of the name: `..x` has no extension.
    let extension = name
        .trim_start_matches('.')
        .rsplit_once('.')
        .map_or("", |(_, extension)| extension);
    let is_text = name == "MLmodel"
        || TEXT_EXTENSIONS
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known));
    let guessed = if is_text {
        "text/plain"
    } else {
        mime_guess::from_ext(extension)
            .first_raw()
            .unwrap_or("application/octet-stream")
    };
    HeaderValue::from_static(guessed)
}

fn disposition(name: &str) -> HeaderValue {
    let is_token = |name: &str| {
        name.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte))
    };
    let value = if !name.is_empty() && is_token(name) {
        format!("attachment; filename={name}")
    } else {
        // For clients that know only the plain form.
        let plain: String = name
            .chars()
            .map(|c| {
                if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%') || c == ' ' {
                    c
                } else {
                    '_'
                }
            })
            .collect();
        let exact = utf8_percent_encode(name, ATTRIBUTE);
        format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{exact}")
    };
    HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_mlflows() {
        for (name, expected) in [
            ("MLmodel", "text/plain"),
            ("a.json", "text/plain"),
            ("A.YAML", "text/plain"),
            ("a.html", "text/html"),
            ("a.png", "image/png"),
            ("a.svg", "image/svg+xml"),
            ("a.pkl", "application/octet-stream"),
            ("noext", "application/octet-stream"),
            ("..x", "application/octet-stream"),
        ] {
            assert_eq!(content_type(name), expected, "{name}");
        }
    }

    #[test]
    fn names_are_quoted_as_needed() {
        assert_eq!(disposition("a.txt"), "attachment; filename=a.txt");
        assert_eq!(
            disposition("a \"ü\".txt"),
            "attachment; filename=\"a ___.txt\"; filename*=UTF-8''a%20%22%C3%BC%22.txt"
        );
    }
}
