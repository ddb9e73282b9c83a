//! What plain text means: the implicit types of YAML 1.1, as `PyYAML` resolves them.
//!
//! The printer asks the same question to know which strings need quotes.

use super::Yaml;

/// The value of plain (unquoted) text.
pub(super) fn resolve(text: &str) -> Yaml {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Yaml::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Yaml::Bool(true);
        }
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Yaml::Bool(false);
        }
        "<<" | "=" => return Yaml::Other(text.to_owned()),
        _ => {}
    }
    // Nearly all text ends here: no number or time begins otherwise.
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) {
        return Yaml::Str(text.to_owned());
    }
    integer(text)
        .or_else(|| float(text))
        .or_else(|| is_timestamp(text).then(|| Yaml::Other(text.to_owned())))
        .unwrap_or_else(|| Yaml::Str(text.to_owned()))
}

/// Whether text would be taken for something else than a string, were it plain.
pub(super) fn is_ambiguous(text: &str) -> bool {
    !matches!(resolve(text), Yaml::Str(_))
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

/// Whether all is of the set, and there is something.
fn all(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(allowed)
}

fn digit_or_underscore(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'_'
}

fn integer(text: &str) -> Option<Yaml> {
    let digits = unsigned(text);
    let (radix, body) = if let Some(bits) = digits.strip_prefix("0b") {
        (
            2,
            all(bits, |b| matches!(b, b'0' | b'1' | b'_')).then_some(bits)?,
        )
    } else if let Some(hex) = digits.strip_prefix("0x") {
        (
            16,
            all(hex, |b| b.is_ascii_hexdigit() || b == b'_').then_some(hex)?,
        )
    } else if digits == "0" {
        (10, digits)
    } else if let Some(octal) = digits.strip_prefix('0') {
        (
            8,
            all(octal, |b| matches!(b, b'0'..=b'7' | b'_')).then_some(octal)?,
        )
    } else if digits.starts_with(|c: char| c.is_ascii_digit()) && all(digits, digit_or_underscore) {
        (10, digits)
    } else if is_base_60(digits) && digits.starts_with(|c: char| matches!(c, '1'..='9')) {
        return Some(Yaml::Other(text.to_owned()));
    } else {
        return None;
    };
    let mut plain: String = body.chars().filter(|c| *c != '_').collect();
    if text.starts_with('-') {
        plain.insert(0, '-');
    }
    Some(
        i64::from_str_radix(&plain, radix).map_or_else(|_| Yaml::Other(text.to_owned()), Yaml::Int),
    )
}

/// `12:30:45`: a number of base 60.
fn is_base_60(digits: &str) -> bool {
    let mut parts = digits.split(':');
    let first = parts.next().is_some_and(|part| {
        part.starts_with(|c: char| c.is_ascii_digit()) && all(part, digit_or_underscore)
    });
    let mut more = 0;
    first
        && parts.all(|part| {
            more += 1;
            match part.as_bytes() {
                [one] => one.is_ascii_digit(),
                [ten, one] => matches!(ten, b'0'..=b'5') && one.is_ascii_digit(),
                _ => false,
            }
        })
        && more > 0
}

fn float(text: &str) -> Option<Yaml> {
    let digits = unsigned(text);
    match digits {
        ".inf" | ".Inf" | ".INF" => {
            let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
            return Some(Yaml::Float(sign * f64::INFINITY));
        }
        _ if matches!(text, ".nan" | ".NaN" | ".NAN") => return Some(Yaml::Float(f64::NAN)),
        _ => {}
    }
    let (whole, rest) = digits.split_once('.')?;
    if whole.contains(':') {
        let fraction = rest.bytes().all(digit_or_underscore);
        return (is_base_60(whole) && fraction).then(|| Yaml::Other(text.to_owned()));
    }
    let (fraction, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let whole_is_number =
        whole.starts_with(|c: char| c.is_ascii_digit()) && whole.bytes().all(digit_or_underscore);
    // Without digits before the point, PyYAML takes no sign and wants one after it.
    let bare = whole.is_empty()
        && digits.len() == text.len()
        && fraction.starts_with(|c: char| c.is_ascii_digit());
    let exponent_is_signed = exponent.is_none_or(|exponent| {
        exponent
            .strip_prefix(['-', '+'])
            .is_some_and(|power| all(power, |b| b.is_ascii_digit()))
    });
    if !(whole_is_number || bare)
        || !fraction.bytes().all(digit_or_underscore)
        || !exponent_is_signed
    {
        return None;
    }
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    plain.parse().ok().map(Yaml::Float)
}

/// A date, or a date and time, in the forms of YAML 1.1.
fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = Cursor { bytes };
    if !at.digits(4, 4) || !at.byte(b'-') {
        return false;
    }
    if bytes.len() == 10 {
        return at.digits(2, 2) && at.byte(b'-') && at.digits(2, 2);
    }
    let date = at.digits(1, 2) && at.byte(b'-') && at.digits(1, 2);
    let separated = date && (at.byte(b'T') || at.byte(b't') || at.blanks() > 0);
    let time = separated
        && at.digits(1, 2)
        && at.byte(b':')
        && at.digits(2, 2)
        && at.byte(b':')
        && at.digits(2, 2);
    if !time {
        return false;
    }
    if at.byte(b'.') {
        at.digits(0, usize::MAX);
    }
    let blanks = at.blanks();
    if at.bytes.is_empty() {
        return blanks == 0;
    }
    let zone = at.byte(b'Z')
        || ((at.byte(b'-') || at.byte(b'+'))
            && at.digits(1, 2)
            && (!at.byte(b':') || at.digits(2, 2)));
    zone && at.bytes.is_empty()
}

struct Cursor<'a> {
    bytes: &'a [u8],
}

impl Cursor<'_> {
    fn byte(&mut self, wanted: u8) -> bool {
        let found = self.bytes.first() == Some(&wanted);
        if found {
            self.bytes = &self.bytes[1..];
        }
        found
    }

    fn take(&mut self, most: usize, wanted: impl Fn(&u8) -> bool) -> usize {
        let count = self
            .bytes
            .iter()
            .take(most)
            .take_while(|b| wanted(b))
            .count();
        self.bytes = &self.bytes[count..];
        count
    }

    fn digits(&mut self, least: usize, most: usize) -> bool {
        self.take(most, u8::is_ascii_digit) >= least
    }

    fn blanks(&mut self) -> usize {
        self.take(usize::MAX, |b| matches!(b, b' ' | b'\t'))
    }
}
