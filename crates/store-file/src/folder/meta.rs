//! `meta.yaml` files: reading with patience, and typed access to their keys.

use std::thread;
use std::time::{Duration, SystemTime};

use runledger_entities::LifecycleStage;

use crate::FolderError;
use crate::safe_dir::Folder;
use crate::write::{self, Created, Sync};
use crate::yaml::{self, MAX_BYTES, Map, Yaml};

/// How long a file is waited for that another program is writing: MLflow writes
/// in place, and leaves a file empty or half written for about a millisecond.
const WAITS: [Duration; 4] = [
    Duration::from_millis(2),
    Duration::from_millis(10),
    Duration::from_millis(50),
    Duration::from_millis(200),
];

/// A file that was written longer ago (nanoseconds) stays as it is.
const YOUNG_NS: i64 = 10_000_000_000;

/// Reads what a `meta.yaml` says with `read`, again and again while the file is
/// wrong but so young that it may be right soon.
pub(super) fn patiently<T>(
    folder: &Folder,
    path: &str,
    mut read: impl FnMut() -> Result<T, FolderError>,
) -> Result<T, FolderError> {
    let mut waits = WAITS.iter();
    loop {
        let error = match read() {
            Err(
                error @ (FolderError::Empty { .. }
                | FolderError::Yaml { .. }
                | FolderError::Field { .. }
                | FolderError::NotUtf8 { .. }),
            ) => error,
            read => return read,
        };
        match waits.next() {
            Some(wait) if is_young(folder, path) => thread::sleep(*wait),
            _ => return Err(error),
        }
    }
}

/// Whether a file was written so lately that it may be in the middle of it.
pub(crate) fn is_young(folder: &Folder, path: &str) -> bool {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.map_or(0, |since| {
        i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
    });
    folder
        .open(path)
        .is_ok_and(|file| now.saturating_sub(file.state.modified_ns) < YOUNG_NS)
}

/// Reads the mapping at `path` below `folder`.
pub(super) fn read(folder: &Folder, path: &str, buffer: &mut Vec<u8>) -> Result<Map, FolderError> {
    folder.read(path, MAX_BYTES as u64, buffer)?;
    let text = std::str::from_utf8(buffer).map_err(|_| FolderError::NotUtf8 {
        path: folder.path_of(path),
    })?;
    let value = yaml::parse(text).map_err(|source| FolderError::Yaml {
        path: folder.path_of(path),
        source,
    })?;
    match value {
        Yaml::Map(map) if !map.is_empty() => Ok(map),
        Yaml::Map(_) | Yaml::Null => Err(FolderError::Empty {
            path: folder.path_of(path),
        }),
        _ => Err(FolderError::Field {
            path: folder.path_of(path),
            key: "",
            reason: "is missing: the file holds no mapping".to_owned(),
        }),
    }
}

/// Writes the mapping in place of what is at `path`.
pub(super) fn replace(
    folder: &Folder,
    path: &str,
    map: &Map,
    sync: Sync,
) -> Result<(), FolderError> {
    write::replace(folder, path, &print(folder, path, map)?, sync)
}

/// Writes the mapping unless there is a file at `path`.
pub(super) fn create_new(
    folder: &Folder,
    path: &str,
    map: &Map,
    sync: Sync,
) -> Result<Created, FolderError> {
    write::create_new(folder, path, &print(folder, path, map)?, sync)
}

/// What could not be read again is not written.
fn print(folder: &Folder, path: &str, map: &Map) -> Result<Vec<u8>, FolderError> {
    let text = yaml::print(map);
    if text.len() > MAX_BYTES {
        return Err(FolderError::TooLong {
            path: folder.path_of(path),
            limit: MAX_BYTES as u64,
        });
    }
    Ok(text.into_bytes())
}

/// The keys of a `meta.yaml`.
pub(super) struct Fields<'a> {
    pub(super) map: &'a Map,
    pub(super) folder: &'a Folder,
    pub(super) path: &'a str,
}

impl Fields<'_> {
    /// The error that `key` has a wrong value.
    pub(super) fn wrong(&self, key: &'static str, reason: impl Into<String>) -> FolderError {
        FolderError::Field {
            path: self.folder.path_of(self.path),
            key,
            reason: reason.into(),
        }
    }

    fn present(&self, key: &'static str) -> Option<&Yaml> {
        self.map.get(key).filter(|value| **value != Yaml::Null)
    }

    /// Text, or a number that somebody forgot to quote.
    pub(super) fn optional_text(&self, key: &'static str) -> Result<Option<String>, FolderError> {
        match self.present(key) {
            None => Ok(None),
            Some(value) => match text_of(value) {
                Some(text) => Ok(Some(text)),
                None => Err(self.wrong(key, "is not text")),
            },
        }
    }

    /// Text that must be there.
    pub(super) fn text(&self, key: &'static str) -> Result<String, FolderError> {
        self.optional_text(key)?
            .ok_or_else(|| self.wrong(key, "is missing"))
    }

    /// A whole number.
    pub(super) fn optional_integer(&self, key: &'static str) -> Result<Option<i64>, FolderError> {
        match self.present(key) {
            None => Ok(None),
            Some(Yaml::Int(number)) => Ok(Some(*number)),
            Some(_) => Err(self.wrong(key, "is not an integer of 64 bits")),
        }
    }

    /// A whole number that must be there.
    pub(super) fn integer(&self, key: &'static str) -> Result<i64, FolderError> {
        self.optional_integer(key)?
            .ok_or_else(|| self.wrong(key, "is missing"))
    }

    /// `lifecycle_stage`; without it, active.
    pub(super) fn lifecycle_stage(&self) -> Result<LifecycleStage, FolderError> {
        const KEY: &str = "lifecycle_stage";
        match self.optional_text(KEY)? {
            None => Ok(LifecycleStage::Active),
            Some(name) => LifecycleStage::from_name(&name)
                .ok_or_else(|| self.wrong(KEY, format!("is '{name}'"))),
        }
    }

    /// Checks that an id says what the folder is called.
    pub(super) fn same_id(
        &self,
        key: &'static str,
        found: &str,
        folder: &str,
    ) -> Result<(), FolderError> {
        if found == folder {
            Ok(())
        } else {
            Err(self.wrong(key, format!("is '{found}' in the folder of '{folder}'")))
        }
    }
}

/// Text, or a number that somebody forgot to quote.
pub(super) fn text_of(value: &Yaml) -> Option<String> {
    match value {
        Yaml::Str(text) | Yaml::Other(text) => Some(text.clone()),
        Yaml::Int(number) => Some(number.to_string()),
        _ => None,
    }
}
