//! The conformance suite finds faults: a store with one is not passed.
//!
//! The faults are those of a wrapper around the real store, each in one place,
//! so that a case which can no longer fail shows here.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set itself up has failed"
)]

use std::{error::Error, sync::Arc};

use async_trait::async_trait;
use libtest_mimic::Arguments;
use runledger_entities::{
    DatasetInput, DatasetSummary, Experiment, ExperimentId, Metric, ModelInput, ModelOutput, Param,
    Run, RunId, RunInfo, Tag,
};
use runledger_store::{
    Batch, BulkHistoryQuery, ExperimentQuery, HistoryQuery, IntervalQuery, NewExperiment, NewRun,
    Page, RunMetric, RunPatch, RunQuery, StoreError, StoreKind, TrackingStore,
};
use runledger_store_conformance::{Fixture, World, trials};
use runledger_store_sql::{SqlStore, StoreOptions};

/// What a store does wrong.
#[derive(Clone, Copy, Debug)]
enum Fault {
    DropsTheLastTag,
    SplitsBatches,
    TakesEveryParam,
    ForgetsSteps,
    ReversesHistory,
    RepeatsTheLastPage,
    IgnoresTheLastClause,
    IgnoresTheOrder,
    IgnoresTheView,
    FindsNoDatasets,
    RestoresNoRuns,
    SaysNotFoundForDeleted,
}

#[derive(Debug)]
struct Faulty {
    store: Arc<SqlStore>,
    fault: Fault,
}

type Result<T> = std::result::Result<T, StoreError>;

#[async_trait]
impl TrackingStore for Faulty {
    fn kind(&self) -> StoreKind {
        self.store.kind()
    }

    async fn create_experiment(&self, new: NewExperiment) -> Result<ExperimentId> {
        self.store.create_experiment(new).await
    }

    async fn get_experiment(&self, id: ExperimentId) -> Result<Experiment> {
        self.store.get_experiment(id).await
    }

    async fn get_experiment_by_name(&self, name: &str) -> Result<Experiment> {
        self.store.get_experiment_by_name(name).await
    }

    async fn search_experiments(&self, mut query: ExperimentQuery) -> Result<Page<Experiment>> {
        match self.fault {
            Fault::IgnoresTheLastClause => drop(query.filter.pop()),
            Fault::IgnoresTheOrder => query.order_by.clear(),
            Fault::IgnoresTheView => query.view = runledger_entities::ViewType::All,
            _ => {}
        }
        self.store.search_experiments(query).await
    }

    async fn delete_experiment(&self, id: ExperimentId) -> Result<()> {
        self.store.delete_experiment(id).await
    }

    async fn restore_experiment(&self, id: ExperimentId) -> Result<()> {
        self.store.restore_experiment(id).await?;
        if matches!(self.fault, Fault::RestoresNoRuns) {
            let query = RunQuery {
                experiment_ids: vec![id],
                view: runledger_entities::ViewType::All,
                filter: Vec::new(),
                order_by: Vec::new(),
                page: runledger_store::PageRequest {
                    max_results: 1000,
                    token: None,
                },
            };
            for run in self.store.search_runs(query).await?.items {
                self.store.delete_run(&run.info.run_id).await?;
            }
        }
        Ok(())
    }

    async fn rename_experiment(&self, id: ExperimentId, name: String) -> Result<()> {
        self.store.rename_experiment(id, name).await
    }

    async fn set_experiment_tag(&self, id: ExperimentId, tag: Tag) -> Result<()> {
        self.store.set_experiment_tag(id, tag).await
    }

    async fn delete_experiment_tag(&self, id: ExperimentId, key: &str) -> Result<()> {
        self.store.delete_experiment_tag(id, key).await
    }

    async fn create_run(&self, new: NewRun) -> Result<Run> {
        self.store.create_run(new).await
    }

    async fn get_run(&self, id: &RunId) -> Result<Run> {
        self.store.get_run(id).await
    }

    async fn update_run(&self, id: &RunId, patch: RunPatch) -> Result<RunInfo> {
        self.store.update_run(id, patch).await
    }

    async fn delete_run(&self, id: &RunId) -> Result<()> {
        self.store.delete_run(id).await
    }

    async fn restore_run(&self, id: &RunId) -> Result<()> {
        self.store.restore_run(id).await
    }

    async fn search_runs(&self, mut query: RunQuery) -> Result<Page<Run>> {
        match self.fault {
            Fault::IgnoresTheLastClause => drop(query.filter.pop()),
            Fault::IgnoresTheOrder => query.order_by.clear(),
            Fault::IgnoresTheView => query.view = runledger_entities::ViewType::All,
            _ => {}
        }
        self.store.search_runs(query).await
    }

    async fn log_batch(&self, run: &RunId, mut batch: Batch) -> Result<()> {
        match self.fault {
            Fault::DropsTheLastTag => drop(batch.tags.pop()),
            Fault::ForgetsSteps => batch.metrics.iter_mut().for_each(|metric| metric.step = 0),
            Fault::TakesEveryParam => {
                let known = self.store.get_run(run).await?.data.params;
                batch
                    .params
                    .retain(|param| known.iter().all(|known| known.key != param.key));
            }
            Fault::SplitsBatches => {
                let metrics = std::mem::take(&mut batch.metrics);
                self.store
                    .log_batch(
                        run,
                        Batch {
                            metrics,
                            ..Batch::default()
                        },
                    )
                    .await?;
            }
            _ => {}
        }
        let logged = self.store.log_batch(run, batch).await;
        match (self.fault, logged) {
            (Fault::SaysNotFoundForDeleted, Err(StoreError::Lifecycle { id, .. })) => {
                Err(StoreError::not_found(runledger_store::Resource::Run, id))
            }
            (_, logged) => logged,
        }
    }

    async fn log_param(&self, run: &RunId, param: Param) -> Result<()> {
        self.store.log_param(run, param).await
    }

    async fn delete_tag(&self, run: &RunId, key: &str) -> Result<()> {
        self.store.delete_tag(run, key).await
    }

    async fn record_logged_model(&self, run: &RunId, model_json: &str) -> Result<()> {
        self.store.record_logged_model(run, model_json).await
    }

    async fn metric_history(&self, query: HistoryQuery) -> Result<Page<Metric>> {
        let mut page = self.store.metric_history(query.clone()).await?;
        match self.fault {
            Fault::ReversesHistory => page.items.reverse(),
            Fault::RepeatsTheLastPage
                if page.next_token.is_none() && query.page.token.is_some() =>
            {
                page.items.extend(page.items.clone());
            }
            _ => {}
        }
        Ok(page)
    }

    async fn bulk_metric_history(&self, query: BulkHistoryQuery) -> Result<Vec<RunMetric>> {
        self.store.bulk_metric_history(query).await
    }

    async fn metric_interval(&self, query: IntervalQuery) -> Result<Vec<RunMetric>> {
        self.store.metric_interval(query).await
    }

    async fn log_inputs(
        &self,
        run: &RunId,
        datasets: Vec<DatasetInput>,
        models: Vec<ModelInput>,
    ) -> Result<()> {
        self.store.log_inputs(run, datasets, models).await
    }

    async fn log_outputs(&self, run: &RunId, models: Vec<ModelOutput>) -> Result<()> {
        self.store.log_outputs(run, models).await
    }

    async fn search_datasets(&self, experiments: &[ExperimentId]) -> Result<Vec<DatasetSummary>> {
        match self.fault {
            Fault::FindsNoDatasets => Ok(Vec::new()),
            _ => self.store.search_datasets(experiments).await,
        }
    }
}

#[async_trait]
impl Fixture for Fault {
    fn name(&self) -> &'static str {
        "faulty"
    }

    async fn fresh(&self) -> std::result::Result<World, Box<dyn Error + Send + Sync>> {
        let folder = tempfile::tempdir()?;
        let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
        let store = Arc::new(SqlStore::open(&uri, StoreOptions::default()).await?);
        let faulty = Faulty {
            store: Arc::clone(&store),
            fault: *self,
        };
        Ok(World::new(Arc::new(faulty), Arc::clone(&store) as _)
            .purging(Arc::clone(&store) as _)
            .registering(Arc::clone(&store) as _)
            .tracing(store)
            .holding(folder))
    }
}

/// Asserts that this case, which the real store passes, fails with the fault.
#[track_caller]
fn assert_found(fault: Fault, case: &str) {
    let report = tempfile::NamedTempFile::new().unwrap();
    let arguments = Arguments {
        exact: true,
        filter: Some(case.to_owned()),
        logfile: Some(report.path().display().to_string()),
        ..Arguments::default()
    };
    let fixture: Arc<dyn Fixture> = Arc::new(fault);
    let ended = libtest_mimic::run(&arguments, trials(&fixture));
    assert_eq!(
        (ended.num_failed, ended.num_passed),
        (1, 0),
        "{fault:?} in {case}"
    );
}

#[test]
fn faults_of_writes_are_found() {
    for (fault, case) in [
        (
            Fault::DropsTheLastTag,
            "batches::of_equal_tags_the_last_wins",
        ),
        (
            Fault::SplitsBatches,
            "batches::a_refused_batch_changes_nothing",
        ),
        (
            Fault::SplitsBatches,
            "concurrency::a_bad_batch_among_good_ones_fails_alone",
        ),
        (Fault::TakesEveryParam, "batches::a_param_does_not_change"),
        (
            Fault::ForgetsSteps,
            "batches::the_latest_point_has_the_largest_step",
        ),
        (
            Fault::RestoresNoRuns,
            "lifecycle::restoring_an_experiment_restores_all_its_runs",
        ),
        (
            Fault::SaysNotFoundForDeleted,
            "lifecycle::a_deleted_run_takes_no_empty_batch",
        ),
    ] {
        assert_found(fault, case);
    }
}

#[test]
fn faults_of_reads_are_found() {
    for (fault, case) in [
        (
            Fault::ReversesHistory,
            "history::points_come_by_timestamp_step_and_value",
        ),
        (
            Fault::RepeatsTheLastPage,
            "history::pages_visit_every_point_once",
        ),
        (
            Fault::FindsNoDatasets,
            "inputs::searching_datasets_lists_each_use_once",
        ),
    ] {
        assert_found(fault, case);
    }
}

#[test]
fn faults_of_searches_are_found() {
    for (fault, case) in [
        (
            Fault::IgnoresTheLastClause,
            "search_runs::filters::all_clauses_must_hold",
        ),
        (
            Fault::IgnoresTheLastClause,
            "search_runs::equivalence::filters_find_what_the_evaluation_in_memory_finds",
        ),
        (
            Fault::IgnoresTheLastClause,
            "search_experiments::all_clauses_must_hold",
        ),
        (
            Fault::IgnoresTheOrder,
            "search_runs::order::metrics_order_as_numbers",
        ),
        (
            Fault::IgnoresTheOrder,
            "search_experiments::experiments_order_by_name",
        ),
        (
            Fault::IgnoresTheView,
            "search_runs::paging::a_view_shows_active_runs_deleted_runs_or_both",
        ),
    ] {
        assert_found(fault, case);
    }
}
