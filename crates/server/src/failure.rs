//! From errors to responses: the one place where an error leaves the server.

use std::error::Error;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use runledger_entities::{Coded, ErrorCode, RunId};
use runledger_protocol::ErrorResponse;

use crate::reply::JSON;

/// Why a request was not served.
///
/// Any [`Coded`] error becomes one by `?`. Faults of the server are logged
/// with their causes here; the client sees their code and an id.
#[derive(Debug)]
pub(crate) struct Failure(Kind);

#[derive(Debug)]
enum Kind {
    /// MLflow's error body, and its status where that is not the code's own.
    Error {
        body: ErrorResponse,
        status: Option<StatusCode>,
    },
    /// An answer in another form.
    Response(Box<Response>),
}

impl Failure {
    /// An error of this code and message.
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(Kind::Error {
            body: ErrorResponse::new(code, message),
            status: None,
        })
    }

    /// An answer that has not the form of MLflow's errors.
    pub(crate) fn of_response(response: Response) -> Self {
        Self(Kind::Response(Box::new(response)))
    }

    /// An invalid parameter, with what is wrong about it.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidParameterValue, message)
    }

    /// This, with another HTTP status than its code has.
    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        match self.0 {
            Kind::Error { body, .. } => Self(Kind::Error {
                body,
                status: Some(status),
            }),
            Kind::Response(mut response) => {
                *response.status_mut() = status;
                Self(Kind::Response(response))
            }
        }
    }

    /// A fault of the server, which is in the log under `id`.
    fn fault(code: ErrorCode, id: &str) -> Self {
        Self::new(
            code,
            format!("The server failed. Its log says more under the id {id}."),
        )
    }

    /// A handler that panicked.
    pub(crate) fn panic(payload: &(dyn std::any::Any + Send)) -> Self {
        let message = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        let id = fault_id();
        tracing::error!(id, panic = message, "a request handler panicked");
        Self::fault(ErrorCode::InternalError, &id)
    }
}

impl<E: Coded> From<E> for Failure {
    fn from(error: E) -> Self {
        let code = error.code();
        if matches!(code, ErrorCode::InternalError | ErrorCode::DataLoss) {
            let id = fault_id();
            tracing::error!(id, error = chain(&error), "a request failed");
            return Self::fault(code, &id);
        }
        Self::new(code, error.to_string())
    }
}

/// A short random id that ties a response to a line of the log.
fn fault_id() -> String {
    let mut id = RunId::random().into_string();
    id.truncate(12);
    id
}

/// An error with its causes, on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (body, status) = match self.0 {
            Kind::Error { body, status } => (body, status),
            Kind::Response(response) => return *response,
        };
        let code = body.code();
        let status = status
            .or_else(|| StatusCode::from_u16(body.status()).ok())
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        tracing::debug!(
            status = status.as_u16(),
            code = code.name(),
            message = body.message(),
            "refused"
        );
        let mut response = (status, body.to_json()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, JSON);
        if code == ErrorCode::TemporarilyUnavailable {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use runledger_store::StoreError;

    use super::*;

    async fn answer(error: StoreError) -> (u16, String) {
        let response = Failure::from(error).into_response();
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 10_000)
            .await
            .unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_fault_keeps_its_cause_to_itself() {
        let (status, body) = answer(StoreError::internal("disk /secret/path is full")).await;
        assert_eq!(status, 500);
        assert!(
            body.contains("INTERNAL_ERROR") && !body.contains("secret"),
            "{body}"
        );
    }

    #[tokio::test]
    async fn a_refusal_says_what_is_wrong() {
        let (status, body) = answer(StoreError::invalid("'x' is no number")).await;
        assert_eq!(status, 400);
        assert!(body.contains("'x' is no number"), "{body}");
    }

    #[test]
    fn a_panic_is_a_fault_of_the_server() {
        let payload: Box<dyn std::any::Any + Send> = Box::new("index out of bounds");
        assert_eq!(Failure::panic(&*payload).into_response().status(), 500);
    }
}
