//! What a run could not send while its tracker was away: files that wait on this
//! machine's disk, and sending them later.
//!
//! A run whose tracker gives no answer for some seconds goes on into a file, and the
//! task that sends its metrics goes on from there. The file is gone when everything in
//! it has arrived. What is left when the run ends, or its program is killed, waits for
//! `runledger sync`, which is [`waiting`] and [`Spilled::send`].
//!
//! `file` is the file with what was sent of it, `record` its lines. When a run turns
//! to its file is left to the queue of metrics.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use runledger::{Client, spill};
//!
//! let client = Client::from_env().await?;
//! for spilled in spill::waiting(&spill::folder()?)? {
//!     let spilled = spilled?;
//!     let sent = spilled.send(&client, |_| ()).await?;
//!     println!("run {}: {} metrics", spilled.run_id(), sent.metrics);
//! }
//! # Ok(())
//! # }
//! ```

mod file;
mod record;
mod send;

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use runledger_entities::RunId;
use runledger_store::StoreError;

pub(crate) use file::{SpillFile, Unsent};
pub(crate) use record::Record;
pub use send::Sent;
pub(crate) use send::send_left;

/// The variable that names the folder of these files.
const FOLDER: &str = "RUNLEDGER_SPILL_DIR";

/// How the names of these files end.
const EXTENSION: &str = "spill";

/// Why what was spilled was not found or not sent.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
/// # let client = runledger::Client::open(&uri).await?;
/// # let lines = [
/// #     r#"{"runledger_spill":1,"run_id":"7f3a","tracking_uri":"http://localhost:5000"}"#,
/// #     r#"{"tag":{"key":"team","value":"vision"}}"#,
/// #     "",
/// # ];
/// # std::fs::write(folder.path().join("left.spill"), lines.join("\n"))?;
/// use runledger::spill::{self, SpillError};
///
/// for spilled in spill::waiting(folder.path())? {
///     let spilled = spilled?;
///     // The tracker of this client has no such run.
///     let refused = spilled.send(&client, |_| ()).await;
///     assert!(matches!(refused, Err(SpillError::Store { .. })));
///     assert!(spilled.path().exists(), "nothing is lost");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpillError {
    /// There is no folder to spill to.
    #[error(
        "there is no folder for what cannot be sent: set RUNLEDGER_SPILL_DIR, XDG_STATE_HOME or HOME"
    )]
    NoFolder,
    /// A file cannot be read or written.
    #[error("the file of unsent data '{}' cannot be used: {source}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds something else than what is written to it.
    #[error(
        "the file of unsent data '{}' cannot be read from byte {offset} on: {reason}. What is before \
         it was sent",
        .path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where the line at fault begins, in bytes.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A run that is going on sends this file itself.
    #[error("run {run_id} is going on, and sends '{}' itself", .path.display())]
    InUse {
        /// The run.
        run_id: RunId,
        /// The file.
        path: PathBuf,
    },
    /// The store did not take it, or is still away. The rest stays in the file.
    #[error("run {run_id} is not sent to its end: {source}. The rest waits in '{}'", .path.display())]
    Store {
        /// The run.
        run_id: RunId,
        /// The file.
        path: PathBuf,
        /// What the store said.
        source: StoreError,
    },
}

/// The folder in which runs leave what they cannot send: `RUNLEDGER_SPILL_DIR`, or
/// `runledger/spill` below `XDG_STATE_HOME` or `~/.local/state`. It need not exist.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// println!("unsent data waits in {}", runledger::spill::folder()?.display());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`SpillError::NoFolder`] if none of these is known.
pub fn folder() -> Result<PathBuf, SpillError> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    if let Some(folder) = set(FOLDER) {
        return Ok(folder.into());
    }
    let state = set("XDG_STATE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(|| Some(env::home_dir()?.join(".local").join("state")))
        .ok_or(SpillError::NoFolder)?;
    Ok(state.join("runledger").join("spill"))
}

/// What waits in a folder, the oldest first; a file that cannot be read is an error in its
/// place. A folder that is not there holds nothing; files with other names are left alone.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let lines = [
/// #     r#"{"runledger_spill":1,"run_id":"7f3a","tracking_uri":"http://localhost:5000"}"#,
/// #     r#"{"tag":{"key":"team","value":"vision"}}"#,
/// #     "",
/// # ];
/// # std::fs::write(folder.path().join("left.spill"), lines.join("\n"))?;
/// use runledger::spill;
///
/// let waiting = spill::waiting(folder.path())?;
/// assert_eq!(waiting.len(), 1);
/// for spilled in waiting {
///     match spilled {
///         Ok(spilled) => println!("run {}: {} B", spilled.run_id(), spilled.unsent_bytes()),
///         Err(error) => println!("{error}"),
///     }
/// }
/// assert!(spill::waiting(&folder.path().join("no folder"))?.is_empty());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`SpillError::Io`] if the folder cannot be read.
pub fn waiting(folder: &Path) -> Result<Vec<Result<Spilled, SpillError>>, SpillError> {
    let failed = |source| SpillError::Io {
        path: folder.to_owned(),
        source,
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension() != Some(OsStr::new(EXTENSION)) {
            continue;
        }
        let changed = fs::metadata(&path).and_then(|about| about.modified()).ok();
        // Its run may have removed it meanwhile.
        if let Some(spilled) = file::about(&path).transpose() {
            found.push((changed, path, spilled));
        }
    }
    found.sort_by(|(a, x, _), (b, y, _)| (a, x).cmp(&(b, y)));
    Ok(found.into_iter().map(|(.., spilled)| spilled).collect())
}

/// A file of what one run could not send.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let lines = [
/// #     r#"{"runledger_spill":1,"run_id":"7f3a","tracking_uri":"http://localhost:5000"}"#,
/// #     r#"{"tag":{"key":"team","value":"vision"}}"#,
/// #     "",
/// # ];
/// # std::fs::write(folder.path().join("left.spill"), lines.join("\n"))?;
/// for spilled in runledger::spill::waiting(folder.path())? {
///     let spilled = spilled?;
///     println!("{} has a part of run {}", spilled.path().display(), spilled.run_id());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spilled {
    path: PathBuf,
    run_id: RunId,
    uri: String,
    bytes: u64,
}

impl Spilled {
    /// The file.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let lines = [
    /// #     r#"{"runledger_spill":1,"run_id":"7f3a","tracking_uri":"http://localhost:5000"}"#,
    /// #     r#"{"tag":{"key":"team","value":"vision"}}"#,
    /// #     "",
    /// # ];
    /// # std::fs::write(folder.path().join("left.spill"), lines.join("\n"))?;
    /// for spilled in runledger::spill::waiting(folder.path())? {
    ///     assert!(spilled?.path().starts_with(folder.path()));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The run that it belongs to.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let lines = [
    /// #     r#"{"runledger_spill":1,"run_id":"7f3a","tracking_uri":"http://localhost:5000"}"#,
    /// #     r#"{"tag":{"key":"team","value":"vision"}}"#,
    /// #     "",
    /// # ];
    /// # std::fs::write(folder.path().join("left.spill"), lines.join("\n"))?;
    /// for spilled in runledger::spill::waiting(folder.path())? {
    ///     assert_eq!(spilled?.run_id().as_str(), "7f3a");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn run_id(&self) -> &RunId {
        &self.run_id
    }

    /// The tracking URI of the run, without an account or password.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let lines = [
    /// #     r#"{"runledger_spill":1,"run_id":"7f3a","tracking_uri":"http://localhost:5000"}"#,
    /// #     r#"{"tag":{"key":"team","value":"vision"}}"#,
    /// #     "",
    /// # ];
    /// # std::fs::write(folder.path().join("left.spill"), lines.join("\n"))?;
    /// use runledger::{spill, without_account};
    ///
    /// // What waits for one server, whoever asked it.
    /// let server = without_account("http://ada:secret@localhost:5000");
    /// for spilled in spill::waiting(folder.path())? {
    ///     assert_eq!(spilled?.tracking_uri(), server);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn tracking_uri(&self) -> &str {
        &self.uri
    }

    /// How many bytes of it were not sent when it was found.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let lines = [
    /// #     r#"{"runledger_spill":1,"run_id":"7f3a","tracking_uri":"http://localhost:5000"}"#,
    /// #     r#"{"tag":{"key":"team","value":"vision"}}"#,
    /// #     "",
    /// # ];
    /// # std::fs::write(folder.path().join("left.spill"), lines.join("\n"))?;
    /// let mut bytes = 0;
    /// for spilled in runledger::spill::waiting(folder.path())? {
    ///     bytes += spilled?.unsent_bytes();
    /// }
    /// assert!(bytes > 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn unsent_bytes(&self) -> u64 {
        self.bytes
    }
}
