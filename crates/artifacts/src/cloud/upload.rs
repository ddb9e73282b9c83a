//! An upload of unknown length: at once if it is short, else in parts.
//!
//! Two parts are in memory at most: one on its way to the storage, one that
//! still gathers. An upload that ends early, by an error or because its future
//! is dropped, takes its parts away again.

use std::mem;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::future::try_join;

use super::objects::{Fault, Objects};
use crate::{ArtifactError, ArtifactPath, ByteStream};

const OPERATION: &str = "store an upload";

/// Parts of one size; then the size doubles, so that the number of parts,
/// which storages limit, is no limit of the file. Some storages want equal
/// parts: they have them up to a thousand.
const EQUAL_PARTS: u32 = 1000;

/// What a client sends.
pub(super) struct Source {
    path: ArtifactPath,
    content: ByteStream,
    max_bytes: Option<u64>,
    part_bytes: usize,
    total: u64,
    /// What came beyond the part before.
    left: Bytes,
    ended: bool,
}

impl Source {
    pub(super) fn new(
        path: &ArtifactPath,
        content: ByteStream,
        max_bytes: Option<u64>,
        part_bytes: usize,
    ) -> Self {
        Self {
            path: path.clone(),
            content,
            max_bytes,
            part_bytes,
            total: 0,
            left: Bytes::new(),
            ended: false,
        }
    }

    /// The next part: shorter than the others, perhaps empty, at the end only.
    async fn gather(&mut self, number: u32) -> Result<Bytes, ArtifactError> {
        let doublings = number.saturating_sub(1) / EQUAL_PARTS;
        let wanted = self.part_bytes.saturating_mul(1 << doublings.min(16));
        let mut part = BytesMut::new();
        loop {
            let room = wanted - part.len();
            part.extend_from_slice(&self.left.split_to(room.min(self.left.len())));
            if part.len() == wanted {
                return Ok(part.freeze());
            }
            match self.content.next().await {
                None => {
                    self.ended = true;
                    return Ok(part.freeze());
                }
                Some(Err(source)) => {
                    return Err(ArtifactError::BrokenUpload {
                        path: self.path.clone(),
                        source,
                    });
                }
                Some(Ok(chunk)) => {
                    self.total = self.total.saturating_add(chunk.len() as u64);
                    if let Some(max_bytes) = self.max_bytes.filter(|max| self.total > *max) {
                        return Err(ArtifactError::TooLarge { max_bytes });
                    }
                    self.left = chunk;
                }
            }
        }
    }
}

/// Stores what comes, and returns its length.
pub(super) async fn store<O: Objects>(
    objects: &Arc<O>,
    key: String,
    mut source: Source,
) -> Result<u64, ArtifactError> {
    let path = source.path.clone();
    let failed = |fault: Fault| fault.on(&path, OPERATION);
    let mut part = source.gather(1).await?;
    if source.ended {
        objects.write(&key, part).await.map_err(failed)?;
        return Ok(source.total);
    }
    let upload = objects.begin(&key).await.map_err(failed)?;
    let mut upload = Begun {
        objects: Arc::clone(objects),
        key,
        upload: Some(upload),
    };
    let mut names = Vec::new();
    for number in 1.. {
        let sending = async { upload.send(number, part).await.map_err(failed) };
        if source.ended {
            names.push(sending.await?);
            break;
        }
        let (name, next) = try_join(sending, source.gather(number + 1)).await?;
        names.push(name);
        if source.ended && next.is_empty() {
            break;
        }
        part = next;
    }
    upload.finish(names).await.map_err(failed)?;
    Ok(source.total)
}

/// An upload in parts. Dropping it before it is finished gives it up.
struct Begun<O: Objects> {
    objects: Arc<O>,
    key: String,
    upload: Option<String>,
}

impl<O: Objects> Begun<O> {
    fn name(&self) -> &str {
        self.upload.as_deref().unwrap_or_default()
    }

    async fn send(&self, number: u32, part: Bytes) -> Result<String, Fault> {
        self.objects
            .part(&self.key, self.name(), number, part)
            .await
    }

    async fn finish(&mut self, parts: Vec<String>) -> Result<(), Fault> {
        self.objects.finish(&self.key, self.name(), parts).await?;
        self.upload = None;
        Ok(())
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
