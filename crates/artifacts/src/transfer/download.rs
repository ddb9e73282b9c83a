//! Downloads: a file or a folder, several files at a time.
//!
//! A file gathers under a hidden name beside its place, with a note of which
//! version it is, and gets its name once it is whole. A download that broke off
//! goes on from there, by itself or when the command is run again, if the storage
//! still has the same version; else it begins anew. What is on disk of it is `part`'s.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::io::AsyncWriteExt as _;

use super::part::{Kept, Part, is_rest};
use super::{MAX_FILES, Moved, Place, Progress, TransferError, blocking, path};
use crate::{ArtifactError, ArtifactPath, ArtifactRead, ByteRange};

/// Tries of a file that breaks off, and the first pause between them.
const TRIES: u32 = 6;
const PAUSE: Duration = Duration::from_millis(500);

/// Downloads what is at a place into a directory, which is made if it is missing; `jobs`
/// files at a time.
///
/// A file that breaks off is asked for again from there on, up to five times; a later
/// call goes on too, where the storage still has the same version.
///
/// # Errors
/// [`TransferError::Artifact`], [`TransferError::Local`], [`TransferError::BrokenOff`],
/// and [`TransferError::Busy`] for a file that another process downloads to the same
/// place.
pub async fn download(
    place: &Place,
    directory: &Path,
    jobs: usize,
    progress: &Arc<dyn Progress>,
) -> Result<Moved, TransferError> {
    let jobs = jobs.max(1);
    let target = directory.join(place.shown.as_str());
    let mut files = walk(place, jobs).await?;
    let is_file = files.is_empty() && is_file(place).await?;
    if is_file {
        files.push((ArtifactPath::root(), 0));
    }
    let (count, total) = (
        files.len(),
        files
            .iter()
            .map(|(_, size)| *size)
            .fold(0, u64::saturating_add),
    );
    progress.begin(total, count);
    let downloads = files.into_iter().map(|(inner, _)| {
        let local = if inner.is_root() {
            // A file of which nothing is in the name of the place.
            let name = place.path.file_name().unwrap_or_default();
            if place.shown.is_root() {
                target.join(name)
            } else {
                target.clone()
            }
        } else {
            target.join(inner.as_str())
        };
        one(place, inner, local, progress)
    });
    let sizes = stream::iter(downloads).buffer_unordered(jobs);
    let bytes = sizes
        .try_fold(0_u64, async |total, size| Ok(total.saturating_add(size)))
        .await?;
    progress.end();
    if !is_file {
        let made = target.clone();
        blocking(move || fs::create_dir_all(&made).map_err(TransferError::local(&made))).await?;
    }
    let shown = std::path::absolute(&target).unwrap_or(target);
    Ok(Moved {
        path: shown.display().to_string(),
        files: count,
        bytes,
    })
}

/// Whether the place is a file; an error if it is nothing.
async fn is_file(place: &Place) -> Result<bool, TransferError> {
    match place.repository.get(&place.path, None).await {
        Ok(_) => Ok(true),
        Err(ArtifactError::IsDirectory { .. }) => Ok(false),
        // A run that has logged no file has no directory either.
        Err(ArtifactError::NotFound { .. }) if place.may_be_missing => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// All files below a place, with their sizes.
async fn walk(place: &Place, jobs: usize) -> Result<Vec<(ArtifactPath, u64)>, TransferError> {
    let mut files = Vec::new();
    let mut level = vec![ArtifactPath::root()];
    while !level.is_empty() {
        let lists = level.into_iter().map(async |inner| {
            let at = below(&place.path, inner.as_str())?;
            let entries = place.repository.list(&at).await?;
            Ok::<_, TransferError>((inner, entries))
        });
        let mut lists = std::pin::pin!(stream::iter(lists).buffered(jobs));
        let mut next_level = Vec::new();
        while let Some((inner, entries)) = lists.try_next().await? {
            for entry in entries {
                // Checked by the repository, and once more: it names a file of ours.
                let found = below(&inner, &entry.name)?;
                if entry.is_dir {
                    next_level.push(found);
                } else {
                    files.push((found, entry.file_size));
                }
            }
            if files.len() + next_level.len() > MAX_FILES {
                return Err(ArtifactError::TooManyEntries {
                    path: place.path.clone(),
                    max: MAX_FILES,
                }
                .into());
            }
        }
        level = next_level;
    }
    Ok(files)
}

fn below(directory: &ArtifactPath, inner: &str) -> Result<ArtifactPath, TransferError> {
    let inner = path(inner)?;
    directory
        .join(&inner)
        .map_err(|source| TransferError::Path {
            path: inner.to_string(),
            source,
        })
}

/// Downloads one file.
async fn one(
    place: &Place,
    inner: ArtifactPath,
    local: PathBuf,
    progress: &Arc<dyn Progress>,
) -> Result<u64, TransferError> {
    let remote = below(&place.path, inner.as_str())?;
    let (target, origin) = (local.clone(), format!("{} {remote}", place.origin));
    let part = Arc::new(blocking(move || Part::hold(&target, origin)).await?);
    let mut share = Share::of(progress);
    let mut tries = 1;
    loop {
        match gather(place, &remote, &part, &mut share).await {
            Ok(size) => {
                blocking(move || part.settle(&local)).await?;
                return Ok(size);
            }
            Err(error) if tries < TRIES && is_worth_a_try(&error) => {
                tracing::debug!(%remote, %error, "a download broke off");
                tokio::time::sleep(PAUSE * 2_u32.pow(tries - 1)).await;
                tries += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

fn is_worth_a_try(error: &TransferError) -> bool {
    matches!(
        error,
        TransferError::BrokenOff { .. }
            | TransferError::Artifact(ArtifactError::Unavailable { .. })
    )
}

/// Brings the rest of a file into its part; returns the size of the whole.
async fn gather(
    place: &Place,
    remote: &ArtifactPath,
    part: &Arc<Part>,
    share: &mut Share<'_>,
) -> Result<u64, TransferError> {
    let looked = Arc::clone(part);
    let kept = blocking(move || Ok(looked.kept())).await?;
    let (read, have) = match kept {
        Some(Kept { etag, bytes: have }) => {
            let is_this = |read: &ArtifactRead| read.etag.as_ref() == Some(&etag);
            let rest = place.repository.get(remote, Some(ByteRange::From(have)));
            match rest.await {
                Ok(read) if is_this(&read) && is_rest(&read, have) => (read, have),
                // Another version, or nothing is left of this one.
                Ok(_) | Err(ArtifactError::RangeNotSatisfiable { .. }) => {
                    let read = place.repository.get(remote, None).await?;
                    if is_this(&read) && read.size == have {
                        return Ok(have);
                    }
                    (read, 0)
                }
                Err(error) => return Err(error.into()),
            }
        }
        None => (place.repository.get(remote, None).await?, 0),
    };
    let size = read.size;
    if !is_rest(&read, have) {
        return Err(broken_off(remote));
    }
    let (begun, etag) = (Arc::clone(part), read.etag);
    let file = blocking(move || {
        if have == 0 {
            begun.begin(etag.as_deref(), size)?;
        }
        begun.file()
    });
    let mut file = tokio::fs::File::from_std(file.await?);
    let failed = || TransferError::local(remote.as_str());
    share.set(have);
    let mut done = have;
    let gathered = async {
        let mut content = read.content;
        while let Some(chunk) = content.next().await {
            let chunk = chunk.map_err(|source| TransferError::BrokenOff {
                path: remote.to_string(),
                source,
            })?;
            file.write_all(&chunk).await.map_err(failed())?;
            done += chunk.len() as u64;
            share.set(done);
        }
        Ok(())
    };
    let gathered: Result<(), TransferError> = gathered.await;
    // In any case: a write that is still on its way would end up behind what the next try writes.
    let written = file.flush().await.map_err(failed());
    gathered.and(written)?;
    if done == size {
        Ok(size)
    } else {
        Err(broken_off(remote))
    }
}

/// A storage gave less than it said, or more.
fn broken_off(remote: &ArtifactPath) -> TransferError {
    TransferError::BrokenOff {
        path: remote.to_string(),
        source: ArtifactError::Unavailable {
            operation: "read a file",
            source: io::ErrorKind::UnexpectedEof.into(),
        },
    }
}

/// The part of a transfer's progress that one file has.
struct Share<'a> {
    progress: &'a Arc<dyn Progress>,
    counted: u64,
}

impl<'a> Share<'a> {
    fn of(progress: &'a Arc<dyn Progress>) -> Self {
        Self {
            progress,
            counted: 0,
        }
    }

    /// So much of the file is there; less than before, if it began anew.
    fn set(&mut self, done: u64) {
        match done.checked_sub(self.counted) {
            Some(more) => self.progress.forth(more),
            None => self.progress.back(self.counted - done),
        }
        self.counted = done;
    }
}

#[cfg(test)]
mod tests;
