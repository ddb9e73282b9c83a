//! Where the index of a root lies.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    OpenError,
    signature::{FNV_OFFSET, fnv},
};

/// Changed whenever an older index cannot be read any more.
const VERSION: &str = "2";

/// The folder of an index.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    path: PathBuf,
    /// Removes the folder where no cache folder can be written to.
    _temporary: Option<Arc<Temporary>>,
}

#[derive(Debug)]
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // It lies in the system's temporary folder, which is cleared anyway.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Place {
    /// The folder for a root: in `cache`, or the user's cache folder, or else a
    /// temporary one of this process alone.
    pub(crate) fn of(root: &Path, cache: Option<&Path>) -> Result<Self, OpenError> {
        let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        // The same folder by another name has the same index.
        let root = fs::canonicalize(&root).unwrap_or(root);
        let name = format!(
            "{:016x}-{VERSION}",
            fnv(FNV_OFFSET, root.as_os_str().as_encoded_bytes())
        );
        let cache = cache.map(Path::to_owned).or_else(user_cache);
        if let Some(cache) = cache {
            let path = cache.join(&name);
            match private_folder(&path) {
                Ok(()) => {
                    return Ok(Self {
                        path,
                        _temporary: None,
                    });
                }
                Err(error) => tracing::warn!(
                    folder = %path.display(), %error,
                    "the index cannot be kept here: it will be made again at each start"
                ),
            }
        }
        let path = std::env::temp_dir().join(format!("runledger-{}", uuid::Uuid::new_v4()));
        private_folder(&path).map_err(|error| OpenError::Index {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        Ok(Self {
            _temporary: Some(Arc::new(Temporary(path.clone()))),
            path,
        })
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The database that searches run on.
    pub(crate) fn search(&self, name: &str) -> PathBuf {
        self.path.join(format!("search-{name}.db"))
    }

    /// A database as a URI.
    pub(crate) fn uri(path: &Path) -> Result<String, OpenError> {
        let text = path.to_str().filter(|path| !path.contains('?'));
        let text = text.ok_or_else(|| OpenError::Index {
            path: path.to_owned(),
            reason: "its path is not UTF-8, or has a `?`: set RUNLEDGER_CACHE_DIR to another \
                     folder"
                .to_owned(),
        })?;
        Ok(format!("sqlite:///{text}"))
    }

    /// Removes the databases of searches but for this one.
    pub(crate) fn remove_others(&self, name: &str) {
        let kept = self.search(name);
        let kept = kept.file_name().unwrap_or_default().to_string_lossy();
        let Ok(entries) = fs::read_dir(&self.path) else {
            return;
        };
        for entry in entries.flatten() {
            let found = entry.file_name();
            let found = found.to_string_lossy();
            // With their logs, whose names begin with theirs.
            if found.starts_with("search-") && !found.starts_with(&*kept) {
                // One that cannot be removed only takes room.
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// The database of how the files looked.
    pub(crate) fn states(&self) -> PathBuf {
        self.path.join("files.db")
    }

    /// Removes the databases.
    pub(crate) fn clear(&self) -> Result<(), OpenError> {
        let failed = |error: io::Error| OpenError::Index {
            path: self.path.clone(),
            reason: error.to_string(),
        };
        for entry in fs::read_dir(&self.path).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            fs::remove_file(&path).map_err(failed)?;
        }
        Ok(())
    }
}

/// `RUNLEDGER_CACHE_DIR`, or `runledger` in the user's cache folder.
fn user_cache() -> Option<PathBuf> {
    let of = |variable: &str| std::env::var_os(variable).filter(|value| !value.is_empty());
    if let Some(own) = of("RUNLEDGER_CACHE_DIR") {
        return Some(PathBuf::from(own).join("index"));
    }
    let cache = of("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| {
        let home = PathBuf::from(of("HOME")?);
        let library = home.join("Library/Caches");
        Some(if cfg!(target_os = "macos") {
            library
        } else {
            home.join(".cache")
        })
    })?;
    Some(cache.join("runledger").join("index"))
}

/// Makes a folder that only this user can look into.
fn private_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;

        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    // A folder on a file system that is mounted for reading only is there, and
    // of no use.
    let probe = path.join(".probe");
    fs::write(&probe, b"")?;
    fs::remove_file(probe)
}
