//! Permanent removal: [`PurgeStore`], each step handed to its noun.

use async_trait::async_trait;
use runledger_entities::{ExperimentId, LoggedModelId, RunId};
use runledger_store::{
    DeletedExperiment, DeletedLoggedModel, DeletedQuery, DeletedRun, Page, PurgeStore, StoreError,
};

use super::SqlStore;
use crate::{
    connection::Connection,
    nouns::purge::{self, Step},
};

impl SqlStore {
    /// Repeats a step, each time in a transaction of its own, until it is the last.
    async fn in_steps<F>(&self, step: F) -> Result<(), StoreError>
    where
        F: Fn(&mut Connection) -> Result<Step, StoreError> + Clone + Send + 'static,
    {
        while self.executor.write(step.clone()).await? == Step::More {}
        Ok(())
    }
}

#[async_trait]
impl PurgeStore for SqlStore {
    async fn deleted_runs(&self, query: DeletedQuery) -> Result<Page<DeletedRun>, StoreError> {
        self.executor
            .read(move |c| purge::deleted_runs(c, &query))
            .await
    }

    async fn deleted_experiments(
        &self,
        query: DeletedQuery,
    ) -> Result<Page<DeletedExperiment>, StoreError> {
        self.executor
            .read(move |c| purge::deleted_experiments(c, &query))
            .await
    }

    async fn deleted_logged_models(
        &self,
        query: DeletedQuery,
    ) -> Result<Page<DeletedLoggedModel>, StoreError> {
        self.executor
            .read(move |c| purge::deleted_models(c, &query))
            .await
    }

    async fn deleted_run(&self, id: &RunId) -> Result<DeletedRun, StoreError> {
        let id = id.clone();
        self.executor
            .read(move |c| purge::deleted_run(c, &id))
            .await
    }

    async fn deleted_logged_model(
        &self,
        id: &LoggedModelId,
    ) -> Result<DeletedLoggedModel, StoreError> {
        let id = id.clone();
        self.executor
            .read(move |c| purge::deleted_model(c, &id))
            .await
    }

    async fn purge_run(&self, id: &RunId) -> Result<(), StoreError> {
        let id = id.clone();
        self.in_steps(move |c| purge::run_step(c, &id)).await
    }

    async fn purge_logged_model(&self, id: &LoggedModelId) -> Result<(), StoreError> {
        let id = id.clone();
        self.in_steps(move |c| purge::model_step(c, &id)).await
    }

    async fn purge_experiment(&self, id: ExperimentId) -> Result<(), StoreError> {
        self.in_steps(move |c| purge::experiment_step(c, id)).await
    }
}
