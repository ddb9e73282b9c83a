//! The rules that every [`ArtifactRepository`] must keep, as cases to run.
//!
//! A backend calls [`cases`] from a test binary and hands each case a
//! repository of its own that is empty. A case is one rule; its error says how
//! the rule was broken. Where storages differ, [`Capabilities`] says which rule
//! holds, and the other side of it is checked: no case is left out.

mod direct;
mod read;
mod write;

use std::fmt;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_core::future::BoxFuture;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{ArtifactError, ArtifactPath, ArtifactRepository, ByteRange, ByteStream, Capabilities};

/// The repository of one case.
pub type Repository = Arc<dyn ArtifactRepository>;

/// How a rule was broken.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Broken(String);

impl From<ArtifactError> for Broken {
    fn from(error: ArtifactError) -> Self {
        Self(format!("unexpected error: {error:?}"))
    }
}

impl From<crate::InvalidPath> for Broken {
    fn from(error: crate::InvalidPath) -> Self {
        Self(format!("unexpected error: {error:?}"))
    }
}

type Outcome = Result<(), Broken>;

/// One rule.
#[derive(Clone, Copy)]
pub struct Case {
    /// The rule's name, for example `write::replaces_the_whole_file`.
    pub name: &'static str,
    run: fn(Repository) -> BoxFuture<'static, Outcome>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Case").field(&self.name).finish()
    }
}

impl Case {
    /// Runs it on a repository that is empty and used by nothing else. Needs a
    /// tokio runtime.
    ///
    /// # Errors
    /// [`Broken`] if the repository breaks the rule.
    pub async fn run(&self, repository: Repository) -> Outcome {
        (self.run)(repository).await
    }
}

macro_rules! list_of_cases {
    ($($module:ident :: $case:ident),+ $(,)?) => {
        vec![$(Case {
            name: concat!(stringify!($module), "::", stringify!($case)),
            run: |repository| Box::pin($module::$case(repository)),
        }),+]
    };
}

/// Every case.
pub fn cases() -> Vec<Case> {
    list_of_cases![
        read::an_empty_repository_lists_nothing,
        read::a_missing_directory_lists_nothing,
        read::a_file_lists_nothing,
        read::lists_one_level_sorted_by_name,
        read::a_missing_file_is_not_found,
        read::a_directory_is_no_file,
        read::a_part_of_a_file_can_be_read,
        read::a_range_beyond_the_end_is_refused,
        read::a_range_over_many_chunks_is_exact,
        read::the_entity_tag_follows_the_content,
        write::what_is_put_is_got,
        write::an_empty_file_is_a_file,
        write::odd_names_are_kept,
        write::replaces_the_whole_file,
        write::a_reader_keeps_the_content_it_opened,
        write::a_large_file_streams_through,
        write::many_files_are_listed_and_deleted,
        write::sizes_around_a_part_are_kept,
        write::a_directory_cannot_be_overwritten,
        write::the_root_cannot_be_written,
        write::nothing_goes_below_a_file,
        write::too_many_bytes_are_refused,
        write::exactly_the_limit_is_accepted,
        write::a_broken_upload_leaves_nothing,
        write::a_broken_upload_keeps_the_old_file,
        write::a_cancelled_upload_leaves_nothing,
        write::writers_of_one_file_do_not_mix,
        write::writers_of_a_large_file_do_not_mix,
        write::deletes_a_file,
        write::deletes_a_directory_with_everything_in_it,
        write::deleting_nothing_is_no_error,
        write::the_root_cannot_be_deleted,
        write::a_deleted_path_can_be_written_again,
        write::a_name_that_begins_another_is_another,
        direct::parts_become_a_file,
        direct::an_aborted_upload_leaves_nothing,
        direct::a_file_is_put_after_an_aborted_upload,
        direct::uploads_of_one_file_do_not_mix,
        direct::what_names_no_upload_is_refused,
        direct::parts_that_were_not_sent_make_no_file,
        direct::the_number_of_parts_is_bounded,
        direct::a_file_is_read_by_its_url,
        direct::a_missing_file_has_no_url,
        direct::a_file_is_written_by_its_url,
    ]
}

fn path(text: &str) -> Result<ArtifactPath, Broken> {
    Ok(ArtifactPath::parse(text)?)
}

fn check(holds: bool, rule: impl fmt::Display) -> Outcome {
    if holds {
        Ok(())
    } else {
        Err(Broken(rule.to_string()))
    }
}

fn same<T: PartialEq + fmt::Debug>(found: &T, expected: &T) -> Outcome {
    check(
        found == expected,
        format_args!("expected {expected:?}, found {found:?}"),
    )
}

fn body(chunks: impl IntoIterator<Item = Bytes, IntoIter: Send + 'static>) -> ByteStream {
    stream::iter(chunks).map(Ok).boxed()
}

async fn put(repository: &Repository, file: &str, content: &[u8]) -> Result<u64, Broken> {
    let content = body([Bytes::copy_from_slice(content)]);
    Ok(repository.put(&path(file)?, content, None).await?)
}

async fn get(repository: &Repository, file: &str) -> Result<Bytes, Broken> {
    get_range(repository, file, None).await
}

async fn get_range(
    repository: &Repository,
    file: &str,
    range: Option<ByteRange>,
) -> Result<Bytes, Broken> {
    let read = repository.get(&path(file)?, range).await?;
    let length = read.range.end - read.range.start;
    let content: BytesMut = read.content.try_collect::<Vec<_>>().await?.concat()[..].into();
    same(&(content.len() as u64), &length)?;
    Ok(content.freeze())
}

async fn names(repository: &Repository, directory: &str) -> Result<Vec<String>, Broken> {
    let entries = repository.list(&path(directory)?).await?;
    Ok(entries.into_iter().map(|entry| entry.name).collect())
}
