//! `user:password@host:port` of a location.

use std::fmt;

use percent_encoding::percent_decode_str;

#[cfg(any(
    feature = "hdfs",
    feature = "ftp",
    feature = "sftp",
    feature = "http-proxy"
))]
use crate::InvalidUri;

/// Who asks whom.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Authority {
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    /// A name or an address, that of IPv6 without brackets.
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
}

/// Without the password.
impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:?}", self.host, self.port)
    }
}

impl Authority {
    /// Reads the authority of `uri`.
    ///
    /// # Errors
    /// [`InvalidUri::Storage`] with the `form`, where [`Authority::read`] finds none.
    #[cfg(any(
        feature = "hdfs",
        feature = "ftp",
        feature = "sftp",
        feature = "http-proxy"
    ))]
    pub(crate) fn parse(uri: &str, text: &str, form: &'static str) -> Result<Self, InvalidUri> {
        Self::read(text).ok_or_else(|| InvalidUri::Storage {
            uri: uri.to_owned(),
            form,
        })
    }

    /// Reads an authority. User and password are percent-encoded, as in MLflow.
    /// Nothing if it is none, or if programs may read it differently.
    pub(crate) fn read(text: &str) -> Option<Self> {
        // To some programs each of them is the end, or a slash.
        let is_unclear = |c: char| matches!(c, '\\' | '?' | '#') || c.is_whitespace();
        if text.contains(is_unclear) || text.matches('@').count() > 1 {
            return None;
        }
        let (account, place) = match text.split_once('@') {
            Some((account, place)) => (Some(account), place),
            None => (None, text),
        };
        let (user, password) = match account.map(|account| account.split_once(':')) {
            None => (None, None),
            Some(None) => (account, None),
            Some(Some((user, password))) => (Some(user), Some(password)),
        };
        let (host, port) = match place.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']')?;
                host.parse::<std::net::Ipv6Addr>().ok()?;
                (
                    host,
                    port.strip_prefix(':').or(port.is_empty().then_some(""))?,
                )
            }
            None => place.split_once(':').unwrap_or((place, "")),
        };
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
        if host.is_empty() || !host.bytes().all(is_name) {
            return None;
        }
        let port = match port {
            "" => None,
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            _ => return None,
        };
        let user = match user.filter(|user| !user.is_empty()) {
            Some(user) => Some(decoded(user)?),
            None => None,
        };
        let password = match password {
            Some(password) => Some(decoded(password)?),
            None => None,
        };
        Some(Self {
            user,
            password,
            host: host.to_ascii_lowercase(),
            port,
        })
    }
}

/// Nothing that could end a line of a protocol.
fn decoded(text: &str) -> Option<String> {
    let text = percent_decode_str(text).decode_utf8().ok()?;
    (!text.chars().any(char::is_control)).then(|| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_passwords_and_ports_are_found() {
        let read = Authority::read("me%40x:a%3Ab@Files.example:2222").unwrap();
        assert_eq!(read.user.as_deref(), Some("me@x"));
        assert_eq!(read.password.as_deref(), Some("a:b"));
        assert_eq!(
            (read.host.as_str(), read.port),
            ("files.example", Some(2222))
        );
        let six = Authority::read("[::1]:21").unwrap();
        assert_eq!((six.host.as_str(), six.port), ("::1", Some(21)));
        assert!(!format!("{read:?}").contains("a:b"));
    }

    #[test]
    fn nothing_is_smuggled_in() {
        for text in [
            "",
            "@",
            "me@",
            "h:port",
            "h:99999",
            "[::1",
            "[x]",
            "h\\@x",
            "h x",
            "a%0d%0aDELE x@h",
            "u:%0ax@h",
            "h:+1",
            "h%2ex",
            "own.example?@evil",
            "own.example#@evil",
            "me:a?b@evil",
            "h?",
            "h#",
            "a@b@c",
            "me@own.example:x@evil",
        ] {
            assert_eq!(Authority::read(text), None, "{text}");
        }
    }
}
