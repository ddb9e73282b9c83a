//! Connecting to MySQL and MariaDB. The driver makes the handshake itself.

use std::{
    fmt, io,
    sync::{Arc, OnceLock},
};

use mysql_async::{ClientIdentity, Conn, DriverError, Error, OptsBuilder, SslOpts};
use rustls::CertificateError;

use super::{
    AUTHORITIES, CERTIFICATE, ClientFiles, Roots, TlsError, certificates, key::rsa_key,
    private_key, provider, read, system_roots,
};

/// How connections to a MySQL server are protected. Cheap to clone.
#[derive(Clone)]
pub(crate) struct MysqlTls {
    options: Option<SslOpts>,
    /// Whether a server without TLS will do.
    optional: bool,
    /// For a server that need not be the host of the URI: the name that it has
    /// in its certificate, once that is known.
    name: Option<Arc<OnceLock<String>>>,
}

impl MysqlTls {
    /// Not at all.
    pub(crate) fn none() -> Self {
        Self {
            options: None,
            optional: false,
            name: None,
        }
    }

    /// With TLS if the server has it; the server is not checked.
    pub(crate) fn where_possible() -> Self {
        use_provider();
        Self {
            options: Some(SslOpts::default().with_danger_accept_invalid_certs(true)),
            optional: true,
            name: None,
        }
    }

    /// With TLS. Unless `named`, the certificate need not name the host.
    pub(crate) fn new(
        roots: &Roots,
        named: bool,
        client: Option<&ClientFiles>,
    ) -> Result<Self, TlsError> {
        use_provider();
        let roots = match roots {
            Roots::Any => None,
            Roots::File(path) => Some(certificates(AUTHORITIES, path)?),
            Roots::System => Some(system_roots("ssl_ca")?),
        };
        let is_checked = roots.is_some();
        let options = match roots {
            None => SslOpts::default().with_danger_accept_invalid_certs(true),
            Some(roots) => SslOpts::default()
                .with_root_certs(
                    roots
                        .into_iter()
                        .map(|root| root.as_ref().to_vec().into())
                        .collect(),
                )
                .with_disable_built_in_roots(true),
        };
        let identity = client.map(identity).transpose()?;
        Ok(Self {
            options: Some(options.with_client_identity(identity)),
            optional: false,
            name: (is_checked && !named).then(Arc::default),
        })
    }

    /// Connects.
    pub(crate) async fn connect(&self, opts: OptsBuilder) -> Result<Conn, Error> {
        match Conn::new(self.protect(&opts)).await {
            Err(Error::Driver(DriverError::NoClientSslFlagFromServer)) if self.optional => {
                Conn::new(opts).await
            }
            Err(error) => match (&self.name, name_in_certificate(&error)) {
                // The authority did sign the certificate, so that it can be
                // asked for by the name it has. The driver's own switch for
                // this has no effect with today's rustls.
                (Some(known), Some(name)) => {
                    // Another connection may have been first.
                    let _ = known.set(name);
                    Conn::new(self.protect(&opts)).await
                }
                _ => Err(error),
            },
            connected => connected,
        }
    }

    fn protect(&self, opts: &OptsBuilder) -> OptsBuilder {
        let name = self.name.as_ref().and_then(|name| name.get()).cloned();
        let options = self.options.clone();
        let options = options.map(|options| options.with_danger_tls_hostname_override(name));
        opts.clone().ssl_opts(options)
    }
}

/// A name that the server's certificate is valid for, if all that is wrong with
/// it is that it lacks the name that was asked for.
fn name_in_certificate(error: &Error) -> Option<String> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(|error| error.get_ref()?.downcast_ref())
            .or_else(|| error.downcast_ref());
        if let Some(rustls::Error::InvalidCertificate(CertificateError::NotValidForNameContext {
            presented,
            ..
        })) = inner
        {
            // Names are given as the parser of certificates shows them.
            let names = presented.iter();
            return names
                .filter_map(|name| name.strip_prefix("DnsName(\"")?.strip_suffix("\")"))
                .map(|name| name.replace('*', "any"))
                .next();
        }
        cause = error.source();
    }
    None
}

/// The driver takes the provider of the process.
fn use_provider() {
    // One that was chosen before does as well.
    let _ = rustls::crypto::CryptoProvider::install_default((*provider()).clone());
}

fn identity(files: &ClientFiles) -> Result<ClientIdentity, TlsError> {
    // Read here as well, for an error that names the file.
    certificates(CERTIFICATE, &files.certificate)?;
    let chain = read(CERTIFICATE, &files.certificate)?;
    let key = rsa_key(&private_key(&files.key)?).ok_or_else(|| TlsError::Client {
        path: files.certificate.clone(),
        reason: "the key is not an RSA key, the only kind that the driver takes".to_owned(),
    })?;
    Ok(ClientIdentity::new(chain.into(), key.into()))
}

// The driver's options hold the client's key.
impl fmt::Debug for MysqlTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MysqlTls")
            .field("enabled", &self.options.is_some())
            .field("optional", &self.optional)
            .finish_non_exhaustive()
    }
}
