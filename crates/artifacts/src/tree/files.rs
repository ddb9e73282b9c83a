//! What a storage of files has to offer.

use std::fmt;
use std::io;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;

use crate::{ArtifactError, ArtifactPath};

/// Bytes on their way in or out.
pub(crate) type Content = BoxStream<'static, Result<Bytes, io::Error>>;

/// A file system. Paths are absolute: `/` and the segments of an artifact path.
///
/// Every request is bounded in time by whoever implements it.
#[async_trait]
pub(crate) trait Files: fmt::Debug + Send + Sync + 'static {
    /// Everything in a directory; [`Fault::NotFound`] if there is none. At most
    /// some more than `max`, which says that there are more. A storage that cannot
    /// list as many fails with [`Fault::TooMany`], unless no more are asked for.
    async fn list(&self, directory: &str, max: usize) -> Result<Vec<Entry>, Fault>;

    /// What is at a path; nothing also where a parent of it is a file.
    async fn look(&self, path: &str) -> Result<Option<Node>, Fault>;

    /// The content of a file from an offset on.
    async fn open(&self, path: &str, from: u64) -> Result<Content, Fault>;

    /// Writes a new file. If `content` fails, so does this.
    async fn write(&self, path: &str, content: Content) -> Result<(), Fault>;

    /// Gives a file another name, in the place of one that has it.
    async fn replace(&self, from: &str, to: &str) -> Result<(), Fault>;

    /// Sets when a file was written, where the storage can.
    async fn touch(&self, path: &str, modified: SystemTime) -> Result<(), Fault>;

    /// How one content of a file is told from the next.
    async fn identity(&self) -> Result<Identity, Fault>;

    /// Makes a directory, whose parent is there; it is no error if it is, too.
    async fn make_directory(&self, path: &str) -> Result<(), Fault>;

    /// Removes a file; it is no error if there is none.
    async fn remove_file(&self, path: &str) -> Result<(), Fault>;

    /// Removes an empty directory; it is no error if there is none.
    async fn remove_directory(&self, path: &str) -> Result<(), Fault>;

    /// Removes what is told to be a directory if it is a link to one, and says
    /// whether it did. Only for storages that do not tell links apart.
    async fn remove_link(&self, _path: &str) -> Result<bool, Fault> {
        Ok(false)
    }
}

/// What a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
    /// A link, a pipe: neither listed nor read.
    Other,
}

/// How one content of a file is told from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// By an id that no other file ever has.
    #[cfg_attr(
        not(any(test, feature = "hdfs")),
        expect(dead_code, reason = "no other storage has such ids")
    )]
    Lasting,
    /// By when it was written, which can be set.
    Times,
    /// Not for certain.
    #[cfg_attr(
        not(any(test, feature = "ftp")),
        expect(dead_code, reason = "all other storages can")
    )]
    None,
}

/// What is known of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) size: u64,
    pub(crate) modified: Option<SystemTime>,
    /// What no other file has at the same time, where the storage says it.
    pub(crate) id: Option<String>,
}

/// A name in a directory.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) size: u64,
}

/// Why a request to a service failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// There is no such file or directory.
    NotFound,
    /// No room is left.
    Full,
    /// The directory has more entries than this, and the storage cannot list more.
    #[cfg_attr(
        not(feature = "ftp"),
        expect(dead_code, reason = "no other storage has such a limit")
    )]
    TooMany(usize),
    /// The service is not there, or stopped answering.
    Unavailable(io::Error),
    /// Everything else: an account that is wrong, no permission.
    Other(io::Error),
}

impl Fault {
    /// The error about a path.
    pub(crate) fn on(self, path: &ArtifactPath, operation: &'static str) -> ArtifactError {
        let path = path.clone();
        match self {
            Self::NotFound => ArtifactError::NotFound { path },
            Self::Full => ArtifactError::StorageFull { path },
            Self::TooMany(max) => ArtifactError::TooManyEntries { path, max },
            Self::Unavailable(source) => ArtifactError::Unavailable { operation, source },
            Self::Other(source) => ArtifactError::internal(operation, source),
        }
    }

    /// A connection that broke, or that nothing came through.
    pub(crate) fn of_connection(error: io::Error) -> Self {
        Self::Unavailable(error)
    }

    /// An answer that the protocol does not have.
    #[cfg(any(feature = "hdfs", feature = "ftp"))]
    pub(crate) fn strange(what: impl fmt::Display) -> Self {
        let text = format!("the storage gave an answer that cannot be read: {what}");
        Self::Other(io::Error::other(text))
    }
}
