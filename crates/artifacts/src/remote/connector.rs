//! Our HTTP client as `object_store` wants it.

use std::io;

use async_trait::async_trait;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient as StoreHttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest,
    HttpResponse, HttpResponseBody, HttpService,
};

use crate::http_client::{HttpClient, NoAnswer};

/// The client. Its limits are its own, whatever the options say.
#[derive(Clone, Debug)]
pub(crate) struct Connector(HttpClient);

impl Connector {
    pub(super) fn new(http: HttpClient) -> Self {
        Self(http)
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<StoreHttpClient> {
        Ok(StoreHttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Connector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let response = self
            .0
            .send(request, None)
            .await
            .map_err(|error| match error {
                NoAnswer::Timeout => {
                    let error = io::Error::new(io::ErrorKind::TimedOut, "no answer in time");
                    HttpError::new(HttpErrorKind::Timeout, error)
                }
                NoAnswer::Connect(error) => HttpError::new_boxed(HttpErrorKind::Connect, error),
                NoAnswer::Broken(error) => HttpError::new_boxed(HttpErrorKind::Interrupted, error),
            })?;
        Ok(response.map(|body| {
            let body = http_body_util::BodyExt::map_err(body, |error| {
                HttpError::new(HttpErrorKind::Interrupted, error)
            });
            HttpResponseBody::new(body)
        }))
    }
}
