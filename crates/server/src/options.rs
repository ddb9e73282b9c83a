//! Assets and bounds of a server.

use std::time::Duration;

/// A file that the server serves as it is: a part of the web UI.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// The path below the static prefix, without a leading slash. The asset of
    /// the empty path is the page at `/`.
    pub path: &'static str,
    /// The media type.
    pub content_type: &'static str,
    /// Whether the path changes with the content, so that it may be kept for good.
    pub immutable: bool,
    /// The content.
    pub bytes: &'static [u8],
}

/// Bounds on what one server takes on at a time.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a request body, artifacts excepted.
    ///
    /// The default, 64 MiB, holds the largest requests that MLflow's own limits
    /// allow: a batch with 100 params and 100 tags of full length, and a
    /// dataset with a profile of 16 million characters.
    pub body_bytes: usize,
    /// Bytes of all request bodies above one MiB each that are held at once.
    pub all_bodies_bytes: usize,
    /// Requests that are worked on at once, artifacts excepted.
    pub requests: usize,
    /// Artifact requests that are worked on at once.
    pub artifact_requests: usize,
    /// Requests of either kind that may wait for their turn; beyond, they are refused.
    pub queue: usize,
    /// How long one request may take, artifacts excepted.
    pub request_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 64 << 20,
            all_bodies_bytes: 256 << 20,
            requests: 256,
            artifact_requests: 256,
            queue: 4096,
            request_time: Duration::from_mins(2),
        }
    }
}
