//! One call of an endpoint: the request, and the parts of its path.

use axum::{
    body::Body,
    extract::{RawPathParams, Request},
};
use bytes::Bytes;
use http::{Method, header, request::Parts};
use runledger_entities::{AssessmentId, LoggedModelId, TraceId, WebhookId};
use runledger_protocol::{Endpoint, Input, Request as Message, check_content_type};

use crate::{admission::Share, apart::apart, app::App, body, failure::Failure, options::Limits};

/// Bytes of a body that are decoded where they were read: less than a
/// millisecond's work. Larger bodies must not hold up other connections.
const DECODED_IN_PLACE: usize = 256 << 10;

/// A request to an endpoint.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) parts: Parts,
    endpoint: Endpoint,
    body: Body,
    received: Option<Bytes>,
    params: Vec<(String, String)>,
    share: Share,
}

impl Call {
    pub(crate) fn new(endpoint: Endpoint, request: Request, params: &RawPathParams) -> Self {
        let params = params.iter();
        let params = params.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            params: params.collect(),
            ..Self::without_path(endpoint, request)
        }
    }

    /// A call whose request says everything: the path of its endpoint has no
    /// parts.
    pub(crate) fn without_path(endpoint: Endpoint, request: Request) -> Self {
        let (parts, body) = request.into_parts();
        Self {
            parts,
            endpoint,
            body,
            received: None,
            params: Vec::new(),
            share: Share::default(),
        }
    }

    /// A segment of the path, decoded; empty if the route has none of this name.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.params
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value)
    }

    /// The tail of a path of the artifact proxy, decoded.
    pub(crate) fn artifact_path(&self) -> &str {
        self.param("artifact_path")
    }

    /// The logged model that the path names.
    pub(crate) fn model_id(&self) -> LoggedModelId {
        LoggedModelId::new(self.param("model_id"))
    }

    /// The trace that the path names.
    pub(crate) fn trace_id(&self) -> TraceId {
        TraceId::new(self.param("trace_id"))
    }

    /// The webhook that the path names.
    pub(crate) fn webhook_id(&self) -> WebhookId {
        WebhookId::new(self.param("webhook_id"))
    }

    /// The assessment that the path names.
    pub(crate) fn assessment_id(&self) -> AssessmentId {
        AssessmentId::new(self.param("assessment_id"))
    }

    /// Reads the body of a call that has its message there; does nothing the
    /// second time.
    ///
    /// This is apart from [`Call::message`] so that a slow client holds no
    /// place among the requests that are worked on.
    pub(crate) async fn receive(&mut self, app: &App) -> Result<(), Failure> {
        // Spans are no JSON of ours, and say themselves what they are.
        if self.parts.method == Method::POST && self.endpoint != Endpoint::ExportSpans {
            let content_type = self.parts.headers.get(header::CONTENT_TYPE);
            check_content_type(content_type.map(|value| value.to_str().unwrap_or("?")))?;
        }
        if self.query().is_none() && self.received.is_none() {
            self.received = Some(self.body(app).await?);
        }
        Ok(())
    }

    /// The body of a call that has its message there.
    pub(crate) async fn received(&mut self, app: &App) -> Result<Bytes, Failure> {
        self.receive(app).await?;
        Ok(self.received.take().unwrap_or_default())
    }

    /// The message of the call: in the query string of a GET that has one,
    /// else in the body.
    pub(crate) async fn message<M>(&mut self, app: &App) -> Result<M, Failure>
    where
        M: Message + Send + 'static,
    {
        self.receive(app).await?;
        if let Some(query) = self.query() {
            return Ok(M::decode(Input::Query(query))?);
        }
        let body = self.received.take().unwrap_or_default();
        if body.len() <= DECODED_IN_PLACE {
            return Ok(M::decode(Input::Body(&body))?);
        }
        // The share goes along: the body is held until it is decoded, even if
        // the request is over by then.
        let share = std::mem::take(&mut self.share);
        let decoding = apart(move || Ok((M::decode(Input::Body(&body)), share)));
        let (message, share) = decoding.await?;
        self.share = share;
        Ok(message?)
    }

    /// The query string of a call that has its message there.
    fn query(&self) -> Option<&str> {
        let reads = matches!(self.parts.method, Method::GET | Method::HEAD);
        self.parts
            .uri
            .query()
            .filter(|query| reads && !query.is_empty())
    }

    /// The whole body; empty when it was read before.
    pub(crate) async fn body(&mut self, app: &App) -> Result<Bytes, Failure> {
        let body = std::mem::take(&mut self.body);
        let limit = body_limit(self.endpoint, &app.limits);
        let whole = body::read(&self.parts.headers, body, limit, &app.bodies).await?;
        // Kept as long as the call, beyond the body itself: a message holds its
        // texts once more. Of what else may be in a body, lists above all, the
        // decoder keeps a bounded number.
        self.share = whole.share;
        Ok(whole.bytes)
    }

    /// The unread body.
    pub(crate) fn take_body(&mut self) -> Body {
        std::mem::take(&mut self.body)
    }
}

/// Bytes that the body of a request to an endpoint may have.
fn body_limit(endpoint: Endpoint, limits: &Limits) -> usize {
    use Endpoint as E;

    match endpoint {
        E::LogInputs => limits.datasets_body_bytes,
        E::CreateExperiment
        | E::SetExperimentTag
        | E::CreateRun
        | E::LogParam
        | E::SetTag
        | E::LogBatch
        | E::LogModel
        | E::CreateLoggedModel
        | E::SetLoggedModelTags
        | E::CreateRegisteredModel
        | E::CreateModelVersion
        | E::SetRegisteredModelTag
        | E::SetModelVersionTag
        | E::LogLoggedModelParams
        | E::StartTrace
        | E::CreateAssessment
        | E::UpdateAssessment
        // The parts with their signed addresses, which MLflow's client sends back.
        | E::ProxyCompleteMultipart
        | E::ExportSpans => limits.values_body_bytes,
        _ => limits.body_bytes,
    }
}

#[cfg(test)]
mod tests {
    use std::thread::{self, ThreadId};

    use runledger_artifacts::ArtifactRoots;
    use runledger_protocol::RequestError;

    use super::*;

    /// Where it was decoded.
    struct Decoded(ThreadId);

    impl Message for Decoded {
        fn decode(_: Input<'_>) -> Result<Self, RequestError> {
            Ok(Self(thread::current().id()))
        }
    }

    async fn decoded_here(length: usize) -> bool {
        let app = App::new(None, ArtifactRoots::new(), Limits::default(), false, "");
        let request = Request::patch("/").body(Body::from(vec![b' '; length]));
        let mut call = Call::without_path(Endpoint::SearchRuns, request.unwrap());
        let message: Decoded = call.message(&app).await.unwrap();
        message.0 == thread::current().id()
    }

    #[tokio::test]
    async fn a_large_body_is_decoded_apart_from_the_connections() {
        assert!(decoded_here(DECODED_IN_PLACE).await);
        assert!(!decoded_here(DECODED_IN_PLACE + 1).await);
    }
}
