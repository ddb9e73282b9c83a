//! The traits, each method handed to the files or to the index.

use async_trait::async_trait;
use runledger_entities::{
    DatasetInput, DatasetSummary, Experiment, ExperimentId, LifecycleStage, LoggedModel,
    LoggedModelId, Metric, ModelInput, ModelOutput, Param, Run, RunId, RunInfo, Tag,
};
use runledger_store::{
    Batch, BulkHistoryQuery, DeletedExperiment, DeletedLoggedModel, DeletedQuery, DeletedRun,
    ExperimentQuery, HistoryQuery, IntervalQuery, LoggedModelPatch, LoggedModelQuery,
    LoggedModelStore, NewExperiment, NewLoggedModel, NewRun, Page, PurgeStore, RunMetric, RunPatch,
    RunQuery, StoreError, StoreKind, TrackingStore,
};

use super::FileStore;
use crate::index::Scope;

#[async_trait]
impl TrackingStore for FileStore {
    fn kind(&self) -> StoreKind {
        StoreKind::File
    }

    async fn create_experiment(&self, new: NewExperiment) -> Result<ExperimentId, StoreError> {
        self.write(move |files| files.create_experiment(&new)).await
    }

    async fn get_experiment(&self, id: ExperimentId) -> Result<Experiment, StoreError> {
        let default = self.default_to_be().await?;
        if let Some(default) = default.filter(|default| default.experiment_id == id) {
            return Ok(default);
        }
        let index = self.index.fresh(Scope::Experiments).await?;
        index.get_experiment(id).await
    }

    async fn get_experiment_by_name(&self, name: &str) -> Result<Experiment, StoreError> {
        let default = self.default_to_be().await?;
        if let Some(default) = default.filter(|default| default.name == name) {
            return Ok(default);
        }
        let index = self.index.fresh(Scope::Experiments).await?;
        index.get_experiment_by_name(name).await
    }

    async fn search_experiments(
        &self,
        query: ExperimentQuery,
    ) -> Result<Page<Experiment>, StoreError> {
        let is_plain = query.filter.is_empty() && query.page.token.is_none();
        if is_plain
            && query.view.includes(LifecycleStage::Active)
            && let Some(default) = self.default_to_be().await?
        {
            return Ok(Page {
                items: vec![default],
                next_token: None,
            });
        }
        let index = self.index.fresh(Scope::Experiments).await?;
        index.search_experiments(query).await
    }

    async fn delete_experiment(&self, id: ExperimentId) -> Result<(), StoreError> {
        self.write(move |files| files.set_experiment_stage(id, LifecycleStage::Deleted))
            .await
    }

    async fn restore_experiment(&self, id: ExperimentId) -> Result<(), StoreError> {
        self.write(move |files| files.set_experiment_stage(id, LifecycleStage::Active))
            .await
    }

    async fn rename_experiment(&self, id: ExperimentId, name: String) -> Result<(), StoreError> {
        self.write(move |files| files.rename_experiment(id, &name))
            .await
    }

    async fn set_experiment_tag(&self, id: ExperimentId, tag: Tag) -> Result<(), StoreError> {
        self.write(move |files| files.set_experiment_tag(id, tag))
            .await
    }

    async fn delete_experiment_tag(&self, id: ExperimentId, key: &str) -> Result<(), StoreError> {
        let key = key.to_owned();
        self.write(move |files| files.delete_experiment_tag(id, &key))
            .await
    }

    async fn create_run(&self, new: NewRun) -> Result<Run, StoreError> {
        self.write(move |files| files.create_run(new)).await
    }

    async fn get_run(&self, id: &RunId) -> Result<Run, StoreError> {
        let index = self.index.fresh(Scope::Run(id.clone())).await?;
        index.get_run(id).await
    }

    async fn update_run(&self, id: &RunId, patch: RunPatch) -> Result<RunInfo, StoreError> {
        let id = id.clone();
        self.write(move |files| files.update_run(&id, patch)).await
    }

    async fn delete_run(&self, id: &RunId) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |files| files.set_run_stage(&id, LifecycleStage::Deleted))
            .await
    }

    async fn restore_run(&self, id: &RunId) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |files| files.set_run_stage(&id, LifecycleStage::Active))
            .await
    }

    async fn search_runs(&self, query: RunQuery) -> Result<Page<Run>, StoreError> {
        let scope = Scope::Runs(query.experiment_ids.clone());
        let index = self.index.fresh(scope).await?;
        index.search_runs(query).await
    }

    async fn log_batch(&self, run: &RunId, batch: Batch) -> Result<(), StoreError> {
        let run = run.clone();
        self.write(move |files| files.log_batch(&run, batch, false))
            .await
    }

    async fn log_param(&self, run: &RunId, param: Param) -> Result<(), StoreError> {
        let run = run.clone();
        self.write(move |files| files.log_param(&run, param)).await
    }

    async fn delete_tag(&self, run: &RunId, key: &str) -> Result<(), StoreError> {
        let (run, key) = (run.clone(), key.to_owned());
        self.write(move |files| files.delete_tag(&run, &key)).await
    }

    async fn record_logged_model(&self, run: &RunId, model_json: &str) -> Result<(), StoreError> {
        let (run, json) = (run.clone(), model_json.to_owned());
        self.write(move |files| files.record_logged_model(&run, &json))
            .await
    }

    async fn metric_history(&self, query: HistoryQuery) -> Result<Page<Metric>, StoreError> {
        self.read(move |files| files.metric_history(&query)).await
    }

    async fn bulk_metric_history(
        &self,
        query: BulkHistoryQuery,
    ) -> Result<Vec<RunMetric>, StoreError> {
        self.read(move |files| files.bulk_metric_history(&query))
            .await
    }

    async fn metric_interval(&self, query: IntervalQuery) -> Result<Vec<RunMetric>, StoreError> {
        self.read(move |files| files.metric_interval(&query)).await
    }

    async fn log_inputs(
        &self,
        run: &RunId,
        datasets: Vec<DatasetInput>,
        models: Vec<ModelInput>,
    ) -> Result<(), StoreError> {
        let run = run.clone();
        self.write(move |files| files.log_inputs(&run, datasets, models))
            .await
    }

    async fn log_outputs(&self, run: &RunId, models: Vec<ModelOutput>) -> Result<(), StoreError> {
        let run = run.clone();
        self.write(move |files| files.log_outputs(&run, &models))
            .await
    }

    async fn search_datasets(
        &self,
        experiments: &[ExperimentId],
    ) -> Result<Vec<DatasetSummary>, StoreError> {
        let scope = Scope::Runs(experiments.to_vec());
        let index = self.index.fresh(scope).await?;
        index.search_datasets(experiments).await
    }
}

#[async_trait]
impl LoggedModelStore for FileStore {
    async fn create_logged_model(&self, new: NewLoggedModel) -> Result<LoggedModel, StoreError> {
        self.write(move |files| files.create_model(new)).await
    }

    async fn get_logged_model(&self, id: &LoggedModelId) -> Result<LoggedModel, StoreError> {
        let index = self.index.fresh(Scope::Model(id.clone())).await?;
        index.get_logged_model(id).await
    }

    async fn search_logged_models(
        &self,
        query: LoggedModelQuery,
    ) -> Result<Page<LoggedModel>, StoreError> {
        let scope = Scope::Models(query.experiment_ids.clone());
        let index = self.index.fresh(scope).await?;
        index.search_logged_models(query).await
    }

    async fn update_logged_model(
        &self,
        id: &LoggedModelId,
        patch: LoggedModelPatch,
    ) -> Result<LoggedModel, StoreError> {
        let of_id = id.clone();
        self.write(move |files| files.set_model_status(&of_id, patch.status))
            .await?;
        self.get_logged_model(id).await
    }

    async fn delete_logged_model(&self, id: &LoggedModelId) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |files| files.delete_model(&id)).await
    }

    async fn set_logged_model_tags(
        &self,
        id: &LoggedModelId,
        tags: Vec<Tag>,
    ) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |files| files.set_model_tags(&id, tags))
            .await
    }

    async fn delete_logged_model_tag(
        &self,
        id: &LoggedModelId,
        key: &str,
    ) -> Result<(), StoreError> {
        let (id, key) = (id.clone(), key.to_owned());
        self.write(move |files| files.delete_model_tag(&id, &key))
            .await
    }

    async fn log_logged_model_params(
        &self,
        id: &LoggedModelId,
        params: Vec<Param>,
    ) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |files| files.log_model_params(&id, params))
            .await
    }
}

#[async_trait]
impl PurgeStore for FileStore {
    async fn deleted_runs(&self, query: DeletedQuery) -> Result<Page<DeletedRun>, StoreError> {
        let index = self.index.fresh(Scope::AllRuns).await?;
        index.deleted_runs(query).await
    }

    async fn deleted_experiments(
        &self,
        query: DeletedQuery,
    ) -> Result<Page<DeletedExperiment>, StoreError> {
        let index = self.index.fresh(Scope::Experiments).await?;
        index.deleted_experiments(query).await
    }

    async fn deleted_logged_models(
        &self,
        query: DeletedQuery,
    ) -> Result<Page<DeletedLoggedModel>, StoreError> {
        let index = self.index.fresh(Scope::AllModels).await?;
        index.deleted_logged_models(query).await
    }

    async fn deleted_run(&self, id: &RunId) -> Result<DeletedRun, StoreError> {
        let index = self.index.fresh(Scope::Run(id.clone())).await?;
        index.deleted_run(id).await
    }

    async fn deleted_logged_model(
        &self,
        id: &LoggedModelId,
    ) -> Result<DeletedLoggedModel, StoreError> {
        let index = self.index.fresh(Scope::Model(id.clone())).await?;
        index.deleted_logged_model(id).await
    }

    async fn purge_run(&self, id: &RunId) -> Result<(), StoreError> {
        let id = id.clone();
        self.write(move |files| files.purge_run(&id)).await
    }

    async fn purge_logged_model(&self, id: &LoggedModelId) -> Result<(), StoreError> {
        let experiment = self.deleted_logged_model(id).await?.experiment_id;
        let id = id.clone();
        self.write(move |files| files.purge_model(experiment, &id))
            .await
    }

    async fn purge_experiment(&self, id: ExperimentId) -> Result<(), StoreError> {
        self.write(move |files| files.purge_experiment(id)).await
    }
}
