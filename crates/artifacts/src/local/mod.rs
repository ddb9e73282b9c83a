//! A directory on disk, or on a mounted network file system.
//!
//! Every file is opened so that the kernel refuses to leave the root
//! ([`beneath`]); uploads are staged beside the tree and renamed into it
//! ([`upload`]). Blocking calls run on tokio's blocking threads, one per chunk,
//! so that a slow client holds no thread, and only so many at a time, so that
//! a disk that hangs leaves threads to others.

mod beneath;
mod list;
mod read;
mod remove;
mod staging;
mod upload;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;
use tokio::sync::Semaphore;

use crate::{
    ArtifactError, ArtifactPath, ArtifactRead, ArtifactRepository, ByteRange, ByteStream, FileInfo,
};
use staging::Root;
use upload::Upload;

/// Bytes of an upload that are gathered before they are written, and of a
/// download that are read at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// An [`ArtifactRepository`] in a local directory.
///
/// The directory is made by the first write. Links inside it are never
/// followed, and entries that are neither files nor directories are neither
/// listed nor opened. Uploads in progress live in `.runledger-staging` in the
/// root, invisible to clients; what a crash leaves there is swept a day later.
#[derive(Clone, Debug)]
pub struct LocalRepository {
    root: Arc<Root>,
}

impl LocalRepository {
    /// The repository in `directory`, which need not exist yet.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            root: Arc::new(Root::new(directory.into())),
        }
    }
}

#[async_trait]
impl ArtifactRepository for LocalRepository {
    async fn list(&self, directory: &ArtifactPath) -> Result<Vec<FileInfo>, ArtifactError> {
        let (root, directory) = (Arc::clone(&self.root), directory.clone());
        blocking(move || list::list(&root, &directory)).await
    }

    async fn get(
        &self,
        file: &ArtifactPath,
        range: Option<ByteRange>,
    ) -> Result<ArtifactRead, ArtifactError> {
        let (root, file) = (Arc::clone(&self.root), file.clone());
        blocking(move || read::open(&root, &file, range)).await
    }

    async fn put(
        &self,
        file: &ArtifactPath,
        mut content: ByteStream,
        max_bytes: Option<u64>,
    ) -> Result<u64, ArtifactError> {
        let (root, path) = (Arc::clone(&self.root), file.clone());
        let mut upload = blocking(move || Upload::begin(&root, path)).await?;
        let mut total = 0_u64;
        let mut pending = Vec::new();
        let mut pending_bytes = 0;
        while let Some(chunk) = content.next().await {
            let chunk = chunk.map_err(|source| ArtifactError::BrokenUpload {
                path: file.clone(),
                source,
            })?;
            total = total.saturating_add(chunk.len() as u64);
            if let Some(max_bytes) = max_bytes.filter(|max| total > *max) {
                return Err(ArtifactError::TooLarge { max_bytes });
            }
            pending_bytes += chunk.len();
            pending.push(chunk);
            // The second condition bounds what many tiny chunks cost.
            if pending_bytes >= CHUNK_BYTES || pending.len() >= 1024 {
                let chunks = std::mem::take(&mut pending);
                pending_bytes = 0;
                upload = blocking(move || upload.write(&chunks)).await?;
            }
        }
        blocking(move || upload.write(&pending)?.commit()).await?;
        Ok(total)
    }

    async fn delete(&self, path: &ArtifactPath) -> Result<(), ArtifactError> {
        let (root, path) = (Arc::clone(&self.root), path.clone());
        blocking(move || remove::remove(&root, &path)).await
    }
}

/// Calls of all repositories that block threads at a time. The process shares
/// its blocking threads, with the database among others.
static PLACES: Semaphore = Semaphore::const_new(32);

/// Runs a blocking call on a thread that may block, when its turn comes.
async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, ArtifactError> + Send + 'static,
) -> Result<T, ArtifactError> {
    blocking_in(&PLACES, call).await
}

async fn blocking_in<T: Send + 'static>(
    places: &'static Semaphore,
    call: impl FnOnce() -> Result<T, ArtifactError> + Send + 'static,
) -> Result<T, ArtifactError> {
    let failed = |error| ArtifactError::internal("a storage task did not finish", error);
    let place = places
        .acquire()
        .await
        .map_err(|closed| failed(io::Error::other(closed)))?;
    let call = move || {
        // The thread has the place, also where nobody waits for it any more.
        let _place = place;
        call()
    };
    match tokio::task::spawn_blocking(call).await {
        Ok(result) => result,
        // It panicked, or the runtime is shutting down.
        Err(error) => Err(failed(io::Error::other(error))),
    }
}

#[cfg(test)]
mod tests;
