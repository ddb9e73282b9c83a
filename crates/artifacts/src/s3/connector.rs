//! Our HTTP client as the SDK wants it.

use std::io;

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{
    HttpClient as SdkHttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};

use crate::http_client::{HttpClient, NoAnswer};

/// The client, with the time limit of one kind of request.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    http: HttpClient,
    limit: Option<std::time::Duration>,
}

impl Connector {
    pub(super) fn new(http: HttpClient) -> Self {
        Self { http, limit: None }
    }
}

impl SdkHttpClient for Connector {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        // Where credentials are looked for in vain, the SDK wants to wait for
        // an answer only so long. It says so nowhere else.
        let connect = settings.connect_timeout().unwrap_or_default();
        let limit = settings.read_timeout().map(|read| connect + read);
        SharedHttpConnector::new(Self {
            http: self.http.clone(),
            limit,
        })
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self { http, limit } = self.clone();
        HttpConnectorFuture::new(async move {
            let mut request = request
                .try_into_http1x()
                .map_err(|error| ConnectorError::user(error.into()))?;
            let connection = capture_connection(&mut request);
            if let Some(wanted) = request.extensions().get::<CaptureSmithyConnection>() {
                wanted.set_connection_retriever(move || metadata(&connection));
            }
            let response = http
                .send(request, limit)
                .await
                .map_err(|error| match error {
                    NoAnswer::Timeout => {
                        let error = io::Error::new(io::ErrorKind::TimedOut, "no answer in time");
                        ConnectorError::timeout(error.into())
                    }
                    NoAnswer::Connect(error) | NoAnswer::Broken(error) => ConnectorError::io(error),
                })?;
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// The connection of a request, by which the SDK has it closed after a failure:
/// the next try shall not meet the same server.
fn metadata(captured: &CaptureConnection) -> Option<ConnectionMetadata> {
    let again = captured.clone();
    let connection = captured.connection_metadata();
    let is_proxied = connection.as_ref()?.is_proxied();
    let close = move || {
        if let Some(connection) = again.connection_metadata().as_ref() {
            connection.poison();
        }
    };
    let metadata = ConnectionMetadata::builder().proxied(is_proxied);
    Some(metadata.poison_fn(close).build())
}
