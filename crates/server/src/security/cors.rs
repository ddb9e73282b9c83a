//! Origins: whose pages may write, and whose may read the answers.

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS,
};
use http::{HeaderMap, HeaderValue};

use super::pattern;

/// The methods that a preflight answer names.
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, DELETE, OPTIONS, PATCH");

/// Whose pages may use the server.
#[derive(Debug)]
pub(super) struct Origins {
    allowed: Vec<String>,
    any: bool,
}

/// What an origin may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Write, and read with the user's credentials.
    Full,
    /// Write and read, without credentials: every origin is allowed.
    Anonymous,
    /// Nothing: its writes are refused, its pages cannot read answers.
    Refused,
}

impl Origins {
    pub(super) fn new(allowed: &[String]) -> Self {
        Self {
            any: allowed.iter().any(|entry| entry == "*"),
            allowed: allowed.to_vec(),
        }
    }

    /// What the pages of `origin` may do on the server that they know as `host`.
    pub(super) fn access(&self, origin: &str, host: Option<&str>) -> Access {
        let authority = authority(origin);
        let same = authority
            .is_some_and(|authority| host.is_some_and(|host| host.eq_ignore_ascii_case(authority)));
        if same
            || authority.is_some_and(is_local)
            || self
                .allowed
                .iter()
                .any(|entry| entry != "*" && pattern::matches(entry, origin))
        {
            Access::Full
        } else if self.any {
            Access::Anonymous
        } else {
            Access::Refused
        }
    }
}

/// The host and port of an origin; `null` and other schemes have none.
fn authority(origin: &str) -> Option<&str> {
    let (scheme, authority) = origin.split_once("://")?;
    let known = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    known.then_some(authority)
}

/// Whether an authority is this machine by name or loopback address, on any
/// port.
fn is_local(authority: &str) -> bool {
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| {
        let (Some(start), Some(rest)) = (authority.get(..name.len()), authority.get(name.len()..))
        else {
            return false;
        };
        start.eq_ignore_ascii_case(name)
            && (rest.is_empty()
                || rest.strip_prefix(':').is_some_and(|port| {
                    !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
                }))
    })
}

/// Adds the headers that let a page of `origin` read the answer.
pub(super) fn allow_reading(headers: &mut HeaderMap, origin: &HeaderValue, access: Access) {
    match access {
        Access::Refused => return,
        Access::Anonymous => {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        }
        Access::Full => {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            headers.insert(
                ACCESS_CONTROL_ALLOW_CREDENTIALS,
                HeaderValue::from_static("true"),
            );
        }
    }
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
}

/// Adds what a preflight answer says beyond [`allow_reading`].
pub(super) fn allow_writing(headers: &mut HeaderMap, request: &HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    if let Some(wanted) = request.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(allowed: &[&str], origin: &str) -> Access {
        let allowed: Vec<_> = allowed.iter().map(|&entry| entry.to_owned()).collect();
        Origins::new(&allowed).access(origin, Some("mlflow.lan:5000"))
    }

    #[test]
    fn local_pages_have_full_access() {
        for origin in [
            "http://localhost:3000",
            "https://localhost",
            "http://127.0.0.1:1",
            "http://[::1]:3",
        ] {
            assert_eq!(access(&[], origin), Access::Full, "{origin}");
        }
    }

    #[test]
    fn the_servers_own_page_has_full_access() {
        assert_eq!(access(&[], "http://mlflow.lan:5000"), Access::Full);
        assert_eq!(access(&[], "http://mlflow.lan"), Access::Refused);
    }

    #[test]
    fn other_pages_have_none() {
        for origin in [
            "http://evil.com",
            "null",
            "",
            "http://localhost.evil.com",
            "http://localhost:80.evil.com",
            "http://localhost:",
            "ftp://localhost",
            "http://192.168.1.1",
            "localhost",
        ] {
            assert_eq!(access(&[], origin), Access::Refused, "{origin}");
        }
    }

    #[test]
    fn the_list_adds_origins() {
        let list = ["https://*.example.com"];
        assert_eq!(access(&list, "https://ui.example.com"), Access::Full);
        assert_eq!(
            access(&list, "https://example.com.evil.org"),
            Access::Refused
        );
        assert_eq!(access(&["*"], "http://evil.com"), Access::Anonymous);
        assert_eq!(access(&["*"], "http://localhost"), Access::Full);
    }
}
