//! The boundary between the server and any storage of artifacts.

use std::fmt;
use std::ops::Range;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;

use crate::direct::{Capabilities, MultipartUpload, SignedUrl, UploadedPart};
use crate::{ArtifactError, ArtifactPath};

/// What the sender of an upload says when it fails.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// The bytes of an upload, in order.
pub type ByteStream = BoxStream<'static, Result<Bytes, BodyError>>;

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileInfo {
    /// The name inside the directory that was listed.
    pub name: String,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// The size of a file in bytes; 0 for a directory.
    pub file_size: u64,
}

/// A part of a file, as a `Range` header names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteRange {
    /// From this offset to the end.
    From(u64),
    /// From the first offset to the second, both inclusive.
    Between(u64, u64),
    /// The last so many bytes.
    Last(u64),
}

impl ByteRange {
    /// The half-open range of offsets that this is in a file of `size` bytes.
    ///
    /// # Errors
    /// [`ArtifactError::RangeNotSatisfiable`] if it holds no byte of the file.
    pub fn resolve(self, size: u64) -> Result<Range<u64>, ArtifactError> {
        let range = match self {
            Self::From(first) => first..size,
            Self::Between(first, last) => first..last.saturating_add(1).min(size),
            Self::Last(count) => size.saturating_sub(count)..size,
        };
        if range.is_empty() {
            return Err(ArtifactError::RangeNotSatisfiable { size_bytes: size });
        }
        Ok(range)
    }
}

/// A file that is being read.
pub struct ArtifactRead {
    /// The size of the whole file in bytes.
    pub size: u64,
    /// The offsets that `content` holds; `0..size` unless a part was asked for.
    pub range: Range<u64>,
    /// When the file was last written, if the storage knows.
    pub modified: Option<SystemTime>,
    /// A strong entity tag with its quotes; it changes whenever the content does.
    /// Nothing where the storage cannot tell contents apart.
    pub etag: Option<String>,
    /// Exactly the bytes of `range`, or an error where the storage fails midway.
    pub content: BoxStream<'static, Result<Bytes, ArtifactError>>,
}

impl fmt::Debug for ArtifactRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArtifactRead")
            .field("size", &self.size)
            .field("range", &self.range)
            .field("etag", &self.etag)
            .finish_non_exhaustive()
    }
}

/// A storage of artifacts: a tree of files under one root.
///
/// Files stream in both directions in constant memory. Directories exist as
/// far as they hold files; nothing makes an empty one.
#[async_trait]
pub trait ArtifactRepository: fmt::Debug + Send + Sync + 'static {
    /// Lists one level of a directory, sorted by name (byte order).
    ///
    /// A file, or a path that is not there, lists as empty (MLflow 3.17).
    ///
    /// # Errors
    /// [`ArtifactError::TooManyEntries`] for a directory that does not fit an
    /// answer.
    async fn list(&self, directory: &ArtifactPath) -> Result<Vec<FileInfo>, ArtifactError>;

    /// Opens a file, or a part of it, for reading.
    ///
    /// # Errors
    /// [`ArtifactError::NotFound`], [`ArtifactError::IsDirectory`],
    /// [`ArtifactError::RangeNotSatisfiable`].
    async fn get(
        &self,
        file: &ArtifactPath,
        range: Option<ByteRange>,
    ) -> Result<ArtifactRead, ArtifactError>;

    /// Writes a whole file, replacing one that is there, and returns its size
    /// in bytes.
    ///
    /// Readers see the old or the new content, never a mixture. After `Ok` the
    /// file survives a crash of the machine. After an error nothing has
    /// changed, nor if the future is dropped while `content` still flows. Of
    /// two writers of one file the later wins.
    ///
    /// # Errors
    /// [`ArtifactError::TooLarge`] beyond `max_bytes`,
    /// [`ArtifactError::BrokenUpload`] if `content` fails,
    /// [`ArtifactError::IsDirectory`], [`ArtifactError::ParentIsFile`],
    /// [`ArtifactError::StorageFull`].
    async fn put(
        &self,
        file: &ArtifactPath,
        content: ByteStream,
        max_bytes: Option<u64>,
    ) -> Result<u64, ArtifactError>;

    /// The longest file in bytes that [`ArtifactRepository::put`] takes, where
    /// that is known before one is sent.
    fn max_file_bytes(&self) -> Option<u64> {
        None
    }

    /// Removes a file, or a directory with everything in it. It is no error
    /// if nothing is there.
    ///
    /// # Errors
    /// [`ArtifactError::InvalidPath`] for the root, which is never removed.
    async fn delete(&self, path: &ArtifactPath) -> Result<(), ArtifactError>;

    /// What it can do beyond the above. The methods below fail with
    /// [`ArtifactError::Unsupported`] where it says no.
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    /// Begins an upload whose parts the client sends to the storage itself.
    ///
    /// Nothing is visible before [`ArtifactRepository::complete_multipart`].
    ///
    /// # Errors
    /// [`ArtifactError::TooManyParts`] beyond [`MultipartUpload::MAX_PARTS`].
    async fn create_multipart(
        &self,
        _file: &ArtifactPath,
        _parts: u32,
    ) -> Result<MultipartUpload, ArtifactError> {
        Err(unsupported("Multipart upload"))
    }

    /// Makes the file out of parts that were sent.
    ///
    /// # Errors
    /// [`ArtifactError::InvalidUpload`] if the storage has no such upload or
    /// not these parts.
    async fn complete_multipart(
        &self,
        _file: &ArtifactPath,
        _upload_id: &str,
        _parts: &[UploadedPart],
    ) -> Result<(), ArtifactError> {
        Err(unsupported("Multipart upload"))
    }

    /// Gives up an upload in parts; parts that were sent are removed.
    ///
    /// # Errors
    /// [`ArtifactError::InvalidUpload`] if the storage has no such upload.
    async fn abort_multipart(
        &self,
        _file: &ArtifactPath,
        _upload_id: &str,
    ) -> Result<(), ArtifactError> {
        Err(unsupported("Multipart upload"))
    }

    /// A URL from which anybody can read the file for a while, with its size.
    ///
    /// # Errors
    /// [`ArtifactError::NotFound`].
    async fn presign_download(
        &self,
        _file: &ArtifactPath,
        _valid: Duration,
    ) -> Result<SignedUrl, ArtifactError> {
        Err(unsupported("Presigned download"))
    }

    /// A URL to which anybody can `PUT` the file for a while.
    ///
    /// # Errors
    /// [`ArtifactError::IsDirectory`] for the root.
    async fn presign_upload(
        &self,
        _file: &ArtifactPath,
        _valid: Duration,
    ) -> Result<SignedUrl, ArtifactError> {
        Err(unsupported("Presigned upload"))
    }
}

fn unsupported(operation: &'static str) -> ArtifactError {
    ArtifactError::Unsupported { operation }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_file() {
        assert_eq!(ByteRange::From(3).resolve(10).unwrap(), 3..10);
        assert_eq!(ByteRange::Between(0, 99).resolve(10).unwrap(), 0..10);
        assert_eq!(ByteRange::Between(0, u64::MAX).resolve(10).unwrap(), 0..10);
        assert_eq!(ByteRange::Last(99).resolve(10).unwrap(), 0..10);
    }

    #[test]
    fn a_range_without_a_byte_is_refused() {
        for range in [
            ByteRange::From(10),
            ByteRange::Between(10, 12),
            ByteRange::Last(0),
        ] {
            assert!(range.resolve(10).is_err(), "{range:?}");
        }
        assert!(ByteRange::Last(1).resolve(0).is_err());
    }
}
