//! Encrypted connections to database servers, with rustls.
//!
//! `postgres.rs` and `mysql.rs` connect with what a URI asks for;
//! `verifier.rs` decides which servers are trusted; this file reads
//! certificates. What the options of a URI mean is left to `uri.rs`.

mod key;
mod mysql;
mod postgres;
mod verifier;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

pub(crate) use self::{
    mysql::MysqlTls,
    postgres::{PostgresTls, SslMode},
};

/// Whose certificates are trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Roots {
    /// Anybody's: the connection is encrypted, but not with a known server.
    Any,
    /// Those that the authorities in this PEM file signed.
    File(PathBuf),
    /// Those that the authorities which the operating system trusts signed.
    System,
}

/// With what this program proves who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientFiles {
    /// A PEM file: the certificate, and those between it and the authority.
    pub(crate) certificate: PathBuf,
    /// A PEM file: the key, not encrypted.
    pub(crate) key: PathBuf,
}

/// Why a connection cannot be protected as the URI asks.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    /// A file cannot be read.
    #[error("{what} {} cannot be read: {reason}", path.display())]
    File {
        what: &'static str,
        path: PathBuf,
        reason: String,
    },
    /// There is no authority to trust.
    #[error("the system trusts no certificate authority: name a file of them ({0})")]
    NoSystemRoots(&'static str),
    /// Certificate and key do not fit, or their kind is not known.
    #[error("the client certificate {} and its key cannot be used: {reason}", path.display())]
    Client { path: PathBuf, reason: String },
}

const AUTHORITIES: &str = "the file of certificate authorities";
const CERTIFICATE: &str = "the client certificate";
const KEY: &str = "the client key";

/// The one implementation of cryptography: it builds with a C compiler alone.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// The certificates in a PEM file. None is an error.
fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |reason: String| TlsError::File {
        what,
        path: path.to_owned(),
        reason,
    };
    let bytes = read(what, path)?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| unreadable(error.to_string()))?;
    if found.is_empty() {
        return Err(unreadable("it holds no certificate in PEM".to_owned()));
    }
    Ok(found)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(&read(KEY, path)?).map_err(|_| TlsError::File {
        what: KEY,
        path: path.to_owned(),
        reason: "it holds no key in PEM that is not encrypted".to_owned(),
    })
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    /// Far more than every authority there is.
    const LARGEST: u64 = 16 << 20;
    let read = || {
        if std::fs::metadata(path)?.len() > LARGEST {
            return Err(io::Error::other("it is larger than 16 MiB"));
        }
        std::fs::read(path)
    };
    read().map_err(|error| TlsError::File {
        what,
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

/// The operating system's authorities. `option` names a file of them.
fn system_roots(option: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found = rustls_native_certs::load_native_certs().certs;
    if found.is_empty() {
        return Err(TlsError::NoSystemRoots(option));
    }
    Ok(found)
}

fn root_store(certificates: &[CertificateDer<'static>]) -> RootCertStore {
    let mut store = RootCertStore::empty();
    // One that is not understood signs nothing that is trusted.
    store.add_parsable_certificates(certificates.iter().cloned());
    store
}

/// Adds the client's certificate to a configuration, if it has one.
fn with_client(
    builder: rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>,
    client: Option<&ClientFiles>,
) -> Result<ClientConfig, TlsError> {
    let Some(ClientFiles { certificate, key }) = client else {
        return Ok(builder.with_no_client_auth());
    };
    let chain = certificates(CERTIFICATE, certificate)?;
    let key = private_key(key)?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|error| TlsError::Client {
            path: certificate.clone(),
            reason: error.to_string(),
        })
}

#[cfg(test)]
mod tests;
