//! Which locations this process serves, and which repository holds each.
//!
//! On this machine that is a list of directories. Beyond it, a location of any
//! bucket is opened with the credentials of this process, as MLflow 3.17 does:
//! who must not reach a bucket through the server must not be let to create
//! experiments, or the credentials must not open it. Locations that name hosts
//! are held to the [`HostPolicy`].

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{
    ArtifactError, ArtifactPath, ArtifactRepository, ArtifactUri, HostPolicy, InvalidPath,
    LocalRepository, Storages,
};

/// The configured locations: an allow-list.
///
/// A location that a client wrote into a run or an experiment is opened only
/// if it lies below one of these, or in a storage that is allowed, whatever
/// else it says.
#[derive(Clone, Debug, Default)]
pub struct ArtifactRoots {
    proxied: Option<Arc<dyn ArtifactRepository>>,
    local: Vec<LocalRoot>,
    storages: Option<(Arc<Storages>, HostPolicy)>,
}

#[derive(Clone, Debug)]
struct LocalRoot {
    directory: PathBuf,
    repository: Arc<dyn ArtifactRepository>,
}

/// Where a location is.
#[derive(Clone, Debug)]
pub struct ArtifactLocation {
    /// The repository.
    pub repository: Arc<dyn ArtifactRepository>,
    /// The path in it.
    pub path: ArtifactPath,
}

impl ArtifactRoots {
    /// No location at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Serves `mlflow-artifacts:` locations from this repository, the
    /// artifacts destination.
    #[must_use]
    pub fn with_proxied(mut self, repository: Arc<dyn ArtifactRepository>) -> Self {
        self.proxied = Some(repository);
        self
    }

    /// Serves local paths and `file:` locations below this directory. It need
    /// not exist yet.
    ///
    /// # Errors
    /// If the directory is relative and the current directory is unknown.
    pub fn with_local(mut self, directory: &Path) -> io::Result<Self> {
        let directory = std::path::absolute(directory)?;
        self.local.push(LocalRoot {
            repository: Arc::new(LocalRepository::new(directory.clone())),
            directory,
        });
        Ok(self)
    }

    /// Serves locations of these storages, as far as they name no host that
    /// `hosts` does not trust.
    #[must_use]
    pub fn with_storages(mut self, storages: Arc<Storages>, hosts: HostPolicy) -> Self {
        self.storages = Some((storages, hosts));
        self
    }

    /// The repository of `mlflow-artifacts:` locations, if they are served.
    pub fn proxied(&self) -> Option<&Arc<dyn ArtifactRepository>> {
        self.proxied.as_ref()
    }

    /// Finds the repository and path of an `artifact_uri`.
    ///
    /// The host of a `mlflow-artifacts://host/…` location is ignored: the path
    /// is taken below this server's own destination, as in MLflow 3.17.
    ///
    /// # Errors
    /// [`ArtifactError::InvalidUri`] for a location that cannot be read,
    /// [`ArtifactError::NotServed`] for one outside of the configured roots,
    /// [`ArtifactError::ForeignUser`] for one that names another user.
    pub async fn resolve(&self, uri: &str) -> Result<ArtifactLocation, ArtifactError> {
        let not_served = || ArtifactError::NotServed {
            uri: uri.to_owned(),
        };
        match ArtifactUri::parse(uri)? {
            ArtifactUri::Proxied { path, .. } => Ok(ArtifactLocation {
                repository: self.proxied.clone().ok_or_else(not_served)?,
                path,
            }),
            ArtifactUri::Local(path) => {
                let path = std::path::absolute(path).map_err(|_| not_served())?;
                self.local
                    .iter()
                    .find_map(|root| root.locate(&path))
                    .unwrap_or_else(|| Err(not_served()))
            }
            ArtifactUri::Other { scheme, .. } => {
                let (storages, hosts) = self.storages.as_ref().ok_or_else(not_served)?;
                if !storages.know(&scheme) {
                    return Err(not_served());
                }
                match hosts.check(uri) {
                    Ok(()) => storages.locate(uri).await,
                    Err(source) if source.user.is_some() => Err(ArtifactError::ForeignUser {
                        uri: uri.to_owned(),
                        source,
                    }),
                    Err(_) => Err(not_served()),
                }
            }
        }
    }
}

impl LocalRoot {
    fn locate(&self, path: &Path) -> Option<Result<ArtifactLocation, ArtifactError>> {
        let inner = path.strip_prefix(&self.directory).ok()?;
        let location = inner
            .to_str()
            .ok_or(InvalidPath::new("it is not UTF-8"))
            .and_then(ArtifactPath::parse)
            .map(|path| ArtifactLocation {
                repository: Arc::clone(&self.repository),
                path,
            });
        Some(location.map_err(ArtifactError::from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots() -> ArtifactRoots {
        ArtifactRoots::new()
            .with_proxied(Arc::new(LocalRepository::new("/srv/mlartifacts")))
            .with_local(Path::new("/srv/mlruns"))
            .unwrap()
    }

    #[tokio::test]
    async fn locations_below_a_root_are_found() {
        for (uri, path) in [
            ("mlflow-artifacts:/1/r/artifacts", "1/r/artifacts"),
            ("mlflow-artifacts://other:5000/1/r", "1/r"),
            ("/srv/mlruns/0/r/artifacts", "0/r/artifacts"),
            ("file:///srv/mlruns/0/r%20s", "0/r s"),
            ("/srv/./mlruns//0", "0"),
            ("/srv/mlruns", ""),
        ] {
            let location = roots().resolve(uri).await.unwrap();
            assert_eq!(location.path.as_str(), path, "{uri}");
        }
    }

    #[tokio::test]
    async fn every_other_location_is_refused() {
        for uri in [
            "/etc/passwd",
            "file:///etc",
            "/srv/mlruns-other/0",
            "/srv/mlruns/../x",
            "mlruns",
            "s3://bucket/x",
            "http://host/x",
            "",
        ] {
            assert!(roots().resolve(uri).await.is_err(), "{uri}");
        }
    }

    #[tokio::test]
    async fn nothing_is_served_without_a_root() {
        let error = ArtifactRoots::new()
            .resolve("mlflow-artifacts:/1")
            .await
            .unwrap_err();
        assert!(
            matches!(error, ArtifactError::NotServed { .. }),
            "{error:?}"
        );
    }

    #[cfg(feature = "s3")]
    #[tokio::test]
    async fn a_storage_is_served_only_where_it_is_allowed() {
        let uri = "s3://bucket/1/r/artifacts";
        assert!(roots().resolve(uri).await.is_err());
        let roots = roots().with_storages(Arc::default(), HostPolicy::default());
        let location = roots.resolve(uri).await.unwrap();
        assert_eq!(location.path.as_str(), "1/r/artifacts");
        for uri in ["abfss://c@host/x", "http://host/x", "r2://bucket@host/x"] {
            assert!(roots.resolve(uri).await.is_err(), "{uri}");
        }
    }

    #[cfg(all(feature = "ftp", feature = "sftp", feature = "hdfs"))]
    #[tokio::test]
    async fn a_user_is_the_one_of_the_servers_own_location() {
        let own = ["sftp://ml@files.example/x", "hdfs://cluster/x"];
        let hosts = HostPolicy::new(own, []);
        let roots = ArtifactRoots::new().with_storages(Arc::default(), hosts);
        for uri in ["sftp://ml@files.example/y", "hdfs://cluster/y"] {
            assert!(roots.resolve(uri).await.is_ok(), "{uri}");
        }
        for (uri, user) in [
            ("sftp://root@files.example/y", "'root'"),
            ("hdfs://hdfs@cluster/y", "'hdfs'"),
        ] {
            let error = roots.resolve(uri).await.unwrap_err();
            assert!(
                matches!(error, ArtifactError::ForeignUser { .. }),
                "{uri}: {error:?}"
            );
            assert!(error.to_string().contains(user), "{error}");
        }
    }
}
