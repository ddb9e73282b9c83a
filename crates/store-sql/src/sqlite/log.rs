//! The write-ahead log, kept bounded.
//!
//! SQLite copies the log back into the database after every few thousand pages,
//! but starts it anew only at a moment without readers. Under steady reading
//! there is none, and the log grows until the disk is full. Past a size, the
//! writing thread therefore waits for such a moment.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rusqlite::Connection;

/// The size (bytes) from which the log is cut back.
const LIMIT: u64 = 32 * 1024 * 1024;

/// How long the readers of the day are waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a log is left alone after readers did not end in time.
const PAUSE: Duration = Duration::from_secs(5);

/// The write-ahead log of a database.
pub(crate) struct Log {
    file: PathBuf,
    busy_timeout: Duration,
    not_before: Instant,
}

impl Log {
    /// The log of the database at `path`, on whose connections locks are waited
    /// for as long as `busy_timeout`.
    pub(crate) fn of(path: &Path, busy_timeout: Duration) -> Self {
        let mut file = path.as_os_str().to_owned();
        file.push("-wal");
        Self {
            file: file.into(),
            busy_timeout,
            not_before: Instant::now(),
        }
    }

    /// Cuts the log back if it has grown past its limit.
    pub(crate) fn bound(&mut self, connection: &Connection) {
        let size = std::fs::metadata(&self.file).map_or(0, |file| file.len());
        if size < LIMIT || Instant::now() < self.not_before {
            return;
        }
        match self.truncate(connection) {
            Ok(true) => {}
            Ok(false) => {
                tracing::debug!(size, "readers keep the write-ahead log from being cut back");
                self.not_before = Instant::now() + PAUSE;
            }
            Err(error) => {
                tracing::warn!(%error, size, "the write-ahead log cannot be cut back");
                self.not_before = Instant::now() + PAUSE;
            }
        }
    }

    /// Copies the whole log back and empties it; `false` if readers were in the way.
    fn truncate(&self, connection: &Connection) -> rusqlite::Result<bool> {
        connection.busy_timeout(PATIENCE)?;
        let busy = connection.query_row("pragma wal_checkpoint(truncate)", [], |row| {
            row.get::<_, bool>(0)
        });
        connection.busy_timeout(self.busy_timeout)?;
        busy.map(|busy| !busy)
    }
}
