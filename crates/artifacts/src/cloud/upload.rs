//! An upload of unknown length: at once if it is short, else in parts.
//!
//! Two parts are in memory at most: one on its way to the storage, one that
//! still gathers. All uploads together have a budget; who finds it spent is
//! told to come back. An upload that ends early, by an error or because its future
//! is dropped, takes its parts away again.

use std::io;
use std::mem;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use futures_util::future::try_join;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::objects::{Fault, Objects};
use crate::{ArtifactError, ArtifactPath, ByteStream};

const OPERATION: &str = "store an upload";

/// Parts of one size; then the size doubles, so that the number of parts,
/// which storages limit, is no limit of the file. Some storages want equal
/// parts: they have them up to a thousand.
const EQUAL_PARTS: u32 = 1000;

/// Bytes that one permit of the budget stands for. As many are free in each
/// part: the number of requests bounds them.
const UNIT: usize = 1 << 20;

/// What parts hold in this process: 512 MiB.
static BUDGET: Semaphore = Semaphore::const_new(512);

/// A part, with its share of the budget.
#[derive(Default)]
struct Part {
    bytes: BytesMut,
    share: Option<SemaphorePermit<'static>>,
}

impl Part {
    /// Makes room for a part of `wanted` bytes, or for a short one.
    fn grow(&mut self, more: usize, wanted: usize) -> Result<(), ArtifactError> {
        if self.share.is_some() || self.bytes.len() + more <= UNIT {
            return Ok(());
        }
        let units = u32::try_from(wanted.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let share = BUDGET.try_acquire_many(units);
        self.share = Some(share.map_err(|_| ArtifactError::Unavailable {
            operation: OPERATION,
            source: io::Error::other("the memory for uploads is in use"),
        })?);
        self.bytes.reserve(wanted - self.bytes.len());
        Ok(())
    }
}

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
    async fn gather(&mut self, number: u32) -> Result<Part, ArtifactError> {
        let doublings = number.saturating_sub(1) / EQUAL_PARTS;
        let wanted = self.part_bytes.saturating_mul(1 << doublings.min(16));
        let mut part = Part::default();
        loop {
            let room = wanted - part.bytes.len();
            let piece = self.left.split_to(room.min(self.left.len()));
            part.grow(piece.len(), wanted)?;
            part.bytes.extend_from_slice(&piece);
            if part.bytes.len() == wanted {
                return Ok(part);
            }
            match self.content.next().await {
                None => {
                    self.ended = true;
                    return Ok(part);
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
        let content = mem::take(&mut part.bytes).freeze();
        objects.write(&key, content).await.map_err(failed)?;
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
        if source.ended && next.bytes.is_empty() {
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

    /// Sends a part, whose share it keeps until then.
    async fn send(&self, number: u32, part: Part) -> Result<String, Fault> {
        let Part {
            bytes,
            share: _share,
        } = part;
        self.objects
            .part(&self.key, self.name(), number, bytes.freeze())
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
