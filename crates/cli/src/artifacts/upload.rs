//! Uploads: a file, or what is in a folder, several files at a time.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use indicatif::ProgressBar;
use runledger_artifacts::{ArtifactError, ArtifactPath, BodyError, ByteStream};

use super::download::part::HIDDEN;
use super::error::ArtifactsError;
use super::place::{Place, path};
use super::{MAX_FILES, Moved, bar, blocking};

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 256 << 10;

/// Tries of a file, and the first pause between them.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_secs(1);

/// Uploads a file into a place under its name, or what is in a folder.
pub(super) async fn upload(
    place: &Place,
    local: &Path,
    jobs: usize,
) -> Result<Moved, ArtifactsError> {
    // All names first: nothing is sent if one of them cannot be.
    let found = local.to_owned();
    let files = blocking(move || files(&found)).await?;
    let total = files.iter().map(|file| file.size);
    let (count, total) = (files.len(), total.fold(0, u64::saturating_add));
    let bar = bar::of(total, count);
    let uploads = files.iter().map(|file| one(place, file, &bar));
    let sizes = stream::iter(uploads).buffer_unordered(jobs);
    let bytes = sizes
        .try_fold(0_u64, async |total, size| Ok(total.saturating_add(size)))
        .await?;
    bar.finish_and_clear();
    Ok(Moved {
        path: place.shown.to_string(),
        files: count,
        bytes,
    })
}

/// A file of this machine, and where it goes.
struct Source {
    local: PathBuf,
    path: ArtifactPath,
    size: u64,
}

/// The file, or the files of the folder. A link to a file is that file; one to a
/// folder is not followed.
fn files(local: &Path) -> Result<Vec<Source>, ArtifactsError> {
    let found = fs::metadata(local).map_err(ArtifactsError::local(local))?;
    let mut files = Vec::new();
    if found.is_file() {
        let name = local.file_name().unwrap_or_default();
        files.push(Source {
            path: path(&name.to_string_lossy())?,
            local: local.to_owned(),
            size: found.len(),
        });
        return Ok(files);
    }
    let mut ahead = vec![(local.to_owned(), String::new())];
    while let Some((folder, prefix)) = ahead.pop() {
        let failed = || ArtifactsError::local(&folder);
        for entry in fs::read_dir(&folder).map_err(failed())? {
            let entry = entry.map_err(failed())?;
            let name = entry.file_name();
            let name = name.to_str().ok_or_else(|| {
                let error = io::Error::other("the name is not UTF-8");
                ArtifactsError::local(entry.path())(error)
            })?;
            // What is left of a download that broke off is no file of the folder.
            if name.starts_with(HIDDEN) {
                continue;
            }
            let inner = format!("{prefix}{name}");
            let kind = entry.file_type().map_err(failed())?;
            if kind.is_dir() {
                ahead.push((entry.path(), format!("{inner}/")));
                continue;
            }
            let found = fs::metadata(entry.path()).map_err(ArtifactsError::local(entry.path()))?;
            if found.is_file() {
                files.push(Source {
                    path: path(&inner)?,
                    local: entry.path(),
                    size: found.len(),
                });
            }
            if files.len() + ahead.len() > MAX_FILES {
                let many = io::Error::other(format!("there are more than {MAX_FILES} files in it"));
                return Err(ArtifactsError::local(local)(many));
            }
        }
    }
    files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

async fn one(place: &Place, source: &Source, bar: &ProgressBar) -> Result<u64, ArtifactsError> {
    let target = place
        .path
        .join(&source.path)
        .map_err(|reason| ArtifactsError::Path {
            path: source.path.to_string(),
            source: reason,
        })?;
    let mut tries = 1;
    loop {
        let (sent, bar) = (Arc::new(AtomicU64::new(0)), bar.clone());
        let (counted, shown) = (Arc::clone(&sent), bar.clone());
        let file = source.local.clone();
        let file = blocking(move || File::open(&file).map_err(ArtifactsError::local(&file)));
        let content = content(file.await?, source.size).inspect_ok(move |chunk| {
            counted.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            shown.inc(chunk.len() as u64);
        });
        match place.repository.put(&target, content.boxed(), None).await {
            Ok(size) if size == source.size => return Ok(size),
            Ok(size) => {
                let shorter = format!("it had {} bytes, and now has {size}", source.size);
                return Err(ArtifactsError::local(&source.local)(io::Error::other(
                    shorter,
                )));
            }
            Err(ArtifactError::Unavailable { .. }) if tries < TRIES => {
                bar.dec(sent.load(Ordering::Relaxed));
                tokio::time::sleep(PAUSE * 2_u32.pow(tries - 1)).await;
                tries += 1;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The first `size` bytes of a file, read on a thread that may block: one that grows is
/// uploaded as it was found.
fn content(file: File, size: u64) -> ByteStream {
    let chunks = stream::try_unfold(file.take(size), async |mut file| {
        let reading = tokio::task::spawn_blocking(move || {
            let mut chunk = Vec::with_capacity(CHUNK_BYTES);
            file.by_ref()
                .take(CHUNK_BYTES as u64)
                .read_to_end(&mut chunk)?;
            Ok::<_, io::Error>((Bytes::from(chunk), file))
        });
        let (chunk, file) = reading.await??;
        Ok::<_, BodyError>((!chunk.is_empty()).then_some((chunk, file)))
    });
    chunks.boxed()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use runledger_artifacts::{ArtifactRepository as _, LocalRepository};

    use super::*;

    #[tokio::test]
    async fn a_folder_goes_as_it_is_and_a_file_under_its_name() {
        let world = tempfile::tempdir().unwrap();
        let local = world.path().join("local");
        fs::create_dir_all(local.join("d/e")).unwrap();
        fs::write(local.join("d/e/f"), vec![7; CHUNK_BYTES + 1]).unwrap();
        fs::write(local.join("empty"), "").unwrap();
        symlink("empty", local.join("link")).unwrap();
        symlink("..", local.join("up")).unwrap();
        fs::write(local.join(format!("{HIDDEN}0")), "half").unwrap();
        let repository = Arc::new(LocalRepository::new(world.path().join("remote")));
        let place = Place {
            repository: Arc::<LocalRepository>::clone(&repository),
            path: path("run/a").unwrap(),
            shown: path("a").unwrap(),
            origin: "remote".to_owned(),
            may_be_missing: false,
        };
        let moved = upload(&place, &local, 2).await.unwrap();
        assert_eq!((moved.files, moved.bytes), (3, CHUNK_BYTES as u64 + 1));
        let stored = fs::read(world.path().join("remote/run/a/d/e/f")).unwrap();
        assert_eq!(stored, vec![7; CHUNK_BYTES + 1]);
        upload(&place, &local.join("d/e/f"), 1).await.unwrap();
        let names = repository.list(&path("run/a").unwrap()).await.unwrap();
        let names: Vec<_> = names.into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["d", "empty", "f", "link"]);
    }

    #[test]
    fn a_name_that_no_artifact_has_stops_all() {
        let world = tempfile::tempdir().unwrap();
        fs::write(world.path().join("a#b"), "").unwrap();
        assert!(matches!(
            files(world.path()),
            Err(ArtifactsError::Path { .. })
        ));
        assert!(files(&world.path().join("no")).is_err());
    }
}
