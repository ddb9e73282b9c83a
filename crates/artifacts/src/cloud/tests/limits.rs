//! What uploads share, and how long a file may be.

use tokio::sync::Semaphore;

use super::super::upload::{longest_file, part_bytes};
use super::*;

const MIB: usize = 1 << 20;

/// Parts that need a share of the memory.
const LARGE: usize = 2 * MIB;

fn limits(units: usize) -> Limits {
    Limits {
        memory: Arc::new(Semaphore::new(units)),
        signing: Arc::new(Semaphore::new(1)),
        wait: Duration::from_millis(100),
        least_rate: 1,
    }
}

fn repository(storage: &Counting, limits: &Limits) -> ObjectRepository<Counting> {
    ObjectRepository::new(storage.clone(), Keys::default(), LARGE).with_limits(limits.clone())
}

/// So many chunks of a mebibyte.
fn chunks(count: usize) -> ByteStream {
    let chunk = Bytes::from(vec![b'x'; MIB]);
    stream::iter(std::iter::repeat_n(chunk, count))
        .map(Ok)
        .boxed()
}

#[tokio::test]
async fn whoever_begins_is_told_to_come_back() {
    let storage = Counting::default();
    let repository = repository(&storage, &limits(1));
    let outcome = repository.put(&file(), chunks(3), None).await;
    assert!(matches!(outcome, Err(ArtifactError::Unavailable { .. })));
    // A short one needs no share.
    repository.put(&file(), chunks(1), None).await.unwrap();
    assert_eq!(storage.asked(), [Asked::Write(MIB)]);
}

#[tokio::test]
async fn an_upload_that_has_begun_waits_for_memory() {
    let storage = Counting::default();
    let limits = Limits {
        wait: Duration::from_mins(1),
        ..limits(4)
    };
    let repository = repository(&storage, &limits);
    // After the first part somebody else has everything for a moment.
    let memory = Arc::clone(&limits.memory);
    let taken = stream::once(async move {
        let share = memory.try_acquire_many_owned(4).unwrap();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop(share);
        });
        Ok(Bytes::new())
    });
    let content = chunks(2).chain(taken).chain(chunks(6)).boxed();
    let stored = repository.put(&file(), content, None).await.unwrap();
    assert_eq!(stored, 8 * MIB as u64);
    assert_eq!(limits.memory.available_permits(), 4);
}

#[tokio::test]
async fn nobody_waits_for_memory_without_an_end() {
    let storage = Counting::default();
    let limits = limits(4);
    let memory = Arc::clone(&limits.memory);
    let taken = stream::once(async move {
        memory.forget_permits(2);
        Ok(Bytes::new())
    });
    let content = chunks(2).chain(taken);
    // The first part is never sent: what it holds does not come back.
    let content = content.chain(chunks(6)).boxed();
    let storage = Counting {
        hangs: true,
        ..storage
    };
    let outcome = repository(&storage, &limits)
        .put(&file(), content, None)
        .await;
    assert!(matches!(outcome, Err(ArtifactError::Unavailable { .. })));
    storage.given_up().await;
}

#[tokio::test]
async fn memory_is_not_held_for_a_trickle() {
    let storage = Counting::default();
    let limits = Limits {
        least_rate: u64::MAX,
        ..limits(4)
    };
    let content = chunks(2).take(1).chain(chunks(1)).chain(stream::pending());
    // The share comes with the second chunk, and so does the limit.
    let larger = ObjectRepository::new(storage.clone(), Keys::default(), 3 * MIB)
        .with_limits(limits.clone());
    let outcome = larger.put(&file(), content.boxed(), None).await;
    assert!(matches!(outcome, Err(ArtifactError::BrokenUpload { .. })));
    assert_eq!(limits.memory.available_permits(), 4);
}

#[test]
fn parts_grow_to_64_mib() {
    let sizes = [1, 1000, 1001, 2001, 3001, 4001, 5001, 10_000].map(|n| part_bytes(5 * MIB, n));
    assert_eq!(sizes.map(|size| size / MIB), [5, 5, 10, 20, 40, 64, 64, 64]);
    assert_eq!(longest_file(5 * MIB), 459_000 << 20);
}

#[tokio::test]
async fn a_file_that_has_too_many_parts_is_too_large() {
    // Ten thousand parts, from one byte on.
    let storage = Counting::default();
    let tiny = ObjectRepository::new(storage.clone(), Keys::default(), 1);
    let longest = tiny.max_file_bytes().unwrap();
    assert_eq!(longest, 1000 * ((1 << 10) - 1));
    let length = usize::try_from(longest).unwrap();
    assert_eq!(
        tiny.put(&file(), bytes(length), None).await.unwrap(),
        longest
    );
    let outcome = tiny.put(&file(), bytes(length + 1), None).await;
    assert!(
        matches!(outcome, Err(ArtifactError::TooLarge { max_bytes }) if max_bytes == longest),
        "{outcome:?}"
    );
    storage.given_up().await;
}
