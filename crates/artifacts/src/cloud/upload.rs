//! An upload of unknown length: at once if it is short, else in parts.
//!
//! Two parts are in memory at most: one on its way to the storage, one that
//! still gathers. All uploads together have a budget. Who finds it spent at the
//! beginning is told to come back; later it is waited for, and what is being
//! sent needs nothing more, so that the wait ends. An upload that ends early, by
//! an error or because its future is dropped, takes its parts away again.

use std::io;
use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::try_join;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use super::begun::Begun;
use super::buffer::Buffer;
use super::limits::{Limits, UNIT};
use super::objects::{Fault, Objects};
use crate::direct::MultipartUpload;
use crate::{ArtifactError, ArtifactPath, BodyError, ByteStream};

const OPERATION: &str = "store an upload";

/// Parts of one size; then the size doubles, so that their number, which
/// storages limit, is enough for a long file. Some storages want equal parts:
/// they have them up to a thousand.
const EQUAL_PARTS: u32 = 1000;

/// The largest part. Two of them are a quarter of the budget.
const MAX_PART: usize = 64 << 20;

/// The size of a part, where the first has `first` bytes.
pub(super) fn part_bytes(first: usize, number: u32) -> usize {
    let doublings = number.saturating_sub(1) / EQUAL_PARTS;
    let bytes = first.saturating_mul(1 << doublings.min(16));
    bytes.min(MAX_PART.max(first))
}

/// The longest file that an upload has parts for.
pub(super) fn longest_file(first: usize) -> u64 {
    let thousands = (0..MultipartUpload::MAX_PARTS / EQUAL_PARTS)
        .map(|thousand| part_bytes(first, thousand * EQUAL_PARTS + 1) as u64);
    thousands.sum::<u64>() * u64::from(EQUAL_PARTS)
}

/// A part, with its share of the budget.
#[derive(Default)]
struct Part {
    bytes: Buffer,
    share: Option<(OwnedSemaphorePermit, Instant)>,
}

impl Part {
    /// Makes room for a part of `wanted` bytes, or for a short one.
    async fn grow(
        &mut self,
        more: usize,
        wanted: usize,
        limits: &Limits,
        may_wait: bool,
    ) -> Result<(), ArtifactError> {
        if self.share.is_some() || self.bytes.len() + more <= UNIT {
            return Ok(());
        }
        let share = limits.memory(wanted, may_wait).await;
        let share = share.map_err(|_| ArtifactError::Unavailable {
            operation: OPERATION,
            source: io::Error::other("the memory for uploads is in use"),
        })?;
        self.share = Some((share, limits.end_of(wanted)));
        self.bytes
            .map(wanted)
            .map_err(|source| ArtifactError::Unavailable {
                operation: OPERATION,
                source,
            })
    }
}

/// What a client sends.
pub(super) struct Source {
    path: ArtifactPath,
    content: ByteStream,
    max_bytes: u64,
    part_bytes: usize,
    limits: Limits,
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
        limits: &Limits,
    ) -> Self {
        let longest = longest_file(part_bytes);
        Self {
            path: path.clone(),
            content,
            max_bytes: max_bytes.map_or(longest, |max| max.min(longest)),
            part_bytes,
            limits: limits.clone(),
            total: 0,
            left: Bytes::new(),
            ended: false,
        }
    }

    /// The next part: shorter than the others, perhaps empty, at the end only.
    async fn gather(&mut self, number: u32) -> Result<Part, ArtifactError> {
        let wanted = part_bytes(self.part_bytes, number);
        let mut part = Part::default();
        loop {
            let room = wanted - part.bytes.len();
            let piece = self.left.split_to(room.min(self.left.len()));
            part.grow(piece.len(), wanted, &self.limits, number > 1)
                .await?;
            part.bytes.extend(&piece);
            if part.bytes.len() == wanted {
                return Ok(part);
            }
            match self.chunk(&part).await {
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
                    let max_bytes = self.max_bytes;
                    if self.total > max_bytes {
                        return Err(ArtifactError::TooLarge { max_bytes });
                    }
                    self.left = chunk;
                }
            }
        }
    }

    /// What comes next. Who holds a share of the memory must not be too slow.
    async fn chunk(&mut self, part: &Part) -> Option<Result<Bytes, BodyError>> {
        let next = self.content.next();
        match &part.share {
            None => next.await,
            Some((_, end)) => match timeout_at(*end, next).await {
                Ok(chunk) => chunk,
                Err(_) => Some(Err("it came too slowly".into())),
            },
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
    let name = objects.begin(&key).await.map_err(failed)?;
    let upload = Begun::new(objects, key, name);
    let mut names = Vec::new();
    for number in 1.. {
        let sending = async { send(objects, &upload, number, part).await.map_err(failed) };
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
    let finished = objects.finish(upload.key(), upload.name(), names).await;
    finished.map_err(|fault| failed(of_our_own(fault)))?;
    upload.keep();
    Ok(source.total)
}

/// Sends a part, whose share it keeps until then.
async fn send<O: Objects>(
    objects: &Arc<O>,
    upload: &Begun<O>,
    number: u32,
    part: Part,
) -> Result<String, Fault> {
    let Part {
        bytes,
        share: _share,
    } = part;
    objects
        .part(upload.key(), upload.name(), number, bytes.freeze())
        .await
}

/// The client has named no upload: where the storage does not know ours,
/// another writer of the file has ended first, and it is worth another try.
fn of_our_own(fault: Fault) -> Fault {
    match fault {
        Fault::NoUpload => Fault::Unavailable(io::Error::other("the parts of the upload are gone")),
        fault => fault,
    }
}
