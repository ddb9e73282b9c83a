//! URIs of sources, taken apart as Python's `urllib.parse` does.

use percent_encoding::percent_decode_str;

/// Decodings after which a text that still changes is refused.
const MAX_ENCODINGS: usize = 16;

/// A URI in its parts, not decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Uri<'a> {
    scheme: String,
    /// The host, with whatever is around it; absent if it is empty.
    pub(super) authority: Option<&'a str>,
    pub(super) path: &'a str,
}

impl<'a> Uri<'a> {
    /// Takes a text apart. Every text can be: what has no scheme is a path.
    pub(super) fn split(uri: &'a str) -> Self {
        let (scheme, rest) = match uri.split_once(':') {
            Some((scheme, rest)) if is_scheme(scheme) => (scheme.to_ascii_lowercase(), rest),
            _ => (String::new(), uri),
        };
        let (authority, rest) = match rest.strip_prefix("//") {
            Some(rest) => {
                let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
                let (authority, rest) = rest.split_at(end);
                (Some(authority).filter(|text| !text.is_empty()), rest)
            }
            None => (None, rest),
        };
        let path = &rest[..rest.find(['?', '#']).unwrap_or(rest.len())];
        Self {
            scheme,
            authority,
            path,
        }
    }

    /// The scheme in lower case; empty if there is none.
    pub(super) fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Whether it is a path of this machine.
    pub(super) fn is_local(&self) -> bool {
        matches!(self.scheme(), "" | "file")
    }

    /// Whether it is in the artifacts that a tracking server keeps: by its own
    /// scheme, or by the address of the proxy.
    pub(super) fn is_of_proxy(&self) -> bool {
        const ROUTE: [&str; 4] = ["api", "2.0", "mlflow-artifacts", "artifacts"];
        match self.scheme() {
            "mlflow-artifacts" => true,
            "http" | "https" => self
                .segments()
                .windows(ROUTE.len())
                .any(|segments| segments == ROUTE),
            _ => false,
        }
    }

    /// Whether it lies at or below another, segment by segment.
    pub(super) fn is_within(&self, root: &str) -> bool {
        let root = Uri::split(root);
        let host = |uri: &Uri<'_>| uri.authority.unwrap_or_default().to_ascii_lowercase();
        let below = root.segments();
        self.scheme == root.scheme
            && host(self) == host(&root)
            && !below.is_empty()
            && self.segments().starts_with(&below)
    }

    /// The segments of the path, decoded.
    fn segments(&self) -> Vec<String> {
        let segments = self.path.split('/').filter(|segment| !segment.is_empty());
        segments
            .map(|segment| decode_all(segment).unwrap_or_default())
            .collect()
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// A text decoded until it does not change any more; `None` if that takes too long.
fn decode_all(text: &str) -> Option<String> {
    let mut text = text.to_owned();
    for _ in 0..MAX_ENCODINGS {
        let decoded = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if decoded == text {
            return Some(text);
        }
        text = decoded;
    }
    None
}

/// Whether the path of a URI is absolute and means itself, however often it is
/// decoded.
pub(super) fn is_absolute(uri: &str) -> bool {
    let Some(decoded) = decode_all(&uri.replace('+', " ")) else {
        return false;
    };
    if decoded.split('/').any(|segment| segment == "..") || decoded.contains('\0') {
        return false;
    }
    let path = Uri::split(&decoded).path.trim_end_matches('/');
    path.starts_with('/') && path.split('/').all(|segment| segment != ".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_taken_apart() {
        let uri = Uri::split("S3://bucket/a/b?c#d");
        assert_eq!(
            (uri.scheme(), uri.authority, uri.path),
            ("s3", Some("bucket"), "/a/b")
        );
        let uri = Uri::split("runs:/r/m");
        assert_eq!(
            (uri.scheme(), uri.authority, uri.path),
            ("runs", None, "/r/m")
        );
        for local in ["/a/b:c", "a", "file:///x", "file:x", ""] {
            assert!(Uri::split(local).is_local(), "{local}");
        }
        for remote in ["s3://b/x", "models:/m/1", "c:/x"] {
            assert!(!Uri::split(remote).is_local(), "{remote}");
        }
    }

    #[test]
    fn a_path_must_be_absolute_however_it_is_encoded() {
        for good in [
            "s3://bucket/path",
            "s3://b//path/",
            "runs:/r/model",
            "models:/m/1",
            "mlflow-artifacts:/1/r",
            "https://h/a%20b",
        ] {
            assert!(is_absolute(good), "{good}");
        }
        for bad in [
            "s3://bucket",
            "s3://bucket/",
            "s3://b/../x",
            "s3://b/%2e%2e/x",
            "s3://b/%252e%252e/x",
            "mlflow-artifacts://h:1/..%2f..%2fx",
            "https://h/a/./b",
            "https://h/a%00b",
            "s3:x",
            "../x",
        ] {
            assert!(!is_absolute(bad), "{bad}");
        }
    }

    #[test]
    fn the_proxy_is_known_by_scheme_and_by_address() {
        for proxied in [
            "mlflow-artifacts:/1",
            "mlflow-artifacts://h/1",
            "http://h/api/2.0/mlflow-artifacts/artifacts/1",
            "https://h/prefix/api/2.0/mlflow%2Dartifacts/artifacts/1",
        ] {
            assert!(Uri::split(proxied).is_of_proxy(), "{proxied}");
        }
        for other in [
            "http://h/api/2.0/mlflow/artifacts/1",
            "s3://b/mlflow-artifacts",
        ] {
            assert!(!Uri::split(other).is_of_proxy(), "{other}");
        }
    }

    #[test]
    fn what_lies_below_a_root_has_its_segments() {
        let root = "mlflow-artifacts:/1/r/artifacts";
        for inside in [
            root,
            "mlflow-artifacts:/1/r/artifacts/model",
            "MLFLOW-artifacts:/1/%72/artifacts",
        ] {
            assert!(Uri::split(inside).is_within(root), "{inside}");
        }
        for outside in [
            "mlflow-artifacts:/1/r/artifacts-of-another",
            "mlflow-artifacts:/1/q/artifacts",
            "mlflow-artifacts://h/1/r/artifacts",
            "http://h/1/r/artifacts",
            "mlflow-artifacts:/1/r",
        ] {
            assert!(!Uri::split(outside).is_within(root), "{outside}");
        }
        assert!(!Uri::split("mlflow-artifacts:/x").is_within("mlflow-artifacts:/"));
    }
}
