//! Database URIs as MLflow users write them.

use std::{fmt, path::PathBuf};

use crate::OpenError;

/// Where a database is.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUri {
    /// A SQLite file.
    Sqlite {
        /// The file.
        path: PathBuf,
    },
}

impl DatabaseUri {
    /// Reads a SQLAlchemy URI: `sqlite:///relative.db`, `sqlite:////absolute.db`.
    ///
    /// A driver (`sqlite+pysqlite`) is accepted and means nothing here. Query
    /// options are refused, so that none is silently ignored.
    pub fn parse(uri: &str) -> Result<Self, OpenError> {
        let unusable = |reason| OpenError::Uri {
            uri: redacted(uri),
            reason,
        };
        let (scheme, rest) = uri
            .split_once("://")
            .ok_or_else(|| unusable("a database URI looks like sqlite:///mlflow.db"))?;
        let dialect = scheme.split('+').next().unwrap_or(scheme);
        match dialect {
            "sqlite" => {}
            "postgresql" | "postgres" | "mysql" | "mariadb" => {
                return Err(unusable("this version keeps runs in SQLite only"));
            }
            "mssql" => return Err(unusable("Microsoft SQL Server is not supported")),
            _ => return Err(unusable("the scheme is not that of a database")),
        }
        let path = rest
            .strip_prefix('/')
            .ok_or_else(|| unusable("a SQLite URI has three slashes before a relative path, four before an absolute one"))?;
        if path.is_empty() || path == ":memory:" {
            return Err(unusable(
                "an in-memory database would lose every run: name a file",
            ));
        }
        if path.contains('?') {
            return Err(unusable("options after `?` are not supported"));
        }
        Ok(Self::Sqlite {
            path: PathBuf::from(path),
        })
    }
}

impl fmt::Display for DatabaseUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { path } => write!(f, "sqlite:///{}", path.display()),
        }
    }
}

impl fmt::Debug for DatabaseUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A URI without its user and password.
pub(crate) fn redacted(uri: &str) -> String {
    match (uri.split_once("://"), uri.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        _ => uri.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_slashes_are_relative_and_four_absolute() {
        let path = |uri| match DatabaseUri::parse(uri).unwrap() {
            DatabaseUri::Sqlite { path } => path,
        };
        assert_eq!(path("sqlite:///mlflow.db"), PathBuf::from("mlflow.db"));
        assert_eq!(path("sqlite:////tmp/a b.db"), PathBuf::from("/tmp/a b.db"));
        assert_eq!(path("sqlite+pysqlite:///x.db"), PathBuf::from("x.db"));
    }

    #[test]
    fn a_refusal_names_the_uri_without_its_password() {
        let error = DatabaseUri::parse("postgresql://me:secret@db/x")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("postgresql://…@db/x") && !error.contains("secret"),
            "{error}"
        );
        for bad in [
            "mlflow.db",
            "sqlite://mlflow.db",
            "sqlite://",
            "sqlite:///:memory:",
            "ftp://x",
        ] {
            assert!(DatabaseUri::parse(bad).is_err(), "{bad}");
        }
    }
}
