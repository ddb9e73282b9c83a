//! The objects of a container.

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{
    Attributes, GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt, PutMultipartOptions,
    PutOptions, PutPayload,
};

use super::fault::{fault, fault_of_ending};
use crate::cloud::{Fault, Meta, Objects, Opened, Page};
use crate::direct::{Capabilities, SignedUrl, UploadedPart};

/// What a client of a service can do, in the words of `object_store`.
pub(crate) trait Store:
    ObjectStore + MultipartStore + PaginatedListStore + Signer + fmt::Debug
{
}

impl<S> Store for S where S: ObjectStore + MultipartStore + PaginatedListStore + Signer + fmt::Debug {}

/// A service's own way.
#[derive(Debug)]
pub(crate) enum Dialect {
    /// Parts are blocks, which the client names; types are not asked for. With
    /// a key of the account, URLs are signed with it.
    #[cfg(feature = "azure")]
    Azure(Option<Box<super::shared_key::SharedKey>>),
    /// Parts are numbered, as in S3; objects have the type of their name.
    #[cfg(feature = "gcs")]
    Google,
}

/// A container or bucket.
#[derive(Debug)]
pub(crate) struct Container<S> {
    pub(super) store: S,
    pub(super) dialect: Dialect,
    /// Whether its credentials can sign URLs.
    pub(super) signs: bool,
}

impl<S: Store> Container<S> {
    pub(super) async fn create(&self, key: &str) -> Result<String, Fault> {
        let options = PutMultipartOptions {
            attributes: self.attributes(key),
            ..PutMultipartOptions::default()
        };
        let begun = self.store.create_multipart_opts(&path(key)?, options).await;
        begun.map_err(fault)
    }

    fn attributes(&self, key: &str) -> Attributes {
        match self.dialect {
            #[cfg(feature = "azure")]
            Dialect::Azure(_) => {
                let _ = key;
                Attributes::new()
            }
            #[cfg(feature = "gcs")]
            Dialect::Google => {
                let guessed = mime_guess::from_path(key).first_or_octet_stream();
                let guessed = guessed.essence_str().to_owned();
                Attributes::from_iter([(object_store::Attribute::ContentType, guessed)])
            }
        }
    }
}

/// The key as `object_store` has it. Nothing is encoded or left out: a key is
/// made of a path, which is normal.
pub(super) fn path(key: &str) -> Result<Path, Fault> {
    Path::parse(key).map_err(|error| Fault::Other(io::Error::other(error)))
}

#[async_trait]
impl<S: Store> Objects for Arc<Container<S>> {
    async fn page(
        &self,
        prefix: &str,
        one_level: bool,
        token: Option<String>,
        max: Option<u16>,
    ) -> Result<Page, Fault> {
        let options = PaginatedListOptions {
            delimiter: one_level.then_some("/".into()),
            max_keys: max.map(usize::from),
            page_token: token,
            ..PaginatedListOptions::default()
        };
        let prefix = Some(prefix).filter(|prefix| !prefix.is_empty());
        let answer = self
            .store
            .list_paginated(prefix, options)
            .await
            .map_err(fault)?;
        let objects = answer.result.objects.into_iter();
        let directories = answer.result.common_prefixes.into_iter();
        Ok(Page {
            objects: objects
                .map(|object| (object.location.to_string(), object.size))
                .collect(),
            directories: directories.map(|directory| directory.to_string()).collect(),
            next: answer.page_token,
        })
    }

    async fn head(&self, key: &str) -> Result<Meta, Fault> {
        let found = self.store.head(&path(key)?).await.map_err(fault)?;
        Ok(meta(found))
    }

    async fn open(
        &self,
        key: &str,
        range: Option<Range<u64>>,
        version: Option<&str>,
    ) -> Result<Opened, Fault> {
        let options = GetOptions {
            range: range.map(GetRange::Bounded),
            if_match: version.map(str::to_owned),
            ..GetOptions::default()
        };
        let found = self
            .store
            .get_opts(&path(key)?, options)
            .await
            .map_err(fault)?;
        Ok(Opened {
            meta: meta(found.meta.clone()),
            range: found.range.clone(),
            content: Box::pin(found.into_stream().map_err(io::Error::other)),
        })
    }

    async fn write(&self, key: &str, content: Bytes) -> Result<(), Fault> {
        let options = PutOptions {
            attributes: self.attributes(key),
            ..PutOptions::default()
        };
        let payload = PutPayload::from_bytes(content);
        let written = self.store.put_opts(&path(key)?, payload, options).await;
        written.map_err(fault)?;
        Ok(())
    }

    async fn begin(&self, key: &str) -> Result<String, Fault> {
        self.create(key).await
    }

    async fn part(
        &self,
        key: &str,
        upload: &str,
        number: u32,
        content: Bytes,
    ) -> Result<String, Fault> {
        let index = usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
        let payload = PutPayload::from_bytes(content);
        let sent = self
            .store
            .put_part(&path(key)?, &upload.to_owned(), index, payload)
            .await;
        Ok(sent.map_err(fault)?.content_id)
    }

    async fn finish(&self, key: &str, upload: &str, parts: Vec<String>) -> Result<(), Fault> {
        let parts = parts.into_iter().map(|content_id| PartId { content_id });
        let finished = self
            .store
            .complete_multipart(&path(key)?, &upload.to_owned(), parts.collect())
            .await;
        finished.map_err(fault_of_ending)?;
        Ok(())
    }

    async fn abort(&self, key: &str, upload: &str) -> Result<(), Fault> {
        let aborted = self
            .store
            .abort_multipart(&path(key)?, &upload.to_owned())
            .await;
        aborted.map_err(fault_of_ending)
    }

    async fn remove(&self, keys: Vec<String>) -> Result<(), Fault> {
        let paths: Vec<_> = keys.iter().map(|key| path(key)).collect::<Result<_, _>>()?;
        let paths = stream::iter(paths).map(Ok).boxed();
        let mut removed = self.store.delete_stream(paths);
        let mut first = None;
        while let Some(outcome) = removed.next().await {
            match outcome.map_err(fault) {
                Ok(_) | Err(Fault::NotFound) => {}
                Err(fault) => {
                    first.get_or_insert(fault);
                }
            }
        }
        first.map_or(Ok(()), Err)
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            multipart_uploads: self.signs,
            presigned_downloads: self.signs,
            presigned_uploads: self.signs,
            flat: true,
        }
    }

    async fn begin_direct(&self, key: &str) -> Result<String, Fault> {
        match self.dialect {
            #[cfg(feature = "azure")]
            Dialect::Azure(_) => {
                let _ = key;
                super::blocks::upload()
            }
            #[cfg(feature = "gcs")]
            Dialect::Google => self.create(key).await,
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
        let names = self.names_of_parts(upload, parts)?;
        self.finish(key, upload, names).await
    }

    async fn sign_read(&self, key: &str, valid: Duration) -> Result<String, Fault> {
        self.sign_get(key, valid).await
    }

    async fn sign_write(&self, key: &str, valid: Duration) -> Result<SignedUrl, Fault> {
        self.sign_put(key, valid).await
    }
}

fn meta(object: ObjectMeta) -> Meta {
    Meta {
        size: object.size,
        modified: Some(SystemTime::from(object.last_modified)),
        etag: object.e_tag.unwrap_or_default(),
    }
}
