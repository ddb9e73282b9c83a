//! One request to a webhook.
//!
//! The name is resolved once; all of its addresses must be allowed, and the
//! connection goes to one of these, so that a name that changes its mind leads
//! nowhere else. No redirect is followed, no proxy is used, and of the answer only
//! the beginning is read.

use std::{
    error::Error,
    fmt, io,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use runledger_entities::{InvalidWebhook, validate};
use runledger_store::{Signing, WebhookTarget};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::{OnceCell, Semaphore},
    task::JoinHandle,
};
use tokio_rustls::TlsConnector;

use super::{WebhookOptions, address::is_public, signature::signature, target::Target, tls};
use crate::failure::chain;

/// Bytes of an answer that are read.
const ANSWER_BYTES: usize = 64 << 10;

/// Bytes of an answer's head.
const HEAD_BYTES: usize = 64 << 10;

/// How long an answer's body is read after its head: it says nothing that counts.
const BODY_TIME: Duration = Duration::from_secs(2);

/// Names that are resolved at a time; a name server that is silent holds a thread
/// for each.
const RESOLUTIONS: usize = 16;

/// How long a name may take to be resolved.
const RESOLUTION_TIME: Duration = Duration::from_secs(5);

/// Sends to webhooks.
pub(crate) struct Client {
    options: WebhookOptions,
    resolutions: Arc<Semaphore>,
    tls: OnceCell<Arc<ClientConfig>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    pub(crate) delivery_id: &'a str,
    pub(crate) body: &'a str,
}

/// What the receiver answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// The beginning of the body.
    pub(crate) body: String,
    /// After how long the receiver wants to be asked again.
    pub(crate) retry_after: Option<Duration>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// Nothing may be sent there.
    #[error(transparent)]
    Refused(#[from] InvalidWebhook),
    /// The name has an address that is not allowed.
    #[error(
        "Webhook URL must not resolve to a non-public IP address. '{host}' resolves to {address}."
    )]
    NotPublic {
        /// The name.
        host: String,
        /// The address.
        address: std::net::IpAddr,
    },
    /// The name has no address.
    #[error("Cannot resolve Webhook URL hostname '{host}': {source}")]
    Unresolved {
        /// The name.
        host: String,
        /// The system's words.
        source: io::Error,
    },
    /// The secret cannot be read, so that nothing can be signed.
    #[error("{reason}")]
    Unsigned {
        /// Why.
        reason: &'static str,
    },
    /// No connection was made, or it broke.
    #[error("{what}: {}", chain(.source.as_ref()))]
    Broken {
        /// What failed.
        what: &'static str,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// It took too long.
    #[error("there was no whole answer within {} seconds", .limit.as_secs_f32())]
    Timeout {
        /// The limit.
        limit: Duration,
    },
}

impl NoAnswer {
    /// Whether another attempt may go better.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Refused(_) | Self::NotPublic { .. } => false,
            Self::Unresolved { .. }
            | Self::Unsigned { .. }
            | Self::Broken { .. }
            | Self::Timeout { .. } => true,
        }
    }

    fn broken(what: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Broken {
            what,
            source: source.into(),
        }
    }
}

impl Client {
    pub(crate) fn new(options: WebhookOptions) -> Self {
        Self {
            options,
            resolutions: Arc::new(Semaphore::new(RESOLUTIONS)),
            tls: OnceCell::new(),
        }
    }

    pub(crate) fn options(&self) -> &WebhookOptions {
        &self.options
    }

    /// Checks a URL: its form, its scheme, and whether its host may be sent to.
    pub(crate) async fn check(&self, url: &str) -> Result<(), NoAnswer> {
        let target = self.target(url)?;
        if !self.options.allow_private_addresses {
            self.resolve(&target).await?;
        }
        Ok(())
    }

    fn target(&self, url: &str) -> Result<Target, InvalidWebhook> {
        validate::webhook_url(url, &self.options.allowed_schemes)?;
        Target::of(url).map_err(|reason| InvalidWebhook::Url {
            url: url.to_owned(),
            reason: reason.to_owned(),
        })
    }

    /// The addresses of a host, all of which may be sent to.
    async fn resolve(&self, target: &Target) -> Result<Vec<SocketAddr>, NoAnswer> {
        let unresolved = |source| NoAnswer::Unresolved {
            host: target.host.clone(),
            source,
        };
        let place = (target.host.clone(), target.port);
        let resolutions = Arc::clone(&self.resolutions);
        let looking = async move {
            let permit = resolutions.acquire_owned().await;
            let permit = permit.map_err(io::Error::other)?;
            // Apart, so that a name given up still counts until it is answered.
            let found = tokio::spawn(async move {
                let _permit = permit;
                let found = tokio::net::lookup_host(place).await?;
                Ok::<_, io::Error>(found.collect::<Vec<_>>())
            });
            found.await.map_err(io::Error::other)?
        };
        let addresses = match tokio::time::timeout(RESOLUTION_TIME, looking).await {
            Ok(found) => found.map_err(unresolved)?,
            Err(_) => return Err(unresolved(io::ErrorKind::TimedOut.into())),
        };
        if addresses.is_empty() {
            return Err(unresolved(io::ErrorKind::NotFound.into()));
        }
        let refused = addresses.iter().find(|address| !is_public(address.ip()));
        match refused {
            Some(address) if !self.options.allow_private_addresses => Err(NoAnswer::NotPublic {
                host: target.host.clone(),
                address: address.ip(),
            }),
            _ => Ok(addresses),
        }
    }

    /// Sends a message once. The limit is of the answer's head: what the receiver then says
    /// slowly, it has taken all the same.
    pub(crate) async fn send(
        &self,
        webhook: &WebhookTarget,
        message: Message<'_>,
    ) -> Result<Answer, NoAnswer> {
        let limit = self.options.request_time;
        match tokio::time::timeout(limit, self.response(webhook, message)).await {
            Ok(response) => Ok(answer(response?).await),
            Err(_) => Err(NoAnswer::Timeout { limit }),
        }
    }

    async fn response(
        &self,
        webhook: &WebhookTarget,
        message: Message<'_>,
    ) -> Result<Open, NoAnswer> {
        let target = self.target(&webhook.url)?;
        let request = request(&target, &webhook.signing, message)?;
        let addresses = self.resolve(&target).await?;
        let stream = connect(&addresses).await?;
        if !target.is_secure {
            return exchange(stream, request).await;
        }
        let tls = self.tls.get_or_try_init(|| async {
            let config = tokio::task::spawn_blocking(tls::config).await;
            config.map_err(io::Error::other)?.map(Arc::new)
        });
        let failed = |error| NoAnswer::broken("TLS cannot be set up", error);
        let connector = TlsConnector::from(Arc::clone(tls.await.map_err(failed)?));
        let name = ServerName::try_from(target.host.clone())
            .map_err(|error| NoAnswer::broken("TLS cannot name the host", error))?;
        let stream = connector.connect(name, stream).await;
        let stream = stream.map_err(|error| NoAnswer::broken("TLS failed", error))?;
        exchange(stream, request).await
    }
}

/// A connection to the first of these addresses that takes one.
async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, NoAnswer> {
    let connected = TcpStream::connect(addresses).await;
    connected.map_err(|error| NoAnswer::broken("no connection", error))
}

fn request(
    target: &Target,
    signing: &Signing,
    message: Message<'_>,
) -> Result<Request<Full<Bytes>>, NoAnswer> {
    let Message { delivery_id, body } = message;
    let seconds = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(&target.path)
        .header(header::HOST, &target.authority)
        .header(
            header::USER_AGENT,
            concat!("runledger/", env!("CARGO_PKG_VERSION")),
        )
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONNECTION, "close")
        .header("x-mlflow-delivery-id", delivery_id)
        .header("x-mlflow-timestamp", seconds);
    match signing {
        Signing::Unsigned => {}
        Signing::Secret(secret) => {
            let signature = signature(secret.reveal(), delivery_id, seconds, body);
            request = request.header("x-mlflow-signature", signature);
        }
        Signing::Unreadable { reason } => return Err(NoAnswer::Unsigned { reason }),
    }
    if let Some(authorization) = &target.authorization {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes())));
    request.map_err(|error| NoAnswer::broken("the URL cannot be sent to", error))
}

/// Ends a task when it goes.
struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// An answer whose head has come, with the connection that its body comes over.
struct Open {
    response: Response<Incoming>,
    _connection: AbortOnDrop,
}

/// Sends a request, and waits for the head of its answer.
async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Open, NoAnswer>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let broken = |error: hyper::Error| NoAnswer::broken("no whole answer", error);
    let handshake = http1::Builder::new()
        .max_buf_size(HEAD_BYTES)
        .handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.map_err(broken)?;
    let connection = AbortOnDrop(tokio::spawn(async move {
        // What fails in it fails in the request as well.
        let _ = connection.await;
    }));
    let response = sender.send_request(request).await.map_err(broken)?;
    Ok(Open {
        response,
        _connection: connection,
    })
}

/// The answer with what there is of its body: the head has said what counts. Receivers on
/// Python's `http.server` end TLS without a word, others never end, and what they took must not
/// be sent again for it.
async fn answer(mut open: Open) -> Answer {
    let mut body = Vec::new();
    let read = read_body(open.response.body_mut(), &mut body);
    // Cut off or not, it is what there is.
    let _ = tokio::time::timeout(BODY_TIME, read).await;
    let retry_after = open.response.headers().get(header::RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Answer {
        status: open.response.status(),
        body: String::from_utf8_lossy(&body).into_owned(),
        retry_after: retry_after.map(Duration::from_secs),
    }
}

/// Reads up to the end, a fault or the limit.
async fn read_body(incoming: &mut Incoming, body: &mut Vec<u8>) {
    while body.len() < ANSWER_BYTES
        && let Some(Ok(frame)) = incoming.frame().await
    {
        if let Ok(data) = frame.into_data() {
            let room = (ANSWER_BYTES - body.len()).min(data.len());
            body.extend_from_slice(&data[..room]);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    /// What comes of an answer after which the receiver hangs up, or does not.
    async fn answered(text: &'static str, hangs_up: bool) -> Result<Answer, NoAnswer> {
        let (ours, mut theirs) = tokio::io::duplex(4096);
        let receiver = tokio::spawn(async move {
            let mut request = [0; 1024];
            let read = theirs.read(&mut request).await.unwrap();
            assert!(read > 0);
            theirs.write_all(text.as_bytes()).await.unwrap();
            (!hangs_up).then_some(theirs)
        });
        let request = Request::post("/").body(Full::default()).unwrap();
        let open = exchange(ours, request).await;
        let _open = receiver.await.unwrap();
        Ok(answer(open?).await)
    }

    #[tokio::test]
    async fn an_answer_whose_body_does_not_end_has_its_status() {
        for hangs_up in [true, false] {
            let text = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc";
            let answer = answered(text, hangs_up).await.unwrap();
            assert_eq!(answer.status, StatusCode::OK);
            assert_eq!(answer.body, "abc");
        }
    }

    #[tokio::test]
    async fn a_head_that_breaks_off_is_no_answer() {
        let answer = answered("HTTP/1.1 200 OK\r\ncontent-le", true).await;
        assert!(matches!(answer, Err(NoAnswer::Broken { .. })));
    }
}
