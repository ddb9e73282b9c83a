//! Downloads: a file or a folder, several files at a time.
//!
//! A file gathers under a hidden name beside its place, with a note of which
//! version it is, and gets its name once it is whole. A download that broke off
//! goes on from there, by itself or when the command is run again, if the storage
//! still has the same version; else it begins anew.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use indicatif::ProgressBar;
use runledger_artifacts::{ArtifactError, ArtifactPath, ArtifactRead, ByteRange};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;

use super::Moved;
use super::bar::{self, Share};
use super::error::ArtifactsError;
use super::place::{Place, path};

/// Files of one download; their names are in memory.
const MAX_FILES: usize = 5_000_000;

/// Tries of a file that breaks off, and the first pause between them.
const TRIES: u32 = 6;
const PAUSE: Duration = Duration::from_millis(500);

/// What begins names that no artifact has.
const HIDDEN: &str = ".runledger-part-";

/// Downloads what is at a place into a directory.
pub(super) async fn download(
    place: &Place,
    directory: &Path,
    jobs: usize,
) -> Result<Moved, ArtifactsError> {
    let target = directory.join(place.shown.as_str());
    let mut files = walk(place, jobs).await?;
    let is_file = files.is_empty() && is_file(place).await?;
    if is_file {
        files.push((ArtifactPath::root(), 0));
    }
    let (count, total) = (files.len(), files.iter().map(|(_, size)| size).sum());
    let bar = bar::of(total, count);
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
        one(place, inner, local, &bar)
    });
    let sizes = stream::iter(downloads).buffer_unordered(jobs);
    let bytes = sizes
        .try_fold(0_u64, async |total, size| Ok(total + size))
        .await?;
    bar.finish_and_clear();
    if !is_file {
        fs::create_dir_all(&target).map_err(ArtifactsError::local(&target))?;
    }
    let shown = std::path::absolute(&target).unwrap_or(target);
    Ok(Moved {
        path: shown.display().to_string(),
        files: count,
        bytes,
    })
}

/// Whether the place is a file; an error if it is nothing.
async fn is_file(place: &Place) -> Result<bool, ArtifactsError> {
    match place.repository.get(&place.path, None).await {
        Ok(_) => Ok(true),
        Err(ArtifactError::IsDirectory { .. }) => Ok(false),
        // A run that has logged no file has no directory either.
        Err(ArtifactError::NotFound { .. }) if place.shown.is_root() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// All files below a place, with their sizes.
async fn walk(place: &Place, jobs: usize) -> Result<Vec<(ArtifactPath, u64)>, ArtifactsError> {
    let mut files = Vec::new();
    let mut level = vec![ArtifactPath::root()];
    while !level.is_empty() {
        let lists = level.into_iter().map(async |inner| {
            let at = below(&place.path, inner.as_str())?;
            let entries = place.repository.list(&at).await?;
            Ok::<_, ArtifactsError>((inner, entries))
        });
        let lists: Vec<_> = stream::iter(lists).buffered(jobs).try_collect().await?;
        level = Vec::new();
        for (inner, entries) in lists {
            for entry in entries {
                // Checked by the repository, and once more: it names a file of ours.
                let found = below(&inner, &entry.name)?;
                if entry.is_dir {
                    level.push(found);
                } else {
                    files.push((found, entry.file_size));
                }
            }
            if files.len() + level.len() > MAX_FILES {
                return Err(ArtifactError::TooManyEntries {
                    path: place.path.clone(),
                    max: MAX_FILES,
                }
                .into());
            }
        }
    }
    Ok(files)
}

fn below(directory: &ArtifactPath, inner: &str) -> Result<ArtifactPath, ArtifactsError> {
    let inner = path(inner)?;
    directory
        .join(&inner)
        .map_err(|source| ArtifactsError::Path {
            path: inner.to_string(),
            source,
        })
}

/// Downloads one file.
async fn one(
    place: &Place,
    inner: ArtifactPath,
    local: PathBuf,
    bar: &ProgressBar,
) -> Result<u64, ArtifactsError> {
    let remote = below(&place.path, inner.as_str())?;
    if let Some(parent) = local.parent() {
        fs::create_dir_all(parent).map_err(ArtifactsError::local(parent))?;
    }
    let part = Part::beside(&local);
    let mut share = Share::of(bar);
    let mut tries = 1;
    loop {
        match gather(place, &remote, &part, &mut share).await {
            Ok(size) => {
                part.settle(&local)?;
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

fn is_worth_a_try(error: &ArtifactsError) -> bool {
    matches!(
        error,
        ArtifactsError::BrokenOff { .. }
            | ArtifactsError::Artifact(ArtifactError::Unavailable { .. })
    )
}

/// Brings the rest of a file into its part; returns the size of the whole.
async fn gather(
    place: &Place,
    remote: &ArtifactPath,
    part: &Part,
    share: &mut Share<'_>,
) -> Result<u64, ArtifactsError> {
    let (read, have) = match part.kept() {
        Some((etag, have)) if have > 0 => {
            let rest = place.repository.get(remote, Some(ByteRange::From(have)));
            match rest.await {
                Ok(read) if read.etag.as_ref() == Some(&etag) => (read, have),
                // Another version, or nothing is left of this one.
                Ok(_) | Err(ArtifactError::RangeNotSatisfiable { .. }) => {
                    let read = place.repository.get(remote, None).await?;
                    if read.etag.as_ref() == Some(&etag) && read.size == have {
                        return Ok(have);
                    }
                    (read, 0)
                }
                Err(error) => return Err(error.into()),
            }
        }
        _ => (place.repository.get(remote, None).await?, 0),
    };
    let size = read.size;
    let mut file = tokio::fs::File::from_std(part.open(&read, have)?);
    let failed = || ArtifactsError::local(&part.path);
    share.set(have);
    let gathered = async {
        let mut content = read.content;
        let mut done = have;
        while let Some(chunk) = content.next().await {
            let chunk = chunk.map_err(|source| ArtifactsError::BrokenOff {
                path: remote.to_string(),
                source,
            })?;
            file.write_all(&chunk).await.map_err(failed())?;
            done += chunk.len() as u64;
            share.set(done);
        }
        Ok(())
    };
    let gathered: Result<(), ArtifactsError> = gathered.await;
    // In any case: a write that is still on its way would end up behind what the next try writes.
    let written = file.flush().await.map_err(failed());
    gathered.and(written)?;
    Ok(size)
}

/// A file that is not whole yet.
struct Part {
    path: PathBuf,
    /// Which version it is of.
    note: PathBuf,
}

impl Part {
    /// The part of the file `local`, in the same directory.
    fn beside(local: &Path) -> Self {
        // Names may be as long as names can be.
        let mut hasher = DefaultHasher::new();
        local.file_name().hash(&mut hasher);
        let name = format!("{HIDDEN}{:016x}", hasher.finish());
        Self {
            path: local.with_file_name(&name),
            note: local.with_file_name(format!("{name}.json")),
        }
    }

    /// The version, and how many bytes of it are there.
    fn kept(&self) -> Option<(String, u64)> {
        let have = fs::metadata(&self.path).ok()?.len();
        let note: Value = serde_json::from_slice(&fs::read(&self.note).ok()?).ok()?;
        let size = note["size"].as_u64()?;
        let etag = note["etag"].as_str()?;
        (have <= size).then(|| (etag.to_owned(), have))
    }

    /// Opens it, to go on after `have` bytes or to begin. Nobody else does until
    /// the file is closed.
    fn open(&self, read: &ArtifactRead, have: u64) -> Result<File, ArtifactsError> {
        let failed = || ArtifactsError::local(&self.path);
        let opened = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&self.path);
        let file = opened.map_err(failed())?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(ArtifactsError::Busy {
                    path: self.path.clone(),
                });
            }
            // Some network file systems have no locks.
            Err(TryLockError::Error(error)) => {
                tracing::debug!(%error, "a file is not locked");
            }
        }
        if have == 0 {
            file.set_len(0).map_err(failed())?;
            let note = json!({ "etag": read.etag, "size": read.size }).to_string();
            fs::write(&self.note, note).map_err(ArtifactsError::local(&self.note))?;
        }
        Ok(file)
    }

    /// Gives it its name.
    fn settle(&self, local: &Path) -> Result<(), ArtifactsError> {
        fs::rename(&self.path, local).map_err(ArtifactsError::local(local))?;
        fs::remove_file(&self.note).map_err(ArtifactsError::local(&self.note))
    }
}

#[cfg(test)]
mod tests;
