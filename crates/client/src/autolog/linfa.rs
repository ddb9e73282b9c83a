//! Fits of linfa (feature `linfa`).
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let runs = folder.path().join("mlruns");
//! # let tracker = runledger::Tracker::open(&runs.display().to_string())?;
//! use linfa::{Dataset, ParamGuard};
//! use linfa::traits::Predict;
//! use linfa_bayes::GaussianNb;
//! use ndarray::array;
//! use runledger::autolog::linfa::FitLogged;
//!
//! let train = Dataset::new(array![[1.0], [1.5], [8.0], [9.0]], array![0, 0, 1, 1]);
//! let run = tracker.start_run()?;
//! let params = GaussianNb::params().var_smoothing(1e-6).check()?;
//! // Without the run: `params.fit(&train)?`.
//! let model = params.fit_logged(&run, &train)?;
//! run.log_classification("training_", train.targets(), &model.predict(&train))?;
//! # let data = run.get()?.data;
//! # assert!(data.tags.iter().any(|tag| (&*tag.key, &*tag.value) == ("estimator_name", "GaussianNb")));
//! # run.end()?;
//! # Ok(())
//! # }
//! ```
//!
//! Logged before the fit are the hyper-parameters ([`RunLogger::log_config`]), and as tags
//! `estimator_name` (`GaussianNb`) and `estimator_class`, the path of the model's type; after
//! it, as metrics of step 0, `fit_seconds`, `fit_samples` and `fit_features`. As a param
//! does not change, a run has one fit of each set of hyper-parameters: start a
//! [child](RunLogger::child) for each of a search.

use std::error::Error;

use linfa::DatasetBase;
use linfa::dataset::Records;
use linfa::traits::Fit;
use serde::Serialize;

use super::fit::{FitError, Shape, logged};
use crate::RunLogger;

/// Hyper-parameters of linfa that log their fit.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let runs = folder.path().join("mlruns");
/// # let tracker = runledger::Tracker::open(&runs.display().to_string())?;
/// # let run = tracker.start_run()?;
/// use linfa::{Dataset, ParamGuard};
/// use linfa_bayes::GaussianNb;
/// use ndarray::array;
/// use runledger::autolog::linfa::FitLogged;
///
/// let train = Dataset::new(array![[1.0], [1.5], [8.0], [9.0]], array![0, 0, 1, 1]);
/// GaussianNb::params().check()?.fit_logged(&run, &train)?;
/// run.flush()?;
/// let samples = run.get()?.data.metrics.into_iter().find(|it| it.key == "fit_samples");
/// assert!(samples.is_some_and(|samples| samples.value == 4.0));
/// # run.end()?;
/// # Ok(())
/// # }
/// ```
pub trait FitLogged<R: Records, T, E>: Fit<R, T, E>
where
    E: Error + From<linfa::Error>,
{
    /// Fits a model to a dataset, and logs that to a run.
    ///
    /// The hyper-parameters are serialized, which needs the feature `serde` of the crate
    /// that has them. Some crates serialize them only once they are checked
    /// (`GaussianNb::params().check()?`).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let runs = folder.path().join("mlruns");
    /// # let tracker = runledger::Tracker::open(&runs.display().to_string())?;
    /// # let run = tracker.start_run()?;
    /// use linfa::{Dataset, ParamGuard};
    /// use linfa_bayes::GaussianNb;
    /// use ndarray::array;
    /// use runledger::autolog::linfa::FitLogged;
    ///
    /// let train = Dataset::new(array![[1.0], [1.5], [8.0], [9.0]], array![0, 0, 1, 1]);
    /// GaussianNb::params().var_smoothing(1e-6).check()?.fit_logged(&run, &train)?;
    /// let params = run.get()?.data.params;
    /// assert!(params.iter().any(|it| (&*it.key, &*it.value) == ("var_smoothing", "1e-6")));
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`FitError::Tracking`] if the hyper-parameters cannot be logged, before anything is
    /// fitted, and [`FitError::Fit`]. What goes wrong with the metrics is warned of.
    fn fit_logged(
        &self,
        run: &RunLogger,
        dataset: &DatasetBase<R, T>,
    ) -> Result<Self::Object, FitError<E>>
    where
        Self: Serialize,
    {
        self.fit_logged_with(run, self, dataset)
    }

    /// Fits a model to a dataset, and logs that to a run with `params` for hyper-parameters,
    /// where they cannot be serialized themselves.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let runs = folder.path().join("mlruns");
    /// # let tracker = runledger::Tracker::open(&runs.display().to_string())?;
    /// # let run = tracker.start_run()?;
    /// use linfa::{Dataset, ParamGuard};
    /// use linfa_bayes::GaussianNb;
    /// use ndarray::array;
    /// use runledger::autolog::linfa::FitLogged;
    ///
    /// let train = Dataset::new(array![[1.0], [1.5], [8.0], [9.0]], array![0, 0, 1, 1]);
    /// let params = GaussianNb::params().check()?;
    /// params.fit_logged_with(&run, &serde_json::json!({"smoothing": "default"}), &train)?;
    /// assert_eq!(run.get()?.data.params[0].key, "smoothing");
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`FitLogged::fit_logged`].
    fn fit_logged_with(
        &self,
        run: &RunLogger,
        params: &(impl Serialize + ?Sized),
        dataset: &DatasetBase<R, T>,
    ) -> Result<Self::Object, FitError<E>> {
        let shape = Shape {
            samples: dataset.records.nsamples(),
            features: dataset.records.nfeatures(),
        };
        logged(run, params, &shape, || self.fit(dataset))
    }
}

impl<P, R, T, E> FitLogged<R, T, E> for P
where
    P: Fit<R, T, E>,
    R: Records,
    E: Error + From<linfa::Error>,
{
}
