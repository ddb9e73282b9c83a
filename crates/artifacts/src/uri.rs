//! Artifact locations: the `artifact_uri` of a run, the `artifact_location`
//! of an experiment.

use std::path::{Component, Path, PathBuf};

use percent_encoding::percent_decode;

use crate::{ArtifactPath, InvalidPath};

/// Bytes of a location.
const MAX_BYTES: usize = 8192;

/// Why a text is no artifact location.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidUri {
    /// The text is empty.
    #[error("The artifact location is empty")]
    Empty,
    /// The text is too long.
    #[error("The artifact location is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// The path in it would leave its root.
    #[error("The artifact location '{}' has an invalid path", redacted(uri))]
    Path {
        /// The location.
        uri: String,
        /// What is wrong with the path.
        #[source]
        source: InvalidPath,
    },
    /// It is not what locations of its storage look like.
    #[error("The artifact location '{}' is not of the form {form}", redacted(uri))]
    Storage {
        /// The location.
        uri: String,
        /// The form.
        form: &'static str,
    },
    /// It names a file of another machine.
    #[error("The artifact location '{uri}' names a host; a 'file:' location must not")]
    FileHost {
        /// The location.
        uri: String,
    },
}

/// An artifact location, taken apart exactly once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArtifactUri {
    /// `mlflow-artifacts:/path` or `mlflow-artifacts://host:port/path`: below
    /// the artifacts destination of a tracking server.
    Proxied {
        /// The host and port, if it names them.
        authority: Option<String>,
        /// The path below the destination.
        path: ArtifactPath,
    },
    /// A path on this machine, plain or as a `file:` URI. It has no `..`; it
    /// may be relative.
    Local(PathBuf),
    /// Any other scheme, kept as it is.
    Other {
        /// The scheme, lower case: `s3`, `https`, ….
        scheme: String,
        /// The whole text.
        uri: String,
    },
}

impl ArtifactUri {
    /// Reads a location.
    ///
    /// The path of a `mlflow-artifacts:` or `file:` location is
    /// percent-decoded once; a plain path is taken as it is.
    ///
    /// # Errors
    /// [`InvalidUri`] if it is empty or too long, or its path has a `..` or is
    /// no [`ArtifactPath`].
    pub fn parse(uri: &str) -> Result<Self, InvalidUri> {
        if uri.is_empty() {
            return Err(InvalidUri::Empty);
        }
        if uri.len() > MAX_BYTES {
            return Err(InvalidUri::TooLong);
        }
        let Some((scheme, rest)) = split_scheme(uri) else {
            return local(uri, PathBuf::from(uri));
        };
        match scheme.to_ascii_lowercase().as_str() {
            "mlflow-artifacts" => proxied(uri, rest),
            "file" => file(uri, rest),
            scheme => Ok(Self::Other {
                scheme: scheme.to_owned(),
                uri: uri.to_owned(),
            }),
        }
    }
}

/// Splits `scheme:rest`. A single letter is a drive, not a scheme.
pub(crate) fn split_scheme(uri: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = uri.split_once(':')?;
    let legal = scheme.len() > 1
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    legal.then_some((scheme, rest))
}

/// Splits `//authority/path` into its two parts; the path keeps its slash.
pub(crate) fn split_authority(rest: &str) -> (Option<&str>, &str) {
    let Some(rest) = rest.strip_prefix("//") else {
        return (None, rest);
    };
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    (Some(authority).filter(|text| !text.is_empty()), path)
}

fn proxied(uri: &str, rest: &str) -> Result<ArtifactUri, InvalidUri> {
    let invalid = |source| InvalidUri::Path {
        uri: uri.to_owned(),
        source,
    };
    let (authority, path) = split_authority(rest);
    if path.contains(['?', '#']) {
        return Err(invalid(InvalidPath::new("it has a query or fragment")));
    }
    let path = path.strip_prefix('/').unwrap_or(path);
    Ok(ArtifactUri::Proxied {
        authority: authority.map(str::to_owned),
        path: ArtifactPath::decode(path).map_err(invalid)?,
    })
}

fn file(uri: &str, rest: &str) -> Result<ArtifactUri, InvalidUri> {
    let (authority, path) = split_authority(rest);
    if authority.is_some_and(|host| !host.eq_ignore_ascii_case("localhost")) {
        return Err(InvalidUri::FileHost {
            uri: uri.to_owned(),
        });
    }
    let decoded = percent_decode(path.as_bytes())
        .decode_utf8()
        .map_err(|_| InvalidUri::Path {
            uri: uri.to_owned(),
            source: InvalidPath::new("it is not UTF-8"),
        })?;
    local(uri, PathBuf::from(decoded.as_ref()))
}

fn local(uri: &str, path: PathBuf) -> Result<ArtifactUri, InvalidUri> {
    let reason = if path.as_os_str().is_empty() {
        "it is empty"
    } else if has_parent(&path) {
        "it holds a '..' segment"
    } else if path.as_os_str().as_encoded_bytes().contains(&0) {
        "it holds a control character"
    } else {
        return Ok(ArtifactUri::Local(path));
    };
    Err(InvalidUri::Path {
        uri: uri.to_owned(),
        source: InvalidPath::new(reason),
    })
}

fn has_parent(path: &Path) -> bool {
    path.components()
        .any(|component| component == Component::ParentDir)
}

/// A location without what may be secret in it: user, password and query.
///
/// ```
/// use runledger_artifacts::redacted;
///
/// assert_eq!(redacted("ftp://me:secret@host/a@b"), "ftp://…@host/a@b");
/// assert_eq!(redacted("wasbs://c@a.blob.core.windows.net/x?sig=1"), "wasbs://c@a.blob.core.windows.net/x?…");
/// ```
pub fn redacted(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else {
        return uri.to_owned();
    };
    let (rest, query) = match rest.split_once('?') {
        Some((rest, _)) => (rest, "?…"),
        None => (rest, ""),
    };
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    // What is before the host is a container there.
    let is_azure = scheme.starts_with("wasb") || scheme.starts_with("abfs");
    let authority = match authority.rsplit_once('@') {
        Some((user, host)) if !is_azure || user.contains(':') => format!("…@{host}"),
        _ => authority.to_owned(),
    };
    format!("{scheme}://{authority}{path}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxied_path(uri: &str) -> String {
        match ArtifactUri::parse(uri) {
            Ok(ArtifactUri::Proxied { path, .. }) => path.to_string(),
            other => panic!("{uri}: {other:?}"),
        }
    }

    #[test]
    fn every_form_of_a_proxied_location_is_read() {
        for uri in [
            "mlflow-artifacts:/1/r/artifacts",
            "mlflow-artifacts:1/r/artifacts",
            "mlflow-artifacts:///1/r/artifacts",
            "mlflow-artifacts://host:5000/1/r/artifacts",
            "MLflow-Artifacts:/1/r%2Fartifacts",
        ] {
            if uri.contains('%') {
                // One decoding: the separator is plain text afterwards.
                assert_eq!(proxied_path(uri), "1/r/artifacts");
            } else {
                assert_eq!(proxied_path(uri), "1/r/artifacts", "{uri}");
            }
        }
        assert_eq!(proxied_path("mlflow-artifacts:/"), "");
    }

    #[test]
    fn a_proxied_location_cannot_escape() {
        for uri in [
            "mlflow-artifacts:/../x",
            "mlflow-artifacts:/%2e%2e/x",
            "mlflow-artifacts:/%252e%252e/x",
            "mlflow-artifacts://h/../x",
            "mlflow-artifacts:////etc",
            "mlflow-artifacts:/a#/../x",
            "mlflow-artifacts:/a?b=../x",
        ] {
            assert!(ArtifactUri::parse(uri).is_err(), "{uri}");
        }
    }

    #[test]
    fn local_locations_are_plain_paths_or_file_uris() {
        let local = |path: &str| Ok(ArtifactUri::Local(PathBuf::from(path)));
        assert_eq!(ArtifactUri::parse("./mlruns/0"), local("./mlruns/0"));
        assert_eq!(ArtifactUri::parse("/data/0"), local("/data/0"));
        assert_eq!(ArtifactUri::parse("file:///data/a%20b"), local("/data/a b"));
        assert_eq!(ArtifactUri::parse("file:/data"), local("/data"));
        assert_eq!(ArtifactUri::parse("file://localhost/data"), local("/data"));
    }

    #[test]
    fn a_local_location_cannot_escape() {
        for uri in [
            "../x",
            "/a/../x",
            "file:///a/%2e%2e/x",
            "file://host/x",
            "file:",
            "",
        ] {
            assert!(ArtifactUri::parse(uri).is_err(), "{uri}");
        }
    }

    #[test]
    fn other_schemes_are_kept() {
        assert_eq!(
            ArtifactUri::parse("S3://bucket/a/../b"),
            Ok(ArtifactUri::Other {
                scheme: "s3".to_owned(),
                uri: "S3://bucket/a/../b".to_owned()
            })
        );
    }
}
