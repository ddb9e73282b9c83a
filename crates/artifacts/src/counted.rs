//! An upload on its way through: how long it is, and whether it came to its end.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};

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
    ended: bool,
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
        let (counted, end) = (self.clone(), self.clone());
        let end = stream::poll_fn(move |_| {
            end.end();
            Poll::Ready(None)
        });
        let content = content.map(move |chunk| counted.pass(chunk));
        content.chain(end).boxed()
    }

    fn end(&self) {
        let mut state = self.state();
        state.ended = state.error.is_none();
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

    /// Whether whoever took the content has taken all of it. One who says that it
    /// is stored before that has stored a part.
    ///
    /// # Errors
    /// If there was more to take.
    pub(crate) fn whole(&self) -> io::Result<()> {
        if self.state().ended {
            return Ok(());
        }
        Err(io::Error::other(
            "the storage took an upload for whole before all of it was sent",
        ))
    }

    /// How many bytes have passed.
    pub(crate) fn total(&self) -> u64 {
        self.state().total
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn an_upload_is_whole_once_its_end_was_seen() {
        let upload = Counted::new(&ArtifactPath::root(), None);
        let chunks = [Ok(Bytes::from_static(b"one")), Ok(Bytes::from_static(b"2"))];
        let mut content = upload.count(stream::iter(chunks).boxed());
        for _ in 0..2 {
            assert!(content.try_next().await.unwrap().is_some());
            assert!(upload.whole().is_err());
        }
        assert_eq!(content.try_next().await.unwrap(), None);
        upload.whole().unwrap();
        assert_eq!(upload.total(), 4);
    }

    #[tokio::test]
    async fn an_upload_that_broke_off_is_never_whole() {
        let upload = Counted::new(&ArtifactPath::root(), None);
        let chunks = [Err("gone".into())];
        let content = upload.count(stream::iter(chunks).boxed());
        let passed: Vec<_> = content.collect().await;
        assert_eq!(passed.len(), 1);
        assert!(upload.whole().is_err());
    }
}
