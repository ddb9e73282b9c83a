//! Our HTTP client as the SDK wants it.

use std::io;

use aws_smithy_runtime_api::client::http::{
    HttpClient as SdkHttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;

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
        // Where credentials are looked for in vain, the SDK does not wait long.
        let times = [settings.connect_timeout(), settings.read_timeout()];
        let limit = times.into_iter().flatten().reduce(|a, b| a + b);
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
            let request = request
                .try_into_http1x()
                .map_err(|error| ConnectorError::user(error.into()))?;
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
