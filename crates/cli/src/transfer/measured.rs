//! Points that were measured on logged models. A run's history does not say on which: of a
//! model its points are known.

use runledger_entities::{LoggedModelMetric, Metric};

/// What tells a point of a run from its others: the key, the time, the step, and the bits of
/// the value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Point(String, i64, i64, u64);

impl Point {
    pub(super) fn of(metric: &Metric) -> Self {
        Self::new(&metric.key, metric.timestamp, metric.step, metric.value)
    }

    pub(super) fn of_model(metric: &LoggedModelMetric) -> Self {
        Self::new(&metric.key, metric.timestamp, metric.step, value(metric))
    }

    fn new(key: &str, timestamp: i64, step: i64, value: f64) -> Self {
        // There are many values that are no number.
        let value = if value.is_nan() { f64::NAN } else { value };
        Self(key.to_owned(), timestamp, step, value.to_bits())
    }
}

/// A metric's value, which is told to be absent where it is no number.
pub(super) fn value(metric: &LoggedModelMetric) -> f64 {
    metric.value.unwrap_or(f64::NAN)
}
