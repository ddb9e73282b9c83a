//! Numbers as Python's `float()` and `int()` read them: metric files hold what
//! any program wrote that Python accepts.
//!
//! Not taken: digits of other scripts than ASCII, which Python accepts and
//! nothing writes; and integers beyond 64 bits, which no entity holds.

use std::borrow::Cow;
use std::str::FromStr;

/// The value of `float(text)`.
pub(crate) fn float(text: &str) -> Option<f64> {
    number(text)
}

/// The value of `int(text)`.
pub(crate) fn int(text: &str) -> Option<i64> {
    number(text)
}

/// Rust reads the same grammars, but for underscores and white space, which
/// hardly any number has.
fn number<N: FromStr>(text: &str) -> Option<N> {
    text.parse()
        .ok()
        .or_else(|| joined(text.trim())?.parse().ok())
}

/// Text without the underscores between digits; `None` if one stands elsewhere.
fn joined(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('_') {
        return Some(Cow::Borrowed(text));
    }
    let bytes = text.as_bytes();
    let is_digit = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at))
            .is_some_and(u8::is_ascii_digit)
    };
    let between_digits = |at: usize| is_digit(at.checked_sub(1)) && is_digit(Some(at + 1));
    text.match_indices('_')
        .all(|(at, _)| between_digits(at))
        .then(|| Cow::Owned(text.replace('_', "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_pythons() {
        for (text, value) in [
            ("1_0.5", 10.5),
            (" 1e5 ", 1e5),
            ("+.5", 0.5),
            ("5.", 5.0),
            ("Infinity", f64::INFINITY),
            ("-INF", f64::NEG_INFINITY),
        ] {
            assert_eq!(float(text), Some(value), "{text}");
        }
        assert!(float("+NaN").is_some_and(f64::is_nan));
        for bad in ["", "_1", "1_", "1__0", "1_.5", "0x1", "1e", "in_f", "1 2"] {
            assert_eq!(float(bad), None, "{bad}");
        }
    }

    #[test]
    fn integers_are_pythons() {
        for (text, value) in [("+3", 3), ("-1_000", -1000), ("007", 7)] {
            assert_eq!(int(text), Some(value), "{text}");
        }
        for bad in ["1.0", "9223372036854775808", "", "+", "0x1"] {
            assert_eq!(int(bad), None, "{bad}");
        }
    }
}
