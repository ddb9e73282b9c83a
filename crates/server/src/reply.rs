//! Responses that are no errors.

use axum::{
    body::Body,
    response::{Html, IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use runledger_protocol::messages;

/// The media type of JSON responses.
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A JSON text.
pub(crate) fn json(text: Vec<u8>) -> Response {
    json_bytes(Bytes::from(text))
}

/// `{}`: done, with nothing to say.
pub(crate) fn empty() -> Response {
    json_bytes(Bytes::from_static(messages::EMPTY))
}

/// A JSON text that is shared.
pub(crate) fn json_bytes(bytes: Bytes) -> Response {
    let mut response = Response::new(Body::from(bytes));
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// A page that says what went wrong with a path, for routes that MLflow
/// answers with HTML.
pub(crate) fn page(status: StatusCode, message: &'static str) -> Response {
    let title = status.canonical_reason().unwrap_or("Error");
    let html = format!(
        "<!doctype html>\n<html lang=en>\n<title>{code} {title}</title>\n<h1>{title}</h1>\n\
         <p>{message}</p>\n",
        code = status.as_u16(),
    );
    (status, Html(html)).into_response()
}
