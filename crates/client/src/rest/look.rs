//! What a server says of itself, whoever asks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use bytes::Bytes;
use http::header::{AUTHORIZATION, DATE};
use http::{HeaderValue, Request};
use http_body_util::Full;
use runledger_artifacts::http_client::{NoAnswer, whole};
use runledger_store::StoreError;

use super::{RestStore, call};

/// The most that is read of a version.
const VERSION_BYTES: usize = 4096;

/// The longest text that is a version.
const VERSION: usize = 64;

/// What a server says of itself.
///
/// ```no_run
/// # async fn example(store: runledger::RestStore) -> Result<(), Box<dyn std::error::Error>> {
/// let look = store.look().await?;
/// match look.version {
///     Some(version) => println!("it speaks MLflow {version}"),
///     None => println!("its /version is answered with {}", look.status),
/// }
/// if look.clock_ahead_ms.is_some_and(|ahead| ahead.abs() > 60_000) {
///     println!("one of the two clocks is wrong by more than a minute");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerLook {
    /// The HTTP status of `/version`.
    pub status: u16,
    /// The version of MLflow that it speaks, if it says one.
    pub version: Option<String>,
    /// How far its clock is ahead of this machine's, in milliseconds; accurate to a
    /// second, which is what HTTP has.
    pub clock_ahead_ms: Option<i64>,
}

/// Whom a server is asked as.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use runledger::{Account, RestOptions, RestStore};
///
/// let options = RestOptions {
///     token: Some("a secret".to_owned()),
///     ..RestOptions::default()
/// };
/// let store = RestStore::new("http://localhost:5000", options)?;
/// assert_eq!(store.account(), Account::Token);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Account {
    /// As a user with a password.
    User(String),
    /// With a token.
    Token,
    /// Without either.
    Nobody,
}

impl RestStore {
    /// Whom the server is asked as.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use runledger::{Account, RestOptions, RestStore};
    ///
    /// let store = RestStore::new("http://ada:secret@localhost:5000", RestOptions::default())?;
    /// assert_eq!(store.account(), Account::User("ada".to_owned()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn account(&self) -> Account {
        let Some(value) = self.server.authorization() else {
            return Account::Nobody;
        };
        let text = value.to_str().unwrap_or_default();
        let Some(account) = text.strip_prefix("Basic ") else {
            return Account::Token;
        };
        let account = base64::engine::general_purpose::STANDARD.decode(account);
        let account = String::from_utf8(account.unwrap_or_default()).unwrap_or_default();
        let user = account.split(':').next().unwrap_or_default();
        Account::User(user.to_owned())
    }

    /// Asks the server for its version, once.
    ///
    /// ```no_run
    /// # async fn example(store: runledger::RestStore) -> Result<(), Box<dyn std::error::Error>> {
    /// let look = store.look().await?;
    /// println!("{} answers with {}", store.address(), look.status);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`StoreError::NoAnswer`] if it gives no answer; any answer is one.
    pub async fn look(&self) -> Result<ServerLook, StoreError> {
        let base = self.server.base();
        let no_answer = |reason: String| StoreError::NoAnswer {
            server: base.to_owned(),
            reason,
            may_have_arrived: false,
        };
        let mut request = Request::new(Full::<Bytes>::default());
        let address = format!("{base}/version");
        *request.uri_mut() = address
            .parse()
            .map_err(|_| StoreError::invalid("the address of the server is too long"))?;
        if let Some(value) = self.server.authorization() {
            request.headers_mut().insert(AUTHORIZATION, value.clone());
        }
        let asked = SystemTime::now();
        let response = match self.http.send(request, None).await {
            Ok(response) => response,
            Err(NoAnswer::Connect(error) | NoAnswer::Broken(error)) => {
                return Err(no_answer(call::chain(error.as_ref())));
            }
            Err(NoAnswer::Timeout) => {
                let seconds = self.options.timeout.as_secs();
                return Err(no_answer(format!("nothing within {seconds} s")));
            }
        };
        let answered = SystemTime::now();
        let date = response.headers().get(DATE);
        let clock_ahead_ms = date.and_then(|date| ahead(date, asked, answered));
        let status = response.status();
        let text = whole(response.into_body(), VERSION_BYTES).await;
        let text = text.ok().filter(|_| status.is_success());
        let version = text.and_then(|text| version(&text));
        Ok(ServerLook {
            status: status.as_u16(),
            version,
            clock_ahead_ms,
        })
    }
}

/// A text that begins with a digit, and is short.
fn version(text: &[u8]) -> Option<String> {
    let text = str::from_utf8(text).ok()?.trim().trim_matches('"');
    let is_version = text.len() <= VERSION
        && text.starts_with(|char: char| char.is_ascii_digit())
        && text.chars().all(|char| char.is_ascii_graphic());
    is_version.then(|| text.to_owned())
}

/// How far a clock is ahead that had this date at some moment in between. A date is
/// the beginning of its second: half of one is added.
fn ahead(date: &HeaderValue, asked: SystemTime, answered: SystemTime) -> Option<i64> {
    let date = httpdate::parse_http_date(date.to_str().ok()?).ok()?;
    let theirs = millis(date.checked_add(Duration::from_millis(500))?)?;
    let ours = millis(asked)?.midpoint(millis(answered)?);
    Some(theirs - ours)
}

fn millis(time: SystemTime) -> Option<i64> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RestOptions;

    #[test]
    fn a_page_is_no_version() {
        assert_eq!(version(b"3.17.2\n"), Some("3.17.2".to_owned()));
        assert_eq!(version(b"\"2.17.2\""), Some("2.17.2".to_owned()));
        assert_eq!(version(b"<html>"), None);
        assert_eq!(version(b"3 <script>"), None);
    }

    #[test]
    fn the_account_is_the_user_without_the_password() {
        let of = |address: &str, token: Option<&str>| {
            let options = RestOptions {
                token: token.map(str::to_owned),
                ..RestOptions::default()
            };
            let store = RestStore::new(address, options).expect(address);
            store.account()
        };
        let user = Account::User("ada".to_owned());
        assert_eq!(of("http://ada:secret@h", Some("t")), user);
        assert_eq!(of("http://h", Some("t")), Account::Token);
        assert_eq!(of("http://h", None), Account::Nobody);
    }

    #[test]
    fn a_clock_is_compared_with_the_middle_of_the_call() {
        let date = HeaderValue::from_static("Thu, 01 Jan 1970 00:02:00 GMT");
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(ahead(&date, at(119), at(121)), Some(500));
        assert_eq!(ahead(&date, at(60), at(60)), Some(60_500));
        assert_eq!(ahead(&date, at(300), at(300)), Some(-179_500));
    }
}
