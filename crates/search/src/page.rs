//! Page tokens.
//!
//! A token is the standard base64 of a JSON object, `{"offset": 2}`, as
//! MLflow's. Ours may hold the last row's sort keys in addition, so that a
//! store finds the next page by key; MLflow ignores that member.

use base64::{Engine, engine::general_purpose::STANDARD};
use runledger_entities::{Coded, ErrorCode};
use serde_json::{Value, json};

use crate::python;

/// The longest page token that is read, in bytes.
pub const MAX_PAGE_TOKEN: usize = 100_000;

/// Where a page begins.
///
/// ```
/// use runledger_search::PageToken;
///
/// let token = PageToken { offset: 2, after: None };
/// assert_eq!(token.encode(), "eyJvZmZzZXQiOiAyfQ==");
/// assert_eq!(PageToken::decode("eyJvZmZzZXQiOiAyfQ==")?, token);
/// # Ok::<(), runledger_search::PageTokenError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PageToken {
    /// How many rows come before; at most `i64::MAX`.
    pub offset: u64,
    /// The sort keys of the last row before. Whoever reads them must check
    /// their number and kinds: clients can write what they want.
    pub after: Option<Vec<Value>>,
}

/// A page token that cannot be read. The messages are MLflow 3.17's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PageTokenError {
    /// Longer than [`MAX_PAGE_TOKEN`].
    #[error("Invalid page token of {length} bytes. At most {MAX_PAGE_TOKEN} are allowed.")]
    TooLong {
        /// The length in bytes.
        length: usize,
    },
    /// Not base64.
    #[error("Invalid page token, could not base64-decode")]
    Base64,
    /// Not JSON.
    #[error("Invalid page token, decoded value={decoded}")]
    Json {
        /// The bytes as Python prints them.
        decoded: String,
    },
    /// Not an object with an offset other than 0.
    #[error("Invalid page token, parsed value={parsed}")]
    NoOffset {
        /// The value as Python prints it.
        parsed: String,
    },
    /// The offset is no number, or out of range.
    #[error("Invalid page token, not stringable {offset}")]
    InvalidOffset {
        /// The offset.
        offset: String,
    },
}

impl Coded for PageTokenError {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidParameterValue
    }
}

impl PageToken {
    /// The token as text.
    pub fn encode(&self) -> String {
        let offset = self.offset;
        STANDARD.encode(match &self.after {
            None => format!("{{\"offset\": {offset}}}"),
            Some(after) => format!("{{\"offset\": {offset}, \"after\": {}}}", json!(after)),
        })
    }

    /// Reads a token; empty text is the first page, and so is a negative offset,
    /// as in MLflow on SQLite.
    ///
    /// An `after` that is no list is ignored, as every other member is.
    pub fn decode(token: &str) -> Result<Self, PageTokenError> {
        if token.is_empty() {
            return Ok(Self::default());
        }
        if token.len() > MAX_PAGE_TOKEN {
            return Err(PageTokenError::TooLong {
                length: token.len(),
            });
        }
        let decoded = lenient_base64(token).ok_or(PageTokenError::Base64)?;
        let mut parsed: Value =
            serde_json::from_slice(&decoded).map_err(|_| PageTokenError::Json {
                decoded: python::bytes(&decoded),
            })?;
        let offset = match parsed.get("offset") {
            Some(offset) if is_true(offset) => offset,
            _ => {
                return Err(PageTokenError::NoOffset {
                    parsed: python::json(&parsed),
                });
            }
        };
        let offset = integer(offset).ok_or_else(|| PageTokenError::InvalidOffset {
            offset: match offset {
                Value::String(text) => text.clone(),
                other => python::json(other),
            },
        })?;
        let after = match parsed.get_mut("after").map(Value::take) {
            Some(Value::Array(after)) => Some(after),
            _ => None,
        };
        Ok(Self { offset, after })
    }
}

/// Whether Python takes a value for true.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

/// The offset of a value that is, or spells, an integer up to `i64::MAX`;
/// fractions are cut off.
fn integer(value: &Value) -> Option<u64> {
    let offset = match value {
        Value::Bool(true) => 1,
        Value::Number(number) => match number.as_i64() {
            Some(integer) => integer,
            None if number.is_f64() => truncated(number.as_f64()?)?,
            None => return None,
        },
        Value::String(text) => {
            let text = text.trim();
            let joined = text.split('_').all(|group| !group.is_empty());
            joined.then(|| text.replace('_', "").parse().ok())??
        }
        _ => return None,
    };
    Some(u64::try_from(offset).unwrap_or(0))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "cutting off the fraction is what is asked for; the range is checked"
)]
fn truncated(number: f64) -> Option<i64> {
    // 2^63, the first number that is too large.
    const END: f64 = 9_223_372_036_854_775_808.0;
    (-END..END).contains(&number).then_some(number as i64)
}

/// Reads base64 as Python does when it is not asked to be strict: what is not of
/// the alphabet is skipped, and what follows the padding is ignored.
pub(crate) fn lenient_base64(token: &str) -> Option<Vec<u8>> {
    if !token.is_ascii() {
        return None;
    }
    let mut decoded = Vec::with_capacity(token.len() / 4 * 3);
    let (mut digits, mut padding, mut bits) = (0, 0, 0_u32);
    for byte in token.bytes() {
        let digit = match byte {
            b'=' => {
                padding += 1;
                if digits >= 2 && digits + padding >= 4 {
                    return Some(decoded);
                }
                continue;
            }
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        padding = 0;
        bits = bits << 6 | u32::from(digit);
        digits = (digits + 1) % 4;
        // A byte is whole after the second, third and fourth digit.
        let unread = match digits {
            2 => 4,
            3 => 2,
            0 => 0,
            _ => continue,
        };
        let [.., byte] = (bits >> unread).to_be_bytes();
        decoded.push(byte);
    }
    (digits == 0).then_some(decoded)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(token: &str) -> String {
        match PageToken::decode(token) {
            Ok(token) => format!("{}", token.offset),
            Err(error) => error.to_string(),
        }
    }

    /// Checked on MLflow 3.17.2, except where it answers 500.
    #[test]
    fn tokens_are_read_as_mlflow_reads_them() {
        for (token, answer) in [
            ("", "0"),
            ("!!", "Invalid page token, decoded value=b''"),
            ("abc", "Invalid page token, could not base64-decode"),
            ("ab=c", "Invalid page token, could not base64-decode"),
            ("ab=c=", "Invalid page token, decoded value=b'i\\xb7'"),
            ("ab==cd==", "Invalid page token, decoded value=b'i'"),
            ("YWJj=", "Invalid page token, decoded value=b'abc'"),
            ("eyJvZmZz\nZXQiOiAyfQ==xx", "2"),
            // MLflow: 500.
            ("é", "Invalid page token, could not base64-decode"),
        ] {
            assert_eq!(message(token), answer, "{token}");
        }
    }

    /// Checked on MLflow 3.17.2, except where it answers 500.
    #[test]
    fn offsets_are_read_as_mlflow_reads_them() {
        for (json, answer) in [
            ("nope", "Invalid page token, decoded value=b'nope'"),
            ("{}", "Invalid page token, parsed value={}"),
            (
                r#"{"offset": 0}"#,
                "Invalid page token, parsed value={'offset': 0}",
            ),
            (
                r#"{"offset": null}"#,
                "Invalid page token, parsed value={'offset': None}",
            ),
            (r#"{"offset": "x"}"#, "Invalid page token, not stringable x"),
            (r#"{"offset": " 1_0 "}"#, "10"),
            (r#"{"offset": 2.7}"#, "2"),
            (r#"{"offset": true}"#, "1"),
            (r#"{"offset": -5}"#, "0"),
            (r#"{"offset": 9223372036854775807}"#, "9223372036854775807"),
            // MLflow: 500.
            ("[]", "Invalid page token, parsed value=[]"),
            (
                r#"{"offset": [1]}"#,
                "Invalid page token, not stringable [1]",
            ),
            (
                r#"{"offset": 9223372036854775808}"#,
                "Invalid page token, not stringable 9223372036854775808",
            ),
            (
                r#"{"offset": 1e300}"#,
                "Invalid page token, not stringable 1e+300",
            ),
        ] {
            assert_eq!(message(&STANDARD.encode(json)), answer, "{json}");
        }
    }

    proptest! {
        #[test]
        fn a_token_is_read_back(
            offset in 1..i64::MAX as u64,
            after in proptest::option::of(proptest::collection::vec(".*", 0..4)),
        ) {
            let after = after.map(|keys| keys.into_iter().map(Value::from).collect());
            let token = PageToken { offset, after };
            prop_assert_eq!(PageToken::decode(&token.encode()), Ok(token));
        }

        #[test]
        fn no_token_panics(token in ".*", json in "\\PC*") {
            let _ = PageToken::decode(&token);
            let _ = PageToken::decode(&STANDARD.encode(json));
        }
    }
}
