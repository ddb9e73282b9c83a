//! Connecting to PostgreSQL with libpq's `sslmode`.

use std::{error::Error as _, fmt, sync::Arc};

use rustls::ClientConfig;
use tokio_postgres::{
    Client, Config, Connection, Error, Socket, config, error::SqlState, tls::MakeTlsConnect,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    AUTHORITIES, ClientFiles, Roots, TlsError, certificates, provider, root_store, system_roots,
    verifier::{Trust, Verifier},
    with_client,
};

/// libpq's `sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SslMode {
    /// Never TLS.
    Disable,
    /// TLS only if the server refuses to do without.
    Allow,
    /// TLS, but do without if the server does not have it.
    Prefer,
    /// TLS. The server is checked only if authorities are named.
    Require,
    /// TLS with a server whose certificate a named authority signed.
    VerifyCa,
    /// The same, and the certificate names the host.
    VerifyFull,
}

/// How connections to a PostgreSQL server are protected. Cheap to clone.
#[derive(Clone)]
pub(crate) struct PostgresTls {
    mode: SslMode,
    connector: MakeRustlsConnect,
}

/// What carries a connection, once it is protected.
pub(crate) type TlsStream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;

impl PostgresTls {
    pub(crate) fn new(
        mode: SslMode,
        roots: &Roots,
        client: Option<&ClientFiles>,
    ) -> Result<Self, TlsError> {
        let certificates = match roots {
            _ if mode == SslMode::Disable => None,
            Roots::Any => None,
            Roots::File(path) => Some(certificates(AUTHORITIES, path)?),
            Roots::System => Some(system_roots("sslrootcert")?),
        };
        let trust = match certificates {
            None => Trust::Any,
            Some(certificates) => Trust::Signed {
                roots: root_store(&certificates),
                certificates,
                named: mode == SslMode::VerifyFull,
            },
        };
        let provider = provider();
        let verifier = Verifier::new(trust, Arc::clone(&provider));
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring has every cipher suite of the default versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let client = client.filter(|_| mode != SslMode::Disable);
        Ok(Self {
            mode,
            connector: MakeRustlsConnect::new(with_client(builder, client)?),
        })
    }

    /// Connects; the second part of the answer must be driven for the first to
    /// work.
    pub(crate) async fn connect(
        &self,
        config: &Config,
    ) -> Result<(Client, Connection<Socket, TlsStream>), Error> {
        use config::SslMode::{Disable, Prefer, Require};

        match self.mode {
            SslMode::Disable => self.attempt(config, Disable).await,
            SslMode::Allow => match self.attempt(config, Disable).await {
                Err(error) if is_refusal(&error) => self.attempt(config, Require).await,
                result => result,
            },
            SslMode::Prefer => match self.attempt(config, Prefer).await {
                Err(error) if is_refusal(&error) || is_handshake(&error) => {
                    self.attempt(config, Disable).await.map_err(|_| error)
                }
                result => result,
            },
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => {
                self.attempt(config, Require).await
            }
        }
    }

    async fn attempt(
        &self,
        config: &Config,
        mode: config::SslMode,
    ) -> Result<(Client, Connection<Socket, TlsStream>), Error> {
        let mut config = config.clone();
        config.ssl_mode(mode);
        config.connect(self.connector.clone()).await
    }
}

/// Whether `pg_hba.conf` has no entry for a connection like this.
fn is_refusal(error: &Error) -> bool {
    error.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
}

/// Whether TLS itself failed.
fn is_handshake(error: &Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref());
    let inner = cause.and_then(|cause: &std::io::Error| cause.get_ref());
    inner.is_some_and(|inner| inner.downcast_ref::<rustls::Error>().is_some())
}

impl fmt::Debug for PostgresTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresTls")
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}
