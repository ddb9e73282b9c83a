//! Metrics: one point of a time series.

/// One logged value of a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// The metric's name.
    pub key: String,
    /// The value; may be NaN or infinite.
    pub value: f64,
    /// Milliseconds since the epoch.
    pub timestamp: i64,
    /// The training step; may be negative.
    pub step: i64,
    /// The logged model and dataset that the value belongs to, if any (MLflow 3.x).
    pub model: Option<Box<MetricModel>>,
}

impl Metric {
    /// A metric that belongs to no logged model.
    pub fn new(key: impl Into<String>, value: f64, timestamp: i64, step: i64) -> Self {
        Self {
            key: key.into(),
            value,
            timestamp,
            step,
            model: None,
        }
    }
}

/// What a metric was measured on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricModel {
    /// The logged model.
    pub model_id: Option<String>,
    /// The dataset's name.
    pub dataset_name: Option<String>,
    /// The dataset's digest.
    pub dataset_digest: Option<String>,
}
