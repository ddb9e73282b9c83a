//! Listing and reading.

use super::{Outcome, Repository, check, get, get_range, names, path, put, same};
use crate::{ArtifactError, ByteRange, FileInfo};

pub(super) async fn an_empty_repository_lists_nothing(repository: Repository) -> Outcome {
    same(&names(&repository, "").await?, &Vec::new())
}

pub(super) async fn a_missing_directory_lists_nothing(repository: Repository) -> Outcome {
    put(&repository, "d/f", b"x").await?;
    same(&names(&repository, "d/no/such").await?, &Vec::new())
}

pub(super) async fn a_file_lists_nothing(repository: Repository) -> Outcome {
    put(&repository, "d/f", b"x").await?;
    same(&names(&repository, "d/f").await?, &Vec::new())
}

pub(super) async fn lists_one_level_sorted_by_name(repository: Repository) -> Outcome {
    for (file, content) in [
        ("b", &b"22"[..]),
        ("a/x/deep", b"1"),
        ("c", b"333"),
        ("B", b""),
    ] {
        put(&repository, file, content).await?;
    }
    let entry = |name: &str, is_dir, file_size| FileInfo {
        name: name.to_owned(),
        is_dir,
        file_size,
    };
    let root = repository.list(&path("")?).await?;
    same(
        &root,
        &vec![
            entry("B", false, 0),
            entry("a", true, 0),
            entry("b", false, 2),
            entry("c", false, 3),
        ],
    )?;
    same(
        &repository.list(&path("a")?).await?,
        &vec![entry("x", true, 0)],
    )
}

pub(super) async fn a_missing_file_is_not_found(repository: Repository) -> Outcome {
    let missing = repository.get(&path("no/such")?, None).await;
    check(
        matches!(missing, Err(ArtifactError::NotFound { .. })),
        format_args!("expected not found: {missing:?}"),
    )?;
    put(&repository, "file", b"x").await?;
    let below = repository.get(&path("file/below")?, None).await;
    check(
        matches!(below, Err(ArtifactError::NotFound { .. })),
        format_args!("expected not found: {below:?}"),
    )
}

pub(super) async fn a_directory_is_no_file(repository: Repository) -> Outcome {
    put(&repository, "d/f", b"x").await?;
    for directory in ["d", ""] {
        let read = repository.get(&path(directory)?, None).await;
        check(
            matches!(read, Err(ArtifactError::IsDirectory { .. })),
            format_args!("expected a directory: {read:?}"),
        )?;
    }
    Ok(())
}

pub(super) async fn a_part_of_a_file_can_be_read(repository: Repository) -> Outcome {
    put(&repository, "f", b"0123456789").await?;
    for (range, content) in [
        (ByteRange::From(7), "789"),
        (ByteRange::Between(0, 0), "0"),
        (ByteRange::Between(8, 99), "89"),
        (ByteRange::Last(3), "789"),
        (ByteRange::Last(99), "0123456789"),
    ] {
        same(
            &&*get_range(&repository, "f", Some(range)).await?,
            &content.as_bytes(),
        )?;
    }
    let read = repository
        .get(&path("f")?, Some(ByteRange::From(7)))
        .await?;
    same(&(read.size, read.range), &(10, 7..10))
}

pub(super) async fn a_range_beyond_the_end_is_refused(repository: Repository) -> Outcome {
    put(&repository, "f", b"0123456789").await?;
    let read = repository.get(&path("f")?, Some(ByteRange::From(10))).await;
    check(
        matches!(
            read,
            Err(ArtifactError::RangeNotSatisfiable { size_bytes: 10 })
        ),
        format_args!("expected an unsatisfiable range: {read:?}"),
    )
}

pub(super) async fn a_range_over_many_chunks_is_exact(repository: Repository) -> Outcome {
    let content: Vec<u8> = (0_u32..500_000).flat_map(u32::to_le_bytes).collect();
    put(&repository, "f", &content).await?;
    let range = ByteRange::Between(3, 1_999_990);
    let part = get_range(&repository, "f", Some(range)).await?;
    check(
        part == content[3..1_999_991],
        "the part differs from what was put",
    )
}

pub(super) async fn the_entity_tag_follows_the_content(repository: Repository) -> Outcome {
    let file = path("f")?;
    put(&repository, "f", b"one").await?;
    let first = repository.get(&file, None).await?.etag;
    let again = repository.get(&file, Some(ByteRange::Last(1))).await?.etag;
    same(&again, &first)?;
    let mut tags = vec![first.clone()];
    // Within one second, and not all of one length.
    for content in [&b"two"[..], b"four", b"six", b"ten"] {
        put(&repository, "f", content).await?;
        tags.push(repository.get(&file, None).await?.etag);
    }
    if let Some(tag) = first {
        let all = tags.len();
        tags.sort_unstable();
        tags.dedup();
        check(tags.len() == all, "two contents have one entity tag")?;
        check(
            tag.starts_with('"') && tag.ends_with('"') && tag.len() > 2,
            format_args!("not a strong entity tag: {tag}"),
        )?;
    }
    same(&&*get(&repository, "f").await?, &&b"ten"[..])
}
