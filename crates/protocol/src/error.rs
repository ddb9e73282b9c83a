//! The error body, and what can be wrong with a request.

use std::fmt;

use runledger_entities::{Coded, ErrorCode};

use crate::json::{message::camel_case, value::Json, write};

/// Why a request cannot be read. The messages are MLflow 3.17's where it has one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// A required parameter is missing, `null` or empty.
    #[error(
        "Missing value for required parameter '{parameter}'. See the API docs for more \
         information about request parameters."
    )]
    Missing {
        /// The parameter, such as `metrics[0].key`.
        parameter: String,
    },
    /// A parameter is of the wrong type.
    #[error(
        "Invalid value {value} for parameter '{parameter}' supplied:  Hint: Value was of type \
         '{python_type}'. See the API docs for more information about request parameters."
    )]
    WrongType {
        /// The parameter, such as `metrics[0].key`.
        parameter: String,
        /// The value as JSON, cut to a printable length.
        value: String,
        /// The Python name of its type.
        python_type: &'static str,
    },
    /// A field is there in `snake_case` and in camelCase.
    #[error("Request specifies both '{name}' and '{camel}'; provide only one of them.")]
    BothSpellings {
        /// The name in `snake_case`.
        name: &'static str,
        /// The name in camelCase.
        camel: String,
    },
    /// A parameter of a query string is neither `true` nor `false`.
    #[error("Invalid boolean value: {value}, must be 'true' or 'false'.")]
    Boolean {
        /// The value.
        value: String,
    },
    /// The body is JSON, but no object.
    #[error("The request body must be a JSON object.")]
    NotAnObject,
    /// There is no `Content-Type`.
    #[error("Bad Request. Content-Type header is missing.")]
    NoContentType,
    /// The `Content-Type` is not JSON.
    #[error("Bad Request. Content-Type must be one of ['application/json'].")]
    ContentType,
    /// Fewer results were asked for than one.
    #[error(
        "Invalid value {value} for parameter 'max_results' supplied. It must be a positive \
         integer{}", if *.full_stop { "." } else { "" }
    )]
    MaxResultsNotPositive {
        /// The value.
        value: i64,
        /// Whether the message ends in a full stop (`metrics/get-history` only).
        full_stop: bool,
    },
    /// More results were asked for than one page may have.
    #[error(
        "Invalid value {value} for parameter 'max_results' supplied. It must be at most {limit}"
    )]
    MaxResultsTooLarge {
        /// The value.
        value: i64,
        /// The limit.
        limit: u32,
    },
    /// A list has more items than any client has a use for.
    #[error(
        "Too many values for parameter '{parameter}': {count}. At most {limit} are allowed in one \
         request."
    )]
    TooManyItems {
        /// The parameter.
        parameter: String,
        /// How many there are.
        count: usize,
        /// The limit.
        limit: usize,
    },
    /// The body has a text that no Unicode text can be: half of a surrogate pair.
    #[error(
        "The request body has a JSON string that is not valid Unicode: {escape} is half of a \
         surrogate pair. Leave it out, or send U+FFFD in its place."
    )]
    LoneSurrogate {
        /// The escape as it stands in the body.
        escape: String,
    },
    /// The request breaks a rule of its endpoint.
    #[error("{message}")]
    Rule {
        /// What is wrong, with the value.
        message: String,
    },
}

impl Coded for RequestError {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidParameterValue
    }
}

impl RequestError {
    /// A [`RequestError::Rule`].
    pub fn rule(message: impl Into<String>) -> Self {
        Self::Rule {
            message: message.into(),
        }
    }

    /// A [`RequestError::Missing`].
    pub fn missing(parameter: impl fmt::Display) -> Self {
        Self::Missing {
            parameter: parameter.to_string(),
        }
    }

    pub(crate) fn wrong_type(parameter: impl Into<String>, value: &Json) -> Self {
        Self::WrongType {
            parameter: parameter.into(),
            value: value.quote(),
            python_type: value.python_type(),
        }
    }

    pub(crate) fn both_spellings(name: &'static str) -> Self {
        Self::BothSpellings {
            name,
            camel: camel_case(name),
        }
    }
}

/// Checks the `Content-Type` of a POST with a JSON body.
///
/// MLflow asks it of POST only. It is also what keeps other sites' forms out,
/// which can send three types, none of them JSON.
///
/// # Errors
/// [`RequestError::NoContentType`] and [`RequestError::ContentType`].
pub fn check_content_type(content_type: Option<&str>) -> Result<(), RequestError> {
    let media_type = content_type
        .ok_or(RequestError::NoContentType)?
        .split(';')
        .next();
    match media_type.map(str::trim) {
        Some("application/json") => Ok(()),
        _ => Err(RequestError::ContentType),
    }
}

/// The body of an error response.
///
/// Any [`Coded`] error becomes one; this is the one place where errors of all
/// layers meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorResponse {
    code: ErrorCode,
    message: String,
}

impl ErrorResponse {
    /// An error body of this code and message.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    /// The error code.
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// The message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.code.http_status()
    }

    /// The JSON text: `error_code`, `message`, and, as MLflow 3.x adds,
    /// `sqlstate` and `error_class`.
    pub fn to_json(&self) -> Vec<u8> {
        write::object(|o| {
            o.text("error_code", self.code.name());
            o.text("message", &self.message);
            if let Some((state, class)) = self.code.sql_state() {
                o.text("sqlstate", state);
                o.text("error_class", class);
            }
        })
    }
}

impl<E: Coded> From<E> for ErrorResponse {
    fn from(error: E) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_carries_code_message_and_class() {
        let body = ErrorResponse::from(RequestError::missing("run_id"));
        assert_eq!(body.status(), 400);
        assert_eq!(
            String::from_utf8(body.to_json()).unwrap(),
            "{\"error_code\":\"INVALID_PARAMETER_VALUE\",\"message\":\"Missing value for required \
             parameter 'run_id'. See the API docs for more information about request \
             parameters.\",\"sqlstate\":\"KAM00\",\"error_class\":\"INVALID_PARAMETER_VALUE\"}"
        );
        let bare = ErrorResponse::new(ErrorCode::EndpointNotFound, "x");
        assert_eq!(
            String::from_utf8(bare.to_json()).unwrap(),
            "{\"error_code\":\"ENDPOINT_NOT_FOUND\",\"message\":\"x\"}"
        );
    }

    #[test]
    fn the_content_type_is_json_with_any_parameters() {
        assert_eq!(
            check_content_type(Some("application/json; charset=utf-8")),
            Ok(())
        );
        assert_eq!(check_content_type(None), Err(RequestError::NoContentType));
        for other in [
            "",
            "text/plain",
            "application/json-patch",
            "Application/JSON",
        ] {
            assert_eq!(
                check_content_type(Some(other)),
                Err(RequestError::ContentType)
            );
        }
    }
}
