//! The parts of a SQLAlchemy URI.
//!
//! The grammar is that of SQLAlchemy 2.1's `make_url`, which is more lenient
//! than RFC 3986: a password may hold `/`, `:` and `?`.
//!
//! ```text
//! name "://" [user [":" password] "@"] [host] [":" port] ["/" database] ["?" query]
//! ```

use std::fmt::{self, Write as _};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{Reason, options::shown};

/// A URI, decoded. Its `Display` hides the password.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Parts {
    /// Dialect and driver.
    pub(super) name: String,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    /// Without the brackets of an IPv6 address.
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) database: Option<String>,
    /// The options that have a value, in order.
    pub(super) query: Vec<(String, String)>,
}

impl Parts {
    /// Splits and decodes `uri`.
    pub(super) fn parse(uri: &str) -> Result<Self, Reason> {
        let (name, rest) = uri.split_once("://").ok_or(
            "a database URI looks like sqlite:///mlflow.db or postgresql://user@host/database",
        )?;
        if name.is_empty()
            || !name
                .chars()
                .all(|c| c.is_alphanumeric() || "_+".contains(c))
        {
            return Err("the scheme holds other than letters, digits, `_` and `+`".into());
        }
        let (credentials, rest) = split_credentials(rest);
        let (user, password) = credentials.unzip();
        let (host, rest) = split_host(rest)?;
        let (port, rest) = match rest.strip_prefix(':') {
            Some(rest) => rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len())),
            None => ("", rest),
        };
        let (database, query) = match rest.split_once('?') {
            Some((database, query)) => (database, query),
            None => (rest, ""),
        };
        if host.is_some_and(|host| host.contains('@')) {
            return Err(
                "the password holds `@`, or there is one too many: write `@` as %40 in a password"
                    .into(),
            );
        }
        Ok(Self {
            name: name.to_owned(),
            user: user.map(|user| decoded("user", user)).transpose()?,
            password: password
                .flatten()
                .map(|password| decoded("password", password))
                .transpose()?,
            host: host.map(str::to_owned),
            port: parse_port(port)?,
            database: database
                .strip_prefix('/')
                .map(|database| decoded("database", database))
                .transpose()?,
            query: parse_query(query)?,
        })
    }

    /// The kind of database, without the driver.
    pub(super) fn dialect(&self) -> &str {
        self.name.split('+').next().unwrap_or(&self.name)
    }
}

type Credentials<'a> = (&'a str, Option<&'a str>);

/// `user@`, `user:password@`. The user ends at the first `:` or `/`, the
/// password at the next `@`, whatever it holds.
fn split_credentials(rest: &str) -> (Option<Credentials<'_>>, &str) {
    let end = rest.find([':', '/']).unwrap_or(rest.len());
    let (user, after) = rest.split_at(end);
    if let Some((password, after)) = after.strip_prefix(':').and_then(|it| it.split_once('@')) {
        return (Some((user, Some(password))), after);
    }
    match user.rsplit_once('@') {
        Some((user, _)) => (Some((user, None)), &rest[user.len() + 1..]),
        None => (None, rest),
    }
}

fn split_host(rest: &str) -> Result<(Option<&str>, &str), Reason> {
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let authority = &rest[..end];
    let Some(bracketed) = authority.strip_prefix('[') else {
        let (host, _) = authority.split_once(':').unwrap_or((authority, ""));
        return Ok(((!host.is_empty()).then_some(host), &rest[host.len()..]));
    };
    let (host, port) = bracketed
        .rsplit_once(']')
        .filter(|(host, _)| !host.is_empty())
        .ok_or("an IPv6 address stands between `[` and `]`")?;
    if !port.is_empty() && !port.starts_with(':') {
        return Err("there is something between the `]` of an IPv6 address and its port".into());
    }
    Ok((Some(host), &rest[end - port.len()..]))
}

fn parse_port(port: &str) -> Result<Option<u16>, Reason> {
    if port.is_empty() {
        return Ok(None);
    }
    // What stands there may be a password whose host was forgotten.
    let port = port.parse().ok().filter(|port| *port != 0);
    match port {
        Some(port) => Ok(Some(port)),
        None => Err("the port is not a number from 1 to 65535".into()),
    }
}

/// As Python's `parse_qsl`: a `+` is a space, and what has no value is not there.
fn parse_query(query: &str) -> Result<Vec<(String, String)>, Reason> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| {
            let name = decoded("query", &name.replace('+', " "))?;
            let value = value.replace('+', " ");
            match decoded("query", &value) {
                Ok(value) => Ok((name, value)),
                Err(_) => Err(format!("the option {} is not UTF-8", shown(&name)).into()),
            }
        })
        .collect()
}

fn decoded(part: &str, words: &str) -> Result<String, Reason> {
    let bytes = percent_decode_str(words).decode_utf8();
    let words = bytes.map_err(|_| format!("the {part} is not UTF-8 once its % are decoded"))?;
    if words.contains('\0') {
        return Err(format!("the {part} holds a zero byte").into());
    }
    Ok(words.into_owned())
}

/// What Python's `quote` leaves alone, with the space and `+`.
const USER: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'_')
    .remove(b'.')
    .remove(b'-')
    .remove(b'~')
    .remove(b' ')
    .remove(b'+');
const DATABASE: &AsciiSet = &USER.remove(b'/');
const QUERY: &AsciiSet = &USER
    .add(b' ')
    .add(b'+')
    .remove(b'/')
    .remove(b':')
    .remove(b',');

/// Options whose value is a secret.
const SECRET: [&str; 3] = ["password", "passwd", "sslpassword"];

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.name)?;
        if let Some(user) = &self.user {
            write!(f, "{}", utf8_percent_encode(user, USER))?;
            if self.password.is_some() {
                f.write_str(":***")?;
            }
            f.write_char('@')?;
        }
        match &self.host {
            Some(host) if host.contains(':') => write!(f, "[{host}]")?,
            Some(host) => f.write_str(host)?,
            None => {}
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        if let Some(database) = &self.database {
            write!(f, "/{}", utf8_percent_encode(database, DATABASE))?;
        }
        for (index, (name, value)) in self.query.iter().enumerate() {
            let separator = if index == 0 { '?' } else { '&' };
            write!(f, "{separator}{}=", utf8_percent_encode(name, QUERY))?;
            if SECRET.contains(&name.as_str()) {
                f.write_str("***")?;
            } else {
                write!(f, "{}", utf8_percent_encode(value, QUERY))?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A URI that could not be read, without anything that may be a secret: user,
/// password and options.
pub(super) fn redacted(uri: &str) -> String {
    if let Ok(parts) = Parts::parse(uri) {
        let query = Vec::new();
        return Parts { query, ..parts }.to_string();
    }
    let Some((name, rest)) = uri.split_once("://") else {
        // Not a URI: perhaps a file, perhaps anything else.
        let plain = !uri.contains([':', '@', '?']);
        return if plain {
            uri.to_owned()
        } else {
            "…".to_owned()
        };
    };
    if name.contains([':', '@', '?']) {
        return "…".to_owned();
    }
    match rest.rsplit_once('@') {
        Some((_, host)) => {
            let host = host.split('?').next().unwrap_or(host);
            format!("{name}://…@{host}")
        }
        None => format!("{name}://…"),
    }
}
