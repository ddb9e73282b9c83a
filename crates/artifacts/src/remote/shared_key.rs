//! Signatures with the key of an Azure account: service SAS.
//!
//! `object_store` signs too, but the encoded form of a name, which Azure does
//! not accept: names with spaces would have no URL. It also cannot say that a
//! browser shall save the file.

use std::fmt;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::{DateTime, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ring::hmac;

/// The version of Azure's rules of signing.
const VERSION: &str = "2021-12-02";

/// What a path of a URL leaves as it is.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The key of an account, and the container that it is used for.
pub(super) struct SharedKey {
    account: String,
    container: String,
    endpoint: String,
    key: hmac::Key,
}

/// Without the key.
impl fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedKey")
            .field("account", &self.account)
            .field("container", &self.container)
            .finish_non_exhaustive()
    }
}

/// What the holder of a URL may do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Permission<'a> {
    /// Read, and be told this `Content-Disposition`.
    Read(&'a str),
    Write,
}

impl SharedKey {
    /// `None` if the key is no base64.
    pub(super) fn new(account: &str, container: &str, endpoint: &str, key: &str) -> Option<Self> {
        let key = BASE64.decode(key).ok()?;
        Some(Self {
            account: account.to_owned(),
            container: container.to_owned(),
            endpoint: endpoint.to_owned(),
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
        })
    }

    /// The URL of an object, signed.
    pub(super) fn sign(&self, key: &str, permission: Permission<'_>, valid: Duration) -> String {
        let expiry = DateTime::<Utc>::from(SystemTime::now() + valid);
        let expiry = expiry.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        self.sign_until(key, permission, &expiry)
    }

    fn sign_until(&self, key: &str, permission: Permission<'_>, expiry: &str) -> String {
        let (permission, disposition) = match permission {
            Permission::Read(disposition) => ("r", disposition),
            Permission::Write => ("w", ""),
        };
        let Self {
            account, container, ..
        } = self;
        let resource = format!("/blob/{account}/{container}/{key}");
        // Permission, start, expiry, resource, identifier, addresses, protocol,
        // version, kind, snapshot, scope, then five headers of the answer.
        let text = [
            permission,
            "",
            expiry,
            &resource,
            "",
            "",
            "",
            VERSION,
            "b",
            "",
            "",
            "",
            disposition,
            "",
            "",
            "",
        ]
        .join("\n");
        let signature = BASE64.encode(hmac::sign(&self.key, text.as_bytes()));
        let mut url = format!(
            "{}/{container}/{}?sp={permission}&se={}&sv={VERSION}&sr=b&sig={}",
            self.endpoint,
            utf8_percent_encode(key, PATH),
            utf8_percent_encode(expiry, NON_ALPHANUMERIC),
            utf8_percent_encode(&signature, NON_ALPHANUMERIC),
        );
        if !disposition.is_empty() {
            url.push_str("&rscd=");
            url.extend(utf8_percent_encode(disposition, NON_ALPHANUMERIC));
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_holds_no_key_and_no_plain_space() {
        let key = SharedKey::new("acc", "c", "https://acc.blob.core.windows.net", "c2VjcmV0");
        let key = key.unwrap();
        let url = key.sign(
            "d/a b+ü",
            Permission::Read("attachment; filename=\"x\""),
            Duration::ZERO,
        );
        assert!(url.starts_with("https://acc.blob.core.windows.net/c/d/a%20b%2B%C3%BC?sp=r&se="));
        assert!(url.contains("&rscd=attachment%3B%20filename%3D%22x%22"));
        assert!(!url.contains("c2VjcmV0") && !format!("{key:?}").contains("c2VjcmV0"));
        assert!(SharedKey::new("a", "c", "e", "no base64!").is_none());
    }

    #[test]
    fn the_signature_is_azures() {
        // By azure-storage-blob 12 for Python, with the same values.
        let key = SharedKey::new("acc", "c", "https://e", "c2VjcmV0").unwrap();
        let url = key.sign_until("d/a b", Permission::Write, "2030-01-02T03:04:05Z");
        assert!(
            url.ends_with("&sig=r930QJP%2FXG0mNRL6LEl0IjQGYtT6%2B7%2FfpX9%2BkNbwPzA%3D"),
            "{url}"
        );
    }
}
