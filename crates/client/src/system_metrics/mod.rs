//! What a run uses of its machine, as metrics under MLflow's names: processor, memory,
//! disk, network, and NVIDIA graphics cards.
//!
//! Measuring needs the feature `system-metrics`, cards also `nvml`. `options` is what the
//! environment says, `machine` and `gpu` measure, `monitor` does so beside a run.

#[cfg(feature = "nvml")]
mod gpu;
#[cfg(feature = "system-metrics")]
mod machine;
#[cfg(feature = "system-metrics")]
mod monitor;
mod options;

use crate::TrackingError;

#[cfg(feature = "system-metrics")]
pub(crate) use monitor::Monitor;
pub use options::SystemMetricsOptions;

/// Whether a run logs what it uses of its machine.
///
/// ```
/// use runledger::RunOptions;
/// use runledger::system_metrics::{SystemMetrics, SystemMetricsOptions};
///
/// let options = RunOptions {
///     system_metrics: SystemMetrics::On(SystemMetricsOptions::default()),
///     ..RunOptions::named("measured")
/// };
/// // Others do as the environment says.
/// assert_eq!(RunOptions::default().system_metrics, SystemMetrics::FromEnv);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SystemMetrics {
    /// As `MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING` says (`true` or `1`), with
    /// [`SystemMetricsOptions::from_env`].
    #[default]
    FromEnv,
    /// No.
    Off,
    /// Yes, in this way.
    On(SystemMetricsOptions),
}

impl SystemMetrics {
    /// How to measure, if it is to be done.
    ///
    /// # Errors
    /// [`TrackingError::Option`], and [`TrackingError::NoSystemMetrics`] where it is asked
    /// for by [`SystemMetrics::On`] and cannot be done.
    pub(crate) fn wanted(self) -> Result<Option<SystemMetricsOptions>, TrackingError> {
        let is_possible = cfg!(feature = "system-metrics");
        match self {
            Self::Off => Ok(None),
            Self::On(options) if is_possible => Ok(Some(options)),
            Self::On(_) => Err(TrackingError::NoSystemMetrics),
            Self::FromEnv if !options::is_enabled()? => Ok(None),
            Self::FromEnv if is_possible => SystemMetricsOptions::from_env().map(Some),
            Self::FromEnv => {
                // The variable may be meant for other programs.
                tracing::warn!("{}", TrackingError::NoSystemMetrics);
                Ok(None)
            }
        }
    }
}

/// Nothing is ever measured without the feature.
#[cfg(not(feature = "system-metrics"))]
#[derive(Clone, Copy, Debug)]
pub(crate) enum Monitor {}

#[cfg(not(feature = "system-metrics"))]
impl Monitor {
    pub(crate) fn start(_: &crate::RunLogger, _: &SystemMetricsOptions, _: bool) -> Option<Self> {
        None
    }
}
