//! Tags and params: pairs of text.

/// A key and a value that may change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}

impl Tag {
    /// The tag that holds a run's name.
    pub const RUN_NAME: &'static str = "mlflow.runName";
    /// The tag that names a run's parent.
    pub const PARENT_RUN_ID: &'static str = "mlflow.parentRunId";
    /// The tag that lists the models logged by MLflow 2.x, as a JSON list.
    pub const LOGGED_MODELS: &'static str = "mlflow.log-model.history";
    /// The input tag that holds a dataset's context.
    pub const DATASET_CONTEXT: &'static str = "mlflow.data.context";

    /// A tag.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
        }
    }
}

/// A key and a value that never changes once logged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Param {
    /// The key.
    pub key: String,
    /// The value.
    pub value: String,
}

impl Param {
    /// A param.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
        }
    }
}
