//! Logged models (MLflow 3.x).

use std::fmt;

use async_trait::async_trait;
use runledger_entities::{
    ExperimentId, LoggedModel, LoggedModelId, LoggedModelStatus, Param, RunId, Tag,
};
use runledger_search::{LoggedModelClause, LoggedModelKey, Order};

use crate::{Page, PageRequest, StoreError};

/// A logged model to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLoggedModel {
    /// The experiment, which must be active.
    pub experiment_id: ExperimentId,
    /// The name; random if absent.
    pub name: Option<String>,
    /// Free text, such as `Agent`.
    pub model_type: Option<String>,
    /// The run that makes it.
    pub source_run_id: Option<RunId>,
    /// Params.
    pub params: Vec<Param>,
    /// Tags.
    pub tags: Vec<Tag>,
}

/// A change of a logged model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedModelPatch {
    /// The new status.
    pub status: LoggedModelStatus,
}

/// Keeps models that have metrics on a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetFilter {
    /// The dataset's name.
    pub name: String,
    /// The dataset's digest; any if absent.
    pub digest: Option<String>,
}

/// A search of logged models.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedModelQuery {
    /// In these experiments.
    pub experiment_ids: Vec<ExperimentId>,
    /// All of these must hold.
    pub filter: Vec<LoggedModelClause>,
    /// Restricts metric clauses to these datasets; without metric clauses, keeps
    /// models that have any metric on them.
    pub datasets: Vec<DatasetFilter>,
    /// The order; newest first, then by id, after or instead of it.
    pub order_by: Vec<Order<LoggedModelKey>>,
    /// The page.
    pub page: PageRequest,
}

/// A store of logged models. Deleted models are not seen by any call.
#[async_trait]
pub trait LoggedModelStore: fmt::Debug + Send + Sync + 'static {
    /// Creates a model in an active experiment, pending.
    async fn create_logged_model(&self, new: NewLoggedModel) -> Result<LoggedModel, StoreError>;

    /// A model with its tags, params and metrics.
    async fn get_logged_model(&self, id: &LoggedModelId) -> Result<LoggedModel, StoreError>;

    /// A page of models. Missing values come last in both directions.
    async fn search_logged_models(
        &self,
        query: LoggedModelQuery,
    ) -> Result<Page<LoggedModel>, StoreError>;

    /// Sets the status of a model.
    async fn update_logged_model(
        &self,
        id: &LoggedModelId,
        patch: LoggedModelPatch,
    ) -> Result<LoggedModel, StoreError>;

    /// Deletes a model softly.
    async fn delete_logged_model(&self, id: &LoggedModelId) -> Result<(), StoreError>;

    /// Sets tags of a model.
    async fn set_logged_model_tags(
        &self,
        id: &LoggedModelId,
        tags: Vec<Tag>,
    ) -> Result<(), StoreError>;

    /// Deletes a tag of a model.
    async fn delete_logged_model_tag(
        &self,
        id: &LoggedModelId,
        key: &str,
    ) -> Result<(), StoreError>;

    /// Adds params to a model; a param that is there keeps its value.
    async fn log_logged_model_params(
        &self,
        id: &LoggedModelId,
        params: Vec<Param>,
    ) -> Result<(), StoreError>;
}
