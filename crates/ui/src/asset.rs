//! One embedded file.

use std::fmt;

/// A file of the web pages.
#[derive(Clone, Copy)]
pub struct Asset {
    /// Where it is served, relative to the base of the service; no leading slash.
    pub path: &'static str,
    /// The `Content-Type`, with a charset where it is text.
    pub content_type: &'static str,
    /// Whether the path changes with the content, so that it may be kept for good.
    pub immutable: bool,
    /// A strong `ETag` of the uncompressed file, quotes included. It tells builds apart; it is no proof of integrity.
    pub etag: &'static str,
    /// The file, uncompressed.
    pub bytes: &'static [u8],
    /// The file as `Content-Encoding: br`, where that is smaller.
    pub brotli: Option<&'static [u8]>,
    /// The file as `Content-Encoding: gzip`, where that is smaller.
    pub gzip: Option<&'static [u8]>,
    /// The `Content-Security-Policy` it needs.
    pub content_security_policy: &'static str,
}

impl fmt::Debug for Asset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asset")
            .field("path", &self.path)
            .field("content_type", &self.content_type)
            .field("immutable", &self.immutable)
            .field("etag", &self.etag)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}
