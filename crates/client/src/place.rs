//! What a tracking URI names, and opening it.

use std::env;
use std::path::Path;
use std::sync::Arc;

use runledger_store::{
    LoggedModelStore, ModelRegistryStore, StorePlace, TraceStore, TrackingStore,
};
use runledger_store_file::{FileStore, FileStoreOptions};
use runledger_store_sql::{SqlStore, StoreOptions};

use crate::{OpenOptions, RestOptions, RestStore, TrackingError, background};

/// Where MLflow keeps the artifacts of databases.
const ARTIFACTS: &str = "./mlruns";

/// Where experiments and runs are.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// On a tracking server.
    Server(String),
    /// In a folder or a database.
    Store(StorePlace),
}

/// A store that is open: views of the same.
pub(crate) struct Opened {
    pub(crate) store: Arc<dyn TrackingStore>,
    pub(crate) models: Arc<dyn LoggedModelStore>,
    pub(crate) registry: Arc<dyn ModelRegistryStore>,
    pub(crate) traces: Arc<dyn TraceStore>,
    /// The same, if it is a server.
    pub(crate) rest: Option<RestStore>,
}

impl Opened {
    /// A server's.
    pub(crate) fn server(rest: RestStore) -> Self {
        Self {
            rest: Some(rest.clone()),
            ..Self::of(rest)
        }
    }

    fn of<S>(store: S) -> Self
    where
        S: TrackingStore + LoggedModelStore + ModelRegistryStore + TraceStore,
    {
        let store = Arc::new(store);
        Self {
            models: Arc::<S>::clone(&store),
            registry: Arc::<S>::clone(&store),
            traces: Arc::<S>::clone(&store),
            store,
            rest: None,
        }
    }
}

impl Place {
    pub(crate) fn of(uri: &str) -> Self {
        if uri.starts_with("http://") || uri.starts_with("https://") {
            return Self::Server(uri.to_owned());
        }
        Self::Store(StorePlace::of(uri))
    }

    /// `MLFLOW_TRACKING_URI`, or what is in the current directory without it: the
    /// database if there is one, else the folder.
    pub(crate) fn uri_from_env() -> String {
        let named = env::var("MLFLOW_TRACKING_URI").ok();
        let named = named.filter(|uri| !uri.is_empty());
        named.unwrap_or_else(|| StorePlace::of_directory(Path::new(".")).to_string())
    }

    pub(crate) async fn open(self, options: OpenOptions) -> Result<Opened, TrackingError> {
        let OpenOptions { read_only, rest } = options;
        match self {
            Self::Server(address) => {
                let options = match rest {
                    Some(options) => options,
                    None => RestOptions::from_env()?,
                };
                // It may read a file of certificates.
                let made = background::apart(move || RestStore::new(&address, options));
                Ok(Opened::server(made.await??))
            }
            Self::Store(StorePlace::Folder(path)) => {
                let options = FileStoreOptions {
                    read_only,
                    ..FileStoreOptions::default()
                };
                let opened = FileStore::open(&path, options).await;
                let store = opened.map_err(|error| TrackingError::Open {
                    uri: path.display().to_string(),
                    reason: error.to_string(),
                })?;
                Ok(Opened::of(store))
            }
            Self::Store(StorePlace::Database(uri)) => {
                let options = StoreOptions {
                    artifact_root: ARTIFACTS.to_owned(),
                    read_only,
                    ..StoreOptions::default()
                };
                let opened = SqlStore::open(&uri, options).await;
                let store = opened.map_err(|error| TrackingError::Open {
                    uri: StorePlace::of(&uri).to_string(),
                    reason: error.to_string(),
                })?;
                Ok(Opened::of(store))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_names_a_server_or_a_store() {
        let is_server = |uri| matches!(Place::of(uri), Place::Server(address) if address == uri);
        assert!(is_server("https://h/ml"));
        for uri in ["./mlruns", "file:rel", "postgresql+psycopg2://u:p@h/d"] {
            assert!(matches!(Place::of(uri), Place::Store(place) if place == StorePlace::of(uri)));
        }
    }
}
