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
    /// A strong entity tag with its quotes, which changes with the content.
    pub etag: &'static str,
    /// The `Content-Security-Policy` it is served with.
    pub content_security_policy: &'static str,
    /// The content.
    pub bytes: &'static [u8],
    /// The content as `Content-Encoding: br`, where that is smaller.
    pub brotli: Option<&'static [u8]>,
    /// The content as `Content-Encoding: gzip`, where that is smaller.
    pub gzip: Option<&'static [u8]>,
}

/// Bounds on what one server takes on at a time.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a request body, artifacts and the next two kinds excepted: 4 MiB.
    pub body_bytes: usize,
    /// Bytes of a body with values of runs, experiments or logged models: 32 MiB.
    ///
    /// A batch at MLflow's limits has less, even where each character is
    /// written as an escaped pair of surrogates; longer values are cut anyway.
    pub values_body_bytes: usize,
    /// Bytes of a body with datasets, whose profiles have 16 million
    /// characters: 64 MiB.
    pub datasets_body_bytes: usize,
    /// Bytes that all request bodies hold together beyond the first 64 KiB of
    /// each, artifacts excepted. The texts of a body are held once more while
    /// its request is worked on.
    pub all_bodies_bytes: usize,
    /// Requests that are worked on at once, artifacts excepted.
    pub requests: usize,
    /// Artifact requests that are worked on at once.
    pub artifact_requests: usize,
    /// How many artifact requests, and how many others, may wait for their
    /// turn; beyond, they are refused.
    pub queue: usize,
    /// How long one request may take, its body included, artifacts excepted.
    pub request_time: Duration,
    /// How long a request body may pause; artifacts included.
    pub body_idle_time: Duration,
    /// How long a client may take nothing of an answer before its connection
    /// is closed. [`Server::serve`](crate::Server::serve) sees to it, not the
    /// router alone.
    pub write_idle_time: Duration,
    /// How long URLs hold by which clients read artifacts from the storage
    /// itself (`MLFLOW_PRESIGNED_DOWNLOAD_URL_TTL_SECONDS`).
    pub download_url_time: Duration,
    /// Root fields of a GraphQL query (`MLFLOW_SERVER_GRAPHQL_MAX_ROOT_FIELDS`).
    pub graphql_root_fields: usize,
    /// Aliases on one level of a GraphQL query
    /// (`MLFLOW_SERVER_GRAPHQL_MAX_ALIASES`).
    pub graphql_aliases: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 4 << 20,
            values_body_bytes: 32 << 20,
            datasets_body_bytes: 64 << 20,
            all_bodies_bytes: 256 << 20,
            requests: 256,
            artifact_requests: 256,
            queue: 4096,
            request_time: Duration::from_mins(2),
            body_idle_time: Duration::from_mins(1),
            write_idle_time: Duration::from_mins(2),
            download_url_time: Duration::from_mins(5),
            graphql_root_fields: 10,
            graphql_aliases: 10,
        }
    }
}
