//! Amazon S3, and services that speak its protocol, by Amazon's SDK.
//!
//! `options` is what MLflow's environment variables say, `client` makes the
//! SDK's client of it, `objects` asks the service, and `direct` signs URLs.

mod client;
mod connector;
mod direct;
mod extra_args;
mod fault;
mod objects;
mod options;

use std::sync::Arc;

use crate::cloud::{Keys, ObjectRepository};
use crate::{ArtifactPath, ArtifactRepository};

pub use options::{InvalidS3Option, S3Options};

use objects::Bucket;

/// The least size of a part but the last (S3's limit).
const PART_BYTES: usize = 5 << 20;

/// The repositories of one set of credentials. Clones share its connections.
#[derive(Clone, Debug)]
pub(crate) struct S3 {
    client: aws_sdk_s3::Client,
    options: Arc<S3Options>,
}

impl S3 {
    /// The repository below `prefix` of a bucket. Nothing is asked yet.
    pub(crate) fn repository(
        &self,
        bucket: &str,
        prefix: &ArtifactPath,
    ) -> Arc<dyn ArtifactRepository> {
        let bucket = Bucket {
            client: self.client.clone(),
            options: Arc::clone(&self.options),
            name: bucket.to_owned(),
        };
        let keys = Keys::below(prefix);
        Arc::new(ObjectRepository::new(bucket, keys, PART_BYTES))
    }
}
