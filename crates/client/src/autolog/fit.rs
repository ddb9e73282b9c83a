//! Fits of estimators: what is logged of one, whichever library it is of.

use std::any;
use std::time::Instant;

use serde::Serialize;

use super::quiet::Quiet;
use crate::{RunLogger, TrackingError};

/// Why a fit that was to be logged gave no model.
///
/// ```
/// use runledger::autolog::FitError;
///
/// fn advice<E>(error: &FitError<E>) -> &'static str {
///     match error {
///         FitError::Tracking(_) => "nothing was fitted: is the tracker there?",
///         FitError::Fit(_) => "look at the data and the hyper-parameters",
///     }
/// }
/// ```
#[derive(Debug, thiserror::Error)]
pub enum FitError<E> {
    /// Its hyper-parameters could not be logged: nothing was fitted.
    #[error(transparent)]
    Tracking(#[from] TrackingError),
    /// The fit failed.
    #[error(transparent)]
    Fit(E),
}

/// What is fitted to.
pub(super) struct Shape {
    pub(super) samples: usize,
    pub(super) features: usize,
}

/// Fits a model, and logs that.
pub(super) fn logged<M, E>(
    run: &RunLogger,
    params: &(impl Serialize + ?Sized),
    shape: &Shape,
    fit: impl FnOnce() -> Result<M, E>,
) -> Result<M, FitError<E>> {
    run.log_config(params)?;
    let class = class(any::type_name::<M>());
    let name = class.rsplit("::").next().unwrap_or(class);
    run.set_tags([("estimator_name", name), ("estimator_class", class)])?;
    let began = Instant::now();
    let model = fit().map_err(FitError::Fit)?;
    let seconds = began.elapsed().as_secs_f64();
    let mut quiet = Quiet::new(run);
    quiet.log("fit_seconds", seconds, 0);
    quiet.log("fit_samples", number(shape.samples), 0);
    quiet.log("fit_features", number(shape.features), 0);
    Ok(model)
}

/// The path of a type without what it is generic over.
fn class(name: &str) -> &str {
    name.split('<').next().unwrap_or(name)
}

#[expect(clippy::cast_precision_loss, reason = "a double has 53 bits")]
fn number(count: usize) -> f64 {
    count as f64
}
