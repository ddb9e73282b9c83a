//! Reading and writing each noun: synchronous functions over a connection.

pub(crate) mod adopt;
pub(crate) mod assessments;
pub(crate) mod datasets;
pub(crate) mod deliveries;
pub(crate) mod experiments;
pub(crate) mod history;
pub(crate) mod inputs;
pub(crate) mod logged_models;
pub(crate) mod model_versions;
pub(crate) mod purge;
pub(crate) mod registered_models;
mod rows;
pub(crate) mod run_data;
pub(crate) mod runs;
pub(crate) mod spans;
pub(crate) mod trace_links;
pub(crate) mod trace_metrics;
pub(crate) mod traces;
pub(crate) mod webhooks;

use diesel::result::Error as DieselError;
use runledger_entities::LifecycleStage;
use runledger_store::StoreError;

use crate::error::from_diesel;

/// A result of the driver as a result of the store.
pub(crate) trait OrStoreError<T> {
    /// The value, or the store's word for the error.
    fn or_store_error(self) -> Result<T, StoreError>;
}

impl<T> OrStoreError<T> for Result<T, DieselError> {
    fn or_store_error(self) -> Result<T, StoreError> {
        self.map_err(from_diesel)
    }
}

/// The stage in a column `lifecycle_stage`.
pub(crate) fn stage(
    table: &'static str,
    key: impl std::fmt::Display,
    name: Option<&str>,
) -> Result<LifecycleStage, StoreError> {
    // MLflow leaves the column null in rows from before it existed.
    let name = name.unwrap_or(LifecycleStage::Active.name());
    LifecycleStage::from_name(name).ok_or_else(|| StoreError::Corrupt {
        place: table,
        key: key.to_string(),
        reason: format!("lifecycle_stage is '{name}'"),
    })
}
