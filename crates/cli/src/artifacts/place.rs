//! From what the command line names to a repository and a path in it.

use std::path::Path;
use std::sync::Arc;

use runledger_artifacts::{
    ArtifactLocation, ArtifactPath, ArtifactRepository, ArtifactUri, LocalRepository, Storages,
    redacted,
};
use runledger_entities::ModelUri;

use super::error::ArtifactsError;
use super::tracking::Tracking;
use crate::args::Which;

/// How often a model may be another one.
const HOPS: usize = 8;

/// Artifacts that are there, or will be.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) repository: Arc<dyn ArtifactRepository>,
    /// The path in the repository.
    pub(super) path: ArtifactPath,
    /// What of it stays in the names of a download: the path in the artifacts of a
    /// run, the last name of a URI.
    pub(super) shown: ArtifactPath,
    /// Where it is, for the eye and to tell it from others; no password is in it.
    pub(super) origin: String,
    /// Whether nothing being there is no error: of a run that has logged no file.
    pub(super) may_be_missing: bool,
}

/// A text as a path.
pub(super) fn path(text: &str) -> Result<ArtifactPath, ArtifactsError> {
    ArtifactPath::parse(text).map_err(|source| ArtifactsError::Path {
        path: text.to_owned(),
        source,
    })
}

impl Place {
    /// Finds what the flags name.
    pub(super) async fn find(which: &Which) -> Result<Self, ArtifactsError> {
        let finder = Finder { which };
        if let Some(uri) = &which.artifact_uri {
            let Found { location, origin } = finder.locate(uri, None).await?;
            return Ok(Self {
                shown: last_name(uri, &location.path),
                repository: location.repository,
                path: location.path,
                origin,
                may_be_missing: is_run(uri),
            });
        }
        let shown = path(which.artifact_path.as_deref().unwrap_or_default())?;
        let tracking = finder.tracking().await?;
        let uri = tracking.of_run(which.run_id.as_deref().unwrap_or_default());
        let Found { location, origin } = finder.locate(&uri.await?, Some(tracking)).await?;
        Ok(Self {
            origin,
            may_be_missing: shown.is_root(),
            path: joined(&location.path, &shown)?,
            repository: location.repository,
            shown,
        })
    }
}

/// Whether a URI names a run, and nothing in it.
fn is_run(uri: &str) -> bool {
    let scheme = uri.split(':').next().unwrap_or_default();
    scheme.eq_ignore_ascii_case("runs") && split_owner(uri).is_some_and(|(_, rest)| rest.is_empty())
}

/// The last segment of what a URI names below a run or a root, if there is one.
fn last_name(uri: &str, found: &ArtifactPath) -> ArtifactPath {
    let is_whole = match split_owner(uri) {
        Some((_, rest)) => rest.is_empty(),
        None => false,
    };
    let name = found.file_name().filter(|_| !is_whole).unwrap_or_default();
    ArtifactPath::parse(name).unwrap_or_default()
}

fn joined(base: &ArtifactPath, inner: &ArtifactPath) -> Result<ArtifactPath, ArtifactsError> {
    base.join(inner).map_err(|source| ArtifactsError::Path {
        path: inner.to_string(),
        source,
    })
}

/// Splits a `runs:/` or `models:/` URI after the run or model.
fn split_owner(uri: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = uri.split_once(":/")?;
    let rest = rest.trim_start_matches('/');
    let offset = uri.len() - rest.len();
    let mut segments = 1;
    match scheme.to_ascii_lowercase().as_str() {
        "runs" => {}
        "models" => {
            let first = rest.split('/').next().unwrap_or_default();
            if !first.contains('@') && !first.starts_with("m-") {
                segments = 2;
            }
        }
        _ => return None,
    }
    let mut end = 0;
    for segment in rest.split('/').take(segments) {
        end += segment.len() + 1;
    }
    let end = (end - 1).min(rest.len());
    let (owner, path) = uri.split_at(offset + end);
    Some((owner, path.trim_start_matches('/')))
}

/// A storage, and where it is.
struct Found {
    location: ArtifactLocation,
    origin: String,
}

struct Finder<'a> {
    which: &'a Which,
}

impl Finder<'_> {
    async fn tracking(&self) -> Result<Tracking, ArtifactsError> {
        Tracking::open(self.which.tracking_uri.as_deref()).await
    }

    /// Follows runs and models to where their files are.
    async fn locate(&self, uri: &str, tracking: Option<Tracking>) -> Result<Found, ArtifactsError> {
        let mut tracking = tracking;
        let (mut current, mut inner) = (uri.to_owned(), ArtifactPath::root());
        for _ in 0..HOPS {
            let Some((owner, rest)) = split_owner(&current) else {
                let location = self.storage(&current, tracking.as_ref()).await?;
                let server = match &tracking {
                    Some(Tracking::Server(server)) => server.address(),
                    _ => "",
                };
                return Ok(Found {
                    origin: format!("{server} {}", redacted(&current)),
                    location: ArtifactLocation {
                        path: joined(&location.path, &inner)?,
                        ..location
                    },
                });
            };
            inner = joined(&path(rest)?, &inner)?;
            let asked = match &tracking {
                Some(tracking) => tracking,
                None => tracking.insert(self.tracking().await?),
            };
            let form = |form| ArtifactsError::Form {
                uri: owner.to_owned(),
                form,
            };
            let next = if let Some(id) = owner.get("runs:/".len()..)
                && owner.to_ascii_lowercase().starts_with("runs:/")
            {
                let id = id.trim_start_matches('/');
                if id.is_empty() {
                    return Err(form("runs:/<run id>/<path>"));
                }
                asked.of_run(id).await?
            } else {
                let model = ModelUri::parse(owner).ok_or_else(|| {
                    form("models:/<name>/<version>, models:/<name>@<alias> or models:/<model id>")
                })?;
                asked.of_model(&model).await?
            };
            current = next;
        }
        Err(ArtifactsError::Endless {
            uri: uri.to_owned(),
        })
    }

    /// The storage of a location that names no run or model.
    async fn storage(
        &self,
        uri: &str,
        tracking: Option<&Tracking>,
    ) -> Result<ArtifactLocation, ArtifactsError> {
        match ArtifactUri::parse(uri)? {
            ArtifactUri::Local(local) => Ok(directory(&local)),
            ArtifactUri::Proxied { authority, path } => {
                self.proxied(uri, authority, path, tracking).await
            }
            ArtifactUri::Other { uri, .. } => Ok(storages()?.locate(&uri).await?),
            _ => Err(ArtifactsError::NoServer {
                uri: uri.to_owned(),
            }),
        }
    }

    /// What is behind the proxy of the tracking server, or where that keeps it.
    async fn proxied(
        &self,
        uri: &str,
        authority: Option<String>,
        path: ArtifactPath,
        tracking: Option<&Tracking>,
    ) -> Result<ArtifactLocation, ArtifactsError> {
        let opened;
        let tracking = match tracking {
            Some(tracking) => Some(tracking),
            None if self.is_served() => {
                opened = self.tracking().await?;
                Some(&opened)
            }
            None => None,
        };
        if let Some(Tracking::Server(server)) = tracking {
            let (scheme, rest) = server.address().split_once("://").unwrap_or_default();
            let host = rest.split('/').next().unwrap_or_default();
            let other = authority.filter(|other| !other.eq_ignore_ascii_case(host));
            return match other {
                None => Ok(ArtifactLocation {
                    repository: server.artifacts(&ArtifactPath::root()),
                    path,
                }),
                // Another server, which does not get this one's account.
                Some(other) => {
                    let proxy = format!("{scheme}://{other}/api/2.0/mlflow-artifacts/artifacts");
                    let location = storages()?.locate(&proxy).await?;
                    Ok(ArtifactLocation { path, ..location })
                }
            };
        }
        // A server that was named is not one's own storage.
        let is_named = authority.is_some() && self.which.artifact_uri.as_deref() == Some(uri);
        if is_named {
            return Err(ArtifactsError::NoServer {
                uri: uri.to_owned(),
            });
        }
        let destination = self.which.artifacts_destination.as_deref();
        let destination = destination.filter(|uri| !uri.is_empty());
        let destination = destination.ok_or_else(|| ArtifactsError::NoServer {
            uri: uri.to_owned(),
        })?;
        let repository = match ArtifactUri::parse(destination)? {
            ArtifactUri::Local(local) => Arc::new(LocalRepository::new(local)),
            _ => storages()?.open(destination).await?,
        };
        Ok(ArtifactLocation { repository, path })
    }

    /// Whether the tracking URI is that of a server.
    fn is_served(&self) -> bool {
        let uri = self.which.tracking_uri.as_deref().unwrap_or_default();
        uri.to_ascii_lowercase().starts_with("http")
    }
}

/// A directory or file of this machine: its name in the directory that it is in.
fn directory(local: &Path) -> ArtifactLocation {
    let name = local.file_name().and_then(|name| name.to_str());
    let name = name.and_then(|name| ArtifactPath::parse(name).ok());
    match (local.parent(), name) {
        (Some(parent), Some(path)) => ArtifactLocation {
            repository: Arc::new(LocalRepository::new(parent)),
            path,
        },
        _ => ArtifactLocation {
            repository: Arc::new(LocalRepository::new(local)),
            path: ArtifactPath::root(),
        },
    }
}

fn storages() -> Result<Storages, ArtifactsError> {
    Ok(Storages::from_environment(|name| std::env::var(name).ok())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_and_paths_are_taken_apart() {
        for (uri, owner, rest) in [
            ("runs:/r1/model/MLmodel", "runs:/r1", "model/MLmodel"),
            ("runs:/r1", "runs:/r1", ""),
            ("RUNS:/r1/", "RUNS:/r1", ""),
            ("models:/m-1/x", "models:/m-1", "x"),
            ("models:/a b/3/x/y", "models:/a b/3", "x/y"),
            ("models:/a@best", "models:/a@best", ""),
            ("models:/a@best/x", "models:/a@best", "x"),
            ("models:/a", "models:/a", ""),
        ] {
            assert_eq!(split_owner(uri), Some((owner, rest)), "{uri}");
        }
        for uri in ["s3://b/x", "mlflow-artifacts:/x", "/tmp/x", "x"] {
            assert_eq!(split_owner(uri), None, "{uri}");
        }
    }

    #[test]
    fn a_download_of_a_uri_keeps_its_last_name() {
        let name = |uri: &str, found: &str| last_name(uri, &path(found).unwrap()).to_string();
        assert_eq!(name("runs:/r/model", "1/r/artifacts/model"), "model");
        assert_eq!(name("runs:/r", "1/r/artifacts"), "");
        assert_eq!(name("s3://b/a/f", "a/f"), "f");
    }

    #[test]
    fn what_is_on_this_machine_keeps_its_name() {
        assert_eq!(directory(Path::new("/data/model")).path.as_str(), "model");
        assert!(directory(Path::new("/")).path.is_root());
    }

    #[test]
    fn only_a_run_may_have_nothing() {
        assert!(is_run("runs:/r") && is_run("RUNS:/r/"));
        for uri in ["runs:/r/model", "models:/m/1", "s3://b", "/tmp/x"] {
            assert!(!is_run(uri), "{uri}");
        }
    }
}
