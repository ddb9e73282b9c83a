//! Fits of smartcore (feature `smartcore`).
//!
//! [`fit()`] and [`fit_unsupervised`] take the function `fit` of an estimator, and what that
//! would be called with:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let runs = folder.path().join("mlruns");
//! # let tracker = runledger::Tracker::open(&runs.display().to_string())?;
//! use runledger::autolog;
//! use smartcore::linalg::basic::matrix::DenseMatrix;
//! use smartcore::linear::ridge_regression::{RidgeRegression, RidgeRegressionParameters};
//!
//! let x = DenseMatrix::from_2d_array(&[&[1.0, 0.0], &[2.0, 1.0], &[3.0, 0.5], &[4.0, 2.0]])?;
//! let y = vec![2.0, 5.0, 6.5, 10.0];
//! let params = RidgeRegressionParameters::default().with_alpha(0.1);
//!
//! let run = tracker.start_run()?;
//! // Without the run: `RidgeRegression::fit(&x, &y, params)?`.
//! let model = autolog::smartcore::fit(&run, RidgeRegression::fit, &x, &y, params)?;
//! run.log_regression("training_", &y, &model.predict(&x)?)?;
//! # let data = run.get()?.data;
//! # assert!(data.params.iter().any(|param| (&*param.key, &*param.value) == ("alpha", "0.1")));
//! # run.end()?;
//! # Ok(())
//! # }
//! ```
//!
//! Logged before the fit are the hyper-parameters ([`RunLogger::log_config`]), and as tags
//! `estimator_name` (`RidgeRegression`) and `estimator_class`, its path; after it, as metrics
//! of step 0, `fit_seconds`, `fit_samples` and `fit_features`. As a param does not change,
//! a run has one fit of each set of hyper-parameters: start a
//! [child](RunLogger::child) for each of a search.

use std::fmt::{Debug, Display};

use serde::Serialize;
use smartcore::error::Failed;
use smartcore::linalg::basic::arrays::Array;

use super::fit::{FitError, Shape, logged};
use crate::RunLogger;

/// Fits a model to rows of `x` and values of `y`, and logs that to a run.
///
/// `fit` is the estimator's own: `LogisticRegression::fit`, `SVR::fit`, …
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let runs = folder.path().join("mlruns");
/// # let tracker = runledger::Tracker::open(&runs.display().to_string())?;
/// # let run = tracker.start_run()?;
/// use runledger::autolog;
/// use smartcore::linalg::basic::matrix::DenseMatrix;
/// use smartcore::linear::linear_regression::{LinearRegression, LinearRegressionParameters};
///
/// let x = DenseMatrix::from_2d_array(&[&[1.0, 0.0], &[2.0, 1.0], &[3.0, 0.5]])?;
/// let y = vec![2.0, 5.0, 6.5];
/// let params = LinearRegressionParameters::default();
/// let model = autolog::smartcore::fit(&run, LinearRegression::fit, &x, &y, params)?;
/// assert_eq!(model.predict(&x)?.len(), 3);
/// # run.end()?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`FitError::Tracking`] if the hyper-parameters cannot be logged, before anything is
/// fitted, and [`FitError::Fit`]. What goes wrong with the metrics is warned of.
pub fn fit<'a, M, X, Y, P, T>(
    run: &RunLogger,
    fit: impl FnOnce(&'a X, &'a Y, P) -> Result<M, Failed>,
    x: &'a X,
    y: &'a Y,
    parameters: P,
) -> Result<M, FitError<Failed>>
where
    X: Array<T, (usize, usize)>,
    P: Clone + Serialize,
    T: Debug + Display + Copy,
{
    logged(run, &parameters.clone(), &shape(x), || {
        fit(x, y, parameters)
    })
}

/// Fits a model to rows of `x`, and logs that to a run: `KMeans::fit`, `PCA::fit`, …
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let runs = folder.path().join("mlruns");
/// # let tracker = runledger::Tracker::open(&runs.display().to_string())?;
/// # let run = tracker.start_run()?;
/// use runledger::autolog;
/// use smartcore::decomposition::pca::{PCA, PCAParameters};
/// use smartcore::linalg::basic::arrays::Array;
/// use smartcore::linalg::basic::matrix::DenseMatrix;
///
/// let rows: [&[f64]; 3] = [&[1.0, 0.0], &[2.0, 1.0], &[3.0, 2.5]];
/// let x = DenseMatrix::from_2d_array(&rows)?;
/// let params = PCAParameters::default().with_n_components(1);
/// let model = autolog::smartcore::fit_unsupervised(&run, PCA::fit, &x, params)?;
/// assert_eq!(model.components().shape(), (2, 1));
/// # run.end()?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`fit()`].
pub fn fit_unsupervised<'a, M, X, P, T>(
    run: &RunLogger,
    fit: impl FnOnce(&'a X, P) -> Result<M, Failed>,
    x: &'a X,
    parameters: P,
) -> Result<M, FitError<Failed>>
where
    X: Array<T, (usize, usize)>,
    P: Clone + Serialize,
    T: Debug + Display + Copy,
{
    logged(run, &parameters.clone(), &shape(x), || fit(x, parameters))
}

fn shape<X: Array<T, (usize, usize)>, T: Debug + Display + Copy>(x: &X) -> Shape {
    let (samples, features) = x.shape();
    Shape { samples, features }
}
