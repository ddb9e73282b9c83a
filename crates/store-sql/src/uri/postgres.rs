//! PostgreSQL URIs, with libpq's options: psycopg2 hands them to libpq.

use std::{collections::BTreeMap, fmt, path::Path, time::Duration};

use tokio_postgres::config::{ChannelBinding, Config, LoadBalanceHosts, TargetSessionAttrs};

use super::{
    Reason,
    options::{Options, invalid, number},
    parts::Parts,
};
use crate::{
    OpenError,
    tls::{ClientFiles, PostgresTls, Roots, SslMode},
};

/// Where Debian's libpq looks for the socket of a server on this machine.
const SOCKETS: &str = "/var/run/postgresql";
const PORT: u16 = 5432;
/// libpq waits for ever; a server that is gone should be an error some day.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// A database on a PostgreSQL server.
///
/// Options after `?`, with libpq's meaning:
///
/// - `host` (a name, an address, a directory of sockets; several with commas,
///   or `host=a:5432&host=b:5432`), `hostaddr`, `port`, `user`, `password`,
///   `dbname`: before those of the URI itself;
/// - `sslmode` (`disable`, `allow`, `prefer`, `require`, `verify-ca`,
///   `verify-full`), `sslrootcert` (a file, or `system`), `sslcert`, `sslkey`,
///   `channel_binding`;
/// - `connect_timeout`, `tcp_user_timeout`, `keepalives`, `keepalives_idle`,
///   `keepalives_interval`, `keepalives_count`;
/// - `application_name`, `fallback_application_name`, `options`,
///   `target_session_attrs` (`any`, `read-write`, `read-only`),
///   `load_balance_hosts`;
/// - `client_encoding`, if it is UTF-8, and `gssencmode`, if it does not
///   require what there is not.
///
/// It differs from libpq where that is careless: a file of `sslrootcert` that
/// cannot be read is an error in every mode; `verify-full` without it trusts
/// the system's roots; and connecting takes 30 seconds at most unless
/// `connect_timeout` says otherwise.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUri {
    parts: Parts,
    /// What the environment gives for options that the URI lacks.
    defaults: BTreeMap<&'static str, String>,
}

/// libpq's environment variables and the options that they stand for.
const VARIABLES: [(&str, &str); 14] = [
    ("PGHOST", "host"),
    ("PGPORT", "port"),
    ("PGUSER", "user"),
    ("PGPASSWORD", "password"),
    ("PGDATABASE", "dbname"),
    ("PGOPTIONS", "options"),
    ("PGAPPNAME", "application_name"),
    ("PGSSLMODE", "sslmode"),
    ("PGSSLROOTCERT", "sslrootcert"),
    ("PGSSLCERT", "sslcert"),
    ("PGSSLKEY", "sslkey"),
    ("PGCONNECT_TIMEOUT", "connect_timeout"),
    ("PGTARGETSESSIONATTRS", "target_session_attrs"),
    ("PGCHANNELBINDING", "channel_binding"),
];

/// Files in `~/.postgresql` that libpq uses where they exist.
const FILES: [(&str, &str); 3] = [
    ("root.crt", "sslrootcert"),
    ("postgresql.crt", "sslcert"),
    ("postgresql.key", "sslkey"),
];

/// What the options come to.
struct Settings {
    config: Config,
    mode: SslMode,
    roots: Roots,
    client: Option<ClientFiles>,
}

impl PostgresUri {
    pub(super) fn new(parts: Parts) -> Result<Self, Reason> {
        let uri = Self {
            parts,
            defaults: BTreeMap::new(),
        };
        uri.settings()?;
        Ok(uri)
    }

    pub(super) fn with_environment(
        mut self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Reason> {
        for (name, option) in VARIABLES {
            if let Some(value) = variable(name) {
                self.defaults.insert(option, value);
            }
        }
        if let Some(home) = variable("HOME") {
            let folder = Path::new(&home).join(".postgresql");
            for (file, option) in FILES {
                let file = folder.join(file);
                if let (true, Some(path)) = (file.is_file(), file.to_str()) {
                    let path = path.to_owned();
                    self.defaults.entry(option).or_insert(path);
                }
            }
        }
        self.settings()?;
        Ok(self)
    }

    /// The user, if the URI or the environment names one. The server's own
    /// default is the user of the operating system.
    pub fn user(&self) -> Option<&str> {
        self.option("user").or(filled(self.parts.user.as_deref()))
    }

    /// The database, if the URI or the environment names one. The server's own
    /// default is the one named after the user.
    pub fn database(&self) -> Option<&str> {
        self.option("dbname")
            .or(filled(self.parts.database.as_deref()))
    }

    fn option(&self, name: &str) -> Option<&str> {
        let mut query = self.parts.query.iter();
        query
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
    }

    /// What the driver needs to connect, and how the connection is protected.
    ///
    /// # Errors
    /// [`OpenError::Database`] if a certificate or key cannot be read.
    pub(crate) fn config(&self) -> Result<(Config, PostgresTls), OpenError> {
        let settings = self.settings().map_err(|reason| OpenError::Uri {
            uri: self.to_string(),
            reason,
        })?;
        let tls = PostgresTls::new(settings.mode, &settings.roots, settings.client.as_ref())
            .map_err(|error| OpenError::Database {
                uri: self.to_string(),
                reason: error.to_string(),
            })?;
        Ok((settings.config, tls))
    }

    fn settings(&self) -> Result<Settings, Reason> {
        let Parts { host, port, .. } = &self.parts;
        let mut options = Options::new(&self.parts.query)?;
        let mut config = Config::new();

        let address = options.take("hostaddr");
        let host = filled(host.as_deref()).or(address);
        let hosts = hosts(&mut options, host, *port, &self.defaults)?;
        let are_sockets = hosts.iter().all(|(host, _)| host.starts_with('/'));
        for (host, port) in &hosts {
            config.host(host).port(*port);
        }
        if let Some(address) = address {
            if hosts.len() > 1 {
                return Err("the option hostaddr goes with one host only".into());
            }
            let parsed = address.parse();
            config.hostaddr(parsed.map_err(|_| invalid("hostaddr", address, "an IP address"))?);
        }

        // In psycopg2's order: an option, the URI's own part, the environment.
        let mut text = |name: &str, own: Option<&str>| {
            let value = options.take(name).or(filled(own));
            value
                .or(self.defaults.get(name).map(String::as_str))
                .map(str::to_owned)
        };
        if let Some(user) = text("user", self.parts.user.as_deref()) {
            config.user(user);
        }
        if let Some(password) = text("password", self.parts.password.as_deref()) {
            config.password(password);
        }
        if let Some(database) = text("dbname", self.parts.database.as_deref()) {
            config.dbname(database);
        }
        if let Some(words) = text("options", None) {
            config.options(words);
        }
        let fallback = text("fallback_application_name", Some("runledger"));
        if let Some(name) = text("application_name", None).or(fallback) {
            config.application_name(name);
        }
        let attributes = text("target_session_attrs", None);
        let binding = text("channel_binding", None);
        let timeout = text("connect_timeout", None);
        let mode = text("sslmode", None);
        let roots = text("sslrootcert", None);
        let client = (text("sslcert", None), text("sslkey", None));

        config.target_session_attrs(session_attributes(attributes.as_deref())?);
        config.channel_binding(channel_binding(binding.as_deref())?);
        match timeout.map(|it| number::<i64>("connect_timeout", &it)) {
            None => {
                config.connect_timeout(CONNECT_TIMEOUT);
            }
            // None or fewer is libpq's word for no limit.
            Some(seconds) => {
                if let Ok(seconds @ 1..) = u64::try_from(seconds?) {
                    config.connect_timeout(Duration::from_secs(seconds));
                }
            }
        }
        network(&mut config, &mut options)?;
        accept_defaults(&mut options)?;
        options.finish()?;

        let (mode, roots) = protection(mode.as_deref(), roots, are_sockets)?;
        let client = match client {
            (Some(certificate), Some(key)) => Some(ClientFiles {
                certificate: certificate.into(),
                key: key.into(),
            }),
            (None, None) => None,
            _ => return Err("the options sslcert and sslkey go together".into()),
        };
        Ok(Settings {
            config,
            mode,
            roots,
            client,
        })
    }
}

/// The servers to try, in order: host or directory, and port.
fn hosts(
    options: &mut Options<'_>,
    host: Option<&str>,
    port: Option<u16>,
    defaults: &BTreeMap<&'static str, String>,
) -> Result<Vec<(String, u16)>, Reason> {
    let given: Vec<&str> = std::iter::from_fn(|| options.take("host")).collect();
    let ports = options.take("port");
    let listed: Vec<(&str, Option<&str>)> = match given.as_slice() {
        [] => {
            let default = defaults.get("host").map(String::as_str);
            let host = host.or(default).unwrap_or(SOCKETS);
            host.split(',').map(|host| (host, None)).collect()
        }
        // As SQLAlchemy: a port may follow the name, unless there is a list.
        [one] if ports.is_none() && !one.contains(',') => vec![with_port(one)],
        [one] => one.split(',').map(|host| (host, None)).collect(),
        several => several.iter().map(|host| with_port(host)).collect(),
    };
    let own = match (ports, port) {
        (Some(ports), _) => Some(ports.to_owned()),
        // As SQLAlchemy: a list of hosts leaves the URI's own port out.
        (None, _) if !given.is_empty() && listed.len() > 1 => None,
        (None, Some(port)) => Some(port.to_string()),
        (None, None) => defaults.get("port").cloned(),
    };
    let ports: Vec<&str> = own
        .as_deref()
        .map_or_else(|| vec![""], |ports| ports.split(',').collect());
    if ports.len() > 1 && ports.len() != listed.len() {
        return Err("there are not as many ports as hosts".into());
    }
    listed
        .iter()
        .enumerate()
        .map(|(index, (host, own))| {
            let port = own.unwrap_or_else(|| ports.get(index).or(ports.first()).unwrap_or(&""));
            let port = match port {
                "" => PORT,
                port => number("port", port)?,
            };
            let host = if host.is_empty() { SOCKETS } else { host };
            Ok((host.to_owned(), port))
        })
        .collect()
}

/// `name:port`, where the name is not an IPv6 address or a path.
fn with_port(host: &str) -> (&str, Option<&str>) {
    match host.split_once(':') {
        Some((name, port)) if !port.contains(':') && !name.contains('/') => (name, Some(port)),
        _ => (host, None),
    }
}

fn session_attributes(value: Option<&str>) -> Result<TargetSessionAttrs, Reason> {
    match value {
        None | Some("any") => Ok(TargetSessionAttrs::Any),
        Some("read-write") => Ok(TargetSessionAttrs::ReadWrite),
        Some("read-only") => Ok(TargetSessionAttrs::ReadOnly),
        Some(other) => Err(invalid(
            "target_session_attrs",
            other,
            "any, read-write or read-only",
        )),
    }
}

fn channel_binding(value: Option<&str>) -> Result<ChannelBinding, Reason> {
    match value {
        None | Some("prefer") => Ok(ChannelBinding::Prefer),
        Some("disable") => Ok(ChannelBinding::Disable),
        Some("require") => Ok(ChannelBinding::Require),
        Some(other) => Err(invalid(
            "channel_binding",
            other,
            "disable, prefer or require",
        )),
    }
}

/// How long a connection may be silent before the other end is asked whether it
/// is there, and how long it is asked. The system's own default is two hours, in
/// which a call would wait for a server that is gone.
const SILENCE: Duration = Duration::from_mins(1);
const ASKING: Duration = Duration::from_secs(10);
const ASKED: u32 = 3;

fn network(config: &mut Config, options: &mut Options<'_>) -> Result<(), Reason> {
    config
        .keepalives_idle(SILENCE)
        .keepalives_interval(ASKING)
        .keepalives_retries(ASKED)
        .tcp_user_timeout(SILENCE + ASKING * ASKED);
    if let Some(on) = options.flag("keepalives")? {
        config.keepalives(on);
    }
    // Zero is the system's own value.
    if let Some(seconds @ 1..) = options.number("keepalives_idle")? {
        config.keepalives_idle(Duration::from_secs(seconds));
    }
    if let Some(seconds @ 1..) = options.number("keepalives_interval")? {
        config.keepalives_interval(Duration::from_secs(seconds));
    }
    if let Some(count @ 1..) = options.number("keepalives_count")? {
        config.keepalives_retries(count);
    }
    if let Some(milliseconds @ 1..) = options.number("tcp_user_timeout")? {
        config.tcp_user_timeout(Duration::from_millis(milliseconds));
    }
    config.load_balance_hosts(match options.take("load_balance_hosts") {
        None | Some("disable") => LoadBalanceHosts::Disable,
        Some("random") => LoadBalanceHosts::Random,
        Some(other) => return Err(invalid("load_balance_hosts", other, "disable or random")),
    });
    Ok(())
}

/// Options that are kept because their value is what happens anyway.
fn accept_defaults(options: &mut Options<'_>) -> Result<(), Reason> {
    if let Some(encoding) = options.take("client_encoding") {
        let known = ["utf8", "utf-8", "unicode", "auto"];
        if !known.contains(&encoding.to_ascii_lowercase().as_str()) {
            return Err(invalid("client_encoding", encoding, "utf8"));
        }
    }
    match options.take("gssencmode") {
        None | Some("disable" | "prefer") => Ok(()),
        Some(mode) => Err(invalid("gssencmode", mode, "disable or prefer")),
    }
}

fn protection(
    mode: Option<&str>,
    roots: Option<String>,
    are_sockets: bool,
) -> Result<(SslMode, Roots), Reason> {
    let system = roots.as_deref() == Some("system");
    let mode = match mode {
        None if system => SslMode::VerifyFull,
        None | Some("prefer") => SslMode::Prefer,
        Some("disable") => SslMode::Disable,
        Some("allow") => SslMode::Allow,
        Some("require") => SslMode::Require,
        Some("verify-ca") => SslMode::VerifyCa,
        Some("verify-full") => SslMode::VerifyFull,
        Some(other) => {
            return Err(invalid(
                "sslmode",
                other,
                "disable, allow, prefer, require, verify-ca or verify-full",
            ));
        }
    };
    if are_sockets {
        // Nobody listens between two processes of one machine.
        return Ok((SslMode::Disable, Roots::Any));
    }
    let roots = match (roots, mode) {
        // Any certificate of the public authorities would do otherwise.
        (Some(_), SslMode::Disable) => Roots::Any,
        (Some(_), mode) if system && mode != SslMode::VerifyFull => {
            return Err("sslrootcert=system goes with sslmode=verify-full only".into());
        }
        (Some(_), _) if system => Roots::System,
        (Some(file), _) => Roots::File(file.into()),
        (None, SslMode::VerifyFull) => Roots::System,
        (None, SslMode::VerifyCa) => {
            return Err("sslmode=verify-ca needs sslrootcert, the file of the authority".into());
        }
        (None, _) => Roots::Any,
    };
    Ok((mode, roots))
}

/// What an empty part stands for: nothing.
fn filled(part: Option<&str>) -> Option<&str> {
    part.filter(|part| !part.is_empty())
}

impl fmt::Display for PostgresUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.parts, f)
    }
}

impl fmt::Debug for PostgresUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
