//! The objects of a bucket.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_sdk_s3::client::customize::CustomizableOperation;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, Delete, ObjectIdentifier};
use bytes::Bytes;
use futures_util::TryStreamExt;
use http_body_util::BodyDataStream;

use super::S3Options;
use super::fault::{fault, fault_of_ending};
use crate::cloud::{Fault, Meta, Objects, Opened, Page};
use crate::direct::{Capabilities, SignedUrl, UploadedPart};

/// A bucket.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    pub(super) client: aws_sdk_s3::Client,
    pub(super) options: Arc<S3Options>,
    pub(super) name: String,
}

impl Bucket {
    pub(super) fn owner(&self) -> Option<String> {
        self.options.bucket_owner.clone()
    }

    /// A request with the headers that the user wants on uploads.
    pub(super) fn with_extra_args<T, E, B>(
        &self,
        operation: CustomizableOperation<T, E, B>,
    ) -> CustomizableOperation<T, E, B> {
        let options = Arc::clone(&self.options);
        operation.mutate_request(move |request| {
            for (name, value) in options.extra_args.headers() {
                request.headers_mut().insert(name.clone(), value.clone());
            }
        })
    }
}

/// The type that a browser would be told, by the name.
pub(super) fn content_type(key: &str) -> String {
    mime_guess::from_path(key)
        .first_or_octet_stream()
        .essence_str()
        .to_owned()
}

#[async_trait]
impl Objects for Bucket {
    async fn page(
        &self,
        prefix: &str,
        one_level: bool,
        token: Option<String>,
        max: Option<u16>,
    ) -> Result<Page, Fault> {
        let request = self
            .client
            .list_objects_v2()
            .bucket(&self.name)
            .set_expected_bucket_owner(self.owner())
            .prefix(prefix)
            .set_delimiter(one_level.then(|| "/".to_owned()))
            .set_continuation_token(token)
            .set_max_keys(max.map(i32::from));
        let answer = request.send().await.map_err(fault)?;
        let objects = answer.contents.unwrap_or_default().into_iter();
        let directories = answer.common_prefixes.unwrap_or_default().into_iter();
        Ok(Page {
            objects: objects
                .filter_map(|object| {
                    let size = u64::try_from(object.size.unwrap_or(0)).unwrap_or(0);
                    Some((object.key?, size))
                })
                .collect(),
            directories: directories
                .filter_map(|directory| directory.prefix)
                .collect(),
            next: answer.next_continuation_token,
        })
    }

    async fn head(&self, key: &str) -> Result<Meta, Fault> {
        let request = self
            .client
            .head_object()
            .bucket(&self.name)
            .set_expected_bucket_owner(self.owner())
            .key(key);
        let answer = request.send().await.map_err(fault)?;
        meta(answer.content_length, answer.last_modified, answer.e_tag)
    }

    async fn open(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        version: Option<&str>,
    ) -> Result<Opened, Fault> {
        let header = range
            .as_ref()
            .map(|range| format!("bytes={}-{}", range.start, range.end.saturating_sub(1)));
        let request = self
            .client
            .get_object()
            .bucket(&self.name)
            .set_expected_bucket_owner(self.owner())
            .key(key)
            .set_range(header)
            .set_if_match(version.map(str::to_owned));
        let answer = request.send().await.map_err(fault)?;
        let mut meta = meta(answer.content_length, answer.last_modified, answer.e_tag)?;
        let range = match range {
            None => 0..meta.size,
            Some(range) => {
                let total = answer.content_range.as_deref().and_then(total_of);
                meta.size = total.ok_or_else(|| invalid("a part without its place"))?;
                range
            }
        };
        let content = BodyDataStream::new(answer.body.into_inner());
        Ok(Opened {
            meta,
            range,
            content: Box::pin(content.map_err(io::Error::other)),
        })
    }

    async fn write(&self, key: &str, content: Bytes) -> Result<(), Fault> {
        let request = self
            .client
            .put_object()
            .bucket(&self.name)
            .set_expected_bucket_owner(self.owner())
            .key(key)
            .content_type(content_type(key))
            .body(ByteStream::from(content));
        let request = self.with_extra_args(request.customize());
        request.send().await.map_err(fault)?;
        Ok(())
    }

    async fn begin(&self, key: &str) -> Result<String, Fault> {
        let request = self
            .client
            .create_multipart_upload()
            .bucket(&self.name)
            .set_expected_bucket_owner(self.owner())
            .key(key)
            .content_type(content_type(key));
        let request = self.with_extra_args(request.customize());
        let answer = request.send().await.map_err(fault)?;
        answer
            .upload_id
            .ok_or_else(|| invalid("an upload without an id"))
    }

    async fn part(
        &self,
        key: &str,
        upload: &str,
        number: u32,
        content: Bytes,
    ) -> Result<String, Fault> {
        let request = self
            .client
            .upload_part()
            .bucket(&self.name)
            .set_expected_bucket_owner(self.owner())
            .key(key)
            .upload_id(upload)
            .part_number(number.try_into().unwrap_or(i32::MAX))
            .body(ByteStream::from(content));
        let answer = request.send().await.map_err(fault)?;
        answer
            .e_tag
            .ok_or_else(|| invalid("a part without an entity tag"))
    }

    async fn finish(&self, key: &str, upload: &str, parts: Vec<String>) -> Result<(), Fault> {
        let parts = (1..).zip(parts);
        self.complete(key, upload, parts).await
    }

    async fn abort(&self, key: &str, upload: &str) -> Result<(), Fault> {
        let request = self
            .client
            .abort_multipart_upload()
            .bucket(&self.name)
            .set_expected_bucket_owner(self.owner())
            .key(key)
            .upload_id(upload);
        request.send().await.map_err(fault_of_ending)?;
        Ok(())
    }

    async fn remove(&self, keys: Vec<String>) -> Result<(), Fault> {
        let keys = keys
            .into_iter()
            .map(|key| ObjectIdentifier::builder().key(key).build());
        let delete = Delete::builder()
            .set_objects(Some(keys.collect::<Result<_, _>>().map_err(built)?))
            .quiet(true)
            .build()
            .map_err(built)?;
        let request = self
            .client
            .delete_objects()
            .bucket(&self.name)
            .set_expected_bucket_owner(self.owner())
            .delete(delete);
        let answer = request.send().await.map_err(fault)?;
        match answer.errors.unwrap_or_default().into_iter().next() {
            None => Ok(()),
            Some(error) => {
                let text = format!(
                    "'{}' is not removed: {}",
                    error.key.unwrap_or_default(),
                    error.message.or(error.code).unwrap_or_default()
                );
                Err(Fault::Other(io::Error::other(text)))
            }
        }
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            multipart_uploads: true,
            presigned_downloads: true,
            presigned_uploads: true,
            flat: true,
        }
    }

    async fn sign_parts(
        &self,
        key: &str,
        upload: &str,
        parts: u32,
    ) -> Result<Vec<SignedUrl>, Fault> {
        self.urls_of_parts(key, upload, parts).await
    }

    async fn finish_direct(
        &self,
        key: &str,
        upload: &str,
        parts: &[UploadedPart],
    ) -> Result<(), Fault> {
        let parts = parts.iter().map(|part| {
            (
                part.number.try_into().unwrap_or(i32::MAX),
                part.etag.clone(),
            )
        });
        self.complete(key, upload, parts).await
    }

    async fn sign_read(&self, key: &str, valid: Duration) -> Result<String, Fault> {
        self.sign_get(key, valid).await
    }

    async fn sign_write(&self, key: &str, valid: Duration) -> Result<SignedUrl, Fault> {
        self.sign_put(key, valid).await
    }
}

impl Bucket {
    async fn complete(
        &self,
        key: &str,
        upload: &str,
        parts: impl Iterator<Item = (i32, String)>,
    ) -> Result<(), Fault> {
        let parts = parts.map(|(number, etag)| {
            CompletedPart::builder()
                .part_number(number)
                .e_tag(etag)
                .build()
        });
        let parts = CompletedMultipartUpload::builder()
            .set_parts(Some(parts.collect()))
            .build();
        let request = self
            .client
            .complete_multipart_upload()
            .bucket(&self.name)
            .set_expected_bucket_owner(self.owner())
            .key(key)
            .upload_id(upload)
            .multipart_upload(parts);
        request.send().await.map_err(fault_of_ending)?;
        Ok(())
    }
}

fn meta(
    length: Option<i64>,
    modified: Option<DateTime>,
    etag: Option<String>,
) -> Result<Meta, Fault> {
    Ok(Meta {
        size: length
            .and_then(|length| u64::try_from(length).ok())
            .ok_or_else(|| invalid("an object without a size"))?,
        modified: modified.and_then(|time| SystemTime::try_from(time).ok()),
        etag: etag.ok_or_else(|| invalid("an object without an entity tag"))?,
    })
}

/// The size of the whole in `bytes 0-9/20`.
fn total_of(content_range: &str) -> Option<u64> {
    content_range.rsplit_once('/')?.1.parse().ok()
}

/// An answer that the service should not give.
fn invalid(what: &str) -> Fault {
    Fault::Other(io::Error::other(format!(
        "the storage answered with {what}"
    )))
}

fn built(error: aws_smithy_types::error::operation::BuildError) -> Fault {
    Fault::Other(io::Error::other(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_the_whole_is_read() {
        assert_eq!(total_of("bytes 0-9/20"), Some(20));
        assert_eq!(total_of("bytes 0-9/*"), None);
    }

    #[test]
    fn types_are_guessed_by_the_name() {
        assert_eq!(content_type("a/b.json"), "application/json");
        assert_eq!(content_type("a/MLmodel"), "application/octet-stream");
    }
}
