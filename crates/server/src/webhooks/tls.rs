//! Whom webhooks are trusted to be: the certificate authorities of the system.

use std::{io, sync::Arc};

use rustls::{ClientConfig, RootCertStore};

/// Reads the system's certificates; it takes a while.
///
/// # Errors
/// If there is none: it is looked again with the next delivery.
pub(super) fn config() -> io::Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::debug!(%error, "a certificate of the system is left out");
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(io::Error::other(
            "this system has no certificate authorities: install its package of them (on Debian \
             `ca-certificates`), or set SSL_CERT_FILE",
        ));
    }
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
