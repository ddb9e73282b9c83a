//! The HTTP client of the clouds, and of tracking servers: hyper, with rustls and
//! ring, and a limit on every wait.
//!
//! Signatures, retries and the meaning of answers are left to those who ask: the
//! libraries of the clouds, which use it in the place of their own clients, and
//! the crate `runledger`, which asks tracking servers.

mod body;
mod streamed;
mod tls;

use std::error::Error;
use std::fmt;
use std::io;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

pub use body::ResponseBody;
pub use streamed::{pieces, whole};
pub use tls::Tls;

/// What the path and the query of an address leave as it is.
#[cfg(any(feature = "hdfs", feature = "http-proxy"))]
pub(crate) const KEPT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// How long a connection may take to be there.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// How long an answer may take to begin, the body of the request included.
const ANSWER_TIME: Duration = Duration::from_mins(2);

/// How long the body of an answer may pause while somebody waits for it.
const PAUSE_TIME: Duration = Duration::from_mins(1);

/// How long a connection is kept for the next request. Services close theirs
/// after some twenty seconds.
const IDLE_TIME: Duration = Duration::from_secs(15);

/// Idle connections to one host.
const IDLE_CONNECTIONS: usize = 32;

type BoxError = Box<dyn Error + Send + Sync>;
type RequestBody = UnsyncBoxBody<bytes::Bytes, BoxError>;

/// An HTTP client. Clones share its connections.
#[derive(Clone)]
pub struct HttpClient {
    client: Client<HttpsConnector<HttpConnector>, RequestBody>,
    answer_time: Duration,
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HttpClient")
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub enum NoAnswer {
    /// No connection was made.
    Connect(BoxError),
    /// It took too long.
    Timeout,
    /// It broke off.
    Broken(BoxError),
}

impl HttpClient {
    /// A client that trusts as `tls` says.
    ///
    /// # Errors
    /// If certificates cannot be read.
    pub fn new(tls: &Tls) -> io::Result<Self> {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIME));
        connector.set_keepalive(Some(Duration::from_mins(1)));
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls.config()?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIME)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build(connector);
        Ok(Self {
            client,
            answer_time: ANSWER_TIME,
        })
    }

    /// Waits for answers as long as this, in the place of two minutes.
    #[must_use]
    pub fn with_answer_time(self, answer_time: Duration) -> Self {
        Self {
            answer_time,
            ..self
        }
    }

    /// Sends a request, and waits for the head of the answer: two minutes or the
    /// time of [`HttpClient::with_answer_time`], or `limit` if that is shorter.
    ///
    /// # Errors
    /// [`NoAnswer`] if there is none.
    pub async fn send<B>(
        &self,
        request: Request<B>,
        limit: Option<Duration>,
    ) -> Result<Response<ResponseBody>, NoAnswer>
    where
        B: hyper::body::Body<Data = bytes::Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let request = request.map(|body| body.map_err(Into::into).boxed_unsync());
        let limit = limit.map_or(self.answer_time, |limit| limit.min(self.answer_time));
        let answer = tokio::time::timeout(limit, self.client.request(request)).await;
        match answer {
            Err(_) => Err(NoAnswer::Timeout),
            Ok(Ok(response)) => Ok(response.map(|body| ResponseBody::new(body, PAUSE_TIME))),
            Ok(Err(error)) if error.is_connect() => Err(NoAnswer::Connect(error.into())),
            Ok(Err(error)) => Err(NoAnswer::Broken(error.into())),
        }
    }
}
