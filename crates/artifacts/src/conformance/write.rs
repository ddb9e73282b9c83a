//! Writing and deleting.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{Broken, Outcome, Repository, body, check, get, names, path, put, same};
use crate::{ArtifactError, ByteStream};

const CHUNK: usize = 64 * 1024;

/// `count` chunks of one byte value.
fn chunks(byte: u8, count: usize) -> ByteStream {
    body(std::iter::repeat_n(Bytes::from(vec![byte; CHUNK]), count))
}

/// Some content, then a failure of the sender.
fn broken() -> ByteStream {
    chunks(b'x', 20)
        .chain(stream::once(async { Err("connection reset".into()) }))
        .boxed()
}

pub(super) async fn what_is_put_is_got(repository: Repository) -> Outcome {
    same(&put(&repository, "a/b/c.txt", b"hello").await?, &5)?;
    same(&&*get(&repository, "a/b/c.txt").await?, &&b"hello"[..])
}

pub(super) async fn an_empty_file_is_a_file(repository: Repository) -> Outcome {
    repository.put(&path("d/empty")?, body([]), None).await?;
    same(&&*get(&repository, "d/empty").await?, &&b""[..])?;
    same(&names(&repository, "d").await?, &vec!["empty".to_owned()])
}

pub(super) async fn odd_names_are_kept(repository: Repository) -> Outcome {
    let mut odd = [
        "a b", "a+b", "p%41", "q?x", "ü日", "...", "~", ".hidden", "x:y", "-rf", "a;b",
    ];
    for name in odd {
        put(&repository, &format!("odd/{name}"), name.as_bytes()).await?;
    }
    for name in odd {
        same(
            &&*get(&repository, &format!("odd/{name}")).await?,
            &name.as_bytes(),
        )?;
    }
    odd.sort_unstable();
    same(
        &names(&repository, "odd").await?,
        &odd.map(str::to_owned).to_vec(),
    )
}

pub(super) async fn replaces_the_whole_file(repository: Repository) -> Outcome {
    put(&repository, "f", b"a long first content").await?;
    put(&repository, "f", b"short").await?;
    same(&&*get(&repository, "f").await?, &&b"short"[..])
}

pub(super) async fn a_reader_keeps_the_content_it_opened(repository: Repository) -> Outcome {
    repository.put(&path("f")?, chunks(b'1', 40), None).await?;
    let read = repository.get(&path("f")?, None).await?;
    repository.put(&path("f")?, chunks(b'2', 40), None).await?;
    let content = read.content.try_collect::<Vec<_>>().await?.concat();
    check(
        content == vec![b'1'; 40 * CHUNK],
        "the reader saw another writer's bytes",
    )
}

pub(super) async fn a_large_file_streams_through(repository: Repository) -> Outcome {
    let count = 512;
    let stored = repository
        .put(&path("f")?, chunks(b'x', count), None)
        .await?;
    same(&stored, &((count * CHUNK) as u64))?;
    let read = repository.get(&path("f")?, None).await?;
    let largest = read
        .content
        .try_fold((0, 0), |(total, largest), chunk| async move {
            Ok((total + chunk.len(), chunk.len().max(largest)))
        })
        .await?;
    same(&largest.0, &(count * CHUNK))?;
    check(
        largest.1 <= 1 << 20,
        format_args!("a chunk of {} bytes", largest.1),
    )
}

pub(super) async fn sizes_around_a_part_are_kept(repository: Repository) -> Outcome {
    // What storages of objects take in parts of 5 MiB.
    const PART: usize = 5 << 20;
    for length in [PART - 1, PART, PART + 1, 2 * PART] {
        let content: Vec<u8> = (0_u32..).flat_map(u32::to_le_bytes).take(length).collect();
        // Chunks that fit no boundary.
        let chunks: Vec<_> = content
            .chunks(100_001)
            .map(Bytes::copy_from_slice)
            .collect();
        let stored = repository.put(&path("d/f")?, body(chunks), None).await?;
        same(&stored, &(length as u64))?;
        check(
            get(&repository, "d/f").await? == content,
            format_args!("{length} bytes are not what was put"),
        )?;
    }
    Ok(())
}

pub(super) async fn many_files_are_listed_and_deleted(repository: Repository) -> Outcome {
    // More than one page of a list.
    let expected: Vec<String> = (0..1100).map(|number| format!("{number:05}")).collect();
    let puts = expected.clone().into_iter().map(|name| {
        let repository = Arc::clone(&repository);
        async move { put(&repository, &format!("many/{name}"), b"x").await }
    });
    let stored: Vec<u64> = stream::iter(puts)
        .buffer_unordered(16)
        .try_collect()
        .await?;
    same(&stored.len(), &expected.len())?;
    put(&repository, "keep", b"x").await?;
    same(&names(&repository, "many").await?, &expected)?;
    repository.delete(&path("many")?).await?;
    same(&names(&repository, "").await?, &vec!["keep".to_owned()])
}

pub(super) async fn a_name_that_begins_another_is_another(repository: Repository) -> Outcome {
    for file in ["run/f", "run1/f", "run.txt"] {
        put(&repository, file, b"x").await?;
    }
    same(&names(&repository, "run").await?, &vec!["f".to_owned()])?;
    repository.delete(&path("run")?).await?;
    same(
        &names(&repository, "").await?,
        &vec!["run.txt".to_owned(), "run1".to_owned()],
    )
}

pub(super) async fn a_directory_cannot_be_overwritten(repository: Repository) -> Outcome {
    put(&repository, "d/f", b"x").await?;
    let answer = repository.put(&path("d")?, chunks(b'x', 1), None).await;
    if repository.capabilities().flat {
        // They are two keys, and both are there.
        answer?;
        same(&get(&repository, "d").await?.len(), &CHUNK)?;
        same(&&*get(&repository, "d/f").await?, &&b"x"[..])?;
        let entries = repository.list(&path("")?).await?;
        return same(
            &entries.iter().map(|entry| entry.is_dir).collect::<Vec<_>>(),
            &vec![false, true],
        );
    }
    check(
        matches!(answer, Err(ArtifactError::IsDirectory { .. })),
        format_args!("expected a directory: {answer:?}"),
    )
}

pub(super) async fn the_root_cannot_be_written(repository: Repository) -> Outcome {
    let answer = repository.put(&path("")?, chunks(b'x', 1), None).await;
    check(answer.is_err(), "the root was written")
}

pub(super) async fn nothing_goes_below_a_file(repository: Repository) -> Outcome {
    put(&repository, "f", b"x").await?;
    for below in ["f/g", "f/g/h"] {
        let answer = repository.put(&path(below)?, chunks(b'x', 1), None).await;
        if repository.capabilities().flat {
            answer?;
            same(&get(&repository, below).await?.len(), &CHUNK)?;
            continue;
        }
        check(
            matches!(answer, Err(ArtifactError::ParentIsFile { .. })),
            format_args!("expected a file above {below}: {answer:?}"),
        )?;
    }
    same(&&*get(&repository, "f").await?, &&b"x"[..])
}

pub(super) async fn too_many_bytes_are_refused(repository: Repository) -> Outcome {
    let limit = 10 * CHUNK as u64 - 1;
    let answer = repository
        .put(&path("d/f")?, chunks(b'x', 10), Some(limit))
        .await;
    check(
        matches!(answer, Err(ArtifactError::TooLarge { max_bytes }) if max_bytes == limit),
        format_args!("expected too large: {answer:?}"),
    )?;
    same(&names(&repository, "").await?, &Vec::new())
}

pub(super) async fn exactly_the_limit_is_accepted(repository: Repository) -> Outcome {
    let limit = 10 * CHUNK as u64;
    let stored = repository
        .put(&path("f")?, chunks(b'x', 10), Some(limit))
        .await?;
    same(&stored, &limit)
}

pub(super) async fn a_broken_upload_leaves_nothing(repository: Repository) -> Outcome {
    let answer = repository.put(&path("d/f")?, broken(), None).await;
    check(
        matches!(answer, Err(ArtifactError::BrokenUpload { .. })),
        format_args!("expected a broken upload: {answer:?}"),
    )?;
    same(&names(&repository, "").await?, &Vec::new())
}

pub(super) async fn a_broken_upload_keeps_the_old_file(repository: Repository) -> Outcome {
    put(&repository, "f", b"old").await?;
    let answer = repository.put(&path("f")?, broken(), None).await;
    check(answer.is_err(), "a broken upload was accepted")?;
    same(&&*get(&repository, "f").await?, &&b"old"[..])
}

pub(super) async fn a_cancelled_upload_leaves_nothing(repository: Repository) -> Outcome {
    let endless = chunks(b'x', 20).chain(stream::pending()).boxed();
    let file = path("d/f")?;
    let upload = repository.put(&file, endless, None);
    let outcome = tokio::time::timeout(Duration::from_millis(200), upload).await;
    check(outcome.is_err(), "an upload without an end came to an end")?;
    same(&names(&repository, "").await?, &Vec::new())
}

pub(super) async fn writers_of_one_file_do_not_mix(repository: Repository) -> Outcome {
    let writers: Vec<_> = (b'a'..=b'h')
        .map(|byte| {
            let repository = Arc::clone(&repository);
            tokio::spawn(async move {
                let file = path("d/e/f")?;
                repository.put(&file, chunks(byte, 16), None).await?;
                Ok::<_, Broken>(())
            })
        })
        .collect();
    for writer in writers {
        writer.await.map_err(|error| Broken(error.to_string()))??;
    }
    let content = get(&repository, "d/e/f").await?;
    same(&content.len(), &(16 * CHUNK))?;
    check(
        content.iter().all(|byte| *byte == content[0]),
        "two writers' bytes are mixed",
    )
}

pub(super) async fn writers_of_a_large_file_do_not_mix(repository: Repository) -> Outcome {
    // More than a part of 5 MiB. Where the parts of one are gone once another
    // has ended, it is told to come again.
    let count = 96;
    let file = path("d/f")?;
    let write = |byte| repository.put(&file, chunks(byte, count), None);
    let outcomes = tokio::join!(write(b'a'), write(b'b'));
    let mut written = Vec::new();
    for (byte, outcome) in [(b'a', outcomes.0), (b'b', outcomes.1)] {
        match outcome {
            Ok(_) => written.push(byte),
            Err(ArtifactError::Unavailable { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let content = get(&repository, "d/f").await?;
    same(&content.len(), &(count * CHUNK))?;
    check(
        content.iter().all(|byte| *byte == content[0]) && written.contains(&content[0]),
        "two writers' bytes are mixed",
    )?;
    write(b'c').await?;
    check(
        get(&repository, "d/f").await? == vec![b'c'; count * CHUNK],
        "the later writer has not won",
    )
}

pub(super) async fn deletes_a_file(repository: Repository) -> Outcome {
    put(&repository, "d/f", b"x").await?;
    put(&repository, "d/g", b"x").await?;
    repository.delete(&path("d/f")?).await?;
    same(&names(&repository, "d").await?, &vec!["g".to_owned()])
}

pub(super) async fn deletes_a_directory_with_everything_in_it(repository: Repository) -> Outcome {
    for file in ["d/f", "d/e/f", "d/e/e/f", "keep"] {
        put(&repository, file, b"x").await?;
    }
    repository.delete(&path("d")?).await?;
    same(&names(&repository, "").await?, &vec!["keep".to_owned()])
}

pub(super) async fn deleting_nothing_is_no_error(repository: Repository) -> Outcome {
    repository.delete(&path("no/such")?).await?;
    put(&repository, "f", b"x").await?;
    repository.delete(&path("f/below")?).await?;
    same(&&*get(&repository, "f").await?, &&b"x"[..])
}

pub(super) async fn the_root_cannot_be_deleted(repository: Repository) -> Outcome {
    put(&repository, "f", b"x").await?;
    let answer = repository.delete(&path("")?).await;
    check(answer.is_err(), "the root was deleted")?;
    same(&&*get(&repository, "f").await?, &&b"x"[..])
}

pub(super) async fn a_deleted_path_can_be_written_again(repository: Repository) -> Outcome {
    put(&repository, "d/f", b"one").await?;
    repository.delete(&path("d")?).await?;
    put(&repository, "d", b"two").await?;
    same(&&*get(&repository, "d").await?, &&b"two"[..])
}
