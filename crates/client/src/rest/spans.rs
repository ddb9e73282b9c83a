//! Spans for a server, by OpenTelemetry's protocol (`/v1/traces`), and from one.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::Full;
use runledger_artifacts::http_client::{NoAnswer, whole};
use runledger_entities::{Coded as _, ErrorCode, ExperimentId, Span, StoredSpan, TraceId};
use runledger_protocol::{Endpoint, messages::spans as messages};
use runledger_store::StoreError;

use super::call::{self, Call};
use super::{RestStore, refusal};

const PATH: &str = "/v1/traces";
const EXPERIMENT: HeaderName = HeaderName::from_static("x-mlflow-experiment-id");
const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");

/// The most that is read of an answer, and shown of a refusal.
const ANSWER_BYTES: usize = 64 << 10;
const EXCERPT: usize = 300;

/// What a file of spans may have beside them: brackets, and a comma and a space after each.
const FRAME_BYTES: usize = 1 << 20;

/// Whether spans were taken.
#[derive(Debug)]
pub(crate) enum Taken {
    Yes,
    /// They may be later, after this pause if the server named one.
    Later(StoreError, Option<Duration>),
    No(StoreError),
}

impl RestStore {
    /// Keeps spans, all of them or none.
    pub(super) async fn send_spans(
        &self,
        experiment: ExperimentId,
        spans: Vec<Span>,
    ) -> Result<(), StoreError> {
        if spans.is_empty() {
            return Ok(());
        }
        // Many take their time.
        let written = tokio::task::spawn_blocking(move || messages::request(&spans));
        let written = written.await.map_err(StoreError::internal)?;
        let body = written.map_err(|error| StoreError::invalid(error.to_string()))?;
        let body = Bytes::from(body);
        let headers = [
            (EXPERIMENT, HeaderValue::from(experiment.0)),
            (CONTENT_TYPE, PROTOBUF),
        ];
        let call = Call {
            headers: &headers,
            ..Call::of(Endpoint::ExportSpans).with(&body)
        };
        let sent = self.answer(call).await;
        sent.map(drop).map_err(refusal::of_experiment(experiment))
    }

    /// The spans that a server keeps beside a trace, each as it is kept; nothing if the trace is
    /// not there any more. They may have so many bytes.
    pub(super) async fn spans_of(
        &self,
        id: &TraceId,
        bytes: usize,
    ) -> Result<Option<Vec<StoredSpan>>, StoreError> {
        let asked = [("request_id", id.as_str())];
        let call = Call::of(Endpoint::GetTraceArtifactV2).asking(&asked);
        let call = call.at_most(
            bytes.saturating_add(FRAME_BYTES),
            StoreError::too_many_spans,
        );
        let text = match self.answer(call).await {
            Ok(text) => text,
            Err(error) if error.code() == ErrorCode::ResourceDoesNotExist => return Ok(None),
            Err(error) => return Err(refusal::known(error, [])),
        };
        let spans = str::from_utf8(&text).ok().and_then(messages::read_file);
        spans.map(Some).ok_or_else(|| refusal::unreadable("spans"))
    }

    /// Sends a request in protobuf, once.
    pub(crate) async fn export_spans(&self, experiment: ExperimentId, body: Bytes) -> Taken {
        let no_answer = |reason: String| {
            let error = StoreError::NoAnswer {
                server: self.server.base().to_owned(),
                reason,
                may_have_arrived: true,
            };
            Taken::Later(error, None)
        };
        let request = match self.export(experiment, body) {
            Ok(request) => request,
            Err(error) => return Taken::No(StoreError::invalid(error.to_string())),
        };
        let response = match self.http.send(request, None).await {
            Ok(response) => response,
            Err(NoAnswer::Connect(error) | NoAnswer::Broken(error)) => {
                return no_answer(call::chain(error.as_ref()));
            }
            Err(NoAnswer::Timeout) => {
                return no_answer(format!(
                    "nothing within {} s",
                    self.options.timeout.as_secs()
                ));
            }
        };
        let status = response.status();
        let pause = call::retry_after(response.headers());
        let text = whole(response.into_body(), ANSWER_BYTES).await;
        if status.is_success() {
            // They are kept, whatever became of the rest of the answer.
            return Taken::Yes;
        }
        let text = text.unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let excerpt: String = text.chars().take(EXCERPT).collect();
        let code = match status {
            StatusCode::NOT_FOUND => ErrorCode::ResourceDoesNotExist,
            StatusCode::UNAUTHORIZED => ErrorCode::Unauthenticated,
            StatusCode::FORBIDDEN => ErrorCode::PermissionDenied,
            status if status.is_server_error() => ErrorCode::InternalError,
            _ => ErrorCode::InvalidParameterValue,
        };
        let error = StoreError::Answered {
            code,
            message: format!(
                "{} answered {status} to {PATH}: {excerpt}",
                self.server.base()
            ),
        };
        // As OpenTelemetry's exporters.
        if matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504) {
            Taken::Later(error, pause)
        } else {
            Taken::No(error)
        }
    }

    fn export(
        &self,
        experiment: ExperimentId,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>, http::Error> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}{PATH}", self.server.base()))
            .header(CONTENT_TYPE, PROTOBUF)
            .header(EXPERIMENT, experiment.to_string());
        if let Some(value) = self.server.authorization() {
            request = request.header(AUTHORIZATION, value);
        }
        request.body(Full::from(body))
    }
}
