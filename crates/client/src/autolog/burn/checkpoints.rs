//! Checkpoints of burn among the artifacts of a run.

use std::fs;
use std::path::Path;

use burn_core::tensor::Bytes;
use burn_train::checkpoint::{Checkpoint, Checkpointer, CheckpointerError};

use crate::autolog::checkpoint::{self, Failure};
use crate::{RunLogger, TrackingError};

/// Keeps records of one kind as `checkpoints/<name>-<epoch>.bpk` of a run.
///
/// A record is written to a temporary file and uploaded; to restore one, it is downloaded, and
/// read into memory. A training goes on, on whatever machine, where it has the same run and the epoch of a
/// checkpoint (`SupervisedTraining::checkpoint`).
///
/// What cannot be uploaded or deleted is warned of by `tracing`, and does not stop the
/// training. A record that cannot be written to this machine does, and so does one that
/// cannot be restored.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let runs = folder.path().join("mlruns");
/// # let tracker = runledger::Tracker::open(&runs.display().to_string())?;
/// use burn_core::store::ModuleRecord;
/// use burn_train::checkpoint::Checkpointer;
/// use runledger::autolog::burn::RunCheckpointer;
///
/// let run = tracker.start_run()?;
/// let checkpoints = RunCheckpointer::new(&run, "model");
/// // The training has not come to its third epoch.
/// let third: Result<ModuleRecord, _> = checkpoints.restore(3);
/// let Err(error) = third else {
///     panic!("there is none");
/// };
/// assert!(error.to_string().contains("checkpoints/model-3.bpk"));
/// # run.end()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RunCheckpointer {
    run: RunLogger,
    name: String,
}

impl RunCheckpointer {
    /// Keeps records under a name, such as `model`.
    ///
    /// ```
    /// # fn example<M: burn_train::LearnerModel>(
    /// #     run: runledger::RunLogger,
    /// #     training: burn_train::SupervisedTraining<M>,
    /// # ) -> burn_train::SupervisedTraining<M> {
    /// use runledger::autolog::burn::RunCheckpointer;
    ///
    /// // As `autolog_checkpoints`, with names of one's own.
    /// training.with_custom_checkpointers(
    ///     RunCheckpointer::new(&run, "generator"),
    ///     RunCheckpointer::new(&run, "generator-optimizer"),
    ///     RunCheckpointer::new(&run, "generator-rate"),
    /// )
    /// # }
    /// ```
    pub fn new(run: &RunLogger, name: impl Into<String>) -> Self {
        Self {
            run: run.clone(),
            name: name.into(),
        }
    }

    fn file(&self, epoch: usize) -> String {
        format!("{}-{epoch}.bpk", self.name)
    }

    /// Tells what has gone wrong with the tracker, and goes on.
    fn warn(&self, what: &'static str, epoch: usize, error: &TrackingError) {
        let (run, name) = (self.run.run_id(), &self.name);
        tracing::warn!(%run, name, epoch, %error, "a checkpoint is not {what}");
    }
}

impl<R: Checkpoint> Checkpointer<R> for RunCheckpointer {
    fn save(&self, epoch: usize, record: R) -> Result<(), CheckpointerError> {
        let write = |path: &Path| record.save(path.to_owned());
        match checkpoint::save(&self.run, &self.file(epoch), write) {
            Err(Failure::Tracking(error)) => {
                self.warn("uploaded", epoch, &error);
                Ok(())
            }
            saved => saved.map_err(error),
        }
    }

    fn delete(&self, epoch: usize) -> Result<(), CheckpointerError> {
        if let Err(error) = checkpoint::delete(&self.run, &self.file(epoch)) {
            self.warn("deleted", epoch, &error);
        }
        Ok(())
    }

    fn restore(&self, epoch: usize) -> Result<R, CheckpointerError> {
        // Into memory: what `R::load` gives reads the file later, when it is gone.
        let read = |path: &Path| {
            let bytes = fs::read(path).map_err(CheckpointerError::IOError)?;
            let bytes = Bytes::from_bytes_vec(bytes);
            R::checkpoint_from_bytes(bytes).map_err(CheckpointerError::Record)
        };
        checkpoint::restore(&self.run, &self.file(epoch), read).map_err(error)
    }
}

fn error(failure: Failure<CheckpointerError>) -> CheckpointerError {
    match failure {
        Failure::Local(error) => CheckpointerError::IOError(error),
        Failure::Tracking(error) => CheckpointerError::Unknown(error.to_string()),
        Failure::Content(error) => error,
    }
}
