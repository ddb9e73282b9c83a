//! Uploads: a file, or what is in a folder, several files at a time.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::part::HIDDEN;
use super::{MAX_FILES, Moved, Place, Progress, TransferError, blocking, path};
use crate::{ArtifactError, ArtifactPath, BodyError, ByteStream};

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 256 << 10;

/// Tries of a file, and the first pause between them.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_secs(1);

/// Uploads a file into a place under its name, or what is in a folder; `jobs` files at a
/// time.
///
/// A link to a file is uploaded as that file, one to a folder is left out (as MLflow's
/// clients of servers do). Nothing is sent if one of the names is none that an artifact
/// can have. A file that the storage did not take for a passing reason is sent again, up
/// to three times.
///
/// # Errors
/// [`TransferError::Path`], [`TransferError::Local`], [`TransferError::Artifact`]; files
/// that were sent by then are there.
pub async fn upload(
    place: &Place,
    local: &Path,
    jobs: usize,
    progress: &Arc<dyn Progress>,
) -> Result<Moved, TransferError> {
    send(place, local, Links::ToFiles, jobs, progress).await
}

/// The same of a folder that somebody else may have made: a symbolic link in it, or in
/// its place, is refused before anything is sent. It could name any file of this machine.
///
/// # Errors
/// As [`upload()`]; [`TransferError::Local`] names the link.
pub async fn upload_without_links(
    place: &Place,
    local: &Path,
    jobs: usize,
    progress: &Arc<dyn Progress>,
) -> Result<Moved, TransferError> {
    send(place, local, Links::Refused, jobs, progress).await
}

/// What becomes of symbolic links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Links {
    /// One to a file is that file, one to a folder is left out.
    ToFiles,
    Refused,
}

async fn send(
    place: &Place,
    local: &Path,
    links: Links,
    jobs: usize,
    progress: &Arc<dyn Progress>,
) -> Result<Moved, TransferError> {
    // All names first: nothing is sent if one of them cannot be.
    let found = local.to_owned();
    let files = blocking(move || files(&found, links)).await?;
    let total = files.iter().map(|file| file.size);
    let (count, total) = (files.len(), total.fold(0, u64::saturating_add));
    progress.begin(total, count);
    let uploads = files.into_iter().map(|file| one(place, file, progress));
    let sizes = stream::iter(uploads).buffer_unordered(jobs.max(1));
    let bytes = sizes
        .try_fold(0_u64, async |total, size| Ok(total.saturating_add(size)))
        .await?;
    progress.end();
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

fn refused(link: &Path) -> TransferError {
    TransferError::local(link)(io::Error::other("it is a symbolic link, which is refused"))
}

/// The file, or the files of the folder.
fn files(local: &Path, links: Links) -> Result<Vec<Source>, TransferError> {
    if links == Links::Refused {
        let found = fs::symlink_metadata(local).map_err(TransferError::local(local))?;
        if found.is_symlink() {
            return Err(refused(local));
        }
    }
    let found = fs::metadata(local).map_err(TransferError::local(local))?;
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
        let failed = || TransferError::local(&folder);
        for entry in fs::read_dir(&folder).map_err(failed())? {
            let entry = entry.map_err(failed())?;
            let name = entry.file_name();
            let name = name.to_str().ok_or_else(|| {
                let error = io::Error::other("the name is not UTF-8");
                TransferError::local(entry.path())(error)
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
            if kind.is_symlink() && links == Links::Refused {
                return Err(refused(&entry.path()));
            }
            let found = fs::metadata(entry.path()).map_err(TransferError::local(entry.path()))?;
            if found.is_file() {
                files.push(Source {
                    path: path(&inner)?,
                    local: entry.path(),
                    size: found.len(),
                });
            }
            if files.len() + ahead.len() > MAX_FILES {
                let many = io::Error::other(format!("there are more than {MAX_FILES} files in it"));
                return Err(TransferError::local(local)(many));
            }
        }
    }
    files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

async fn one(
    place: &Place,
    source: Source,
    progress: &Arc<dyn Progress>,
) -> Result<u64, TransferError> {
    let sent = Arc::new(AtomicU64::new(0));
    let size = patiently(place, &source.path, || {
        progress.back(sent.swap(0, Ordering::Relaxed));
        let (counted, shown) = (Arc::clone(&sent), Arc::clone(progress));
        let file = source.local.clone();
        async move {
            let file = blocking(move || File::open(&file).map_err(TransferError::local(&file)));
            let content = content(file.await?, source.size).inspect_ok(move |chunk| {
                counted.fetch_add(chunk.len() as u64, Ordering::Relaxed);
                shown.forth(chunk.len() as u64);
            });
            Ok(content.boxed())
        }
    });
    match size.await? {
        size if size == source.size => Ok(size),
        size => {
            let shorter = format!("it had {} bytes, and now has {size}", source.size);
            let error = io::Error::other(shorter);
            Err(TransferError::local(&source.local)(error))
        }
    }
}

/// Uploads bytes as the file `file` of a place; a storage that is away for a moment is
/// asked again, as [`upload`] does.
///
/// # Errors
/// [`TransferError::Path`], [`TransferError::Artifact`].
pub async fn upload_bytes(
    place: &Place,
    file: &ArtifactPath,
    content: Bytes,
) -> Result<(), TransferError> {
    let sent = patiently(place, file, || {
        let content = stream::iter([Ok(content.clone())]).boxed();
        std::future::ready(Ok(content))
    });
    sent.await.map(drop)
}

/// Writes a file of a place, again if the storage is away for a moment; its size.
async fn patiently<F: Future<Output = Result<ByteStream, TransferError>>>(
    place: &Place,
    file: &ArtifactPath,
    mut content: impl FnMut() -> F,
) -> Result<u64, TransferError> {
    let target = place
        .path
        .join(file)
        .map_err(|source| TransferError::Path {
            path: file.to_string(),
            source,
        })?;
    let mut tries = 1;
    loop {
        let content = content().await?;
        match place.repository.put(&target, content, None).await {
            Err(ArtifactError::Unavailable { .. }) if tries < TRIES => {
                tokio::time::sleep(PAUSE * 2_u32.pow(tries - 1)).await;
                tries += 1;
            }
            answer => return Ok(answer?),
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

    use super::*;
    use crate::transfer::unseen;
    use crate::{ArtifactRepository as _, LocalRepository};

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
        let moved = upload(&place, &local, 2, &unseen()).await.unwrap();
        assert_eq!((moved.files, moved.bytes), (3, CHUNK_BYTES as u64 + 1));
        let stored = fs::read(world.path().join("remote/run/a/d/e/f")).unwrap();
        assert_eq!(stored, vec![7; CHUNK_BYTES + 1]);
        let file = local.join("d/e/f");
        upload(&place, &file, 1, &unseen()).await.unwrap();
        let names = repository.list(&path("run/a").unwrap()).await.unwrap();
        let names: Vec<_> = names.into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["d", "empty", "f", "link"]);
    }

    #[test]
    fn a_name_that_no_artifact_has_stops_all() {
        let world = tempfile::tempdir().unwrap();
        fs::write(world.path().join("a#b"), "").unwrap();
        assert!(matches!(
            files(world.path(), Links::ToFiles),
            Err(TransferError::Path { .. })
        ));
        assert!(files(&world.path().join("no"), Links::ToFiles).is_err());
    }

    #[test]
    fn links_are_refused_where_they_may_not_be() {
        let world = tempfile::tempdir().unwrap();
        fs::create_dir_all(world.path().join("local/d")).unwrap();
        fs::write(world.path().join("local/f"), "").unwrap();
        let local = world.path().join("local");
        assert_eq!(files(&local, Links::Refused).unwrap().len(), 1);
        for target in ["../f", "..", "/nowhere"] {
            let link = local.join("d/link");
            symlink(target, &link).unwrap();
            let Err(TransferError::Local { path, .. }) = files(&local, Links::Refused) else {
                panic!("{target} was not refused");
            };
            assert_eq!(path, link);
            fs::remove_file(link).unwrap();
        }
        symlink("local", world.path().join("link")).unwrap();
        assert!(files(&world.path().join("link"), Links::Refused).is_err());
        assert_eq!(
            files(&world.path().join("link"), Links::ToFiles)
                .unwrap()
                .len(),
            1
        );
    }
}
