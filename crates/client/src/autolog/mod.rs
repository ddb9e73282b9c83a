//! Autologging: what a training library knows of a training is logged by one line of code.
//!
//! | feature | library | the line | what it logs |
//! |---|---|---|---|
//! | – | any | [`RunLogger::log_config`] | hyper-parameters of a struct, as params |
//! | – | any | [`RunLogger::log_classification`], [`RunLogger::log_regression`] | scores of predictions, as metrics |
//! | `burn` | burn-train 0.22 | `Autolog::autolog`, `autolog_checkpoints` | metrics of iterations and epochs; checkpoints, as artifacts |
//! | `candle` | candle-nn 0.11 | `Logged` around an optimizer | hyper-parameters, loss and learning rate of each step |
//! | `candle` | | `log_checkpoint` | variables, as an artifact |
//! | `linfa` | linfa 0.8 | `FitLogged::fit_logged` | hyper-parameters, estimator, time and size of a fit |
//! | `smartcore` | smartcore 0.7 | `smartcore::fit`, `fit_unsupervised` | the same |
//!
//! Metrics have the names that MLflow's autologging gives them, where it has them. What
//! goes wrong with logging before a training begins is an error; what goes wrong later
//! does not stop the training: `tracing` warns of it, once for each kind of error, and
//! [`RunLogger::flush`] and [`ActiveRun::end`](crate::ActiveRun::end) tell of metrics that
//! the tracker refused.
//!
//! Models are not logged by themselves: [`RunLogger::log_model`] takes the files of one.
//!
//! [`RunLogger::log_config`]: crate::RunLogger::log_config
//! [`RunLogger::log_classification`]: crate::RunLogger::log_classification
//! [`RunLogger::log_regression`]: crate::RunLogger::log_regression
//! [`RunLogger::log_model`]: crate::RunLogger::log_model
//! [`RunLogger::flush`]: crate::RunLogger::flush

#[cfg(feature = "burn")]
pub mod burn;
#[cfg(feature = "candle")]
pub mod candle;
#[cfg(any(feature = "burn", feature = "candle"))]
mod checkpoint;
#[cfg(any(feature = "linfa", feature = "smartcore"))]
mod fit;
#[cfg(feature = "linfa")]
pub mod linfa;
mod params;
#[cfg(any(
    feature = "burn",
    feature = "candle",
    feature = "linfa",
    feature = "smartcore"
))]
mod quiet;
mod scores;
#[cfg(feature = "smartcore")]
pub mod smartcore;

#[cfg(any(feature = "linfa", feature = "smartcore"))]
pub use fit::FitError;
pub use scores::{ClassificationScores, RegressionScores, ScoresError};
