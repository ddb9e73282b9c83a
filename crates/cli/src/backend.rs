//! What `--backend-store-uri` names: a folder or a database.

use std::fmt;
use std::path::{Path, PathBuf};

use runledger_store_sql::DatabaseUri;

/// The database of MLflow 3.x without flags.
const DATABASE: &str = "mlflow.db";
/// The folder of MLflow 2.x without flags.
const FOLDER: &str = "./mlruns";

/// Where experiments and runs are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    /// In a folder of files.
    Folder(PathBuf),
    /// In a database, by its SQLAlchemy URI.
    Database(String),
}

impl Backend {
    /// What a URI names: a path and a `file:` URI are folders, anything else with
    /// a scheme is a database.
    pub(crate) fn of(uri: &str) -> Self {
        if let Some(path) = uri.strip_prefix("file:") {
            // `file:x`, `file:/x`, `file:///x` and `file://localhost/x`.
            let path = match path.strip_prefix("//") {
                Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
                None => path,
            };
            let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
            return Self::Folder(PathBuf::from(path.into_owned()));
        }
        if uri.contains("://") {
            return Self::Database(uri.to_owned());
        }
        Self::Folder(PathBuf::from(uri))
    }

    /// What is used without a URI: the database in `directory` if there is one,
    /// else the folder of files.
    pub(crate) fn of_directory(directory: &Path) -> Self {
        if directory.join(DATABASE).exists() {
            Self::Database(format!("sqlite:///{DATABASE}"))
        } else {
            Self::Folder(PathBuf::from(FOLDER))
        }
    }
}

/// Without a password.
impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::Database(uri) => match DatabaseUri::parse(uri) {
                Ok(uri) => write!(f, "{uri}"),
                Err(_) => f.write_str("unknown"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_file_uris_are_folders() {
        for (uri, path) in [
            ("./mlruns", "./mlruns"),
            ("../x/mlruns", "../x/mlruns"),
            ("/data/ml runs", "/data/ml runs"),
            ("file:///data/ml%20runs", "/data/ml runs"),
            ("file:/data", "/data"),
            ("file:rel", "rel"),
            ("file://localhost/data", "/data"),
        ] {
            assert_eq!(Backend::of(uri), Backend::Folder(path.into()), "{uri}");
        }
    }

    #[test]
    fn other_schemes_are_databases() {
        for uri in ["sqlite:///x.db", "postgresql+psycopg2://u:p@h/d", "s3://no"] {
            assert_eq!(Backend::of(uri), Backend::Database(uri.to_owned()));
        }
        let shown = Backend::of("postgresql://user:secret@host/db").to_string();
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn without_a_uri_a_database_that_is_there_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            Backend::of_directory(folder.path()),
            Backend::Folder("./mlruns".into())
        );
        std::fs::write(folder.path().join("mlflow.db"), b"").unwrap();
        assert_eq!(
            Backend::of_directory(folder.path()),
            Backend::Database("sqlite:///mlflow.db".to_owned())
        );
    }
}
