//! An upload in parts that is not finished.

use std::mem;
use std::sync::Arc;

use super::objects::Objects;

/// Dropping it gives the upload up: its parts are removed.
pub(super) struct Begun<O: Objects> {
    objects: Arc<O>,
    key: String,
    upload: Option<String>,
}

impl<O: Objects> Begun<O> {
    /// What the storage calls `upload`, of the object `key`.
    pub(super) fn new(objects: &Arc<O>, key: String, upload: String) -> Self {
        Self {
            objects: Arc::clone(objects),
            key,
            upload: Some(upload),
        }
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    pub(super) fn name(&self) -> &str {
        self.upload.as_deref().unwrap_or_default()
    }

    /// Leaves it to itself, or to whoever gets the name.
    pub(super) fn keep(mut self) -> Option<String> {
        self.upload.take()
    }
}

impl<O: Objects> Drop for Begun<O> {
    fn drop(&mut self) {
        let (Some(upload), Ok(runtime)) =
            (self.upload.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        let objects = Arc::clone(&self.objects);
        let key = mem::take(&mut self.key);
        runtime.spawn(async move {
            // Its parts are invisible; the storage may have a rule that sweeps
            // what stays.
            if let Err(fault) = objects.abort(&key, &upload).await {
                tracing::warn!(
                    ?fault,
                    "the parts of an upload that broke off stay in the storage"
                );
            }
        });
    }
}
