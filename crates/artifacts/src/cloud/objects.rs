//! What a storage of objects has to offer.

use std::fmt;
use std::io;
use std::ops::Range;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::stream::BoxStream;

use crate::direct::{Capabilities, SignedUrl, UploadedPart};
use crate::{ArtifactError, ArtifactPath};

/// One bucket or container: objects by key.
///
/// Every request is bounded in time and tried again a bounded number of times
/// by whoever implements it.
#[async_trait]
pub(crate) trait Objects: fmt::Debug + Send + Sync + 'static {
    /// Part of the keys that begin with `prefix`, as far as the next `/` only
    /// if `one_level`. At most `max` of them, or as many as one request gives.
    async fn page(
        &self,
        prefix: &str,
        one_level: bool,
        token: Option<String>,
        max: Option<u16>,
    ) -> Result<Page, Fault>;

    /// What is known of an object.
    async fn head(&self, key: &str) -> Result<Meta, Fault>;

    /// Opens an object, or a part of it. `version` is the tag that it must
    /// still have.
    async fn open(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        version: Option<&str>,
    ) -> Result<Opened, Fault>;

    /// Writes an object at once.
    async fn write(&self, key: &str, content: Bytes) -> Result<(), Fault>;

    /// Begins an object in parts, and names the upload.
    async fn begin(&self, key: &str) -> Result<String, Fault>;

    /// Sends a part, counted from 1, and names it for [`Objects::finish`].
    async fn part(
        &self,
        key: &str,
        upload: &str,
        number: u32,
        content: Bytes,
    ) -> Result<String, Fault>;

    /// Makes the object of its parts, in their order.
    async fn finish(&self, key: &str, upload: &str, parts: Vec<String>) -> Result<(), Fault>;

    /// Removes the parts of an upload.
    async fn abort(&self, key: &str, upload: &str) -> Result<(), Fault>;

    /// Removes objects, at most as many as a page has; ones that are not
    /// there are no error.
    async fn remove(&self, keys: Vec<String>) -> Result<(), Fault>;

    /// See [`ArtifactRepository::capabilities`](crate::ArtifactRepository::capabilities).
    fn capabilities(&self) -> Capabilities;

    /// Begins an upload by a client, and names it.
    async fn begin_direct(&self, key: &str) -> Result<String, Fault> {
        self.begin(key).await
    }

    /// Where a client sends its parts, the first first. Other requests have
    /// their turn between two signatures.
    async fn sign_parts(
        &self,
        key: &str,
        upload: &str,
        parts: u32,
    ) -> Result<Vec<SignedUrl>, Fault>;

    /// Ends an upload by a client. `upload` and the parts are what it says, with
    /// numbers that an upload can have.
    async fn finish_direct(
        &self,
        key: &str,
        upload: &str,
        parts: &[UploadedPart],
    ) -> Result<(), Fault>;

    /// A URL to read an object of this file name.
    async fn sign_read(&self, key: &str, valid: Duration) -> Result<String, Fault>;

    /// A URL to write an object, and its headers.
    async fn sign_write(&self, key: &str, valid: Duration) -> Result<SignedUrl, Fault>;
}

/// A part of a list.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Keys and sizes.
    pub(crate) objects: Vec<(String, u64)>,
    /// Prefixes that end in `/`.
    pub(crate) directories: Vec<String>,
    /// How to ask for the next page.
    pub(crate) next: Option<String>,
}

/// What is known of an object.
#[derive(Clone, Debug)]
pub(crate) struct Meta {
    pub(crate) size: u64,
    pub(crate) modified: Option<SystemTime>,
    /// As the service says it.
    pub(crate) etag: String,
}

/// An object that is being read.
pub(crate) struct Opened {
    pub(crate) meta: Meta,
    pub(crate) range: Range<u64>,
    pub(crate) content: BoxStream<'static, Result<Bytes, io::Error>>,
}

/// Why a request to a service failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// There is no such object.
    NotFound,
    /// The object is another than the one that was asked for.
    Changed,
    /// There is no such upload, or it has not these parts.
    NoUpload,
    /// The service has no such operation, or cannot do it with the credentials
    /// that it was given.
    #[cfg_attr(
        not(any(feature = "azure", feature = "gcs")),
        expect(dead_code, reason = "S3 can do everything")
    )]
    Unsupported,
    /// The service is not there, or asks to come back.
    Unavailable(io::Error),
    /// Everything else: credentials that are wrong, a bucket that is not there.
    Other(io::Error),
}

impl Fault {
    /// The error about a path.
    pub(crate) fn on(self, path: &ArtifactPath, operation: &'static str) -> ArtifactError {
        let path = path.clone();
        match self {
            Self::NotFound => ArtifactError::NotFound { path },
            Self::NoUpload => ArtifactError::InvalidUpload { path },
            Self::Unsupported => ArtifactError::Unsupported { operation },
            Self::Changed => ArtifactError::Unavailable {
                operation,
                source: io::Error::other("the object is written over and over"),
            },
            Self::Unavailable(source) => ArtifactError::Unavailable { operation, source },
            Self::Other(source) => ArtifactError::internal(operation, source),
        }
    }
}

/// An entity tag as HTTP wants it: strong and in quotes.
pub(crate) fn strong_etag(etag: &str) -> String {
    let text = etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"');
    format!("\"{text}\"")
}

#[cfg(test)]
mod tests {
    use super::strong_etag;

    #[test]
    fn tags_are_in_quotes_once() {
        for text in ["abc", "\"abc\"", "W/\"abc\""] {
            assert_eq!(strong_etag(text), "\"abc\"");
        }
    }
}
