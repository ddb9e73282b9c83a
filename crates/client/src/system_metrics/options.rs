//! MLflow's environment variables about system metrics.

use std::env;
use std::time::Duration;

use crate::{InvalidOption, TrackingError};

const ENABLED: &str = "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING";
const INTERVAL: &str = "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL";
const SAMPLES: &str = "MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING";
const NODE: &str = "MLFLOW_SYSTEM_METRICS_NODE_ID";

/// The shortest time between samples.
#[cfg(feature = "system-metrics")]
const SHORTEST: Duration = Duration::from_millis(10);

/// How a run's machine is measured.
///
/// ```
/// use std::time::Duration;
///
/// use runledger::system_metrics::SystemMetricsOptions;
///
/// // A point each minute, of 60 samples: `system/worker 3/cpu_utilization_percentage`, …
/// let options = SystemMetricsOptions {
///     interval: Duration::from_secs(1),
///     samples_before_logging: 60,
///     node_id: Some("worker 3".to_owned()),
/// };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SystemMetricsOptions {
    /// The time between two samples, at least 10 ms; 10 s without a word.
    pub interval: Duration,
    /// How many samples are averaged into each point that is logged; 1 without a word.
    pub samples_before_logging: u32,
    /// A name of the machine among those of the run, which becomes a part of the names of
    /// the metrics.
    pub node_id: Option<String>,
}

impl Default for SystemMetricsOptions {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(10),
            samples_before_logging: 1,
            node_id: None,
        }
    }
}

impl SystemMetricsOptions {
    /// What `MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL` (in seconds),
    /// `MLFLOW_SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING` and `MLFLOW_SYSTEM_METRICS_NODE_ID`
    /// say.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use runledger::system_metrics::SystemMetricsOptions;
    ///
    /// let options = SystemMetricsOptions::from_env()?;
    /// println!("a sample each {:?}", options.interval);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Option`] for a value that is no such number.
    pub fn from_env() -> Result<Self, TrackingError> {
        Self::read(|name| env::var(name).ok())
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, TrackingError> {
        let given = |name| variable(name).filter(|value| !value.is_empty());
        let mut options = Self {
            node_id: given(NODE),
            ..Self::default()
        };
        if let Some(text) = given(INTERVAL) {
            let seconds = text.trim().parse::<f64>().ok();
            let interval = seconds.and_then(|text| Duration::try_from_secs_f64(text).ok());
            options.interval = interval
                .filter(|interval| !interval.is_zero())
                .ok_or_else(|| invalid(INTERVAL, &text, "seconds above 0"))?;
        }
        if let Some(text) = given(SAMPLES) {
            let samples = text.trim().parse::<u32>().ok();
            options.samples_before_logging = samples
                .filter(|samples| *samples > 0)
                .ok_or_else(|| invalid(SAMPLES, &text, "a whole number above 0"))?;
        }
        Ok(options)
    }

    /// The time between two samples, within bounds.
    #[cfg(feature = "system-metrics")]
    pub(super) fn pause(&self) -> Duration {
        self.interval.max(SHORTEST)
    }

    /// What the names of metrics begin with.
    #[cfg(feature = "system-metrics")]
    pub(super) fn prefix(&self) -> String {
        match &self.node_id {
            Some(node) => format!("system/{node}/"),
            None => "system/".to_owned(),
        }
    }
}

/// Whether the environment asks for them.
pub(super) fn is_enabled() -> Result<bool, TrackingError> {
    let Some(text) = env::var(ENABLED).ok().filter(|text| !text.is_empty()) else {
        return Ok(false);
    };
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        _ => Err(invalid(ENABLED, &text, "true, false, 1 or 0")),
    }
}

fn invalid(variable: &'static str, value: &str, wanted: &'static str) -> TrackingError {
    let value = value.to_owned();
    let invalid = InvalidOption::Value {
        variable,
        value,
        wanted,
    };
    invalid.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read_and_checked() -> Result<(), TrackingError> {
        let read = |name: &'static str, value: &'static str| {
            SystemMetricsOptions::read(|asked| (asked == name).then(|| value.to_owned()))
        };
        assert_eq!(read(INTERVAL, "")?, SystemMetricsOptions::default());
        assert_eq!(read(INTERVAL, "0.5")?.interval, Duration::from_millis(500));
        assert_eq!(read(SAMPLES, "3")?.samples_before_logging, 3);
        assert_eq!(read(NODE, "n 1")?.node_id.as_deref(), Some("n 1"));
        for (name, value) in [
            (INTERVAL, "0"),
            (INTERVAL, "-1"),
            (INTERVAL, "x"),
            (SAMPLES, "0"),
        ] {
            assert!(read(name, value).is_err(), "{name}={value}");
        }
        Ok(())
    }
}
