//! Azure Blob Storage and Google Cloud Storage, by the crate `object_store`,
//! over our own HTTP client (decision 0021).
//!
//! `azure` and `gcs` say what locations and settings mean, `objects` asks the
//! service, `direct` signs URLs.

#[cfg(feature = "azure")]
mod azure;
#[cfg(feature = "azure")]
mod blocks;
mod connector;
mod direct;
mod fault;
#[cfg(feature = "gcs")]
mod gcs;
mod objects;
#[cfg(feature = "azure")]
mod shared_key;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use object_store::RetryConfig;

use crate::cloud::{Keys, ObjectRepository};
use crate::http_client::{HttpClient, Tls};
use crate::{ArtifactError, ArtifactPath, ArtifactRepository};

#[cfg(feature = "azure")]
pub(crate) use azure::AzureOptions;
use connector::Connector;
#[cfg(feature = "gcs")]
pub(crate) use gcs::GcsOptions;
use objects::Container;
pub(crate) use objects::Store;

/// The least size of a part but the last (Google's limit).
const PART_BYTES: usize = 5 << 20;

/// Containers whose clients are kept.
const KEPT: usize = 64;

/// Tries of a request after the first, and the time for all of them.
const RETRIES: usize = 3;
const RETRY_TIME: Duration = Duration::from_mins(1);

/// The containers of one service that were opened, the latest last. Each has
/// credentials of its own, which are renewed now and then.
#[derive(Debug)]
pub(crate) struct Containers<S> {
    http: HttpClient,
    open: Mutex<Vec<(String, Arc<Container<S>>)>>,
}

impl<S: Store> Containers<S> {
    pub(crate) fn new() -> Result<Self, ArtifactError> {
        let http = HttpClient::new(&Tls::default())
            .map_err(|source| ArtifactError::internal("read certificates", source))?;
        Ok(Self {
            http,
            open: Mutex::default(),
        })
    }

    /// The repository below `prefix` in the container that `authority` names,
    /// which `make` opens.
    pub(crate) fn repository(
        &self,
        authority: &str,
        prefix: &ArtifactPath,
        make: impl FnOnce(Connector) -> Result<Container<S>, ArtifactError>,
    ) -> Result<Arc<dyn ArtifactRepository>, ArtifactError> {
        let container = self.container(authority, make)?;
        let keys = Keys::below(prefix);
        Ok(Arc::new(ObjectRepository::new(container, keys, PART_BYTES)))
    }

    fn container(
        &self,
        authority: &str,
        make: impl FnOnce(Connector) -> Result<Container<S>, ArtifactError>,
    ) -> Result<Arc<Container<S>>, ArtifactError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let found = open.iter().position(|(name, _)| name == authority);
        let (name, container) = match found {
            Some(index) => open.remove(index),
            None => (
                authority.to_owned(),
                Arc::new(make(Connector::new(self.http.clone()))?),
            ),
        };
        if open.len() >= KEPT {
            open.remove(0);
        }
        open.push((name, Arc::clone(&container)));
        Ok(container)
    }
}

fn retries() -> RetryConfig {
    RetryConfig {
        max_retries: RETRIES,
        retry_timeout: RETRY_TIME,
        ..RetryConfig::default()
    }
}
