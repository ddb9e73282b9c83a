//! What can be wrong with a folder.
//!
//! Paths are relative to the root, so that a message shows a client nothing of
//! the machine.

use std::io;

use crate::metric_line::LineError;
use crate::yaml::YamlError;

/// Why something in the folder could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FolderError {
    /// The system refused.
    #[error("cannot {operation} '{path}'")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On what.
        path: String,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// Nothing is there.
    #[error("'{path}' does not exist")]
    Missing {
        /// Where nothing is.
        path: String,
    },
    /// Something is there already.
    #[error("'{path}' exists already")]
    Exists {
        /// Where it is.
        path: String,
    },
    /// Something else is there: a folder, a link, a pipe, a device.
    #[error("'{path}' is not a {expected}")]
    WrongKind {
        /// Where it is.
        path: String,
        /// What should be there.
        expected: &'static str,
    },
    /// A file that is longer than anything that belongs there.
    #[error("'{path}' is longer than {limit} bytes")]
    TooLong {
        /// The file.
        path: String,
        /// What is read at most.
        limit: u64,
    },
    /// Folders within folders beyond reason.
    #[error("'{path}' is nested too deeply")]
    TooDeep {
        /// The folder.
        path: String,
    },
    /// A name or a content that is not UTF-8.
    #[error("'{path}' is not UTF-8")]
    NotUtf8 {
        /// The file; a name that is not UTF-8 is shown as far as it is.
        path: String,
    },
    /// A file without a byte, or with nothing but comments, that should be YAML.
    #[error("'{path}' is empty")]
    Empty {
        /// The file.
        path: String,
    },
    /// A file that is not the YAML that we read.
    #[error("'{path}' is malformed")]
    Yaml {
        /// The file.
        path: String,
        /// What is wrong with it.
        #[source]
        source: YamlError,
    },
    /// A key of a `meta.yaml` is missing or has a value of the wrong kind.
    #[error("'{path}': '{key}' {reason}")]
    Field {
        /// The file.
        path: String,
        /// The key.
        key: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A line of a metric file.
    #[error("'{path}': the line at byte {offset} is malformed: {reason}")]
    MetricLine {
        /// The file.
        path: String,
        /// Where the line begins.
        offset: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// An id that names no folder.
    #[error("'{id}' is not the id of a {what}")]
    Id {
        /// Of what.
        what: &'static str,
        /// The id.
        id: String,
    },
    /// A key that names no file below its folder.
    #[error("the key '{key}' is not a normalised relative path")]
    Key {
        /// The key.
        key: String,
    },
    /// Params that are there with another value.
    #[error("{} params have another value already", .0.len())]
    ParamsChanged(Vec<ChangedParam>),
}

/// A param that is there with another value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChangedParam {
    /// The key.
    pub(crate) key: String,
    /// The value that is there.
    pub(crate) old: String,
    /// The value that was to be set.
    pub(crate) new: String,
}

impl FolderError {
    /// An error of the system, told apart where callers do.
    pub(crate) fn io(operation: &'static str, path: String, source: io::Error) -> Self {
        use rustix::io::Errno;
        match Errno::from_io_error(&source) {
            Some(Errno::NOENT) => Self::Missing { path },
            // No file has such a name. Where one was to be made, that is a failure.
            Some(Errno::NAMETOOLONG) if matches!(operation, "open" | "look at" | "remove") => {
                Self::Missing { path }
            }
            // A link at the end, and a socket.
            Some(Errno::LOOP | Errno::NXIO) => Self::WrongKind {
                path,
                expected: "regular file or folder",
            },
            Some(Errno::NOTDIR) => Self::WrongKind {
                path,
                expected: "folder",
            },
            Some(Errno::ISDIR) => Self::WrongKind {
                path,
                expected: "file",
            },
            _ => Self::Io {
                operation,
                path,
                source,
            },
        }
    }

    /// An error of a metric file.
    pub(crate) fn line(path: String, error: LineError) -> Self {
        match error {
            LineError::Io(source) => Self::io("read", path, source),
            LineError::Malformed { offset, reason } => Self::MetricLine {
                path,
                offset,
                reason,
            },
        }
    }

    /// Whether nothing is there, as opposed to something unreadable.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }
}
