//! Where experiments and runs are kept: in a folder or in a database. What a
//! database's URI means is left to the store that opens it.

use std::fmt;
use std::path::{Path, PathBuf};

/// The database of MLflow 3.x without flags.
const DATABASE: &str = "mlflow.db";
/// The folder of MLflow 2.x without flags.
const FOLDER: &str = "./mlruns";

/// Where experiments and runs are kept. Printed, it has no password.
#[derive(Clone, PartialEq, Eq)]
pub enum StorePlace {
    /// In a folder of files.
    Folder(PathBuf),
    /// In a database, by its `SQLAlchemy` URI.
    Database(String),
}

impl StorePlace {
    /// What a URI names: a path and a `file:` URI are folders, anything else with
    /// a scheme is a database.
    pub fn of(uri: &str) -> Self {
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

    /// What MLflow uses without a URI: the database in `directory` if there is one,
    /// else the folder of files.
    pub fn of_directory(directory: &Path) -> Self {
        if directory.join(DATABASE).exists() {
            Self::Database(format!("sqlite:///{DATABASE}"))
        } else {
            Self::Folder(PathBuf::from(FOLDER))
        }
    }
}

/// Without the account and the options of a database, which may hold passwords.
impl fmt::Display for StorePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uri = match self {
            Self::Folder(path) => return write!(f, "{}", path.display()),
            Self::Database(uri) => uri,
        };
        let (scheme, rest) = uri.split_once("://").unwrap_or(("database", ""));
        let (rest, options) = rest.split_once('?').unwrap_or((rest, ""));
        // A password may hold a question mark, too: what is before it is then no place.
        if options.contains('@') {
            return write!(f, "{scheme}://…");
        }
        // A password that is not encoded may hold a slash.
        let place = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
        write!(f, "{scheme}://{place}")
    }
}

impl fmt::Debug for StorePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
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
            assert_eq!(
                StorePlace::of(uri),
                StorePlace::Folder(path.into()),
                "{uri}"
            );
        }
    }

    #[test]
    fn other_schemes_are_databases() {
        for uri in ["sqlite:///x.db", "postgresql+psycopg2://u:p@h/d", "s3://no"] {
            assert_eq!(StorePlace::of(uri), StorePlace::Database(uri.to_owned()));
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        for (uri, shown) in [
            ("postgresql://user:secret@host/db", "postgresql://host/db"),
            ("mysql://u:se/cret@host/db", "mysql://host/db"),
            ("postgresql://user:sec?ret@host/db", "postgresql://…"),
            ("mysql://u:se/c?r?et@host/db?a=b", "mysql://…"),
            (
                "postgresql://host/db?password=secret",
                "postgresql://host/db",
            ),
            ("sqlite:///mlflow.db", "sqlite:///mlflow.db"),
        ] {
            let place = StorePlace::of(uri);
            assert_eq!(place.to_string(), shown);
            assert_eq!(format!("{place:?}"), shown);
        }
    }

    #[test]
    fn without_a_uri_a_database_that_is_there_comes_first() {
        let folder = std::env::temp_dir().join(format!("runledger-place-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let nothing = StorePlace::of_directory(&folder);
        std::fs::write(folder.join(DATABASE), b"").unwrap();
        let there = StorePlace::of_directory(&folder);
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(nothing, StorePlace::Folder(FOLDER.into()));
        assert_eq!(
            there,
            StorePlace::Database("sqlite:///mlflow.db".to_owned())
        );
    }
}
