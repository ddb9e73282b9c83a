//! What a tracking URI names, and opening it.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use runledger_artifacts::redacted;
use runledger_store::TrackingStore;
use runledger_store_file::{FileStore, FileStoreOptions};
use runledger_store_sql::{SqlStore, StoreOptions};

use crate::{RestOptions, RestStore, TrackingError};

/// The database that MLflow 3 uses without a URI.
const DATABASE: &str = "mlflow.db";
/// The folder that MLflow 2 uses without a URI, and that keeps the artifacts of
/// databases.
const FOLDER: &str = "./mlruns";

/// Where experiments and runs are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// On a tracking server.
    Server(String),
    /// In a folder of files.
    Folder(PathBuf),
    /// In a database, by its SQLAlchemy URI.
    Database(String),
}

/// A store that is open.
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn TrackingStore>,
    /// The same, if it is a server.
    pub(crate) rest: Option<RestStore>,
}

impl Place {
    pub(crate) fn of(uri: &str) -> Self {
        if uri.starts_with("http://") || uri.starts_with("https://") {
            return Self::Server(uri.to_owned());
        }
        if let Some(path) = uri.strip_prefix("file:") {
            // `file:x`, `file:/x`, `file:///x` and `file://localhost/x`.
            let path = match path.strip_prefix("//") {
                Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
                None => path,
            };
            let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
            return Self::Folder(PathBuf::from(path.into_owned()));
        }
        if uri.contains("://") {
            return Self::Database(uri.to_owned());
        }
        Self::Folder(PathBuf::from(uri))
    }

    /// `MLFLOW_TRACKING_URI`, or what is in the current directory without it: the
    /// database if there is one, else the folder.
    pub(crate) fn uri_from_env() -> String {
        if let Ok(uri) = env::var("MLFLOW_TRACKING_URI")
            && !uri.is_empty()
        {
            return uri;
        }
        Self::default_uri(Path::new("."))
    }

    fn default_uri(directory: &Path) -> String {
        if directory.join(DATABASE).exists() {
            format!("sqlite:///{DATABASE}")
        } else {
            FOLDER.to_owned()
        }
    }

    pub(crate) async fn open(self) -> Result<Opened, TrackingError> {
        match self {
            Self::Server(address) => {
                let rest = RestStore::new(&address, RestOptions::from_env()?)?;
                Ok(Opened {
                    store: Arc::new(rest.clone()),
                    rest: Some(rest),
                })
            }
            Self::Folder(path) => {
                let opened = FileStore::open(&path, FileStoreOptions::default()).await;
                let store = opened.map_err(|error| TrackingError::Open {
                    uri: path.display().to_string(),
                    reason: error.to_string(),
                })?;
                Ok(Opened {
                    store: Arc::new(store),
                    rest: None,
                })
            }
            Self::Database(uri) => {
                let options = StoreOptions {
                    artifact_root: FOLDER.to_owned(),
                    ..StoreOptions::default()
                };
                let opened = SqlStore::open(&uri, options).await;
                let store = opened.map_err(|error| TrackingError::Open {
                    uri: redacted(&uri),
                    reason: error.to_string(),
                })?;
                Ok(Opened {
                    store: Arc::new(store),
                    rest: None,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_names_a_server_a_folder_or_a_database() {
        let server = |uri: &str| Place::Server(uri.to_owned());
        assert_eq!(Place::of("https://h/ml"), server("https://h/ml"));
        for (uri, path) in [
            ("./mlruns", "./mlruns"),
            ("file:///data/ml%20runs", "/data/ml runs"),
            ("file:rel", "rel"),
            ("file://localhost/data", "/data"),
        ] {
            assert_eq!(Place::of(uri), Place::Folder(path.into()), "{uri}");
        }
        let uri = "postgresql+psycopg2://u:p@h/d";
        assert_eq!(Place::of(uri), Place::Database(uri.to_owned()));
    }

    #[test]
    fn without_a_uri_a_database_that_is_there_comes_first() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(Place::default_uri(folder.path()), "./mlruns");
        std::fs::write(folder.path().join(DATABASE), b"").expect("it can be written");
        assert_eq!(Place::default_uri(folder.path()), "sqlite:///mlflow.db");
    }
}
