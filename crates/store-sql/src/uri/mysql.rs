//! MySQL and MariaDB URIs, with the options of `PyMySQL` and mysqlclient.

use std::{fmt, path::PathBuf, time::Duration};

use mysql_async::OptsBuilder;

use super::{
    Reason,
    options::{Options, invalid},
    parts::Parts,
};
use crate::{
    OpenError,
    tls::{ClientFiles, MysqlTls, Roots},
};

/// How long a connection may be silent before the other end is asked whether it
/// is there, in milliseconds as the driver takes it.
const SILENCE_MS: u32 = 60_000;

/// As `PyMySQL`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const PORT: u16 = 3306;

/// A database on a MySQL or MariaDB server.
///
/// Options after `?`:
///
/// - `unix_socket`: the path of a socket, in place of host and port;
/// - `ssl_mode` (`DISABLED`, `PREFERRED`, `REQUIRED`, `VERIFY_CA`,
///   `VERIFY_IDENTITY`) as mysqlclient; `ssl_disabled`, `ssl_verify_cert`,
///   `ssl_verify_identity` as `PyMySQL`; `ssl_check_hostname` as SQLAlchemy;
///   `ssl_ca`, `ssl_cert`, `ssl_key`: PEM files. Without any of them TLS is
///   used where the server has it; with `ssl_ca` alone the server must prove
///   that it is the host of the URI;
/// - `connect_timeout`, `read_timeout`, `write_timeout`: seconds;
/// - `charset`, if it is UTF-8; `use_unicode`, `binary_prefix` and
///   `local_infile`, which mean nothing here: text is text, and files are never
///   loaded.
#[derive(Clone, PartialEq, Eq)]
pub struct MysqlUri {
    parts: Parts,
    settings: Settings,
}

/// What the options come to.
#[derive(Clone, PartialEq, Eq)]
struct Settings {
    socket: Option<String>,
    mode: Mode,
    ca: Option<PathBuf>,
    client: Option<ClientFiles>,
    connect_timeout: Duration,
    answer_timeout: Option<Duration>,
    /// In place of a user that the URI does not name.
    default_user: Option<String>,
}

/// How the connection is protected.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Disabled,
    Preferred,
    Required,
    VerifyCa,
    VerifyIdentity,
}

impl MysqlUri {
    pub(super) fn new(parts: Parts) -> Result<Self, Reason> {
        if parts.database.as_deref().unwrap_or_default().is_empty() {
            return Err(
                "it names no database: write it after the host, as in mysql://host/mlflow".into(),
            );
        }
        if parts.host.as_deref().is_some_and(|host| host.contains(',')) {
            return Err("several hosts are not supported for MySQL: name one".into());
        }
        let settings = Settings::new(&parts)?;
        Ok(Self { parts, settings })
    }

    pub(super) fn with_environment(
        mut self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Reason> {
        let path = |name| variable(name).map(PathBuf::from);
        self.settings.default_user = variable("LOGNAME").or_else(|| variable("USER"));
        let certificate = path("MLFLOW_MYSQL_SSL_CERT");
        let key = path("MLFLOW_MYSQL_SSL_KEY");
        let has_client = certificate.is_some();
        match (certificate, key) {
            (Some(certificate), Some(key)) => {
                self.settings.client = Some(ClientFiles { certificate, key });
            }
            (None, None) => {}
            _ => {
                return Err(
                    "MLFLOW_MYSQL_SSL_CERT and MLFLOW_MYSQL_SSL_KEY go together: set both".into(),
                );
            }
        }
        if let Some(ca) = path("MLFLOW_MYSQL_SSL_CA") {
            self.settings.ca = Some(ca);
            if matches!(self.settings.mode, Mode::Preferred | Mode::Required) {
                self.settings.mode = Mode::VerifyCa;
            }
        } else if has_client && self.settings.mode == Mode::Preferred {
            self.settings.mode = Mode::Required;
        }
        Ok(self)
    }

    /// The user. An empty one is MySQL's anonymous user.
    pub fn user(&self) -> &str {
        let named = self.parts.user.as_deref().filter(|user| !user.is_empty());
        named
            .or(self.settings.default_user.as_deref())
            .unwrap_or_default()
    }

    /// The database.
    pub fn database(&self) -> &str {
        self.parts.database.as_deref().unwrap_or_default()
    }

    /// How long connecting may take, the handshake included.
    pub fn connect_timeout(&self) -> Duration {
        self.settings.connect_timeout
    }

    /// How long the answer to a statement may take, if that is bounded: the
    /// longer of `read_timeout` and `write_timeout`.
    pub fn answer_timeout(&self) -> Option<Duration> {
        self.settings.answer_timeout
    }

    /// What the driver needs to connect, but for how the connection is
    /// protected.
    ///
    /// # Errors
    /// [`OpenError::Database`] if a certificate or key cannot be read.
    pub(crate) fn opts(&self) -> Result<(OptsBuilder, MysqlTls), OpenError> {
        let settings = &self.settings;
        let host = self.parts.host.as_deref().unwrap_or("localhost");
        let opts = OptsBuilder::default()
            .ip_or_hostname(host)
            .tcp_port(self.parts.port.unwrap_or(PORT))
            .user(Some(self.user()))
            .pass(self.parts.password.as_deref())
            .db_name(Some(self.database()))
            .socket(settings.socket.as_deref())
            // The driver would leave a forwarded port for the socket that the
            // server names, which on this machine may be another server's.
            .prefer_socket(false)
            // The system's own default is two hours, in which a call would wait
            // for a server that is gone.
            .tcp_keepalive(Some(SILENCE_MS));
        let tls = match settings.mode {
            // Nobody listens between two processes of one machine.
            _ if settings.socket.is_some() => Ok(MysqlTls::none()),
            Mode::Disabled => Ok(MysqlTls::none()),
            Mode::Preferred => Ok(MysqlTls::where_possible()),
            Mode::Required => MysqlTls::new(&Roots::Any, false, settings.client.as_ref()),
            Mode::VerifyCa | Mode::VerifyIdentity => {
                let roots = settings.ca.clone().map_or(Roots::System, Roots::File);
                let named = settings.mode == Mode::VerifyIdentity;
                MysqlTls::new(&roots, named, settings.client.as_ref())
            }
        };
        let tls = tls.map_err(|error| OpenError::Database {
            uri: self.to_string(),
            reason: error.to_string(),
        })?;
        Ok((opts, tls))
    }
}

impl Settings {
    fn new(parts: &Parts) -> Result<Self, Reason> {
        let mut options = Options::new(&parts.query)?;
        if let Some(charset) = options.take("charset") {
            let known = ["utf8mb4", "utf8", "utf8mb3"];
            if !known.contains(&charset.to_ascii_lowercase().as_str()) {
                return Err(invalid("charset", charset, "utf8mb4"));
            }
        }
        for nothing in ["use_unicode", "binary_prefix", "local_infile"] {
            options.flag(nothing)?;
        }
        let answer = [
            options.duration("read_timeout")?,
            options.duration("write_timeout")?,
        ];
        let connect_timeout = options.duration("connect_timeout")?;
        let socket = options.take("unix_socket").map(str::to_owned);
        let ca = options.path("ssl_ca");
        let certificate = options.path("ssl_cert");
        let client = match (certificate, options.path("ssl_key")) {
            (Some(certificate), Some(key)) => Some(ClientFiles { certificate, key }),
            (None, None) => None,
            _ => return Err("the options ssl_cert and ssl_key go together".into()),
        };
        let mode = Mode::new(&mut options, ca.is_some(), client.is_some())?;
        options.finish()?;
        if mode == Mode::VerifyCa && ca.is_none() {
            return Err("ssl_mode=VERIFY_CA needs ssl_ca, the file of the authority".into());
        }
        Ok(Self {
            socket,
            mode,
            ca,
            client,
            connect_timeout: connect_timeout
                .filter(|timeout| !timeout.is_zero())
                .unwrap_or(CONNECT_TIMEOUT),
            answer_timeout: answer
                .into_iter()
                .flatten()
                .max()
                .filter(|it| !it.is_zero()),
            default_user: None,
        })
    }
}

impl Mode {
    fn new(options: &mut Options<'_>, has_ca: bool, has_client: bool) -> Result<Self, Reason> {
        let disabled = options.flag("ssl_disabled")?;
        let identity = options.flag("ssl_verify_identity")?;
        let hostname = options.flag("ssl_check_hostname")?.or(identity);
        let certificate = options.flag("ssl_verify_cert")?;
        if let Some(mode) = options.take("ssl_mode") {
            return match mode.to_ascii_uppercase().as_str() {
                _ if disabled == Some(true) => Ok(Self::Disabled),
                "DISABLED" => Ok(Self::Disabled),
                "PREFERRED" => Ok(Self::Preferred),
                "REQUIRED" => Ok(Self::Required),
                "VERIFY_CA" => Ok(Self::VerifyCa),
                "VERIFY_IDENTITY" => Ok(Self::VerifyIdentity),
                _ => Err(invalid(
                    "ssl_mode",
                    mode,
                    "DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY",
                )),
            };
        }
        Ok(match (hostname, certificate) {
            _ if disabled == Some(true) => Self::Disabled,
            (Some(true), _) => Self::VerifyIdentity,
            (_, Some(false)) => Self::Required,
            (Some(false), _) if has_ca => Self::VerifyCa,
            (None, _) if has_ca => Self::VerifyIdentity,
            // Without an authority of their own, the public ones and the name.
            (_, Some(true)) => Self::VerifyIdentity,
            _ if has_client => Self::Required,
            _ => Self::Preferred,
        })
    }
}

impl fmt::Display for MysqlUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.parts, f)
    }
}

impl fmt::Debug for MysqlUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
