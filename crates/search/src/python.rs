//! Python's ways of writing values.
//!
//! MLflow's messages print values as Python does, and lists in filters are read
//! as Python literals.

use std::fmt::Write as _;

/// `repr` of a `str`.
pub(crate) use runledger_entities::quote::python as text;

/// `repr` of `bytes`.
pub(crate) fn bytes(value: &[u8]) -> String {
    let quote = quote_for(value.contains(&b'\''), value.contains(&b'"'));
    let mut out = String::with_capacity(value.len() + 3);
    out.push('b');
    out.push(quote);
    for &byte in value {
        match byte {
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b'\\' => out.push_str("\\\\"),
            b' '..=b'~' => {
                if char::from(byte) == quote {
                    out.push('\\');
                }
                out.push(char::from(byte));
            }
            _ => {
                let written = write!(out, "\\x{byte:02x}");
                debug_assert!(written.is_ok(), "writing to a String cannot fail");
            }
        }
    }
    out.push(quote);
    out
}

/// `repr` of a `float`: the shortest text, with an exponent below 1e-4 and from 1e16.
pub(crate) fn float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let power: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&power) {
        let plain = format!("{value}");
        return if plain.contains('.') {
            plain
        } else {
            plain + ".0"
        };
    }
    let sign = if power < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", power.unsigned_abs())
}

/// `repr` of what a JSON text parses into.
pub(crate) fn json(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) if number.is_f64() => float(number.as_f64().unwrap_or(f64::NAN)),
        Value::Number(number) => number.to_string(),
        Value::String(value) => text(value),
        Value::Array(items) => list(items.iter().map(json)),
        Value::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|(key, value)| format!("{}: {}", text(key), json(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
    }
}

/// `repr` of a `list` of what is printed already.
pub(crate) fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

fn quote_for(single: bool, double: bool) -> char {
    if single && !double { '"' } else { '\'' }
}

/// A Python literal, of the kinds that lists in filters are made of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    /// A text.
    Text(String),
    /// A number, a truth value or `None`, as Python prints it.
    Other(String),
    /// A tuple.
    Tuple(Vec<Self>),
    /// A list.
    List(Vec<Self>),
}

impl Literal {
    /// Reads a text whole, as `ast.literal_eval` does. Texts with prefixes,
    /// dictionaries and sets are not read.
    pub(crate) fn parse(source: &str) -> Option<Self> {
        let mut reader = Reader {
            rest: source,
            depth: 0,
        };
        let value = reader.value()?;
        reader.skip_space();
        reader.rest.is_empty().then_some(value)
    }

    /// `repr`.
    pub(crate) fn print(&self) -> String {
        match self {
            Self::Text(value) => text(value),
            Self::Other(value) => value.clone(),
            Self::Tuple(items) if items.len() == 1 => format!("({},)", items[0].print()),
            Self::Tuple(items) => {
                let items: Vec<String> = items.iter().map(Self::print).collect();
                format!("({})", items.join(", "))
            }
            Self::List(items) => list(items.iter().map(Self::print)),
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl Reader<'_> {
    /// Deeper literals than any list of texts needs are not read.
    const MAX_DEPTH: usize = 100;

    fn skip_space(&mut self) {
        self.rest = self
            .rest
            .trim_start_matches([' ', '\t', '\n', '\r', '\x0c']);
    }

    fn take(&mut self, prefix: &str) -> bool {
        self.skip_space();
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self) -> Option<Literal> {
        if self.take("(") {
            let (mut items, comma) = self.items(")")?;
            return if items.len() == 1 && !comma {
                items.pop()
            } else {
                Some(Literal::Tuple(items))
            };
        }
        if self.take("[") {
            return Some(Literal::List(self.items("]")?.0));
        }
        if self.rest.starts_with(['\'', '"']) {
            let mut value = String::new();
            while self.rest.starts_with(['\'', '"']) {
                self.text(&mut value)?;
                self.skip_space();
            }
            return Some(Literal::Text(value));
        }
        let length = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || "+-._".contains(c)))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(length);
        self.rest = rest;
        if matches!(word, "None" | "True" | "False") {
            return Some(Literal::Other(word.to_owned()));
        }
        if !word.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
            return None;
        }
        if let Ok(integer) = word.parse::<i128>() {
            return Some(Literal::Other(integer.to_string()));
        }
        Some(Literal::Other(float(word.parse().ok()?)))
    }

    /// Items to the closing bracket, and whether there was a comma.
    fn items(&mut self, close: &str) -> Option<(Vec<Literal>, bool)> {
        self.depth += 1;
        if self.depth > Self::MAX_DEPTH {
            return None;
        }
        let mut items = Vec::new();
        let mut comma = false;
        while !self.take(close) {
            if !items.is_empty() && !comma {
                return None;
            }
            items.push(self.value()?);
            let separated = self.take(",");
            comma |= separated;
            if !separated {
                if !self.take(close) {
                    return None;
                }
                break;
            }
        }
        self.depth -= 1;
        Some((items, comma))
    }

    /// Adds one quoted text to `out`.
    fn text(&mut self, out: &mut String) -> Option<()> {
        let mut chars = self.rest.chars();
        let quote = chars.next()?;
        loop {
            match chars.next()? {
                c if c == quote => break,
                '\n' | '\r' => return None,
                '\\' => escape(&mut chars, out)?,
                c => out.push(c),
            }
        }
        self.rest = chars.as_str();
        Some(())
    }
}

/// Adds what stands behind a backslash to `out`.
fn escape(chars: &mut std::str::Chars<'_>, out: &mut String) -> Option<()> {
    let code = |digits: usize, chars: &mut std::str::Chars<'_>| {
        let text = chars.as_str().get(..digits)?;
        *chars = chars.as_str()[digits..].chars();
        if !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        char::from_u32(u32::from_str_radix(text, 16).ok()?)
    };
    let c = match chars.next()? {
        '\n' => return Some(()),
        c @ ('\\' | '\'' | '"') => c,
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        'x' => code(2, chars)?,
        'u' => code(4, chars)?,
        'U' => code(8, chars)?,
        'N' => return None,
        first @ '0'..='7' => {
            let mut value = first.to_digit(8)?;
            for _ in 0..2 {
                let Some(digit) = chars.as_str().chars().next().and_then(|c| c.to_digit(8)) else {
                    break;
                };
                chars.next();
                value = value * 8 + digit;
            }
            char::from_u32(value)?
        }
        other => {
            out.push('\\');
            other
        }
    };
    out.push(c);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_printed_as_python_prints_them() {
        for (value, printed) in [
            ("a", "'a'"),
            ("it's", "\"it's\""),
            ("'\"", "'\\'\"'"),
            ("\n\x01\\", "'\\n\\x01\\\\'"),
            ("é\u{a0}", "'é\\xa0'"),
        ] {
            assert_eq!(text(value), printed);
        }
        assert_eq!(bytes(b"\xc3'\x00"), "b\"\\xc3'\\x00\"");
    }

    #[test]
    fn floats_are_printed_as_python_prints_them() {
        for (value, printed) in [
            (1.5, "1.5"),
            (100.0, "100.0"),
            (1e16, "1e+16"),
            (1.25e-5, "1.25e-05"),
            (-0.0001, "-0.0001"),
        ] {
            assert_eq!(float(value), printed);
        }
    }

    #[test]
    fn lists_are_python_literals() {
        let texts = |texts: &[&str]| {
            Literal::Tuple(texts.iter().map(|&t| Literal::Text(t.to_owned())).collect())
        };
        assert_eq!(Literal::parse("('a', \"b\")"), Some(texts(&["a", "b"])));
        assert_eq!(Literal::parse("('a' 'b',)"), Some(texts(&["ab"])));
        assert_eq!(Literal::parse("()"), Some(texts(&[])));
        assert_eq!(
            Literal::parse(r"('\x41\t\101\q',)"),
            Some(texts(&["A\tA\\q"]))
        );
        for ill in ["('a' ,, 'b')", "(a)", "('a'", "(,)", "('\\xg1')", "('a' 1)"] {
            assert_eq!(Literal::parse(ill), None, "{ill}");
        }
    }

    #[test]
    fn mixed_lists_are_printed_as_python_prints_them() {
        let parsed = Literal::parse("('a', 1.50, None, (1,), [-2])");
        assert_eq!(
            parsed.map(|list| list.print()).as_deref(),
            Some("('a', 1.5, None, (1,), [-2])")
        );
    }
}
