//! From the URI of artifacts to the storage that has them.

use std::env;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use runledger_artifacts::{ArtifactLocation, ArtifactPath, ArtifactUri, LocalRepository, Storages};

use super::ArtifactsError;
use crate::RestStore;

/// MLflow's variable for where a tracking server keeps what is behind its proxy.
const DESTINATION: &str = "MLFLOW_ARTIFACTS_DESTINATION";

/// Opens what the artifact URIs of runs and models name: directories of this machine, the
/// proxy of a tracking server (`mlflow-artifacts:`), and the storages whose cargo features
/// are on (`s3:`, `gs:`, `wasbs:`, …).
///
/// Clones share their connections to storages, which are made when they are first needed.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use runledger::artifacts::ArtifactPlaces;
///
/// let places = ArtifactPlaces::new(None);
/// let found = places.locate("/srv/mlruns/1/7f3a/artifacts").await?;
/// assert_eq!(found.path.as_str(), "artifacts");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct ArtifactPlaces {
    server: Option<RestStore>,
    destination: Option<String>,
    read_only: bool,
    storages: Arc<OnceLock<Storages>>,
}

impl fmt::Debug for ArtifactPlaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArtifactPlaces")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl ArtifactPlaces {
    /// As a client of this server sees them, or of a database or a folder without one.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use runledger::artifacts::ArtifactPlaces;
    /// use runledger::{RestOptions, RestStore};
    ///
    /// let server = RestStore::new("http://localhost:5000", RestOptions::default())?;
    /// let places = ArtifactPlaces::new(Some(server));
    /// let found = places.locate("mlflow-artifacts:/1/7f3a/artifacts").await?;
    /// assert_eq!(found.path.as_str(), "1/7f3a/artifacts");
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(server: Option<RestStore>) -> Self {
        Self {
            server,
            ..Self::default()
        }
    }

    /// With `MLFLOW_ARTIFACTS_DESTINATION`.
    pub(crate) fn from_env(server: Option<RestStore>) -> Self {
        let destination = env::var(DESTINATION).ok();
        let destination = destination.filter(|uri| !uri.is_empty());
        Self {
            destination,
            ..Self::new(server)
        }
    }

    /// With the storage behind `mlflow-artifacts:` URIs, which is opened where there is no
    /// server to ask.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use runledger::artifacts::ArtifactPlaces;
    ///
    /// let places = ArtifactPlaces::new(None).with_destination("/srv/mlartifacts");
    /// let found = places.locate("mlflow-artifacts:/1/7f3a/artifacts").await?;
    /// assert_eq!(found.path.as_str(), "1/7f3a/artifacts");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_destination(self, uri: impl Into<String>) -> Self {
        Self {
            destination: Some(uri.into()),
            ..self
        }
    }

    /// For readers: what is opened for a client refuses to be written to.
    pub(crate) fn read_only(self, read_only: bool) -> Self {
        Self { read_only, ..self }
    }

    pub(super) fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// The repository of a URI, and the path in it. Runs and models (`runs:`, `models:`)
    /// are not looked up.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use runledger::ArtifactsError;
    /// use runledger::artifacts::ArtifactPlaces;
    ///
    /// let places = ArtifactPlaces::new(None);
    /// // Behind which server? Nothing says so.
    /// let refused = places.locate("mlflow-artifacts:/1/7f3a/artifacts").await;
    /// assert!(matches!(refused, Err(ArtifactsError::NoServer { .. })));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ArtifactsError::Uri`], [`ArtifactsError::Option`], [`ArtifactsError::NoServer`],
    /// and [`ArtifactsError::Storage`] for a storage that this build does not know.
    pub async fn locate(&self, uri: &str) -> Result<ArtifactLocation, ArtifactsError> {
        match ArtifactUri::parse(uri)? {
            ArtifactUri::Local(local) => Ok(directory(&local)),
            ArtifactUri::Proxied { authority, path } => {
                self.proxied(uri, authority.as_deref(), path).await
            }
            ArtifactUri::Other { uri, .. } => Ok(self.storages()?.locate(&uri).await?),
            _ => Err(ArtifactsError::NoServer {
                uri: uri.to_owned(),
            }),
        }
    }

    /// What is behind the proxy of the tracking server, or where that keeps it.
    async fn proxied(
        &self,
        uri: &str,
        authority: Option<&str>,
        path: ArtifactPath,
    ) -> Result<ArtifactLocation, ArtifactsError> {
        if let Some(server) = &self.server {
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
                    let location = self.storages()?.locate(&proxy).await?;
                    Ok(ArtifactLocation { path, ..location })
                }
            };
        }
        let Some(destination) = &self.destination else {
            return Err(ArtifactsError::NoServer {
                uri: uri.to_owned(),
            });
        };
        let repository = match ArtifactUri::parse(destination)? {
            ArtifactUri::Local(local) => Arc::new(LocalRepository::new(local)),
            _ => self.storages()?.open(destination).await?,
        };
        Ok(ArtifactLocation { repository, path })
    }

    fn storages(&self) -> Result<&Storages, ArtifactsError> {
        if let Some(storages) = self.storages.get() {
            return Ok(storages);
        }
        let storages = Storages::from_environment(|name| env::var(name).ok())?;
        Ok(self.storages.get_or_init(|| storages))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_this_machine_keeps_its_name() {
        assert_eq!(directory(Path::new("/data/model")).path.as_str(), "model");
        assert!(directory(Path::new("/")).path.is_root());
    }

    #[tokio::test]
    async fn a_proxy_needs_a_server_or_what_is_behind_it() -> Result<(), ArtifactsError> {
        let places = ArtifactPlaces::new(None);
        let refused = places.locate("mlflow-artifacts:/1/r").await;
        assert!(matches!(refused, Err(ArtifactsError::NoServer { .. })));
        let places = places.with_destination("/srv/mlartifacts");
        let found = places.locate("mlflow-artifacts:/1/r").await?;
        assert_eq!(found.path.as_str(), "1/r");
        Ok(())
    }
}
