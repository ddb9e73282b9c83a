//! The rules of a repository, on any file system.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::files::{Content, Fault, Files, Identity, Kind, Node};
use super::staged::Staged;
use crate::counted::Counted;
use crate::{
    ArtifactError, ArtifactPath, ArtifactRead, ArtifactRepository, ByteRange, ByteStream, FileInfo,
    InvalidPath,
};

/// Entries of one answer; some 20 MB of JSON.
pub(super) const MAX_ENTRIES: usize = 250_000;

/// Tries to open a file that others write.
const READS: usize = 3;

/// An [`ArtifactRepository`] below one directory of a file system.
#[derive(Debug)]
pub(crate) struct TreeRepository<F> {
    pub(super) files: Arc<F>,
    root: ArtifactPath,
}

/// The path of a name in a directory.
pub(super) fn below(directory: &str, name: &str) -> String {
    if directory == "/" {
        return format!("/{name}");
    }
    format!("{directory}/{name}")
}

/// The directory of a path; the root is its own.
fn parent(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((parent, _)) => parent,
    }
}

impl<F: Files> TreeRepository<F> {
    pub(crate) fn new(files: Arc<F>, root: &ArtifactPath) -> Self {
        Self {
            files,
            root: root.clone(),
        }
    }

    fn absolute(&self, path: &ArtifactPath) -> Result<String, InvalidPath> {
        Ok(format!("/{}", self.root.join(path)?))
    }

    /// The size and the rest of a file that is there.
    async fn file(&self, path: &ArtifactPath, at: &str) -> Result<Node, ArtifactError> {
        let node = self.files.look(at).await;
        let node = node.map_err(|fault| fault.on(path, "read a file"))?;
        let path = path.clone();
        match node {
            Some(node) if node.kind == Kind::File => Ok(node),
            Some(node) if node.kind == Kind::Directory => Err(ArtifactError::IsDirectory { path }),
            _ => Err(ArtifactError::NotFound { path }),
        }
    }

    /// The nearest directory above `at` that is there.
    async fn directory_above(
        &self,
        path: &ArtifactPath,
        at: &str,
    ) -> Result<String, ArtifactError> {
        let mut directory = parent(at);
        while directory != "/" {
            let node = self.files.look(directory).await;
            match node.map_err(|fault| fault.on(path, "store an upload"))? {
                None => directory = parent(directory),
                Some(node) if node.kind == Kind::Directory => break,
                Some(_) => return Err(ArtifactError::ParentIsFile { path: path.clone() }),
            }
        }
        Ok(directory.to_owned())
    }

    /// Makes the directories from `from`, which is there, to that of `at`.
    async fn make_directories(&self, from: &str, at: &str) -> Result<(), Fault> {
        let mut missing = Vec::new();
        let mut directory = parent(at);
        while directory != from && directory != "/" {
            missing.push(directory);
            directory = parent(directory);
        }
        for directory in missing.into_iter().rev() {
            self.files.make_directory(directory).await?;
        }
        Ok(())
    }

    /// Puts a whole upload of so many bytes in its place.
    async fn settle(&self, staged: &str, size: u64, from: &str, at: &str) -> Result<(), Fault> {
        let new = self.files.look(staged).await?.ok_or(Fault::NotFound)?;
        if new.size != size {
            return Err(Fault::Unavailable(std::io::Error::other(format!(
                "the storage has {} of the {size} bytes of an upload",
                new.size
            ))));
        }
        self.make_directories(from, at).await?;
        if self.files.identity().await? == Identity::Times
            && let Some(old) = self.files.look(at).await?
        {
            self.set_apart(staged, &new, &old).await?;
        }
        self.files.replace(staged, at).await
    }

    /// Where the storage tells two files of one name apart by their time, and by
    /// whole seconds, the new one is made younger than the old. Whatever their
    /// lengths are: the one before the old may have been as long as the new.
    async fn set_apart(&self, staged: &str, new: &Node, old: &Node) -> Result<(), Fault> {
        let Some(before) = old.modified else {
            return Ok(());
        };
        if new.modified.is_none_or(|modified| modified <= before) {
            self.files
                .touch(staged, before + Duration::from_secs(1))
                .await?;
        }
        Ok(())
    }

    /// Why an upload is not in its place.
    async fn refused(&self, path: &ArtifactPath, at: &str, fault: Fault) -> ArtifactError {
        if let (Fault::Other(_) | Fault::NotFound, Ok(Some(node))) =
            (&fault, self.files.look(at).await)
            && node.kind == Kind::Directory
        {
            return ArtifactError::IsDirectory { path: path.clone() };
        }
        match fault {
            // It was there a moment ago: somebody removes the directory.
            Fault::NotFound => ArtifactError::Unavailable {
                operation: "store an upload",
                source: std::io::Error::other("the directory of the upload is gone"),
            },
            fault => fault.on(path, "store an upload"),
        }
    }
}

/// The same for the same content, and another for any other; nothing where that
/// is not certain.
fn etag(node: &Node, identity: Identity) -> Option<String> {
    match identity {
        Identity::Lasting if node.id.is_some() => {}
        Identity::Times if node.modified.is_some() => {}
        _ => return None,
    }
    let modified = node
        .modified
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .map_or(0, |time| time.as_millis());
    // What a server says of a file is no text of ours.
    let id = node.id.as_deref().unwrap_or_default();
    let id: String = id.chars().filter(char::is_ascii_alphanumeric).collect();
    Some(format!("\"{id}-{modified:x}-{:x}\"", node.size))
}

/// Exactly `length` bytes of a content, or an error.
fn exactly(content: Content, length: u64, path: ArtifactPath) -> ArtifactContent {
    stream::try_unfold((content, length), move |(mut content, left)| {
        let path = path.clone();
        async move {
            let failed = |source| ArtifactError::Unavailable {
                operation: "read a file",
                source,
            };
            if left == 0 {
                return Ok(None);
            }
            loop {
                let Some(mut chunk) = content.try_next().await.map_err(failed)? else {
                    tracing::debug!(%path, "a file ended before its length");
                    return Err(failed(std::io::ErrorKind::UnexpectedEof.into()));
                };
                let taken = usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len());
                chunk.truncate(taken);
                if !chunk.is_empty() {
                    return Ok(Some((chunk, (content, left - taken as u64))));
                }
            }
        }
    })
    .boxed()
}

type ArtifactContent =
    futures_core::stream::BoxStream<'static, Result<bytes::Bytes, ArtifactError>>;

#[async_trait]
impl<F: Files> ArtifactRepository for TreeRepository<F> {
    async fn list(&self, directory: &ArtifactPath) -> Result<Vec<FileInfo>, ArtifactError> {
        let at = self.absolute(directory)?;
        let entries = match self.files.list(&at, MAX_ENTRIES).await {
            Err(Fault::NotFound) => return Ok(Vec::new()),
            entries => entries.map_err(|fault| fault.on(directory, "list a directory"))?,
        };
        if entries.len() > MAX_ENTRIES {
            return Err(ArtifactError::TooManyEntries {
                path: directory.clone(),
                max: MAX_ENTRIES,
            });
        }
        let entries = entries
            .into_iter()
            .filter(|entry| entry.kind != Kind::Other && directory.entry(&entry.name).is_some());
        let mut entries: Vec<_> = entries
            .map(|entry| FileInfo {
                is_dir: entry.kind == Kind::Directory,
                file_size: if entry.kind == Kind::File {
                    entry.size
                } else {
                    0
                },
                name: entry.name,
            })
            .collect();
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    async fn get(
        &self,
        file: &ArtifactPath,
        range: Option<ByteRange>,
    ) -> Result<ArtifactRead, ArtifactError> {
        const OPERATION: &str = "read a file";
        let at = self.absolute(file)?;
        let mut node = self.file(file, &at).await?;
        let identity = self.files.identity().await;
        let identity = identity.map_err(|fault| fault.on(file, OPERATION))?;
        for _ in 0..READS {
            let wanted = match range {
                Some(range) => range.resolve(node.size)?,
                None => 0..node.size,
            };
            let content = self.files.open(&at, wanted.start).await;
            let content = content.map_err(|fault| fault.on(file, OPERATION))?;
            // The one that was opened is the one that was looked at.
            let now = self.file(file, &at).await?;
            if now == node {
                return Ok(ArtifactRead {
                    size: node.size,
                    modified: node.modified,
                    etag: etag(&node, identity),
                    content: exactly(content, wanted.end - wanted.start, file.clone()),
                    range: wanted,
                });
            }
            node = now;
        }
        Err(ArtifactError::Unavailable {
            operation: OPERATION,
            source: std::io::Error::other("the file is written over and over"),
        })
    }

    async fn put(
        &self,
        file: &ArtifactPath,
        content: ByteStream,
        max_bytes: Option<u64>,
    ) -> Result<u64, ArtifactError> {
        if file.is_root() {
            return Err(ArtifactError::IsDirectory { path: file.clone() });
        }
        let at = self.absolute(file)?;
        let found = self.files.look(&at).await;
        let found = found.map_err(|fault| fault.on(file, "store an upload"))?;
        let directory = match found {
            Some(node) if node.kind == Kind::Directory => {
                return Err(ArtifactError::IsDirectory { path: file.clone() });
            }
            Some(_) => parent(&at).to_owned(),
            None => self.directory_above(file, &at).await?,
        };
        let upload = Counted::new(file, max_bytes);
        let staged = Staged::new(&self.files, &directory);
        let written = self.files.write(staged.path(), upload.count(content)).await;
        let written = written.and_then(|()| upload.whole().map_err(Fault::Unavailable));
        let settled = match written {
            Ok(()) => {
                let size = upload.total();
                self.settle(staged.path(), size, &directory, &at).await
            }
            Err(fault) => Err(fault),
        };
        let outcome = match (upload.error(), settled) {
            (Some(error), _) => Err(error),
            (None, Err(fault)) => Err(self.refused(file, &at, fault).await),
            (None, Ok(())) => Ok(()),
        };
        match outcome {
            Ok(()) => staged.done(),
            Err(error) => {
                staged.remove().await;
                return Err(error);
            }
        }
        Ok(upload.total())
    }

    async fn delete(&self, path: &ArtifactPath) -> Result<(), ArtifactError> {
        let failed = |fault: Fault| fault.on(path, "remove artifacts");
        if path.is_root() {
            return Err(InvalidPath::new("the root cannot be removed").into());
        }
        let at = self.absolute(path)?;
        match self.files.look(&at).await.map_err(failed)? {
            None => Ok(()),
            Some(node) if node.kind == Kind::Directory => {
                self.remove_tree(at).await.map_err(failed)
            }
            Some(_) => self.files.remove_file(&at).await.map_err(failed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_absolute() {
        assert_eq!(parent("/a/b"), "/a");
        assert_eq!(parent("/a"), "/");
        assert_eq!(below("/", "a"), "/a");
        assert_eq!(below("/a", "b"), "/a/b");
    }

    #[test]
    fn an_entity_tag_is_one_whatever_the_server_says() {
        let node = Node {
            kind: Kind::File,
            size: 16,
            modified: Some(UNIX_EPOCH + Duration::from_secs(1)),
            id: Some("a\"\r\nb".to_owned()),
        };
        let tag = Some("\"ab-3e8-10\"".to_owned());
        assert_eq!(etag(&node, Identity::Times), tag);
        assert_eq!(etag(&node, Identity::Lasting), tag);
        assert_eq!(etag(&node, Identity::None), None);
        let node = Node {
            modified: None,
            id: None,
            ..node
        };
        assert_eq!(etag(&node, Identity::Times), None);
        assert_eq!(etag(&node, Identity::Lasting), None);
    }
}
