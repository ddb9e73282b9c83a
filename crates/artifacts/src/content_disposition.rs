//! `Content-Disposition` of signed downloads, as MLflow 3.17 writes it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What Python's `quote` leaves as it is.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'_')
    .remove(b'.')
    .remove(b'-')
    .remove(b'~')
    .remove(b'/');

/// The header that makes a browser save a file under this name.
pub(crate) fn attachment(name: &str) -> String {
    if name.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
        return format!("attachment; filename=\"{escaped}\"");
    }
    format!(
        "attachment; filename*=UTF-8''{}",
        utf8_percent_encode(name, KEPT)
    )
}

#[cfg(test)]
mod tests {
    use super::attachment;

    #[test]
    fn names_are_quoted_or_encoded() {
        assert_eq!(
            attachment("a \"b\".txt"),
            r#"attachment; filename="a \"b\".txt""#
        );
        assert_eq!(
            attachment("ü.txt"),
            "attachment; filename*=UTF-8''%C3%BC.txt"
        );
    }
}
