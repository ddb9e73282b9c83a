//! An upload on its way through: how long it is, and why it ended early.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::StreamExt;

use crate::{ArtifactError, ArtifactPath, ByteStream};

/// Counts what passes. Where the sender fails, or sends too much, the content
/// ends with an error for whoever takes it, and the real one is kept here.
#[derive(Clone, Debug)]
pub(crate) struct Counted {
    path: ArtifactPath,
    max_bytes: Option<u64>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    total: u64,
    error: Option<ArtifactError>,
}

impl Counted {
    pub(crate) fn new(path: &ArtifactPath, max_bytes: Option<u64>) -> Self {
        Self {
            path: path.clone(),
            max_bytes,
            state: Arc::default(),
        }
    }

    /// The content of an upload, counted.
    pub(crate) fn count(
        &self,
        content: ByteStream,
    ) -> BoxStream<'static, Result<Bytes, io::Error>> {
        let counted = self.clone();
        content.map(move |chunk| counted.pass(chunk)).boxed()
    }

    fn pass(&self, chunk: Result<Bytes, crate::BodyError>) -> Result<Bytes, io::Error> {
        let mut state = self.state();
        let error = match chunk {
            Ok(chunk) => {
                state.total = state.total.saturating_add(chunk.len() as u64);
                match self.max_bytes.filter(|max| state.total > *max) {
                    None => return Ok(chunk),
                    Some(max_bytes) => ArtifactError::TooLarge { max_bytes },
                }
            }
            Err(source) => ArtifactError::BrokenUpload {
                path: self.path.clone(),
                source,
            },
        };
        state.error = Some(error);
        Err(io::Error::other("the upload broke off"))
    }

    /// Why the sender's content ended early, if it did.
    pub(crate) fn error(&self) -> Option<ArtifactError> {
        self.state().error.take()
    }

    /// How many bytes have passed.
    pub(crate) fn total(&self) -> u64 {
        self.state().total
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
