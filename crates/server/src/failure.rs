//! From errors to responses: the one place where an error leaves the server.

use std::error::Error;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use runledger_entities::{Coded, ErrorCode, RunId};
use runledger_protocol::ErrorResponse;

use crate::{body_timeout::BodyTimedOut, reply::JSON, sparsely::Sparsely};

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

    /// What is wrong, in words.
    pub(crate) fn message(&self) -> &str {
        match &self.0 {
            Kind::Error { body, .. } => body.message(),
            Kind::Response(_) => "This server does not serve what was asked for.",
        }
    }

    /// A client that stopped sending its body.
    pub(crate) fn body_timed_out(error: BodyTimedOut) -> Self {
        Self::new(
            ErrorCode::BadRequest,
            format!(
                "Nothing of the request body came for {} seconds. Send the request again.",
                error.limit.as_secs_f32()
            ),
        )
        .with_status(StatusCode::REQUEST_TIMEOUT)
    }

    /// A server that ends before the request was worked on.
    pub(crate) fn shutting_down() -> Self {
        Self::new(
            ErrorCode::TemporarilyUnavailable,
            "The server is shutting down. Try again.",
        )
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

impl<E: Coded + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        if let Some(timed_out) = BodyTimedOut::cause_of(&error) {
            return Self::body_timed_out(timed_out);
        }
        let code = error.code();
        if code == ErrorCode::TemporarilyUnavailable {
            static LOGGED: Sparsely = Sparsely::new();
            LOGGED.run(|skipped| {
                let error = chain(&error);
                tracing::warn!(error, skipped, "requests are refused for now");
            });
        }
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
pub(crate) fn chain(error: &dyn Error) -> String {
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
        if status == StatusCode::REQUEST_TIMEOUT {
            // The rest of the body may still come, and is no next request.
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if code == ErrorCode::TemporarilyUnavailable {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use runledger_store::StoreError;
    use tracing::{
        Event, Level, Metadata, Subscriber,
        span::{Attributes, Id, Record},
    };

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

    /// Counts the warnings of the thread that it is set for.
    #[derive(Clone, Default)]
    struct Warnings(Arc<AtomicUsize>);

    impl Subscriber for Warnings {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            *metadata.level() == Level::WARN
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, _: &Event<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn a_flood_of_refusals_is_a_line_of_the_log() {
        let warnings = Warnings::default();
        tracing::subscriber::with_default(warnings.clone(), || {
            for _ in 0..3 {
                let _ = Failure::from(StoreError::Unavailable {
                    reason: "the disk is full",
                });
            }
        });
        assert_eq!(warnings.0.load(Ordering::Relaxed), 1);
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
