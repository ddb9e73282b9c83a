//! Signed URLs of a container.

use std::time::Duration;

use http::Method;
#[cfg(feature = "gcs")]
use object_store::signer::SignedUrlOptions;

#[cfg(feature = "azure")]
use super::blocks;
use super::fault::fault_of_signing;
use super::objects::{Container, Dialect, Store, path};
#[cfg(feature = "azure")]
use super::shared_key::Permission;
use crate::cloud::Fault;
use crate::content_disposition::attachment;
use crate::direct::{SignedUrl, UploadedPart};

/// How long the URLs of parts hold, as in MLflow 3.17.
const PART_TIME: Duration = Duration::from_hours(1);

impl<S: Store> Container<S> {
    pub(super) async fn urls_of_parts(
        &self,
        key: &str,
        upload: &str,
        parts: u32,
    ) -> Result<Vec<SignedUrl>, Fault> {
        self.check()?;
        let mut urls = Vec::new();
        match &self.dialect {
            #[cfg(feature = "azure")]
            Dialect::Azure(shared) => {
                let signed = match shared {
                    Some(shared) => shared.sign(key, Permission::Write, PART_TIME),
                    None => self.sign_plainly(Method::PUT, key, PART_TIME).await?,
                };
                for number in 1..=parts {
                    urls.push(plain(blocks::url(&signed, upload, number)));
                }
            }
            #[cfg(feature = "gcs")]
            Dialect::Google => {
                let path = path(key)?;
                for number in 1..=parts {
                    let options = SignedUrlOptions::new().with_query([
                        ("partNumber", number.to_string()),
                        ("uploadId", upload.to_owned()),
                    ]);
                    let signed = self
                        .store
                        .signed_url_opts(Method::PUT, &path, PART_TIME, &options)
                        .await;
                    urls.push(plain(signed.map_err(fault_of_signing)?.to_string()));
                    tokio::task::yield_now().await;
                }
            }
        }
        Ok(urls)
    }

    /// What the service calls parts that were sent to URLs of ours.
    pub(super) fn names_of_parts(
        &self,
        upload: &str,
        parts: &[UploadedPart],
    ) -> Result<Vec<String>, Fault> {
        self.check()?;
        match &self.dialect {
            #[cfg(feature = "azure")]
            Dialect::Azure(_) => parts
                .iter()
                .map(|part| blocks::name_in(&part.url, upload).ok_or(Fault::NoUpload))
                .collect(),
            #[cfg(feature = "gcs")]
            Dialect::Google => {
                let _ = upload;
                Ok(parts.iter().map(|part| part.etag.clone()).collect())
            }
        }
    }

    pub(super) async fn sign_get(&self, key: &str, valid: Duration) -> Result<String, Fault> {
        self.check()?;
        let disposition = attachment(key.rsplit('/').next().unwrap_or_default());
        match &self.dialect {
            #[cfg(feature = "azure")]
            Dialect::Azure(Some(shared)) => {
                Ok(shared.sign(key, Permission::Read(&disposition), valid))
            }
            #[cfg(feature = "azure")]
            Dialect::Azure(None) => self.sign_plainly(Method::GET, key, valid).await,
            #[cfg(feature = "gcs")]
            Dialect::Google => {
                let wish = ("response-content-disposition", disposition);
                let options = SignedUrlOptions::new().with_query([wish]);
                let path = path(key)?;
                let signed = self
                    .store
                    .signed_url_opts(Method::GET, &path, valid, &options)
                    .await;
                Ok(signed.map_err(fault_of_signing)?.to_string())
            }
        }
    }

    pub(super) async fn sign_put(&self, key: &str, valid: Duration) -> Result<SignedUrl, Fault> {
        self.check()?;
        match &self.dialect {
            #[cfg(feature = "azure")]
            Dialect::Azure(shared) => {
                let mut url = plain(match shared {
                    Some(shared) => shared.sign(key, Permission::Write, valid),
                    None => self.sign_plainly(Method::PUT, key, valid).await?,
                });
                let kind = ("x-ms-blob-type".to_owned(), "BlockBlob".to_owned());
                url.headers.push(kind);
                Ok(url)
            }
            #[cfg(feature = "gcs")]
            Dialect::Google => {
                let signed = self.store.signed_url(Method::PUT, &path(key)?, valid).await;
                Ok(plain(signed.map_err(fault_of_signing)?.to_string()))
            }
        }
    }

    /// Signs with an identity in Azure. The signature of a name that a URL
    /// encodes would not be accepted.
    #[cfg(feature = "azure")]
    async fn sign_plainly(
        &self,
        method: Method,
        key: &str,
        valid: Duration,
    ) -> Result<String, Fault> {
        let signed = self.store.signed_url(method, &path(key)?, valid).await;
        let signed = signed.map_err(fault_of_signing)?;
        if signed.path().contains('%') {
            return Err(Fault::Unsupported);
        }
        Ok(signed.to_string())
    }

    fn check(&self) -> Result<(), Fault> {
        if self.signs {
            Ok(())
        } else {
            Err(Fault::Unsupported)
        }
    }
}

fn plain(url: String) -> SignedUrl {
    SignedUrl {
        url,
        headers: Vec::new(),
        file_size: None,
    }
}
