//! What the URL of a webhook says.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{Uri, uri::Authority};
use percent_encoding::percent_decode_str;

/// Where a request goes.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Whether it is `https`.
    pub(super) is_secure: bool,
    /// The host's name or address, without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// The header `Host`.
    pub(super) authority: String,
    /// The path with the query string.
    pub(super) path: String,
    /// The header `Authorization`, of a URL with a user.
    pub(super) authorization: Option<String>,
}

impl Target {
    /// Reads a URL; the error says what is wrong with it.
    pub(super) fn of(url: &str) -> Result<Self, &'static str> {
        let uri: Uri = url
            .trim()
            .parse()
            .map_err(|_| "it is no URL; names in other letters must be written as punycode")?;
        let scheme = uri.scheme_str().unwrap_or_default();
        let is_secure = if scheme.eq_ignore_ascii_case("https") {
            true
        } else if scheme.eq_ignore_ascii_case("http") {
            false
        } else {
            return Err("only http and https can be sent to");
        };
        let authority = uri.authority().ok_or("it names no host")?;
        let (user, place) = match authority.as_str().rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority.as_str()),
        };
        let host = authority.host();
        let port = port(authority, place, is_secure)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err("it names no host");
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            is_secure,
            host: host.to_owned(),
            port,
            authority: place.to_owned(),
            path: if path.starts_with('/') {
                path.to_owned()
            } else {
                format!("/{path}")
            },
            authorization: user.map(basic),
        })
    }
}

fn port(authority: &Authority, place: &str, is_secure: bool) -> Result<u16, &'static str> {
    let after = place.strip_prefix(authority.host()).unwrap_or_default();
    match after.strip_prefix(':') {
        None | Some("") => Ok(if is_secure { 443 } else { 80 }),
        Some(port) => match port.parse() {
            Ok(port) if port > 0 => Ok(port),
            _ => Err("its port is no number from 1 to 65535"),
        },
    }
}

/// The user and password of a URL as HTTP's basic authentication.
fn basic(user: &str) -> String {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let mut pair = percent_decode_str(name).collect::<Vec<u8>>();
    pair.push(b':');
    pair.extend(percent_decode_str(password));
    format!("Basic {}", BASE64_STANDARD.encode(pair))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_to_go() {
        for (url, secure, host, port, authority, path) in [
            ("https://h", true, "h", 443, "h", "/"),
            (
                "HTTP://h:8080/x?y=z#f",
                false,
                "h",
                8080,
                "h:8080",
                "/x?y=z",
            ),
            ("https://[::1]:1/a", true, "::1", 1, "[::1]:1", "/a"),
            (" https://h?q", true, "h", 443, "h", "/?q"),
        ] {
            let target = Target::of(url).map_err(|error| format!("{url}: {error}"));
            let target = target.unwrap();
            assert_eq!(target.is_secure, secure, "{url}");
            assert_eq!((&*target.host, target.port), (host, port));
            assert_eq!((&*target.authority, &*target.path), (authority, path));
            assert_eq!(target.authorization, None);
        }
    }

    #[test]
    fn a_user_in_it_becomes_a_header() {
        let target = Target::of("https://me:p%40ss@h:1/").unwrap();
        assert_eq!(target.authority, "h:1");
        let basic = target.authorization.as_deref();
        assert_eq!(basic, Some("Basic bWU6cEBzcw=="));
    }

    #[test]
    fn what_cannot_be_sent_to_is_refused() {
        for url in [
            "",
            "h",
            "/x",
            "http://",
            "http://a b/",
            "http://é/",
            "ftp://h/",
            "http://h:99999/",
            "http://h:0/",
            "http://h:x/",
            "http://[::1",
        ] {
            assert!(Target::of(url).is_err(), "{url}");
        }
    }
}
