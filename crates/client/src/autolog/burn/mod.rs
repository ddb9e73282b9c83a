//! Trainings of burn (feature `burn`).
//!
//! ```no_run
//! # fn example<M: burn_train::LearnerModel>(
//! #     run: runledger::RunLogger,
//! #     config: impl burn_core::config::Config,
//! #     training: burn_train::SupervisedTraining<M>,
//! #     learner: burn_train::Learner<M>,
//! # ) -> Result<(), runledger::TrackingError> {
//! use runledger::autolog::burn::Autolog;
//!
//! run.log_config(&config)?;
//! let trained = training
//!     .num_epochs(10)
//!     .autolog(&run)
//!     .autolog_checkpoints(&run)
//!     .launch(learner);
//! # drop(trained);
//! # Ok(())
//! # }
//! ```
//!
//! The example `autolog_burn` is a whole training.

mod checkpoints;
mod logger;

use burn_train::{LearnerModel, SupervisedTraining};

pub use checkpoints::RunCheckpointer;
pub use logger::RunMetricLogger;

use crate::RunLogger;

/// Trainings that log themselves.
///
/// ```
/// # fn example<M: burn_train::LearnerModel>(
/// #     run: runledger::RunLogger,
/// #     training: burn_train::SupervisedTraining<M>,
/// # ) -> burn_train::SupervisedTraining<M> {
/// use runledger::autolog::burn::Autolog;
///
/// training.num_epochs(5).autolog(&run).autolog_checkpoints(&run)
/// # }
/// ```
pub trait Autolog: Sized {
    /// Logs each numeric metric of the training to a run, as [`RunMetricLogger`] says.
    ///
    /// The metrics are those that the training has (`metric_train_numeric`,
    /// `metric_valid_numeric`, `metrics`). As any logger that is registered, this one takes
    /// the place of burn's default one, which writes files: where its files are wanted, as
    /// by `summary`, register a `FileMetricLogger` as well.
    ///
    /// It asks the run for its metrics once, and waits for the answer.
    ///
    /// ```
    /// # fn example<M: burn_train::LearnerModel>(
    /// #     run: runledger::RunLogger,
    /// #     training: burn_train::SupervisedTraining<M>,
    /// # ) -> burn_train::SupervisedTraining<M> {
    /// use runledger::autolog::burn::Autolog;
    ///
    /// // The metrics of `training` are those of the run, too.
    /// training.autolog(&run)
    /// # }
    /// ```
    #[must_use]
    fn autolog(self, run: &RunLogger) -> Self;

    /// Keeps checkpoints of the model, the optimizer and the learning rate's scheduler
    /// among the artifacts of a run, as [`RunCheckpointer`] says, in the place of other
    /// checkpointers.
    ///
    /// ```
    /// # fn example<M: burn_train::LearnerModel>(
    /// #     run: runledger::RunLogger,
    /// #     training: burn_train::SupervisedTraining<M>,
    /// # ) -> burn_train::SupervisedTraining<M> {
    /// use burn_train::checkpoint::KeepLastNCheckpoints;
    /// use runledger::autolog::burn::Autolog;
    ///
    /// // Which are kept is for a strategy of burn.
    /// training
    ///     .with_checkpointing_strategy(KeepLastNCheckpoints::new(2))
    ///     .autolog_checkpoints(&run)
    /// # }
    /// ```
    #[must_use]
    fn autolog_checkpoints(self, run: &RunLogger) -> Self;
}

impl<M: LearnerModel> Autolog for SupervisedTraining<M> {
    fn autolog(self, run: &RunLogger) -> Self {
        self.with_metric_logger(RunMetricLogger::new(run))
    }

    fn autolog_checkpoints(self, run: &RunLogger) -> Self {
        let [model, optimizer, scheduler] =
            ["model", "optim", "scheduler"].map(|name| RunCheckpointer::new(run, name));
        self.with_custom_checkpointers(model, optimizer, scheduler)
    }
}
