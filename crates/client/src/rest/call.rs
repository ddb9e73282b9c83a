//! One call of the REST API: a request, its repetitions, and the JSON of the
//! answer.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::{Full, LengthLimitError};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use runledger_artifacts::http_client::{NoAnswer, whole};
use runledger_protocol::{Endpoint, Method as ApiMethod};
use runledger_store::StoreError;
use serde_json::Value;

use super::{RestOptions, RestStore, bare, refusal};

/// The most that is read of an answer.
const ANSWER_BYTES: usize = 256 << 20;

/// The longest pause before a repetition.
const LONGEST_PAUSE: Duration = Duration::from_mins(2);

/// When a call may be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Whenever there was no answer: a second time changes nothing.
    Freely,
    /// Only if the first one certainly had no effect.
    IfNotDone,
}

/// A call of an endpoint.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub(super) endpoint: Endpoint,
    /// The parts of the path that have names.
    pub(super) path: &'a [(&'a str, &'a str)],
    pub(super) query: &'a [(&'a str, &'a str)],
    /// In JSON, unless a header says otherwise.
    pub(super) body: Option<&'a Bytes>,
    /// Headers of its own.
    pub(super) headers: &'a [(HeaderName, HeaderValue)],
    pub(super) repeat: Repeat,
    /// The bytes of the longest answer, and the error of a longer one, where they are not
    /// those of any call.
    pub(super) limit: Option<(usize, fn() -> StoreError)>,
}

impl<'a> Call<'a> {
    /// A call without anything that comes again and again until there is an answer.
    pub(super) fn of(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            path: &[],
            query: &[],
            body: None,
            headers: &[],
            repeat: Repeat::Freely,
            limit: None,
        }
    }

    /// The same with the parts of its path.
    pub(super) fn at(self, path: &'a [(&'a str, &'a str)]) -> Self {
        Self { path, ..self }
    }

    /// The same with a query string.
    pub(super) fn asking(self, query: &'a [(&'a str, &'a str)]) -> Self {
        Self { query, ..self }
    }

    /// The same with a body.
    pub(super) fn with(self, body: &'a Bytes) -> Self {
        Self {
            body: Some(body),
            ..self
        }
    }

    /// The same, whose answer has at most so many bytes: a longer one is this error.
    pub(super) fn at_most(self, bytes: usize, error: fn() -> StoreError) -> Self {
        let limit = Some((bytes, error));
        Self { limit, ..self }
    }

    /// The same, which a second time would do something a second time.
    pub(super) fn once(self) -> Self {
        Self {
            repeat: Repeat::IfNotDone,
            ..self
        }
    }
}

/// A message as a body.
pub(super) fn body(message: &Value) -> Bytes {
    Bytes::from(message.to_string())
}

/// What came of one attempt.
enum Attempt {
    Answered(Bytes),
    Refused(StoreError),
    /// It may go better the next time, after this pause if the server named one.
    Failed(StoreError, Option<Duration>),
}

impl RestStore {
    /// Calls an endpoint, and reads its answer.
    pub(super) async fn call(&self, call: Call<'_>) -> Result<Value, StoreError> {
        let text = self.answer(call).await?;
        bare::read(&text).ok_or_else(|| refusal::not_json(self.server.base(), call.endpoint, &text))
    }

    /// Calls an endpoint: the text of its success.
    pub(super) async fn answer(&self, call: Call<'_>) -> Result<Bytes, StoreError> {
        let endpoint = call.endpoint;
        let address = self.address_of(call);
        let mut repetition = 0;
        loop {
            let request = self.request(call, &address)?;
            let (error, pause) = match self.attempt(call, request).await {
                Attempt::Answered(text) => return Ok(text),
                Attempt::Refused(error) => return Err(error),
                Attempt::Failed(error, pause) => (error, pause),
            };
            if repetition == self.options.max_retries {
                return Err(error);
            }
            repetition += 1;
            let pause = pause
                .filter(|_| self.options.respect_retry_after)
                .unwrap_or_else(|| backoff(&self.options, repetition));
            tracing::debug!(?endpoint, %error, ?pause, "a call is repeated");
            tokio::time::sleep(pause.min(LONGEST_PAUSE)).await;
        }
    }

    fn address_of(&self, call: Call<'_>) -> String {
        // The first is that of programs.
        let template = call.endpoint.paths("").into_iter().next();
        let mut path = template.unwrap_or_default();
        for (name, value) in call.path {
            let value = utf8_percent_encode(value, NON_ALPHANUMERIC).to_string();
            path = path.replace(&format!("{{{name}}}"), &value);
        }
        let mut address = format!("{}{path}", self.server.base());
        for (at, (name, value)) in call.query.iter().enumerate() {
            address.push(if at == 0 { '?' } else { '&' });
            address.push_str(name);
            address.push('=');
            address.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
        }
        address
    }

    fn request(&self, call: Call<'_>, address: &str) -> Result<Request<Full<Bytes>>, StoreError> {
        let method = match call.endpoint.method() {
            ApiMethod::Get => Method::GET,
            ApiMethod::Post => Method::POST,
            ApiMethod::Put => Method::PUT,
            ApiMethod::Patch => Method::PATCH,
            ApiMethod::Delete => Method::DELETE,
        };
        let mut request = Request::new(Full::from(call.body.cloned().unwrap_or_default()));
        *request.method_mut() = method;
        *request.uri_mut() = address.parse().map_err(|_| {
            StoreError::invalid(format!(
                "The request is too long for an address: it has {} characters. Ask for less at \
                 once.",
                address.len()
            ))
        })?;
        let headers = request.headers_mut();
        let agent = concat!("runledger/", env!("CARGO_PKG_VERSION"));
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        if call.body.is_some() {
            let json = HeaderValue::from_static("application/json");
            headers.insert(CONTENT_TYPE, json);
        }
        for (name, value) in call.headers {
            headers.insert(name, value.clone());
        }
        if let Some(value) = self.server.authorization() {
            headers.insert(AUTHORIZATION, value.clone());
        }
        Ok(request)
    }

    async fn attempt(&self, call: Call<'_>, request: Request<Full<Bytes>>) -> Attempt {
        let Call {
            endpoint,
            repeat,
            limit,
            ..
        } = call;
        let no_answer = |reason: String, may_have_arrived: bool| {
            let error = StoreError::NoAnswer {
                server: self.server.base().to_owned(),
                reason,
                may_have_arrived,
            };
            if may_have_arrived && repeat == Repeat::IfNotDone {
                Attempt::Refused(error)
            } else {
                Attempt::Failed(error, None)
            }
        };
        let response = match self.http.send(request, None).await {
            Ok(response) => response,
            Err(NoAnswer::Connect(error)) => return no_answer(chain(error.as_ref()), false),
            Err(NoAnswer::Broken(error)) => return no_answer(chain(error.as_ref()), true),
            Err(NoAnswer::Timeout) => {
                let reason = format!("nothing within {} s", self.options.timeout.as_secs());
                return no_answer(reason, true);
            }
        };
        let status = response.status();
        let pause = retry_after(response.headers());
        let length = content_length(response.headers());
        let most = limit.map_or(ANSWER_BYTES, |(bytes, _)| bytes);
        let too_long = || {
            let base = self.server.base();
            Attempt::Refused(match limit {
                Some((_, error)) => error(),
                None => refusal::too_long(base, endpoint, most, length),
            })
        };
        if length.is_some_and(|length| length > most as u64) {
            return too_long();
        }
        let text = match whole(response.into_body(), most).await {
            Ok(text) => text,
            Err(error) if is_too_long(&error) => return too_long(),
            Err(error) => return no_answer(format!("the answer broke off: {error}"), true),
        };
        if status == StatusCode::OK {
            return Attempt::Answered(text);
        }
        let refusal = refusal::read(self.server.base(), endpoint, status, &text);
        // A 503 says less: MLflow answers it where the connection is lost during a COMMIT, and
        // gateways where the server has got the request, and died.
        let not_done = status == StatusCode::TOO_MANY_REQUESTS;
        let may_pass = matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504);
        // A server that names a fault of the caller's with a 500 will name it again.
        if may_pass && !refusal.is_the_callers && (not_done || repeat == Repeat::Freely) {
            Attempt::Failed(refusal.error, pause)
        } else {
            Attempt::Refused(refusal.error)
        }
    }
}

/// How long an answer says it is, in bytes.
fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Whether an answer was not read to its end because it is too long, so that it will be the
/// next time.
fn is_too_long(error: &std::io::Error) -> bool {
    matches!(error.get_ref(), Some(error) if error.is::<LengthLimitError>())
}

/// An error with its causes.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// The pause before the `n`th repetition, counted from 1.
fn backoff(options: &RestOptions, n: u32) -> Duration {
    let steps = match n {
        0 | 1 => Duration::ZERO,
        n => options.backoff_factor.saturating_mul(1 << (n - 1).min(16)),
    };
    steps + options.backoff_jitter.mul_f64(random())
}

/// A number from 0 to 1, which differs from call to call and from process to process.
pub(crate) fn random() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 40;
    // 24 bits are exact in any float.
    f64::from(u32::try_from(bits).unwrap_or(0)) / f64::from(1_u32 << 24)
}

/// When to come again, as far as the server says it.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(
        date.duration_since(SystemTime::now())
            .unwrap_or(Duration::ZERO),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn pauses_grow_from_the_second_on() {
        let options = RestOptions {
            backoff_jitter: Duration::ZERO,
            ..RestOptions::default()
        };
        let pauses = [1, 2, 3, 4].map(|n| backoff(&options, n).as_secs());
        assert_eq!(pauses, [0, 4, 8, 16]);
        let jittered = backoff(&RestOptions::default(), 1);
        assert!(jittered <= Duration::from_secs(1));
    }

    /// A server whose answers begin like this, and how often it was asked.
    async fn answering(head: &'static str) -> (RestStore, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it has one");
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::Relaxed);
                let mut request = [0; 4096];
                let length = connection.read(&mut request).await;
                assert!(length.expect("a request") > 0);
                let sent = connection.write_all(head.as_bytes()).await;
                sent.expect("somebody reads it");
                // Whoever reads on waits here for the rest.
                tokio::time::sleep(Duration::from_mins(1)).await;
            }
        });
        let store = RestStore::new(&format!("http://{address}"), RestOptions::default());
        (store.expect("an address"), asked)
    }

    #[tokio::test]
    async fn an_answer_that_is_too_long_is_asked_for_once() {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 300000000\r\n\r\n{";
        let (store, asked) = answering(head).await;
        let refused = store.call(Call::of(Endpoint::ServerInfo)).await;
        let error = refused.expect_err("nobody reads so much").to_string();
        assert!(
            error.contains("300000000") && error.contains("server-info"),
            "{error}"
        );
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_server_may_say_when_to_come_again() {
        let mut headers = HeaderMap::new();
        assert_eq!(retry_after(&headers), None);
        headers.insert(RETRY_AFTER, HeaderValue::from_static("3"));
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(3)));
        let past = "Fri, 01 Jan 2021 00:00:00 GMT";
        headers.insert(RETRY_AFTER, HeaderValue::from_static(past));
        assert_eq!(retry_after(&headers), Some(Duration::ZERO));
    }
}
