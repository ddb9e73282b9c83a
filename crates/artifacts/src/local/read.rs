//! Opens a file and streams it.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use rustix::fs::{FileType, OFlags};

use super::staging::{Root, path_error};
use super::{CHUNK_BYTES, beneath, blocking};
use crate::{ArtifactError, ArtifactPath, ArtifactRead, ByteRange};

pub(super) fn open(
    root: &Root,
    path: &ArtifactPath,
    range: Option<ByteRange>,
) -> Result<ArtifactRead, ArtifactError> {
    const OPERATION: &str = "open a file";
    let not_found = || ArtifactError::NotFound { path: path.clone() };
    let root = root.open()?.ok_or_else(not_found)?;
    let failed = |errno| path_error(errno, path, OPERATION);
    match beneath::file_type(root.as_fd(), path).map_err(failed)? {
        FileType::RegularFile => {}
        FileType::Directory => return Err(ArtifactError::IsDirectory { path: path.clone() }),
        _ => return Err(not_found()),
    }
    // In case it is replaced by a pipe or a terminal just now.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = beneath::open(root.as_fd(), path, flags)
        .map(File::from)
        .map_err(failed)?;
    let metadata = file
        .metadata()
        .map_err(|source| ArtifactError::internal(OPERATION, source))?;
    if !metadata.is_file() {
        return Err(not_found());
    }
    let size = metadata.len();
    let range = match range {
        Some(range) => range.resolve(size)?,
        None => 0..size,
    };
    // The first chunk comes with the opening: one trip for most files.
    let first = read_chunk(&file, range.clone())?;
    Ok(ArtifactRead {
        size,
        modified: modified(metadata.mtime(), metadata.mtime_nsec()),
        // A rename gives every upload its own inode, so that two contents
        // written within the clock's grain still differ.
        etag: Some(format!(
            "\"{:x}-{:x}.{:x}-{size:x}\"",
            metadata.ino(),
            metadata.mtime(),
            metadata.mtime_nsec()
        )),
        content: content(file, first, range.clone()),
        range,
    })
}

fn modified(seconds: i64, nanos: i64) -> Option<std::time::SystemTime> {
    let age = Duration::new(u64::try_from(seconds).ok()?, u32::try_from(nanos).ok()?);
    UNIX_EPOCH.checked_add(age)
}

/// `first`, then the rest of `range`, one blocking read per chunk.
fn content(
    file: File,
    first: Bytes,
    range: Range<u64>,
) -> BoxStream<'static, Result<Bytes, ArtifactError>> {
    if first.is_empty() {
        return stream::empty().boxed();
    }
    let rest = range.start + first.len() as u64..range.end;
    let file = Arc::new(file);
    let chunks = stream::try_unfold(rest, move |rest| {
        let file = Arc::clone(&file);
        async move {
            if rest.is_empty() {
                return Ok(None);
            }
            let wanted = rest.clone();
            let chunk = blocking(move || read_chunk(&file, wanted)).await?;
            let next = rest.start + chunk.len() as u64..rest.end;
            Ok(Some((chunk, next)))
        }
    });
    stream::once(async { Ok(first) }).chain(chunks).boxed()
}

/// Reads at least one byte of a range that is not empty, at most a chunk.
fn read_chunk(file: &File, range: Range<u64>) -> Result<Bytes, ArtifactError> {
    const OPERATION: &str = "read a file";
    let wanted =
        usize::try_from(range.end - range.start).map_or(CHUNK_BYTES, |len| len.min(CHUNK_BYTES));
    let mut chunk = vec![0; wanted];
    let mut read = 0;
    while read < wanted {
        match file.read_at(&mut chunk[read..], range.start + read as u64) {
            Ok(0) => {
                let cut = io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "the file was cut while it was read",
                );
                return Err(ArtifactError::internal(OPERATION, cut));
            }
            Ok(count) => read += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(ArtifactError::internal(OPERATION, source)),
        }
    }
    Ok(chunk.into())
}
