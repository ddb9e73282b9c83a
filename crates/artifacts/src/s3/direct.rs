//! Signed URLs of a bucket.

use std::io;
use std::time::Duration;

use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};

use super::fault::fault;
use super::objects::{Bucket, content_type};
use crate::cloud::Fault;
use crate::content_disposition::attachment;
use crate::direct::SignedUrl;

/// How long the URLs of parts hold (boto3's default).
const PART_TIME: Duration = Duration::from_hours(1);

impl Bucket {
    pub(super) async fn urls_of_parts(
        &self,
        key: &str,
        upload: &str,
        parts: u32,
    ) -> Result<Vec<SignedUrl>, Fault> {
        let times = times(PART_TIME)?;
        let mut urls = Vec::new();
        for number in 1..=parts {
            let request = self
                .client
                .upload_part()
                .bucket(&self.name)
                .set_expected_bucket_owner(self.owner())
                .key(key)
                .upload_id(upload)
                .part_number(number.try_into().unwrap_or(i32::MAX));
            let signed = request.presigned(times.clone()).await.map_err(fault)?;
            urls.push(signed_url(&signed));
            tokio::task::yield_now().await;
        }
        Ok(urls)
    }

    /// A URL that a browser saves under the file's own name, and never shows.
    pub(super) async fn sign_get(&self, key: &str, valid: Duration) -> Result<String, Fault> {
        let name = key.rsplit('/').next().unwrap_or_default();
        let request = self
            .client
            .get_object()
            .bucket(&self.name)
            .key(key)
            .response_content_disposition(attachment(name));
        let signed = request.presigned(times(valid)?).await.map_err(fault)?;
        Ok(signed.uri().to_owned())
    }

    pub(super) async fn sign_put(&self, key: &str, valid: Duration) -> Result<SignedUrl, Fault> {
        let request = self
            .client
            .put_object()
            .bucket(&self.name)
            .set_expected_bucket_owner(self.owner())
            .key(key)
            .content_type(content_type(key));
        let request = self.with_extra_args(request.customize());
        let signed = request.presigned(times(valid)?).await.map_err(fault)?;
        Ok(signed_url(&signed))
    }
}

fn times(valid: Duration) -> Result<PresigningConfig, Fault> {
    PresigningConfig::expires_in(valid).map_err(|error| Fault::Other(io::Error::other(error)))
}

fn signed_url(request: &PresignedRequest) -> SignedUrl {
    let headers = request.headers();
    SignedUrl {
        url: request.uri().to_owned(),
        headers: headers
            .filter(|(name, _)| !name.eq_ignore_ascii_case("host"))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        file_size: None,
    }
}
