//! From a location to the storage that holds it.
//!
//! Who may open what is decided before, by [`ArtifactRoots`]: here a location
//! is only taken apart, and its storage connected to. Clients of a service are
//! made when they are first needed, and kept.
//!
//! [`ArtifactRoots`]: crate::ArtifactRoots

use std::sync::Arc;
#[cfg(any(
    feature = "azure",
    feature = "gcs",
    feature = "hdfs",
    feature = "http-proxy"
))]
use std::sync::OnceLock;

#[cfg(feature = "hdfs")]
use crate::hdfs::{Hdfs, HdfsOptions};
#[cfg(any(feature = "hdfs", feature = "http-proxy"))]
use crate::http_client::HttpClient;
#[cfg(feature = "azure")]
use crate::remote::AzureOptions;
#[cfg(any(feature = "azure", feature = "gcs"))]
use crate::remote::Containers;
#[cfg(feature = "gcs")]
use crate::remote::GcsOptions;
#[cfg(feature = "sftp")]
use crate::sftp::{Sftp, SftpOptions};
#[cfg(any(feature = "hdfs", feature = "ftp", feature = "sftp"))]
use crate::tree::{Files, Kept, TreeRepository};
use crate::uri::{split_authority, split_scheme};
use crate::{ArtifactError, ArtifactLocation, ArtifactPath, ArtifactRepository, InvalidUri};

/// The schemes of [`Storages`], as far as this build has them.
pub const STORAGE_SCHEMES: &[&str] = &[
    #[cfg(feature = "s3")]
    "s3",
    #[cfg(feature = "azure")]
    "wasbs",
    #[cfg(feature = "azure")]
    "abfss",
    #[cfg(feature = "gcs")]
    "gs",
    #[cfg(feature = "hdfs")]
    "hdfs",
    #[cfg(feature = "ftp")]
    "ftp",
    #[cfg(feature = "sftp")]
    "sftp",
    #[cfg(feature = "http-proxy")]
    "http",
    #[cfg(feature = "http-proxy")]
    "https",
];

/// What an environment variable says that cannot be followed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidStorageOption {
    /// About S3.
    #[cfg(feature = "s3")]
    #[error(transparent)]
    S3(#[from] crate::InvalidS3Option),
    /// About Azure: the variable, and what is wrong with it.
    #[cfg(feature = "azure")]
    #[error("{0}")]
    Azure(String),
    /// About HDFS: the variable, and what is wrong with it.
    #[cfg(feature = "hdfs")]
    #[error("{0}")]
    Hdfs(String),
}

/// The storages beyond this machine, with the settings of one process.
#[derive(Debug, Default)]
pub struct Storages {
    #[cfg(feature = "s3")]
    s3_options: crate::S3Options,
    #[cfg(feature = "s3")]
    s3: tokio::sync::OnceCell<crate::s3::S3>,
    #[cfg(feature = "azure")]
    azure_options: AzureOptions,
    #[cfg(feature = "azure")]
    azure: OnceLock<Containers<object_store::azure::MicrosoftAzure>>,
    #[cfg(feature = "gcs")]
    gcs_options: GcsOptions,
    #[cfg(feature = "gcs")]
    gcs: OnceLock<Containers<object_store::gcp::GoogleCloudStorage>>,
    #[cfg(feature = "hdfs")]
    hdfs_options: HdfsOptions,
    #[cfg(feature = "hdfs")]
    hdfs: Kept<Hdfs>,
    #[cfg(feature = "ftp")]
    ftp: Kept<crate::ftp::Ftp>,
    #[cfg(feature = "sftp")]
    sftp_options: SftpOptions,
    #[cfg(feature = "sftp")]
    sftp: Kept<Sftp>,
    #[cfg(any(feature = "hdfs", feature = "http-proxy"))]
    http: OnceLock<HttpClient>,
}

/// A location of a storage, taken apart.
#[derive(Debug)]
struct Place<'a> {
    scheme: String,
    authority: &'a str,
    path: ArtifactPath,
}

impl Storages {
    /// Reads the settings of all storages from variables of the environment.
    /// Nothing is connected to yet.
    ///
    /// # Errors
    /// [`InvalidStorageOption`] for a value that cannot be followed.
    pub fn from_environment(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, InvalidStorageOption> {
        let _ = &variable;
        Ok(Self {
            #[cfg(feature = "s3")]
            s3_options: crate::S3Options::from_environment(&variable)?,
            #[cfg(feature = "s3")]
            s3: tokio::sync::OnceCell::new(),
            #[cfg(feature = "azure")]
            azure_options: AzureOptions::from_environment(&variable)
                .map_err(InvalidStorageOption::Azure)?,
            #[cfg(feature = "azure")]
            azure: OnceLock::new(),
            #[cfg(feature = "gcs")]
            gcs_options: GcsOptions::from_environment(&variable),
            #[cfg(feature = "gcs")]
            gcs: OnceLock::new(),
            #[cfg(feature = "hdfs")]
            hdfs_options: HdfsOptions::from_environment(&variable)
                .map_err(InvalidStorageOption::Hdfs)?,
            #[cfg(feature = "hdfs")]
            hdfs: Kept::default(),
            #[cfg(feature = "ftp")]
            ftp: Kept::default(),
            #[cfg(feature = "sftp")]
            sftp_options: SftpOptions::from_environment(&variable),
            #[cfg(feature = "sftp")]
            sftp: Kept::default(),
            #[cfg(any(feature = "hdfs", feature = "http-proxy"))]
            http: OnceLock::new(),
        })
    }

    /// Whether locations of a scheme, in small letters, are known.
    pub fn know(&self, scheme: &str) -> bool {
        STORAGE_SCHEMES.contains(&scheme)
    }

    /// The repository of a bucket or container, and the path in it.
    ///
    /// # Errors
    /// [`ArtifactError::InvalidUri`] for a location that cannot be read,
    /// [`ArtifactError::NotServed`] for one of another scheme.
    pub async fn locate(&self, uri: &str) -> Result<ArtifactLocation, ArtifactError> {
        let Place {
            scheme,
            authority,
            path,
        } = Place::of(uri)?;
        #[cfg(feature = "http-proxy")]
        if is_http(&scheme) {
            let (proxy, path) = self.proxy(uri, &scheme, authority, &path)?;
            return Ok(ArtifactLocation {
                repository: Arc::new(proxy),
                path,
            });
        }
        Ok(ArtifactLocation {
            repository: self
                .connect(uri, &scheme, authority, &ArtifactPath::root())
                .await?,
            path,
        })
    }

    /// The repository that has a location as its root.
    ///
    /// # Errors
    /// As [`Storages::locate`].
    pub async fn open(&self, uri: &str) -> Result<Arc<dyn ArtifactRepository>, ArtifactError> {
        let place = Place::of(uri)?;
        #[cfg(feature = "http-proxy")]
        if is_http(&place.scheme) {
            let (proxy, path) = self.proxy(uri, &place.scheme, place.authority, &place.path)?;
            return Ok(Arc::new(proxy.below(&path)));
        }
        self.connect(uri, &place.scheme, place.authority, &place.path)
            .await
    }

    #[cfg_attr(
        not(feature = "s3"),
        expect(clippy::unused_async, reason = "there is nothing to connect to")
    )]
    async fn connect(
        &self,
        uri: &str,
        scheme: &str,
        authority: &str,
        prefix: &ArtifactPath,
    ) -> Result<Arc<dyn ArtifactRepository>, ArtifactError> {
        let _ = (authority, prefix);
        match scheme {
            #[cfg(feature = "s3")]
            "s3" => {
                if !is_bucket(authority) {
                    return Err(InvalidUri::Storage {
                        uri: uri.to_owned(),
                        form: "s3://<bucket>/<path>",
                    }
                    .into());
                }
                let s3 = self.s3.get_or_try_init(|| async {
                    // Large, and only needed once.
                    let s3 = Box::pin(crate::s3::S3::connect(self.s3_options.clone())).await;
                    s3.map_err(|source| ArtifactError::internal("connect to S3", source))
                });
                Ok(s3.await?.repository(authority, prefix))
            }
            #[cfg(feature = "azure")]
            "wasbs" | "abfss" => containers(&self.azure)?.repository(
                &format!("{scheme}://{authority}"),
                prefix,
                |connector| self.azure_options.open(uri, scheme, authority, connector),
            ),
            #[cfg(feature = "gcs")]
            "gs" => containers(&self.gcs)?.repository(authority, prefix, |connector| {
                self.gcs_options.open(uri, authority, connector)
            }),
            #[cfg(feature = "hdfs")]
            "hdfs" => {
                let http = self.http()?.clone();
                let files = self
                    .hdfs
                    .get(authority, || self.hdfs_options.open(uri, authority, http))?;
                Ok(tree(files, prefix))
            }
            #[cfg(feature = "ftp")]
            "ftp" => {
                let open = || crate::ftp::Ftp::open(uri, authority);
                Ok(tree(self.ftp.get(authority, open)?, prefix))
            }
            #[cfg(feature = "sftp")]
            "sftp" => {
                let open = || Sftp::open(uri, authority, &self.sftp_options);
                Ok(tree(self.sftp.get(authority, open)?, prefix))
            }
            _ => Err(ArtifactError::NotServed {
                uri: uri.to_owned(),
            }),
        }
    }
}

#[cfg(any(feature = "hdfs", feature = "http-proxy"))]
impl Storages {
    /// The client of what is asked by HTTP as it is.
    fn http(&self) -> Result<&HttpClient, ArtifactError> {
        if let Some(http) = self.http.get() {
            return Ok(http);
        }
        let http = HttpClient::new(&crate::http_client::Tls::default());
        let http = http.map_err(|source| ArtifactError::internal("read certificates", source))?;
        Ok(self.http.get_or_init(|| http))
    }

    #[cfg(feature = "http-proxy")]
    fn proxy(
        &self,
        uri: &str,
        scheme: &str,
        authority: &str,
        path: &ArtifactPath,
    ) -> Result<(crate::proxy::Proxy, ArtifactPath), ArtifactError> {
        let http = self.http()?.clone();
        Ok(crate::proxy::Proxy::of(uri, scheme, authority, path, http)?)
    }
}

fn is_http(scheme: &str) -> bool {
    matches!(scheme, "http" | "https")
}

#[cfg(any(feature = "hdfs", feature = "ftp", feature = "sftp"))]
fn tree<F: Files>(files: Arc<F>, root: &ArtifactPath) -> Arc<dyn ArtifactRepository> {
    Arc::new(TreeRepository::new(files, root))
}

/// The containers of a service, made when they are first needed.
#[cfg(any(feature = "azure", feature = "gcs"))]
fn containers<S: crate::remote::Store>(
    made: &OnceLock<Containers<S>>,
) -> Result<&Containers<S>, ArtifactError> {
    if let Some(containers) = made.get() {
        return Ok(containers);
    }
    // Of two that are made at once, one is kept.
    let new = Containers::new()?;
    Ok(made.get_or_init(|| new))
}

impl<'a> Place<'a> {
    /// The path is taken as it is: keys of objects are not percent-encoded
    /// (MLflow 3.17). Only what is an address is decoded, once.
    fn of(uri: &'a str) -> Result<Self, ArtifactError> {
        let (scheme, rest) = split_scheme(uri).ok_or_else(|| ArtifactError::NotServed {
            uri: uri.to_owned(),
        })?;
        let scheme = scheme.to_ascii_lowercase();
        let (authority, path) = split_authority(rest);
        let path = path.strip_prefix('/').unwrap_or(path);
        let parsed = if path.contains('?') {
            Err(crate::InvalidPath::new("it has a query"))
        } else if is_http(&scheme) {
            ArtifactPath::decode(path)
        } else {
            ArtifactPath::parse(path)
        };
        Ok(Self {
            scheme,
            authority: authority.unwrap_or_default(),
            path: parsed.map_err(|source| InvalidUri::Path {
                uri: uri.to_owned(),
                source,
            })?,
        })
    }
}

/// Whether a text can be the name of a bucket, and of nothing else.
#[cfg(any(feature = "s3", feature = "gcs"))]
pub(crate) fn is_bucket(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    // Dots at the ends, or two in a row, are segments of a path to some gateways.
    let dots = name.starts_with('.') || name.ends_with('.') || name.contains("..");
    (1..=255).contains(&name.len()) && name.bytes().all(legal) && !dots
}

#[cfg(all(test, feature = "s3"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_location_is_a_bucket_and_a_path() {
        let storages = Storages::default();
        for (uri, path) in [
            ("s3://bucket/a/b c", "a/b c"),
            ("S3://bucket/a%41", "a%41"),
            ("s3://bucket/", ""),
            ("s3://my.bucket-1", ""),
        ] {
            let location = storages.locate(uri).await.unwrap();
            assert_eq!(location.path.as_str(), path, "{uri}");
        }
    }

    #[tokio::test]
    async fn a_location_cannot_smuggle_a_host_or_an_escape() {
        let storages = Storages::default();
        for uri in [
            "s3://",
            "s3:///x",
            "s3:x",
            "s3://user@bucket/x",
            "s3://bucket:80/x",
            "s3://bucket?x",
            "s3://bucket/../x",
            "s3://bucket/%2e%2e/x",
            "s3://bucket/%252e%252e/x",
            "s3://bucket/a\\..\\x",
            "s3://bucket//x",
            "s3://bucket/a?versionId=1",
            "s3://bucket/a#b",
            "s3://bücket/x",
            "wasbs://c@host.example/x",
            "wasbs://c@account.blob.core.windows.net.example/x",
            "abfss://c@account.dfs.core.windows.net:8080/x",
            "abfss://account.dfs.core.windows.net/x",
            "gs://user@bucket/x",
            "gs://bucket/a/%2e%2e/x",
            "ftp:///x",
            "ftp://own.example?@evil/x",
            "ftp://a@own.example@evil/x",
            "ftp://own.example/a/%2e%2e/x",
            "sftp://",
            "sftp://own.example?@evil/x",
            "sftp://own.example#@evil/x",
            "sftp://own.example\\@evil/x",
            "sftp://own.example:22@evil@own.example/x",
            "hdfs:/x",
            "hdfs://own.example?@evil/x",
            "hdfs://own.example#@evil/x",
            "hdfs://a@own.example@evil/x",
            "http://own.example?@evil/mlflow-artifacts/artifacts/x",
            "https://a@own.example@evil/mlflow-artifacts/artifacts/x",
            "dbfs:/x",
            "http://169.254.169.254/latest",
            "x",
        ] {
            let located = storages.locate(uri).await;
            assert!(located.is_err(), "{uri}: {located:?}");
        }
    }

    #[cfg(all(
        feature = "ftp",
        feature = "sftp",
        feature = "hdfs",
        feature = "http-proxy"
    ))]
    #[tokio::test]
    async fn no_password_is_printed() {
        let storages = Storages::default();
        let mut repositories = Vec::new();
        for scheme in ["ftp", "sftp", "hdfs", "http"] {
            let place = format!("{scheme}://me:s3cret@own.example");
            let uri = format!("{place}/mlflow-artifacts/artifacts");
            repositories.push(storages.open(&uri).await.unwrap());
        }
        let printed = format!("{storages:?} {repositories:?}");
        assert!(printed.contains("own.example"), "{printed}");
        assert!(!printed.contains("s3cret"), "{printed}");
    }
}
