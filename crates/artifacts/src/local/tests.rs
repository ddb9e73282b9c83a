//! What only a local directory can do wrong.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tempfile::TempDir;

use super::*;

struct World {
    directory: TempDir,
    repository: LocalRepository,
}

/// A root with one file in it, and one file beside it.
fn world() -> World {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("inside"), "inside").unwrap();
    fs::write(directory.path().join("outside"), "outside").unwrap();
    World {
        repository: LocalRepository::new(&root),
        directory,
    }
}

impl World {
    fn root(&self) -> PathBuf {
        self.directory.path().join("root")
    }

    async fn put(&self, path: &str) -> Result<u64, ArtifactError> {
        let content = stream::once(async { Ok(Bytes::from_static(b"new")) }).boxed();
        self.repository.put(&artifact(path), content, None).await
    }

    fn staged(&self) -> usize {
        fs::read_dir(self.root().join(staging::STAGING)).map_or(0, Iterator::count)
    }
}

fn artifact(path: &str) -> ArtifactPath {
    ArtifactPath::parse(path).unwrap()
}

#[tokio::test]
async fn links_are_neither_listed_nor_read() {
    let world = world();
    symlink("../outside", world.root().join("out")).unwrap();
    symlink("inside", world.root().join("in")).unwrap();
    symlink("..", world.root().join("up")).unwrap();
    for path in ["out", "in", "up/outside"] {
        let read = world.repository.get(&artifact(path), None).await;
        assert!(
            matches!(read, Err(ArtifactError::InvalidPath(_))),
            "{path}: {read:?}"
        );
    }
    let listed = world.repository.list(&ArtifactPath::root()).await.unwrap();
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert!(
        world
            .repository
            .list(&artifact("up"))
            .await
            .unwrap_or_default()
            .is_empty()
    );
}

#[tokio::test]
async fn links_are_never_written_through() {
    let world = world();
    symlink("../outside", world.root().join("out")).unwrap();
    symlink("..", world.root().join("up")).unwrap();
    for path in ["out", "up/outside", "up/new"] {
        assert!(world.put(path).await.is_err(), "{path}");
    }
    let outside = fs::read_to_string(world.directory.path().join("outside")).unwrap();
    assert_eq!(outside, "outside");
    assert!(!world.directory.path().join("new").exists());
    assert_eq!(world.staged(), 0);
}

#[tokio::test]
async fn deleting_a_link_spares_what_it_points_to() {
    let world = world();
    symlink("..", world.root().join("up")).unwrap();
    // Whatever it answers: below a link is nothing of ours.
    let _ = world.repository.delete(&artifact("up/outside")).await;
    assert!(world.directory.path().join("outside").exists());
    world.repository.delete(&artifact("up")).await.unwrap();
    assert!(world.directory.path().join("outside").exists());
}

#[tokio::test]
async fn a_named_pipe_does_not_block_a_reader() {
    let world = world();
    let pipe = world.root().join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    let read = world.repository.get(&artifact("pipe"), None).await;
    assert!(
        matches!(read, Err(ArtifactError::NotFound { .. })),
        "{read:?}"
    );
}

/// Opens are visible from the other end of a pipe, and can do worse to a
/// device.
#[tokio::test]
async fn a_special_file_is_not_even_opened() {
    let world = world();
    let pipe = world.root().join("pipe");
    let mode = rustix::fs::Mode::RWXU;
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let (opened, was_opened) = std::sync::mpsc::channel();
    let other_end = pipe.clone();
    let writer = std::thread::spawn(move || {
        let _end = fs::File::options().write(true).open(other_end).unwrap();
        opened.send(()).unwrap();
    });
    // Time for the writer to wait for a reader.
    std::thread::sleep(Duration::from_millis(50));
    let read = world.repository.get(&artifact("pipe"), None).await;
    assert!(read.is_err());
    let content = stream::once(async { Err("gone".into()) }).boxed();
    let put = world.repository.put(&artifact("pipe"), content, None).await;
    assert!(put.is_err());
    let waited = was_opened.recv_timeout(Duration::from_millis(100));
    assert!(waited.is_err(), "the pipe was opened for reading");
    drop(fs::File::open(&pipe).unwrap());
    writer.join().unwrap();
}

#[tokio::test]
async fn a_call_that_hangs_keeps_its_place_when_nobody_waits_for_it() {
    static PLACES: Semaphore = Semaphore::const_new(1);
    let (release, released) = std::sync::mpsc::channel::<()>();
    let hanging = blocking_in(&PLACES, move || {
        let _ = released.recv();
        Ok(())
    });
    let short = Duration::from_millis(20);
    assert!(tokio::time::timeout(short, hanging).await.is_err());
    // Given up, but the thread still hangs: no other call takes a thread.
    let next = tokio::time::timeout(short, blocking_in(&PLACES, || Ok(())));
    assert!(next.await.is_err());
    drop(release);
    blocking_in(&PLACES, || Ok(())).await.unwrap();
}

#[tokio::test]
async fn the_root_is_made_by_the_first_write_only() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("a/b");
    let repository = LocalRepository::new(&root);
    assert!(
        repository
            .list(&ArtifactPath::root())
            .await
            .unwrap()
            .is_empty()
    );
    assert!(repository.get(&artifact("f"), None).await.is_err());
    repository.delete(&artifact("f")).await.unwrap();
    assert!(!root.exists());
    repository
        .put(&artifact("f"), stream::empty().boxed(), None)
        .await
        .unwrap();
    assert!(root.join("f").is_file());
}

#[tokio::test]
async fn a_finished_upload_leaves_no_staged_file() {
    let world = world();
    world.put("d/f").await.unwrap();
    assert_eq!(world.staged(), 0);
}

#[tokio::test]
async fn a_failed_upload_makes_no_directory() {
    let world = world();
    let content = stream::once(async { Err("gone".into()) }).boxed();
    let answer = world.repository.put(&artifact("d/f"), content, None).await;
    assert!(answer.is_err());
    assert!(!world.root().join("d").exists());
}

#[tokio::test]
async fn old_leftovers_of_a_crash_are_swept() {
    let world = world();
    let staging = world.root().join(staging::STAGING);
    fs::create_dir(&staging).unwrap();
    let old = SystemTime::now() - Duration::from_hours(48);
    fs::File::create(staging.join("old"))
        .unwrap()
        .set_modified(old)
        .unwrap();
    fs::File::create(staging.join("young")).unwrap();
    world.put("f").await.unwrap();
    assert!(!staging.join("old").exists());
    assert!(staging.join("young").exists());
}

#[tokio::test]
async fn a_file_that_shrinks_while_it_is_read_is_an_error() {
    let world = world();
    let path = world.root().join("f");
    fs::write(&path, vec![b'x'; 3 * CHUNK_BYTES]).unwrap();
    let read = world.repository.get(&artifact("f"), None).await.unwrap();
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(10)
        .unwrap();
    let chunks: Vec<_> = read.content.collect().await;
    assert!(chunks.last().unwrap().is_err());
}

#[tokio::test]
async fn names_that_are_no_utf_8_are_not_listed() {
    use std::os::unix::ffi::OsStrExt;

    let world = world();
    let name = std::ffi::OsStr::from_bytes(b"bad\xff");
    fs::write(world.root().join(name), "x").unwrap();
    let listed = world.repository.list(&ArtifactPath::root()).await.unwrap();
    assert_eq!(listed.len(), 1);
}
