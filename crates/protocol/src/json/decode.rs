//! From the bytes of a request to a message.

use super::{
    field::{Field, FieldType, Wrong},
    message::Message,
    query, repair,
};
use crate::RequestError;

/// What a request brings to the decoder of its message.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A body, which should be a JSON object.
    Body(&'a [u8]),
    /// A query string, percent-encoded, without the question mark.
    Query(&'a str),
}

/// Reads a message.
///
/// Text that is not JSON counts as an empty object, as MLflow has it, and so
/// ends in "missing value" where something is required.
pub(crate) fn decode<M: Message + FieldType + Default>(
    input: Input<'_>,
) -> Result<M, RequestError> {
    match input {
        Input::Query(text) => query::read(text),
        Input::Body(bytes) => match parse::<M>(without_mark(bytes))? {
            Field::Wrong(wrong) if wrong.is_text() => {
                // Old clients send JSON inside a JSON string.
                let inner: String = read(without_mark(bytes)).unwrap_or_default();
                of_field(parse(inner.as_bytes())?)
            }
            field => of_field(field),
        },
    }
}

/// The message that a field holds.
pub(super) fn of_field<M: Default>(field: Field<M>) -> Result<M, RequestError> {
    match field {
        Field::Absent => Ok(M::default()),
        Field::Value(message) => Ok(message),
        Field::Wrong(wrong) => match *wrong {
            Wrong::Spelling(name) => Err(RequestError::both_spellings(name)),
            Wrong::Type(_) | Wrong::Item { .. } => Err(RequestError::NotAnObject),
        },
    }
}

/// The text without a byte order mark.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

fn parse<M: FieldType>(bytes: &[u8]) -> Result<Field<M>, RequestError> {
    match read(bytes) {
        Some(field) => Ok(field),
        // Python reads these, and MLflow stores something else in their place.
        None => match repair::lone_surrogate(bytes) {
            Some(escape) => Err(RequestError::LoneSurrogate { escape }),
            None => Ok(Field::Absent),
        },
    }
}

/// Reads JSON as Python does, which knows some more tokens.
fn read<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes)
        .ok()
        .or_else(|| serde_json::from_slice(&repair::python_tokens(bytes)?).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use runledger_entities::RunStatus;

    use super::*;
    use crate::json::{field::List, message::messages};

    messages! {
        /// An item.
        Item { item_key: String, number: f64, }
        /// A message with every type of field.
        Everything {
            run_id: String, count: i64, small: i32, number: f64, flag: bool,
            status: RunStatus, names: List<String, 3>, items: List<Item, 3>, item: Item,
        }
    }

    fn body(text: &str) -> Result<Everything, RequestError> {
        decode(Input::Body(text.as_bytes()))
    }

    fn count(text: &str) -> Result<Option<i64>, String> {
        let message = body(&format!("{{\"count\": {text}}}")).map_err(|error| error.to_string())?;
        message
            .count
            .optional("count")
            .map_err(|error| error.to_string())
    }

    fn number(text: &str) -> Result<Option<f64>, String> {
        let message =
            body(&format!("{{\"number\": {text}}}")).map_err(|error| error.to_string())?;
        message
            .number
            .optional("number")
            .map_err(|error| error.to_string())
    }

    #[test]
    fn integers_are_numbers_integral_floats_or_decimal_text() {
        for text in ["7", "7.0", "\"7\"", "\"7.0\"", "7e0"] {
            assert_eq!(count(text), Ok(Some(7)), "{text}");
        }
        assert_eq!(count("null"), Ok(None));
        assert_eq!(count("-9223372036854775808"), Ok(Some(i64::MIN)));
        for text in [
            "1.5",
            "\"x\"",
            "\"\"",
            "true",
            "[]",
            "{}",
            "9223372036854775808",
            "\" 5\"",
        ] {
            let error = count(text).expect_err(text);
            assert!(error.starts_with("Invalid value "), "{text}: {error}");
        }
    }

    #[test]
    fn doubles_are_numbers_their_text_or_names() {
        for (text, value) in [
            ("1", 1.0),
            ("1.5", 1.5),
            ("\"1.5\"", 1.5),
            ("\"Infinity\"", f64::INFINITY),
            ("\"-Infinity\"", f64::NEG_INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
            ("1e400", f64::INFINITY),
            ("true", 1.0),
        ] {
            assert_eq!(number(text), Ok(Some(value)), "{text}");
        }
        assert!(number("NaN").unwrap().unwrap().is_nan());
        assert_eq!(number("\"\""), Ok(None));
        for text in ["\"nan\"", "\"inf\"", "\"x\"", "[]", "{\"a\": NaN}"] {
            assert!(number(text).is_err(), "{text}");
        }
    }

    #[test]
    fn digits_of_doubles_are_kept() {
        for value in [
            0.1 + 0.2,
            5e-324,
            1.797_693_134_862_315_7e308,
            123_456_789.123_456_78,
        ] {
            assert_eq!(number(&format!("{value:?}")), Ok(Some(value)));
        }
    }

    #[test]
    fn a_wrong_value_is_quoted() {
        let error = body("{\"run_id\": {\"a\": [1, null]}}")
            .unwrap()
            .run_id
            .required("run_id");
        assert_eq!(
            error.unwrap_err().to_string(),
            "Invalid value {\"a\":[1,null]} for parameter 'run_id' supplied:  Hint: Value was of \
             type 'dict'. See the API docs for more information about request parameters."
        );
    }

    #[test]
    fn a_wrong_item_is_named_by_its_place() {
        let error = body("{\"items\": [{}, 5]}")
            .unwrap()
            .items
            .optional("items");
        assert!(
            error
                .unwrap_err()
                .to_string()
                .contains("value 5 for parameter 'items[1]'")
        );
    }

    #[test]
    fn both_spellings_of_a_field_contradict() {
        for text in [
            "{\"run_id\": 1, \"runId\": \"a\"}",
            "{\"runId\": null, \"run_id\": \"a\"}",
        ] {
            assert_eq!(
                body(text).unwrap_err().to_string(),
                "Request specifies both 'run_id' and 'runId'; provide only one of them."
            );
        }
        assert!(body("{\"runId\": \"a\", \"runId\": \"b\"}").is_ok());
        let nested = body("{\"items\": [{\"item_key\": \"a\", \"itemKey\": \"a\"}]}").unwrap();
        assert!(
            nested
                .items
                .optional("items")
                .unwrap_err()
                .to_string()
                .contains("'itemKey'")
        );
    }

    #[test]
    fn of_equal_fields_the_last_wins() {
        let message = body("{\"run_id\": 5, \"run_id\": \"b\"}").unwrap();
        assert_eq!(message.run_id.required_text("run_id").unwrap(), "b");
    }

    #[test]
    fn what_is_no_json_is_an_empty_object() {
        for text in ["", "{", "null", "{}x", "{\"run_id\": \"a\"", "\"{\""] {
            let message = body(text).expect(text);
            assert!(matches!(message.run_id, Field::Absent), "{text}");
        }
        for text in ["[]", "5", "true", "\"5\""] {
            assert!(
                matches!(body(text), Err(RequestError::NotAnObject)),
                "{text}"
            );
        }
    }

    #[test]
    fn half_of_a_surrogate_pair_is_named() {
        for (text, escape) in [
            (r#"{"run_id": "a\ud800"}"#, r"\ud800"),
            (r#"{"run_id": "\uDC00\ud83d\ude00"}"#, r"\uDC00"),
            (r#"{"names": ["\ud83d\ud83d\ude00"]}"#, r"\ud83d"),
        ] {
            let error = body(text).expect_err(text).to_string();
            assert!(error.contains("not valid Unicode"), "{error}");
            assert!(error.contains(&format!(" {escape} is half")), "{error}");
        }
        // These are no surrogates, and one that is in a field nobody reads.
        for text in [
            r#"{"run_id": "\ud83d\ude00"}"#,
            r#"{"run_id": "\\ud800"}"#,
            r#"{"other": "\ud800"}"#,
        ] {
            assert!(body(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn of_a_long_list_the_first_items_are_kept_and_the_others_counted() {
        let message = body(r#"{"items": [{}, {}, {}, {}, {"number": "x"}]}"#).unwrap();
        let items = message.items.or_default("items").unwrap();
        assert_eq!((items.items.len(), items.count), (3, 5));
        let message = body(r#"{"names": ["a", "b", "c", "d"]}"#).unwrap();
        assert_eq!(
            message.names.all("names").unwrap_err().to_string(),
            "Too many values for parameter 'names': 4. At most 3 are allowed in one request."
        );
    }

    #[test]
    fn json_in_a_json_string_is_read_once_more() {
        let inner = "{\"run_id\": \"a\"}";
        let once = serde_json::to_string(inner).unwrap();
        assert_eq!(
            body(&once).unwrap().run_id.required_text("run_id").unwrap(),
            "a"
        );
        let twice = serde_json::to_string(&once).unwrap();
        assert!(matches!(body(&twice), Err(RequestError::NotAnObject)));
    }

    #[test]
    fn unknown_enum_names_count_as_absent_and_unknown_numbers_do_not() {
        let status = |text: &str| {
            body(&format!("{{\"status\": {text}}}"))
                .unwrap()
                .status
                .optional("status")
        };
        assert_eq!(status("\"BOGUS\"").unwrap(), None);
        assert_eq!(status("\"FINISHED\"").unwrap(), Some(RunStatus::Finished));
        assert_eq!(status("3").unwrap(), Some(RunStatus::Finished));
        assert!(status("99").is_err());
        assert!(status("[1]").is_err());
    }

    #[test]
    fn a_query_string_is_a_message_of_texts() {
        let message: Everything = decode(Input::Query(
            "run_id=a%20b+c&run_id=x&names=1&names=2&count=7&flag=True&runId=z",
        ))
        .unwrap();
        assert_eq!(message.run_id.required_text("run_id").unwrap(), "a b c");
        assert_eq!(message.names.all("names").unwrap(), ["1", "2"]);
        assert_eq!(message.count.or_default("count").unwrap(), 7);
        assert_eq!(message.flag.optional("flag").unwrap(), Some(true));
        assert_eq!(
            decode::<Everything>(Input::Query("flag=x"))
                .unwrap_err()
                .to_string(),
            "Invalid boolean value: x, must be 'true' or 'false'."
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode::<Everything>(Input::Body(&bytes));
            if let Ok(text) = std::str::from_utf8(&bytes) {
                let _ = decode::<Everything>(Input::Query(text));
            }
        }

        #[test]
        fn nearly_json_is_read_without_panic(text in "[\\[\\]{}:,\"0-9a-zNI.+-]{0,60}") {
            let _ = body(&format!("{{\"items\":{text}}}"));
            let _ = body(&text);
        }
    }
}
