//! One call of an endpoint: the request, and the parts of its path.

use axum::{
    body::Body,
    extract::{RawPathParams, Request},
};
use bytes::Bytes;
use http::{Method, header, request::Parts};
use runledger_entities::LoggedModelId;
use runledger_protocol::{Input, Request as Message, check_content_type};

use crate::{admission::Share, app::App, body, failure::Failure};

/// A request to an endpoint.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) parts: Parts,
    body: Body,
    params: Vec<(String, String)>,
    share: Share,
}

impl Call {
    pub(crate) fn new(request: Request, params: &RawPathParams) -> Self {
        let (parts, body) = request.into_parts();
        let params = params
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Self {
            parts,
            body,
            params,
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

    /// The message of the call: in the query string of a GET that has one,
    /// else in the body.
    pub(crate) async fn message<M: Message>(&mut self, app: &App) -> Result<M, Failure> {
        if self.parts.method == Method::POST {
            let content_type = self.parts.headers.get(header::CONTENT_TYPE);
            check_content_type(content_type.map(|value| value.to_str().unwrap_or("?")))?;
        }
        let reads = matches!(self.parts.method, Method::GET | Method::HEAD);
        match self
            .parts
            .uri
            .query()
            .filter(|query| reads && !query.is_empty())
        {
            Some(query) => Ok(M::decode(Input::Query(query))?),
            None => Ok(M::decode(Input::Body(&self.body(app).await?))?),
        }
    }

    /// The whole body; empty when it was read before.
    pub(crate) async fn body(&mut self, app: &App) -> Result<Bytes, Failure> {
        let body = std::mem::take(&mut self.body);
        let limit = app.limits.body_bytes;
        let whole = body::read(&self.parts.headers, body, limit, &app.bodies).await?;
        // Kept as long as the call: what is decoded is about as large as its text.
        self.share = whole.share;
        Ok(whole.bytes)
    }

    /// The unread body.
    pub(crate) fn take_body(&mut self) -> Body {
        std::mem::take(&mut self.body)
    }
}
