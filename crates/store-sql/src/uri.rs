//! Database URIs as MLflow users write them, which is as SQLAlchemy reads them.
//!
//! `parts.rs` splits a URI, `options.rs` reads what stands after `?`, and
//! `postgres.rs` and `mysql.rs` know what those options mean to the drivers
//! that MLflow uses. Certificates and handshakes are left to `tls.rs`.

mod mysql;
mod options;
mod parts;
mod postgres;

use std::{borrow::Cow, fmt, path::PathBuf, time::Duration};

pub use mysql::MysqlUri;
pub use postgres::PostgresUri;

use self::{
    options::Options,
    parts::{Parts, redacted},
};
use crate::OpenError;

/// What is wrong with a URI, without its secrets.
type Reason = Cow<'static, str>;

/// Where a database is.
///
/// Shown as SQLAlchemy shows it: with `***` in place of the password.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUri {
    /// A SQLite file.
    Sqlite {
        /// The file.
        path: PathBuf,
        /// How long a lock of another program is waited for (`timeout`), if
        /// the URI says so.
        timeout: Option<Duration>,
    },
    /// A database on a PostgreSQL server.
    Postgres(Box<PostgresUri>),
    /// A database on a MySQL or MariaDB server.
    Mysql(Box<MysqlUri>),
}

impl DatabaseUri {
    /// Reads a SQLAlchemy URI:
    ///
    /// - `sqlite:///relative.db`, `sqlite:////absolute.db`;
    /// - `postgresql://user:password@host:5432/database?sslmode=require`;
    /// - `mysql://user:password@host:3306/database?ssl_ca=/etc/ca.pem`.
    ///
    /// User, password and database may be percent-encoded. A driver
    /// (`postgresql+psycopg2`, `mysql+pymysql`) is accepted and means nothing
    /// here; neither does case in `postgres` and `mariadb`, other names of the
    /// same. Options are those of psycopg2 and `PyMySQL` ([`PostgresUri`],
    /// [`MysqlUri`]); of SQLite's, `timeout` in seconds has a meaning, and
    /// `check_same_thread`, `cached_statements` and `detect_types`, which are
    /// about Python's threads and types, have none.
    ///
    /// # Errors
    /// [`OpenError::Uri`] if it is none of these or has an option that this
    /// crate does not keep: none is silently ignored that changes which
    /// database is used, or how safely.
    pub fn parse(uri: &str) -> Result<Self, OpenError> {
        let read = Parts::parse(uri).and_then(Self::from_parts);
        read.map_err(|reason| OpenError::Uri {
            uri: redacted(uri),
            reason,
        })
    }

    fn from_parts(parts: Parts) -> Result<Self, Reason> {
        match parts.dialect() {
            "sqlite" => sqlite(&parts),
            "postgresql" | "postgres" => Ok(Self::Postgres(Box::new(PostgresUri::new(parts)?))),
            "mysql" | "mariadb" => Ok(Self::Mysql(Box::new(MysqlUri::new(parts)?))),
            "mssql" => Err(
                "Microsoft SQL Server is not supported: use SQLite, PostgreSQL, MySQL or MariaDB"
                    .into(),
            ),
            _ => Err(
                "the scheme is not that of a supported database: sqlite, postgresql, mysql or \
                 mariadb"
                    .into(),
            ),
        }
    }

    /// Reads a URI as [`parse`](Self::parse), and fills in what it leaves to
    /// the environment of this process
    /// ([`with_environment`](Self::with_environment)).
    ///
    /// # Errors
    /// Those of both.
    pub fn resolve(uri: &str) -> Result<Self, OpenError> {
        Self::parse(uri)?.with_environment(|name| std::env::var(name).ok())
    }

    /// Fills in what the URI leaves to the environment, as MLflow's drivers do.
    ///
    /// PostgreSQL: libpq's variables (`PGHOST`, `PGPORT`, `PGUSER`,
    /// `PGPASSWORD`, `PGDATABASE`, `PGOPTIONS`, `PGAPPNAME`, `PGSSLMODE`,
    /// `PGSSLROOTCERT`, `PGSSLCERT`, `PGSSLKEY`, `PGCONNECT_TIMEOUT`,
    /// `PGTARGETSESSIONATTRS`, `PGCHANNELBINDING`), and the certificates in
    /// `~/.postgresql`. MySQL: `MLFLOW_MYSQL_SSL_CA`, `MLFLOW_MYSQL_SSL_CERT`
    /// and `MLFLOW_MYSQL_SSL_KEY`, which win over the URI; the user is
    /// `LOGNAME` or `USER` if the URI names none.
    ///
    /// # Errors
    /// [`OpenError::Uri`] if a variable has a value that cannot be used.
    pub fn with_environment(
        self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, OpenError> {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let shown = self.to_string();
        let filled = match self {
            Self::Sqlite { .. } => Ok(self),
            Self::Postgres(uri) => uri
                .with_environment(set)
                .map(|uri| Self::Postgres(Box::new(uri))),
            Self::Mysql(uri) => uri
                .with_environment(set)
                .map(|uri| Self::Mysql(Box::new(uri))),
        };
        filled.map_err(|reason| OpenError::Uri { uri: shown, reason })
    }
}

fn sqlite(parts: &Parts) -> Result<DatabaseUri, Reason> {
    if parts.user.is_some() || parts.host.is_some() || parts.port.is_some() {
        return Err(
            "a SQLite URI has three slashes before a relative path, four before an absolute one"
                .into(),
        );
    }
    let path = match parts.database.as_deref() {
        None | Some("" | ":memory:") => {
            return Err("an in-memory database would lose every run: name a file".into());
        }
        Some(path) => PathBuf::from(path),
    };
    let mut options = Options::new(&parts.query)?;
    let timeout = options.duration("timeout")?;
    for python in ["check_same_thread", "cached_statements", "detect_types"] {
        options.take(python);
    }
    options.finish()?;
    Ok(DatabaseUri::Sqlite { path, timeout })
}

impl fmt::Display for DatabaseUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { path, .. } => write!(f, "sqlite:///{}", path.display()),
            Self::Postgres(uri) => fmt::Display::fmt(uri, f),
            Self::Mysql(uri) => fmt::Display::fmt(uri, f),
        }
    }
}

impl fmt::Debug for DatabaseUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
