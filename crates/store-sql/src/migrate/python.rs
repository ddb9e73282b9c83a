//! Values as Python reads them.
//!
//! MLflow 3.17 moves numbers out of JSON texts with Python's `json`, `float` and
//! `decimal`, which take more than JSON's grammar allows (`NaN`, numbers in
//! strings, underscores) and keep integers of any size. A migration must come to
//! the same values, so these are read the same way here.

use std::collections::HashMap;

/// How deep values may be nested. Python gives up at about a thousand.
const DEPTH: usize = 500;

/// More digits than this are no integer to Python (`sys.int_info`).
const INTEGER_DIGITS: usize = 4_300;

/// A JSON value, as far as a migration looks into it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// An integer of any size, as it was written.
    Integer(String),
    Float(f64),
    Text(String),
    List,
    Object(HashMap<String, Self>),
}

impl Json {
    /// Reads a text like `json.loads`; nothing if that refuses it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut reader = Reader { rest: text };
        reader.space();
        let value = reader.value(0)?;
        reader.space();
        reader.rest.is_empty().then_some(value)
    }

    /// Like `float(value)` where that is a finite number. Truth values are none.
    pub(crate) fn finite(&self) -> Option<f64> {
        match self {
            Self::Integer(digits) => digits.parse().ok(),
            Self::Float(value) => Some(*value),
            Self::Text(text) => float(text),
            Self::Null | Self::Bool(_) | Self::List | Self::Object(_) => None,
        }
        .filter(|value| value.is_finite())
        // Databases lose the sign of zero, some in the driver.
        .map(|value| value + 0.0)
    }

    /// The value as a count of tokens: a whole number, however it is written,
    /// that fits into 64 bits.
    pub(crate) fn count(&self) -> Option<i64> {
        match self {
            Self::Integer(digits) => whole(digits),
            Self::Float(value) => count_of(*value),
            Self::Text(text) => whole(text),
            Self::Null | Self::Bool(_) | Self::List | Self::Object(_) => None,
        }
    }
}

/// A floating-point number as a count, by its shortest decimal notation: above
/// 2⁵³ that is not the number itself, but what `Decimal(str(value))` sees.
pub(crate) fn count_of(value: f64) -> Option<i64> {
    value
        .is_finite()
        .then(|| whole(&value.to_string()))
        .flatten()
}

/// What an assessment counts as in charts, and whether it is a number (MLflow
/// 3.17): numbers as they are, `true` and `yes` as 1, `false` and `no` as 0.
pub(crate) fn aggregate(value: &str) -> (Option<f64>, bool) {
    let text = match Json::parse(value) {
        Some(Json::Bool(value)) => return (Some(f64::from(u8::from(value))), false),
        Some(number @ (Json::Integer(_) | Json::Float(_))) => {
            let number = number.finite();
            return (number, number.is_some());
        }
        Some(Json::Text(text)) => text,
        Some(_) => return (None, false),
        // What is no JSON is a text.
        None => value.to_owned(),
    };
    match text.trim().to_lowercase().as_str() {
        "yes" => (Some(1.0), false),
        "no" => (Some(0.0), false),
        _ => (None, false),
    }
}

/// Like `float(text)`: spaces around it and underscores between digits count
/// for nothing.
fn float(text: &str) -> Option<f64> {
    let text = text.trim();
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at))
            .is_some_and(u8::is_ascii_digit)
    };
    let misplaced = |at: usize| !digit(at.checked_sub(1)) || !digit(Some(at + 1));
    if text.match_indices('_').any(|(at, _)| misplaced(at)) {
        return None;
    }
    text.replace('_', "").parse().ok()
}

/// Like `Decimal(text)` where that is a whole number of 64 bits.
fn whole(text: &str) -> Option<i64> {
    let text = text.trim().replace('_', "");
    let (negative, text) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text.as_str()),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [before, after].concat();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut places = exponent.checked_sub(i64::try_from(after.len()).ok()?)?;
    let mut digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    while places < 0 {
        digits = digits.strip_suffix('0')?;
        places += 1;
    }
    // 64 bits are 19 digits.
    let zeros = usize::try_from(places).ok().filter(|places| *places < 19)?;
    let number = format!(
        "{}{digits}{}",
        if negative { "-" } else { "" },
        "0".repeat(zeros)
    );
    number.parse().ok()
}

/// What is left of a text.
struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn take(&mut self, word: &str) -> bool {
        match self.rest.strip_prefix(word) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        if depth > DEPTH {
            return None;
        }
        match self.rest.as_bytes().first()? {
            b'"' => {
                self.take("\"");
                self.text().map(Json::Text)
            }
            b'{' => self.object(depth),
            b'[' => self.list(depth),
            _ => {
                let words = [
                    ("null", Json::Null),
                    ("true", Json::Bool(true)),
                    ("false", Json::Bool(false)),
                    ("NaN", Json::Float(f64::NAN)),
                    ("Infinity", Json::Float(f64::INFINITY)),
                    ("-Infinity", Json::Float(f64::NEG_INFINITY)),
                ];
                for (word, value) in words {
                    if self.take(word) {
                        return Some(value);
                    }
                }
                self.number()
            }
        }
    }

    fn object(&mut self, depth: usize) -> Option<Json> {
        self.take("{");
        let mut members = HashMap::new();
        self.space();
        if self.take("}") {
            return Some(Json::Object(members));
        }
        loop {
            self.space();
            if !self.take("\"") {
                return None;
            }
            let name = self.text()?;
            self.space();
            if !self.take(":") {
                return None;
            }
            self.space();
            let value = self.value(depth + 1)?;
            // The last of a name counts.
            members.insert(name, value);
            self.space();
            if self.take("}") {
                return Some(Json::Object(members));
            }
            if !self.take(",") {
                return None;
            }
        }
    }

    fn list(&mut self, depth: usize) -> Option<Json> {
        self.take("[");
        self.space();
        if self.take("]") {
            return Some(Json::List);
        }
        loop {
            self.space();
            self.value(depth + 1)?;
            self.space();
            if self.take("]") {
                return Some(Json::List);
            }
            if !self.take(",") {
                return None;
            }
        }
    }

    fn digits(&self, from: usize) -> usize {
        let bytes = self.rest.as_bytes().get(from..).unwrap_or_default();
        bytes
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    }

    fn number(&mut self) -> Option<Json> {
        let bytes = self.rest.as_bytes();
        let at = |place: usize| bytes.get(place).copied();
        let start = usize::from(at(0) == Some(b'-'));
        let whole = match at(start)? {
            b'0' => 1,
            _ => self.digits(start),
        };
        if whole == 0 {
            return None;
        }
        let mut end = start + whole;
        let mut is_float = false;
        if at(end) == Some(b'.') && self.digits(end + 1) > 0 {
            is_float = true;
            end += 1 + self.digits(end + 1);
        }
        if matches!(at(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(at(end + 1), Some(b'+' | b'-')));
            let exponent = self.digits(end + 1 + sign);
            if exponent > 0 {
                is_float = true;
                end += 1 + sign + exponent;
            }
        }
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        if is_float {
            return text.parse().ok().map(Json::Float);
        }
        (whole <= INTEGER_DIGITS).then(|| Json::Integer(text.to_owned()))
    }

    /// The rest of a string, its opening quote taken.
    fn text(&mut self) -> Option<String> {
        let mut text = String::new();
        loop {
            let end = self.rest.find(|c: char| c == '"' || c == '\\' || c < ' ')?;
            text.push_str(&self.rest[..end]);
            self.rest = &self.rest[end..];
            if self.take("\"") {
                return Some(text);
            }
            if !self.take("\\") {
                return None;
            }
            let escape = self.rest.chars().next()?;
            self.rest = &self.rest[escape.len_utf8()..];
            text.push(match escape {
                '"' | '\\' | '/' => escape,
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => self.unicode()?,
                _ => return None,
            });
        }
    }

    /// A character by its number. Half of a pair, which Python keeps, becomes
    /// the replacement character.
    fn unicode(&mut self) -> Option<char> {
        let first = self.hex()?;
        if (0xd800..0xdc00).contains(&first) && self.rest.starts_with("\\u") {
            let before = self.rest;
            self.take("\\u");
            let second = self.hex()?;
            if (0xdc00..0xe000).contains(&second) {
                return char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00));
            }
            self.rest = before;
        }
        Some(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.rest.get(..4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.rest = &self.rest[4..];
        u32::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> Option<i64> {
        Json::parse(text).unwrap().count()
    }

    fn finite(text: &str) -> Option<f64> {
        Json::parse(text).unwrap().finite()
    }

    #[test]
    fn counts_are_whole_numbers_however_written() {
        for text in [
            "12",
            "12.0",
            "1.2e1",
            "\"12\"",
            "\" 1_2 \"",
            "\"120e-1\"",
            "\"+12.\"",
        ] {
            assert_eq!(count(text), Some(12), "{text}");
        }
        for text in [
            "1.5", "true", "null", "[]", "{}", "\"\"", "\"a\"", "NaN", "\"nan\"", "1e19",
        ] {
            assert_eq!(count(text), None, "{text}");
        }
        assert_eq!(count("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(count("9223372036854775808"), None);
        assert_eq!(count("0e999999999999"), Some(0));
        assert_eq!(
            count_of(1_234_567_890_123_456_789.0),
            Some(1_234_567_890_123_456_800)
        );
        assert_eq!(count_of(f64::INFINITY), None);
    }

    #[test]
    fn costs_are_finite_numbers() {
        assert_eq!(finite("0.1"), Some(0.1));
        assert_eq!(finite("1"), Some(1.0));
        assert_eq!(finite("\" 1_0.5 \""), Some(10.5));
        for text in [
            "\"1__0\"", "\"_1\"", "\"inf\"", "1e999", "Infinity", "false", "null", "[1]",
        ] {
            assert_eq!(finite(text), None, "{text}");
        }
    }

    #[test]
    fn aggregates_are_as_in_mlflow() {
        assert_eq!(aggregate("true"), (Some(1.0), false));
        assert_eq!(aggregate("\" No \""), (Some(0.0), false));
        assert_eq!(aggregate("yes"), (Some(1.0), false));
        assert_eq!(aggregate("2.5"), (Some(2.5), true));
        assert_eq!(aggregate("-7"), (Some(-7.0), true));
        for text in [
            "NaN",
            "1e400",
            "\"3\"",
            "null",
            "{\"a\": 1}",
            "maybe",
            "",
            "01",
        ] {
            assert_eq!(aggregate(text), (None, false), "{text}");
        }
    }

    #[test]
    fn json_is_read_like_python_does() {
        let text = r#" {"a": [1, {"b": null}], "a": "\u00e9\ud83d\ude00\n", "c": -Infinity} "#;
        let Some(Json::Object(members)) = Json::parse(text) else {
            panic!("not an object");
        };
        assert_eq!(members["a"], Json::Text("é😀\n".to_owned()));
        assert_eq!(members["c"], Json::Float(f64::NEG_INFINITY));
        for text in [
            "",
            "{",
            "{\"a\":}",
            "[1,]",
            "{'a': 1}",
            "\"\u{1}\"",
            "1 2",
            "+1",
            ".5",
            "nul",
        ] {
            assert_eq!(Json::parse(text), None, "{text}");
        }
        assert_eq!(Json::parse(&"[".repeat(100_000)), None);
    }
}
