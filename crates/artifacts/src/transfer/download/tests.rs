//! Downloads that break off and go on.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::*;
use crate::transfer::unseen;
use crate::{ArtifactRepository, ByteStream, FileInfo, LocalRepository};
use async_trait::async_trait;

/// A repository whose downloads break off after some bytes.
#[derive(Debug)]
struct Breaking {
    inner: LocalRepository,
    breaks: AtomicUsize,
    after: u64,
    asked: Mutex<Vec<Option<ByteRange>>>,
    sent: Arc<AtomicU64>,
}

#[async_trait]
impl ArtifactRepository for Breaking {
    async fn list(&self, directory: &ArtifactPath) -> Result<Vec<FileInfo>, ArtifactError> {
        self.inner.list(directory).await
    }

    async fn get(
        &self,
        file: &ArtifactPath,
        range: Option<ByteRange>,
    ) -> Result<ArtifactRead, ArtifactError> {
        self.asked.lock().unwrap().push(range);
        let mut read = self.inner.get(file, range).await?;
        let mut left = u64::MAX;
        if self.breaks.load(Ordering::Relaxed) > 0 {
            self.breaks.fetch_sub(1, Ordering::Relaxed);
            left = self.after;
        }
        let sent = Arc::clone(&self.sent);
        let content = read.content.map(move |chunk| {
            let mut chunk = chunk?;
            if left == 0 {
                return Err(ArtifactError::Unavailable {
                    operation: "read a file",
                    source: std::io::ErrorKind::ConnectionReset.into(),
                });
            }
            chunk.truncate(usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len()));
            left -= chunk.len() as u64;
            sent.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            Ok(chunk)
        });
        read.content = content.boxed();
        Ok(read)
    }

    async fn put(
        &self,
        file: &ArtifactPath,
        content: ByteStream,
        max_bytes: Option<u64>,
    ) -> Result<u64, ArtifactError> {
        self.inner.put(file, content, max_bytes).await
    }

    async fn delete(&self, path: &ArtifactPath) -> Result<(), ArtifactError> {
        self.inner.delete(path).await
    }
}

const SIZE: usize = 1_000_000;

struct World {
    folder: tempfile::TempDir,
    repository: Arc<Breaking>,
    place: Place,
}

async fn world(breaks: usize) -> World {
    let folder = tempfile::tempdir().unwrap();
    let repository = Arc::new(Breaking {
        inner: LocalRepository::new(folder.path().join("remote")),
        breaks: AtomicUsize::new(breaks),
        after: 300_000,
        asked: Mutex::default(),
        sent: Arc::default(),
    });
    let world = World {
        place: Place {
            repository: Arc::<Breaking>::clone(&repository),
            path: path("run").unwrap(),
            shown: ArtifactPath::root(),
            origin: "remote".to_owned(),
            may_be_missing: false,
        },
        repository,
        folder,
    };
    world.put("run/d/f", 1).await;
    world
}

impl World {
    async fn put(&self, file: &str, byte: u8) {
        let content = stream::iter([Ok(vec![byte; SIZE].into())]).boxed();
        let path = path(file).unwrap();
        let stored = self.repository.inner.put(&path, content, None);
        stored.await.unwrap();
    }

    fn local(&self) -> PathBuf {
        self.folder.path().join("local")
    }

    async fn download(&self) -> Result<Moved, TransferError> {
        download(&self.place, &self.local(), 4, &unseen()).await
    }

    /// As the download of `run/d/f` holds it.
    fn part(&self) -> Arc<Part> {
        let origin = format!("{} run/d/f", self.place.origin);
        Arc::new(Part::hold(&self.local().join("d/f"), origin).unwrap())
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.local().join("d")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }
}

#[tokio::test]
async fn a_download_that_breaks_off_goes_on_where_it_was() {
    let world = world(2).await;
    let moved = world.download().await.unwrap();
    assert_eq!((moved.files, moved.bytes), (1, SIZE as u64));
    assert_eq!(fs::read(world.local().join("d/f")).unwrap(), vec![1; SIZE]);
    assert_eq!(world.names(), ["f"]);
    let asked = world.repository.asked.lock().unwrap().clone();
    let from = [
        None,
        Some(ByteRange::From(300_000)),
        Some(ByteRange::From(600_000)),
    ];
    assert_eq!(asked, from);
    assert_eq!(world.repository.sent.load(Ordering::Relaxed), SIZE as u64);
}

#[tokio::test]
async fn the_next_command_goes_on_too_unless_the_file_is_another() {
    for changes in [false, true] {
        let world = world(1).await;
        let part = world.part();
        let bar = unseen();
        let file = path("run/d/f").unwrap();
        let broken = gather(&world.place, &file, &part, &mut Share::of(&bar)).await;
        assert!(is_worth_a_try(&broken.unwrap_err()));
        assert_eq!(part.kept().unwrap().bytes, 300_000);
        drop(part);
        if changes {
            world.put("run/d/f", 2).await;
        }
        world.download().await.unwrap();
        let expected = if changes { 2 } else { 1 };
        assert_eq!(
            fs::read(world.local().join("d/f")).unwrap(),
            vec![expected; SIZE]
        );
        assert_eq!(world.names(), ["f"]);
    }
}

#[tokio::test]
async fn a_part_that_is_whole_is_not_asked_for_again() {
    let world = world(0).await;
    let part = world.part();
    let file = path("run/d/f").unwrap();
    let bar = unseen();
    gather(&world.place, &file, &part, &mut Share::of(&bar))
        .await
        .unwrap();
    drop(part);
    world.download().await.unwrap();
    assert_eq!(world.repository.sent.load(Ordering::Relaxed), SIZE as u64);
    assert_eq!(fs::read(world.local().join("d/f")).unwrap(), vec![1; SIZE]);
}

#[tokio::test]
async fn nothing_is_an_error_and_an_empty_run_is_not() {
    let world = world(0).await;
    let missing = Place {
        repository: Arc::<Breaking>::clone(&world.repository),
        path: path("run/no").unwrap(),
        shown: path("no").unwrap(),
        origin: "remote".to_owned(),
        may_be_missing: false,
    };
    assert!(
        download(&missing, &world.local(), 1, &unseen())
            .await
            .is_err()
    );
    let empty = Place {
        path: path("other").unwrap(),
        shown: ArtifactPath::root(),
        may_be_missing: true,
        ..missing
    };
    let moved = download(&empty, &world.local(), 1, &unseen())
        .await
        .unwrap();
    assert_eq!(moved.files, 0);
}
