//! The address of a tracking server, and who asks it.

use std::fmt;
use std::io;

use base64::Engine;
use http::{HeaderValue, Uri};
use percent_encoding::percent_decode_str;

use super::RestOptions;

/// A server cannot be asked.
///
/// ```
/// use runledger::{InvalidServer, RestOptions, RestStore};
///
/// let refused = RestStore::new("localhost:5000", RestOptions::default());
/// let Err(InvalidServer::Address { address }) = refused else {
///     panic!("there is no http:// in it");
/// };
/// assert_eq!(address, "localhost:5000");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidServer {
    /// The text is no address of a server.
    #[error("'{address}' is no address of a tracking server: it should be like https://host:5000")]
    Address {
        /// The address, without what may be a password.
        address: String,
    },
    /// The user, password or token has characters that no header can carry.
    #[error(
        "the user, password or token of the tracking server has characters that cannot be sent"
    )]
    Credentials,
    /// Certificates cannot be read.
    #[error("the certificates to trust cannot be read: {0}")]
    Certificates(#[source] io::Error),
}

/// A server, and what it is told of who asks.
pub(super) struct Server {
    /// Without a slash at the end.
    base: String,
    authorization: Option<HeaderValue>,
}

/// Without the credentials.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.base).finish()
    }
}

impl Server {
    pub(super) fn parse(address: &str, options: &RestOptions) -> Result<Self, InvalidServer> {
        let (account, base) = read(address)?;
        let account = account.as_ref().or(options.account.as_ref());
        let authorization = match (account, &options.token) {
            (Some((user, password)), _) => Some(basic(user, password)),
            (None, Some(token)) => Some(format!("Bearer {token}")),
            (None, None) => None,
        };
        let authorization = authorization
            .map(|text| {
                let mut value =
                    HeaderValue::try_from(text).map_err(|_| InvalidServer::Credentials)?;
                value.set_sensitive(true);
                Ok(value)
            })
            .transpose()?;
        Ok(Self {
            base,
            authorization,
        })
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    pub(super) fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }
}

fn basic(user: &str, password: &str) -> String {
    let account = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    format!("Basic {account}")
}

/// A user and a password.
type Account = (String, String);

/// An address without its account, as messages show it. What is no address may be a
/// password, too, and is not shown.
pub(crate) fn shown(address: &str) -> String {
    read(address).map_or_else(|_| scheme_of(address), |(_, base)| base)
}

fn scheme_of(address: &str) -> String {
    let scheme = address.split("://").next().unwrap_or_default();
    format!("{scheme}://…")
}

/// The account in an address, and the address without it and without a slash at the end.
fn read(address: &str) -> Result<(Option<Account>, String), InvalidServer> {
    let (account, address) = split_account(address);
    // What is left of a password that should have been encoded is not shown either.
    let is_unclear = address.contains(['@', '#', '\\']);
    let invalid = || InvalidServer::Address {
        address: if is_unclear {
            scheme_of(&address)
        } else {
            address.clone()
        },
    };
    if is_unclear {
        return Err(invalid());
    }
    let base = address.trim_end_matches('/');
    let uri: Uri = base.parse().map_err(|_| invalid())?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    if !is_web || uri.host().is_none_or(str::is_empty) || uri.query().is_some() {
        return Err(invalid());
    }
    Ok((account, base.to_owned()))
}

/// The account in an address, and the address without it.
fn split_account(address: &str) -> (Option<Account>, String) {
    let Some((scheme, rest)) = address.split_once("://") else {
        return (None, address.to_owned());
    };
    let (authority, path) = match rest.find(['/', '?', '#']) {
        Some(end) => rest.split_at(end),
        None => (rest, ""),
    };
    let Some((account, host)) = authority.rsplit_once('@') else {
        return (None, address.to_owned());
    };
    let (user, password) = account.split_once(':').unwrap_or((account, ""));
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    (
        Some((decoded(user), decoded(password))),
        format!("{scheme}://{host}{path}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(address: &str, options: &RestOptions) -> (String, Option<String>) {
        let server = Server::parse(address, options).expect(address);
        let header = server.authorization().map(|value| {
            let text = value.to_str().expect("it is ASCII");
            text.to_owned()
        });
        (server.base().to_owned(), header)
    }

    #[test]
    fn an_address_loses_its_last_slash_and_its_account() {
        let none = RestOptions::default();
        assert_eq!(
            parsed("http://h:5000/", &none),
            ("http://h:5000".to_owned(), None)
        );
        let (base, header) = parsed("https://a%40b:p%3A@h/ml/", &none);
        assert_eq!(base, "https://h/ml");
        assert_eq!(header.as_deref(), Some("Basic YUBiOnA6"));
    }

    #[test]
    fn an_account_goes_before_a_token() {
        let options = RestOptions {
            account: Some(("u".to_owned(), "p".to_owned())),
            token: Some("t".to_owned()),
            ..RestOptions::default()
        };
        let header = |options: &RestOptions| parsed("http://h", options).1;
        assert_eq!(header(&options).as_deref(), Some("Basic dTpw"));
        let options = RestOptions {
            account: None,
            ..options
        };
        assert_eq!(header(&options).as_deref(), Some("Bearer t"));
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_password() {
        for address in [
            "h:5000",
            "ftp://h",
            "http://",
            "http://u:secret@/x y",
            "http://u:se/cret@h",
            "http://u:12/secret@h",
            "http://h#secret",
            "http://h?a=b",
        ] {
            let error = Server::parse(address, &RestOptions::default()).expect_err(address);
            assert!(!error.to_string().contains("cret"), "{error}");
        }
    }
}
