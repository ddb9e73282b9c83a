//! An upload that is not in its place yet.

use std::sync::Arc;

use runledger_entities::RunId;

use super::files::Files;
use crate::path::RESERVED_PREFIX;

/// Dropping it removes what was written.
pub(super) struct Staged<F: Files> {
    files: Arc<F>,
    path: Option<String>,
}

impl<F: Files> Staged<F> {
    /// A new hidden name in a directory. Nothing is written yet.
    pub(super) fn new(files: &Arc<F>, directory: &str) -> Self {
        let name = format!("{RESERVED_PREFIX}upload-{}", RunId::random());
        Self {
            files: Arc::clone(files),
            path: Some(super::repository::below(directory, &name)),
        }
    }

    pub(super) fn path(&self) -> &str {
        self.path.as_deref().unwrap_or_default()
    }

    /// It is in its place: nothing is left to remove.
    pub(super) fn done(mut self) {
        self.path = None;
    }

    /// Removes it now, so that who is told of an error finds nothing.
    pub(super) async fn remove(mut self) {
        if let Some(path) = self.path.clone() {
            remove(&*self.files, &path).await;
            self.path = None;
        }
    }
}

async fn remove<F: Files>(files: &F, path: &str) {
    if let Err(fault) = files.remove_file(path).await {
        tracing::warn!(
            ?fault,
            "an upload that broke off stays in the storage under a hidden name"
        );
    }
}

impl<F: Files> Drop for Staged<F> {
    fn drop(&mut self) {
        let (Some(path), Ok(runtime)) = (self.path.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        let files = Arc::clone(&self.files);
        runtime.spawn(async move { remove(&*files, &path).await });
    }
}
