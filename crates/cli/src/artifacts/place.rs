//! From what the command line names to a repository and a path in it.

use runledger::artifacts::ArtifactPlaces;
use runledger_artifacts::transfer::{Place, TransferError, path};
use runledger_artifacts::{ArtifactLocation, ArtifactPath, ArtifactUri, redacted};
use runledger_entities::ModelUri;

use super::error::ArtifactsError;
use super::tracking::Tracking;
use crate::args::Which;

/// How often a model may be another one.
const HOPS: usize = 8;

/// Finds what the flags name.
pub(crate) async fn find(which: &Which) -> Result<Place, ArtifactsError> {
    let finder = Finder { which };
    if let Some(uri) = &which.artifact_uri {
        let Found { location, origin } = finder.locate(uri, None).await?;
        return Ok(Place {
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
    Ok(Place {
        origin,
        may_be_missing: shown.is_root(),
        path: joined(&location.path, &shown)?,
        repository: location.repository,
        shown,
    })
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
    base.join(inner).map_err(|source| {
        let path = inner.to_string();
        TransferError::Path { path, source }.into()
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
        let opened;
        let mut tracking = tracking;
        if let ArtifactUri::Proxied { authority, .. } = ArtifactUri::parse(uri)? {
            if tracking.is_none() && self.is_served() {
                opened = self.tracking().await?;
                tracking = Some(&opened);
            }
            // A server that was named is not one's own storage.
            let is_named = authority.is_some() && self.which.artifact_uri.as_deref() == Some(uri);
            if is_named && !matches!(tracking, Some(Tracking::Server(_))) {
                return Err(ArtifactsError::NoServer {
                    uri: uri.to_owned(),
                });
            }
        }
        let mut places = ArtifactPlaces::new(match tracking {
            Some(Tracking::Server(server)) => Some(server.clone()),
            _ => None,
        });
        let destination = self.which.artifacts_destination.as_deref();
        if let Some(destination) = destination.filter(|uri| !uri.is_empty()) {
            places = places.with_destination(destination);
        }
        Ok(places.locate(uri).await?)
    }

    /// Whether the tracking URI is that of a server.
    fn is_served(&self) -> bool {
        let uri = self.which.tracking_uri.as_deref().unwrap_or_default();
        uri.to_ascii_lowercase().starts_with("http")
    }
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
    fn only_a_run_may_have_nothing() {
        assert!(is_run("runs:/r") && is_run("RUNS:/r/"));
        for uri in ["runs:/r/model", "models:/m/1", "s3://b", "/tmp/x"] {
            assert!(!is_run(uri), "{uri}");
        }
    }
}
