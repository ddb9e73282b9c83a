//! Files of a training that goes on later, among the artifacts of its run.

use std::path::Path;

use crate::{RunLogger, TrackingError};

/// The folder of checkpoints among the artifacts of a run.
const FOLDER: &str = "checkpoints";

/// What can be wrong with a checkpoint.
pub(super) enum Failure<E> {
    /// There is no place for it on this machine.
    Local(std::io::Error),
    /// The run's artifacts.
    Tracking(TrackingError),
    /// Its content.
    Content(E),
}

impl<E> From<std::io::Error> for Failure<E> {
    fn from(error: std::io::Error) -> Self {
        Self::Local(error)
    }
}

impl<E> From<TrackingError> for Failure<E> {
    fn from(error: TrackingError) -> Self {
        Self::Tracking(error)
    }
}

/// Has a file written on this machine, and uploads it.
pub(super) fn save<E>(
    run: &RunLogger,
    name: &str,
    write: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), Failure<E>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join(name);
    write(&path).map_err(Failure::Content)?;
    Ok(run.log_artifact(&path, Some(FOLDER))?)
}

/// Downloads a file, and has it read on this machine.
pub(super) fn restore<T, E>(
    run: &RunLogger,
    name: &str,
    read: impl FnOnce(&Path) -> Result<T, E>,
) -> Result<T, Failure<E>> {
    let folder = tempfile::tempdir()?;
    let path = run.download_artifacts(&format!("{FOLDER}/{name}"), folder.path())?;
    read(&path).map_err(Failure::Content)
}

/// Deletes a file, if it is there.
#[cfg(feature = "burn")]
pub(super) fn delete(run: &RunLogger, name: &str) -> Result<(), TrackingError> {
    run.delete_artifacts(&format!("{FOLDER}/{name}"))
}
