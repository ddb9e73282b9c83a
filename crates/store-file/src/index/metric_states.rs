//! How far metric files were read, as a column of the index.
//!
//! Only long files are remembered: a short one is read again as fast.

use serde::{Deserialize, Serialize};

use crate::{
    folder::metrics::{MetricFile, MetricFiles},
    metric_line::Latest,
    safe_dir::FileState,
};

/// Files shorter than this (bytes) are read anew.
const LONG: u64 = 16 * 1024;

#[derive(Serialize, Deserialize)]
struct Stored<'f> {
    #[serde(borrow)]
    key: std::borrow::Cow<'f, str>,
    size: u64,
    modified_ns: i64,
    inode: u64,
    read: u64,
    latest: Option<StoredLatest>,
}

#[derive(Serialize, Deserialize)]
struct StoredLatest {
    /// The bits of the number: JSON has no NaN.
    value: u64,
    timestamp: i64,
    step: i64,
    dataset: Option<Box<(String, String)>>,
}

/// The column.
pub(crate) fn encode(files: &MetricFiles) -> Vec<u8> {
    let long = files.0.iter().filter(|file| file.read >= LONG);
    let stored: Vec<Stored<'_>> = long
        .map(|file| Stored {
            key: file.key.as_str().into(),
            size: file.state.size,
            modified_ns: file.state.modified_ns,
            inode: file.state.inode,
            read: file.read,
            latest: file.latest.as_ref().map(|latest| StoredLatest {
                value: latest.value.to_bits(),
                timestamp: latest.timestamp,
                step: latest.step,
                dataset: latest.dataset.clone(),
            }),
        })
        .collect();
    if stored.is_empty() {
        return Vec::new();
    }
    // Strings and numbers only: it does not fail, and reading anew is no harm.
    serde_json::to_vec(&stored).unwrap_or_default()
}

/// What [`encode`] made; nothing where it is of another version.
pub(crate) fn decode(column: &[u8]) -> MetricFiles {
    let stored: Vec<Stored<'_>> = serde_json::from_slice(column).unwrap_or_default();
    let files = stored.into_iter().map(|file| MetricFile {
        key: file.key.into_owned(),
        state: FileState {
            size: file.size,
            modified_ns: file.modified_ns,
            inode: file.inode,
        },
        read: file.read,
        latest: file.latest.map(|latest| Latest {
            value: f64::from_bits(latest.value),
            timestamp: latest.timestamp,
            step: latest.step,
            run_id: None,
            dataset: latest.dataset,
        }),
    });
    MetricFiles(files.collect())
}
