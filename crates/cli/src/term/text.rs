//! Texts of others on a terminal: without what moves the cursor, and cut to a width.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What stands for the rest of a text that was cut.
const ELLIPSIS: char = '…';

/// The text with control characters, and those that turn the direction of
/// writing, as escapes (`\n`, `\x1b`, `\u{202e}`).
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        match char {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            char if is_unsafe(char) && u32::from(char) < 0x80 => {
                // Writing to a `String` cannot fail.
                let _ = write!(out, "\\x{:02x}", u32::from(char));
            }
            char if is_unsafe(char) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(char));
            }
            char => out.push(char),
        }
    }
    Cow::Owned(out)
}

/// Control characters of ASCII and Latin-1, line and paragraph separators, and
/// marks that turn the direction of writing.
fn is_unsafe(char: char) -> bool {
    char.is_control()
        || matches!(
            char,
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// How many columns a text takes.
pub(crate) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The text in at most so many columns; what was cut shows as `…`.
pub(crate) fn fitted(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let room = columns.saturating_sub(1);
    let mut used = 0;
    let mut kept = String::new();
    for char in text.chars() {
        used += UnicodeWidthChar::width(char).unwrap_or(0);
        if used > room {
            break;
        }
        kept.push(char);
    }
    kept.truncate(kept.trim_end().len());
    if columns > 0 {
        kept.push(ELLIPSIS);
    }
    Cow::Owned(kept)
}

/// A text of prose in lines of at most so many columns, broken at spaces where
/// there are any.
pub(crate) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let needed = width(&line) + usize::from(!line.is_empty()) + width(word);
        if needed <= columns {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for char in word.chars() {
            if width(&line) + UnicodeWidthChar::width(char).unwrap_or(0) > columns {
                lines.push(std::mem::take(&mut line));
            }
            line.push(char);
        }
    }
    lines.push(line);
    lines
}

/// A time as `2026-11-27 16:20`, or with seconds, in UTC.
pub(crate) fn time(millis: i64, with_seconds: bool) -> String {
    let text = runledger_entities::time::timestamp(millis);
    let end = text.find(['.', 'Z']).unwrap_or(text.len());
    let end = if with_seconds {
        end
    } else {
        end.saturating_sub(3)
    };
    text[..end].replace('T', " ")
}

/// A duration of milliseconds in its two largest units, such as `3m 20s`; what
/// is shorter than ten seconds has a decimal.
pub(crate) fn duration(millis: i64) -> String {
    let millis = millis.max(0);
    let seconds = millis / 1000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0..10 => format!("{seconds}.{}s", millis % 1000 / 100),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{minutes}m {}s", seconds % 60),
        3600..86_400 => format!("{hours}h {}m", minutes % 60),
        _ => format!("{days}d {}h", hours % 24),
    }
}

/// `1 step`, `2 steps`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}

/// A number of a metric in few characters: six significant digits.
pub(crate) fn number(value: f64) -> String {
    if !value.is_finite() {
        return runledger_entities::validate::python_float(value);
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-4..1e9).contains(&magnitude) {
        let text = format!("{value:.5e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        return format!("{}e{exponent}", without_zeros(mantissa));
    }
    // A metric that counts has no decimals.
    let digits = match magnitude {
        0.0..1.0 => 6,
        1.0..10.0 => 5,
        10.0..100.0 => 4,
        100.0..1e3 => 3,
        1e3..1e4 => 2,
        1e4..1e5 => 1,
        _ => 0,
    };
    without_zeros(&format!("{value:.digits$}")).to_owned()
}

/// A number of a metric in full: read again, it is the same.
pub(crate) fn exact(value: f64) -> String {
    if !value.is_finite() {
        return runledger_entities::validate::python_float(value);
    }
    if value != 0.0 && !(1e-4..1e16).contains(&value.abs()) {
        return format!("{value:e}");
    }
    value.to_string()
}

fn without_zeros(text: &str) -> &str {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_moves_the_cursor_is_escaped() {
        assert_eq!(plain("plain é 漢"), "plain é 漢");
        assert_eq!(plain("a\x1b[2Jb\n\u{9b}1m"), "a\\x1b[2Jb\\n\\u{9b}1m");
        assert_eq!(plain("a\u{202e}b\u{2028}"), "a\\u{202e}b\\u{2028}");
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(width("漢字"), 4);
        assert_eq!(fitted("漢字だ", 5), "漢字…");
        assert_eq!(fitted("abcdef", 6), "abcdef");
        assert_eq!(fitted("abcdef", 4), "abc…");
        assert_eq!(fitted("abcdef", 0), "");
    }

    #[test]
    fn times_and_durations_are_short() {
        assert_eq!(time(1_790_000_002_500, false), "2026-09-21 14:13");
        assert_eq!(time(1_790_000_002_500, true), "2026-09-21 14:13:22");
        for (millis, text) in [
            (-5, "0.0s"),
            (1234, "1.2s"),
            (59_999, "59s"),
            (200_000, "3m 20s"),
            (7_260_000, "2h 1m"),
            (100_000_000, "1d 3h"),
        ] {
            assert_eq!(duration(millis), text);
        }
    }

    #[test]
    fn numbers_have_six_digits() {
        for (value, text) in [
            (0.0, "0"),
            (0.123_456_78, "0.123457"),
            (3.0, "3"),
            (-2.5, "-2.5"),
            (12_345.678, "12345.7"),
            (1_234_567.0, "1234567"),
            (1.5e-7, "1.5e-7"),
            (1e20, "1e20"),
            (f64::NAN, "nan"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn an_exact_number_has_all_its_digits() {
        for (value, text) in [
            (0.123_456_789, "0.123456789"),
            (3.0, "3"),
            (1_234_567.25, "1234567.25"),
            (1.5e-7, "1.5e-7"),
            (-1e20, "-1e20"),
            (f64::NAN, "nan"),
        ] {
            assert_eq!(exact(value), text);
        }
    }

    #[test]
    fn prose_breaks_at_spaces_and_a_long_word_anywhere() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrapped("", 3), [""]);
    }

    proptest! {
        #[test]
        fn a_fitted_text_fits_and_moves_nothing(text in "\\PC{0,30}|[\\x00-\\x9f]{0,9}", columns in 0_usize..20) {
            let plain = plain(&text);
            prop_assert!(!plain.chars().any(is_unsafe));
            prop_assert!(width(&fitted(&plain, columns)) <= columns);
        }
    }
}
