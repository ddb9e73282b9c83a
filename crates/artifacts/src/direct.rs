//! How clients reach a storage around the server: with URLs that carry a
//! signature, so that they need no credentials.

use std::fmt;

/// What a repository can do beyond files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent abilities, each asked for by its name"
)]
pub struct Capabilities {
    /// Uploads in parts that clients send to the storage.
    pub multipart_uploads: bool,
    /// URLs to read a file from.
    pub presigned_downloads: bool,
    /// URLs to write a file to.
    pub presigned_uploads: bool,
    /// Paths are only keys: a file may have the path of a directory, and
    /// nothing refuses one below a file (MLflow 3.17 on S3, Azure and Google).
    pub flat: bool,
}

/// A request that its holder may send to the storage.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedUrl {
    /// The URL, with a signature in it.
    pub url: String,
    /// Headers that belong to the request.
    pub headers: Vec<(String, String)>,
    /// The size in bytes of the file that is there, for a download.
    pub file_size: Option<u64>,
}

/// Without the URL: whoever reads it can use it.
impl fmt::Debug for SignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedUrl")
            .field("file_size", &self.file_size)
            .finish_non_exhaustive()
    }
}

/// An upload in parts that has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultipartUpload {
    /// What the storage calls it; it is needed to end the upload.
    pub upload_id: Option<String>,
    /// Where to `PUT` each part, the first first.
    pub parts: Vec<SignedUrl>,
}

impl MultipartUpload {
    /// The most parts of one upload (S3's limit).
    pub const MAX_PARTS: u32 = 10_000;
}

/// A part that a client has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadedPart {
    /// Its number, from 1.
    pub number: u32,
    /// The entity tag in the storage's answer.
    pub etag: String,
    /// The URL that it was sent to.
    pub url: String,
}
