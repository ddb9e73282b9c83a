//! `sslmode` against a server that knows the beginning of PostgreSQL's protocol.

use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::DatabaseUri;

/// What the server takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    PlainOnly,
    TlsOnly,
    Both,
}

/// A certificate for `localhost`, its file, and a server that has it.
struct Fake {
    port: u16,
    folder: tempfile::TempDir,
}

impl Fake {
    async fn start(takes: Takes) -> Self {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("own.pem"), certificate.pem()).unwrap();
        let other = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let other = params.self_signed(&other).unwrap();
        std::fs::write(folder.path().join("other.pem"), other.pem()).unwrap();

        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A client that goes away is part of the tests.
                tokio::spawn(serve(stream, acceptor.clone(), takes));
            }
        });
        Self { port, folder }
    }

    /// Whether a connection is made, and with TLS.
    async fn connect(&self, host: &str, options: &str) -> Result<bool, String> {
        let folder = self.folder.path().display().to_string();
        let options = options.replace("{}", &folder);
        let uri = format!("postgresql://me@{host}:{}/d?{options}", self.port);
        let DatabaseUri::Postgres(uri) = DatabaseUri::parse(&uri).unwrap() else {
            panic!("another kind");
        };
        let (config, tls) = uri.config().map_err(|error| error.to_string())?;
        let connected = tls.connect(&config).await;
        let (_client, connection) = connected.map_err(|error| format!("{error:?}"))?;
        // The server says it in the only parameter that it sends.
        Ok(connection.parameter("tls") == Some("on"))
    }
}

async fn serve(
    mut stream: tokio::net::TcpStream,
    acceptor: TlsAcceptor,
    takes: Takes,
) -> std::io::Result<()> {
    const SSL_REQUEST: u32 = 80_877_103;

    let (_, kind) = (stream.read_u32().await?, stream.read_u32().await?);
    if kind != SSL_REQUEST {
        return greet(stream, kind, takes != Takes::TlsOnly, "off").await;
    }
    if takes == Takes::PlainOnly {
        stream.write_u8(b'N').await?;
        let (_, kind) = (stream.read_u32().await?, stream.read_u32().await?);
        return greet(stream, kind, true, "off").await;
    }
    stream.write_u8(b'S').await?;
    let mut stream = acceptor.accept(stream).await?;
    let (_, kind) = (stream.read_u32().await?, stream.read_u32().await?);
    greet(stream, kind, true, "on").await
}

/// The end of a start: an error as `pg_hba.conf` makes it, or a session.
async fn greet(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    version: u32,
    admitted: bool,
    tls: &str,
) -> std::io::Result<()> {
    assert_eq!(version, 3 << 16, "the protocol's version");
    let message = |kind: u8, body: &[u8]| {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [&[kind], &length[..], body].concat()
    };
    let answer = if admitted {
        let parameter = format!("tls\0{tls}\0");
        [
            message(b'R', &[0; 4]),
            message(b'S', parameter.as_bytes()),
            message(b'Z', b"I"),
        ]
        .concat()
    } else {
        message(b'E', b"SFATAL\0VFATAL\0C28000\0Mno entry\0\0")
    };
    stream.write_all(&answer).await?;
    stream.flush().await?;
    // Until the client has gone.
    let _ = stream.read_to_end(&mut Vec::new()).await;
    Ok(())
}

#[tokio::test]
async fn each_mode_protects_as_much_as_it_says() {
    let both = Fake::start(Takes::Both).await;
    let plain = Fake::start(Takes::PlainOnly).await;
    let tls = Fake::start(Takes::TlsOnly).await;
    for (server, mode, expected) in [
        (&both, "disable", Some(false)),
        (&both, "allow", Some(false)),
        (&both, "prefer", Some(true)),
        (&both, "require", Some(true)),
        (&plain, "prefer", Some(false)),
        (&plain, "require", None),
        (&tls, "disable", None),
        (&tls, "allow", Some(true)),
    ] {
        let options = format!("sslmode={mode}");
        let connected = server.connect("localhost", &options).await;
        assert_eq!(connected.ok(), expected, "{mode}");
    }
}

#[tokio::test]
async fn a_named_authority_is_asked_in_every_mode() {
    let server = Fake::start(Takes::Both).await;
    for (host, options, expected) in [
        (
            "localhost",
            "sslmode=verify-full&sslrootcert={}/own.pem",
            Some(true),
        ),
        (
            "127.0.0.1",
            "sslmode=verify-full&sslrootcert={}/own.pem",
            None,
        ),
        (
            "127.0.0.1",
            "sslmode=verify-ca&sslrootcert={}/own.pem",
            Some(true),
        ),
        (
            "localhost",
            "sslmode=verify-ca&sslrootcert={}/other.pem",
            None,
        ),
        (
            "localhost",
            "sslmode=require&sslrootcert={}/other.pem",
            None,
        ),
        // libpq's meaning of it: rather an open connection than none.
        (
            "localhost",
            "sslmode=prefer&sslrootcert={}/other.pem",
            Some(false),
        ),
        (
            "localhost",
            "sslmode=prefer&sslrootcert={}/missing.pem",
            None,
        ),
    ] {
        let connected = server.connect(host, options).await;
        assert_eq!(connected.ok(), expected, "{host} {options}");
    }
}
