//! The methods of [`TrackingStore`], each a call of the REST API or a few.

use std::collections::BTreeSet;
use std::fmt;

use async_trait::async_trait;
use runledger_entities::{
    DatasetInput, DatasetSummary, Experiment, ExperimentId, Metric, ModelInput, ModelOutput, Param,
    Run, RunId, RunInfo, RunStatus, Tag, limits,
};
use runledger_protocol::Endpoint;
use runledger_search::Order;
use runledger_store::{
    Batch, BulkHistoryQuery, ExperimentQuery, HistoryQuery, IntervalQuery, NewExperiment, NewRun,
    Page, PageRequest, Resource, RunMetric, RunPatch, RunQuery, StoreError, StoreKind,
    TrackingStore,
};
use serde_json::{Map, Value, json};

use super::{RestStore, answers, gather::Gather, refusal, requests};

/// Experiments and runs of one request.
const PAGE: u32 = 1000;

#[async_trait]
impl TrackingStore for RestStore {
    /// What [`RestStore::learn_kind`] found out; a database before that.
    fn kind(&self) -> StoreKind {
        self.kind.get().copied().flatten().unwrap_or(StoreKind::Sql)
    }

    async fn create_experiment(&self, new: NewExperiment) -> Result<ExperimentId, StoreError> {
        let mut body = Map::new();
        body.insert("name".to_owned(), json!(new.name));
        requests::insert(
            &mut body,
            "artifact_location",
            new.artifact_location.as_deref(),
        );
        body.insert("tags".to_owned(), requests::list(&new.tags, requests::tag));
        let created = self
            .post_once(Endpoint::CreateExperiment, &Value::Object(body))
            .await
            .map_err(|error| {
                let name = new.name.clone();
                refusal::known(error, [StoreError::ExperimentExists { name }])
            })?;
        answers::experiment_id(&created)
    }

    async fn get_experiment(&self, id: ExperimentId) -> Result<Experiment, StoreError> {
        let answer = self
            .get(
                Endpoint::GetExperiment,
                &[("experiment_id", &id.to_string())],
            )
            .await
            .map_err(refusal::of_experiment(id))?;
        answers::experiment(answers::member(&answer, "experiment")?)
    }

    async fn get_experiment_by_name(&self, name: &str) -> Result<Experiment, StoreError> {
        let answer = self
            .get(Endpoint::GetExperimentByName, &[("experiment_name", name)])
            .await
            .map_err(|error| {
                let unknown = StoreError::not_found(Resource::ExperimentName, name);
                refusal::known(error, [unknown])
            })?;
        answers::experiment(answers::member(&answer, "experiment")?)
    }

    async fn search_experiments(
        &self,
        query: ExperimentQuery,
    ) -> Result<Page<Experiment>, StoreError> {
        let filter = joined(&query.filter);
        let order: Vec<String> = query.order_by.iter().map(ToString::to_string).collect();
        check_spelling(
            &filter,
            query.filter.as_slice(),
            runledger_search::parse_experiment_filter,
        )?;
        let mut gather = Gather::new(query.page, PAGE);
        while let Some(page) = gather.next() {
            let mut body = searching(&page, &filter, &order);
            body.insert("view_type".to_owned(), json!(requests::view(query.view)));
            let answer = self
                .post(Endpoint::SearchExperiments, &Value::Object(body))
                .await
                .map_err(plainly)?;
            gather.add(answers::page(&answer, "experiments", answers::experiment)?);
        }
        Ok(gather.page())
    }

    async fn delete_experiment(&self, id: ExperimentId) -> Result<(), StoreError> {
        self.of_experiment(Endpoint::DeleteExperiment, id).await
    }

    async fn restore_experiment(&self, id: ExperimentId) -> Result<(), StoreError> {
        self.of_experiment(Endpoint::RestoreExperiment, id).await
    }

    async fn rename_experiment(&self, id: ExperimentId, name: String) -> Result<(), StoreError> {
        let body = json!({"experiment_id": id.to_string(), "new_name": name});
        let renamed = self.post(Endpoint::UpdateExperiment, &body).await;
        renamed.map(drop).map_err(|error| {
            let mut candidates = refusal::experiment(id);
            candidates.push(StoreError::ExperimentExists { name });
            candidates.push(StoreError::RenameDeleted);
            refusal::known(error, candidates)
        })
    }

    async fn set_experiment_tag(&self, id: ExperimentId, tag: Tag) -> Result<(), StoreError> {
        let body = json!({
            "experiment_id": id.to_string(), "key": tag.key, "value": tag.value
        });
        let set = self.post(Endpoint::SetExperimentTag, &body).await;
        set.map(drop).map_err(refusal::of_experiment(id))
    }

    async fn delete_experiment_tag(&self, id: ExperimentId, key: &str) -> Result<(), StoreError> {
        let body = json!({"experiment_id": id.to_string(), "key": key});
        let deleted = self.post_once(Endpoint::DeleteExperimentTag, &body).await;
        deleted.map(drop).map_err(|error| {
            let mut candidates = refusal::experiment(id);
            candidates.push(StoreError::not_found_in(Resource::ExperimentTag, key, id));
            refusal::known(error, candidates)
        })
    }

    async fn create_run(&self, new: NewRun) -> Result<Run, StoreError> {
        let mut body = Map::new();
        let id = new.experiment_id;
        body.insert("experiment_id".to_owned(), json!(id.to_string()));
        body.insert("user_id".to_owned(), json!(new.user_id));
        requests::insert(&mut body, "run_name", new.run_name.as_deref());
        body.insert("start_time".to_owned(), json!(new.start_time));
        body.insert("tags".to_owned(), requests::list(&new.tags, requests::tag));
        let answer = self
            .post_once(Endpoint::CreateRun, &Value::Object(body))
            .await
            .map_err(refusal::of_experiment(id))?;
        answers::run(answers::member(&answer, "run")?)
    }

    async fn get_run(&self, id: &RunId) -> Result<Run, StoreError> {
        // Servers older than MLflow 1.0 know the other name only, and ours both.
        let query = [("run_id", id.as_str()), ("run_uuid", id.as_str())];
        let answer = self
            .get(Endpoint::GetRun, &query)
            .await
            .map_err(refusal::of_run(id))?;
        answers::run(answers::member(&answer, "run")?)
    }

    async fn update_run(&self, id: &RunId, patch: RunPatch) -> Result<RunInfo, StoreError> {
        let mut body = Map::new();
        body.insert("run_id".to_owned(), json!(id.as_str()));
        body.insert("run_uuid".to_owned(), json!(id.as_str()));
        requests::insert(&mut body, "status", patch.status.map(RunStatus::name));
        if let Some(time) = patch.end_time {
            body.insert("end_time".to_owned(), json!(time));
        }
        requests::insert(&mut body, "run_name", patch.run_name.as_deref());
        let answer = self
            .post(Endpoint::UpdateRun, &Value::Object(body))
            .await
            .map_err(refusal::of_run(id))?;
        answers::info(answers::member(&answer, "run_info")?)
    }

    async fn delete_run(&self, id: &RunId) -> Result<(), StoreError> {
        self.of_run(Endpoint::DeleteRun, id).await
    }

    async fn restore_run(&self, id: &RunId) -> Result<(), StoreError> {
        self.of_run(Endpoint::RestoreRun, id).await
    }

    async fn search_runs(&self, query: RunQuery) -> Result<Page<Run>, StoreError> {
        let filter = joined(&query.filter);
        let order: Vec<String> = query.order_by.iter().map(ToString::to_string).collect();
        check_spelling(
            &filter,
            query.filter.as_slice(),
            runledger_search::parse_run_filter,
        )?;
        let ids: Vec<String> = query
            .experiment_ids
            .iter()
            .map(ToString::to_string)
            .collect();
        let mut gather = Gather::new(query.page, PAGE);
        while let Some(page) = gather.next() {
            let mut body = searching(&page, &filter, &order);
            body.insert("experiment_ids".to_owned(), json!(ids));
            body.insert(
                "run_view_type".to_owned(),
                json!(requests::view(query.view)),
            );
            let answer = self
                .post(Endpoint::SearchRuns, &Value::Object(body))
                .await
                .map_err(plainly)?;
            gather.add(answers::page(&answer, "runs", answers::run)?);
        }
        Ok(gather.page())
    }

    async fn log_batch(&self, run: &RunId, batch: Batch) -> Result<(), StoreError> {
        let body = json!({
            "run_id": run.as_str(),
            "metrics": requests::list(&batch.metrics, requests::metric),
            "params": requests::list(&batch.params, requests::param),
            "tags": requests::list(&batch.tags, requests::tag),
        });
        let is_repeatable = batch.metrics.is_empty() || self.drops_equal_points().await?;
        let logged = if is_repeatable {
            self.post(Endpoint::LogBatch, &body).await
        } else {
            self.post_once(Endpoint::LogBatch, &body).await
        };
        logged
            .map(drop)
            .map_err(|error| refusal::of_params(run, &batch.params, error, false))
    }

    async fn log_param(&self, run: &RunId, param: Param) -> Result<(), StoreError> {
        let body = json!({
            "run_id": run.as_str(), "run_uuid": run.as_str(),
            "key": param.key, "value": param.value,
        });
        let logged = self.post(Endpoint::LogParam, &body).await;
        logged
            .map(drop)
            .map_err(|error| refusal::of_params(run, &[param], error, true))
    }

    async fn delete_tag(&self, run: &RunId, key: &str) -> Result<(), StoreError> {
        let body = json!({"run_id": run.as_str(), "key": key});
        let deleted = self.post_once(Endpoint::DeleteTag, &body).await;
        deleted.map(drop).map_err(|error| {
            let mut candidates = refusal::run(run);
            candidates.push(StoreError::not_found_in(Resource::RunTag, key, run));
            refusal::known(error, candidates)
        })
    }

    async fn record_logged_model(&self, run: &RunId, model_json: &str) -> Result<(), StoreError> {
        let body = json!({"run_id": run.as_str(), "model_json": model_json});
        let logged = self.post_once(Endpoint::LogModel, &body).await;
        logged.map(drop).map_err(refusal::of_run(run))
    }

    async fn metric_history(&self, query: HistoryQuery) -> Result<Page<Metric>, StoreError> {
        let run = query.run_id.as_str();
        let mut gather = Gather::new(query.page, limits::HISTORY_MAX_RESULTS);
        while let Some(page) = gather.next() {
            let most = page.max_results.to_string();
            let mut asked = vec![
                ("run_id", run),
                ("run_uuid", run),
                ("metric_key", query.key.as_str()),
                ("max_results", most.as_str()),
            ];
            if let Some(token) = &page.token {
                asked.push(("page_token", token));
            }
            let answer = self
                .get(Endpoint::GetMetricHistory, &asked)
                .await
                .map_err(refusal::of_run(&query.run_id))?;
            gather.add(answers::page(&answer, "metrics", answers::metric)?);
        }
        Ok(gather.page())
    }

    async fn bulk_metric_history(
        &self,
        query: BulkHistoryQuery,
    ) -> Result<Vec<RunMetric>, StoreError> {
        let fits = query.max_results <= limits::HISTORY_MAX_RESULTS
            && (1..=limits::BULK_HISTORY_RUNS).contains(&query.run_ids.len());
        if !fits {
            return self.histories(query).await;
        }
        let most = query.max_results.to_string();
        let mut asked = vec![
            ("metric_key", query.key.as_str()),
            ("max_results", most.as_str()),
        ];
        asked.extend(query.run_ids.iter().map(|run| ("run_id", run.as_str())));
        let answer = self
            .get(Endpoint::GetMetricHistoryBulk, &asked)
            .await
            .map_err(plainly)?;
        answers::run_metrics(&answer)
    }

    /// At most 2,500 points per run, as many as MLflow's server gives.
    async fn metric_interval(&self, query: IntervalQuery) -> Result<Vec<RunMetric>, StoreError> {
        let most = query.max_results.to_string();
        let steps = query
            .steps
            .map(|(start, end)| [start.to_string(), end.to_string()]);
        let mut found = Vec::new();
        for runs in query.run_ids.chunks(limits::BULK_HISTORY_RUNS) {
            let mut asked = vec![
                ("metric_key", query.key.as_str()),
                ("max_results", most.as_str()),
            ];
            if let Some([start, end]) = &steps {
                asked.push(("start_step", start));
                asked.push(("end_step", end));
            }
            asked.extend(runs.iter().map(|run| ("run_ids", run.as_str())));
            let answer = self
                .get(Endpoint::GetMetricInterval, &asked)
                .await
                .map_err(plainly)?;
            found.extend(answers::run_metrics(&answer)?);
        }
        Ok(found)
    }

    async fn log_inputs(
        &self,
        run: &RunId,
        datasets: Vec<DatasetInput>,
        models: Vec<ModelInput>,
    ) -> Result<(), StoreError> {
        let body = json!({
            "run_id": run.as_str(),
            "datasets": requests::list(&datasets, requests::dataset),
            "models": requests::list(&models, requests::model_input),
        });
        let logged = self.post(Endpoint::LogInputs, &body).await;
        logged.map(drop).map_err(refusal::of_run(run))
    }

    async fn log_outputs(&self, run: &RunId, models: Vec<ModelOutput>) -> Result<(), StoreError> {
        let body = json!({
            "run_id": run.as_str(),
            "models": requests::list(&models, requests::model_output),
        });
        let logged = self.post(Endpoint::LogOutputs, &body).await;
        logged.map(drop).map_err(refusal::of_run(run))
    }

    async fn search_datasets(
        &self,
        experiments: &[ExperimentId],
    ) -> Result<Vec<DatasetSummary>, StoreError> {
        let mut found = Vec::new();
        for ids in experiments.chunks(limits::DATASET_SEARCH_EXPERIMENTS) {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            let body = json!({"experiment_ids": ids});
            let answer = self
                .post(Endpoint::SearchDatasets, &body)
                .await
                .map_err(plainly)?;
            found.extend(answers::datasets(&answer)?);
        }
        found.truncate(limits::DATASET_SEARCH_RESULTS);
        Ok(found)
    }
}

impl RestStore {
    async fn of_experiment(&self, endpoint: Endpoint, id: ExperimentId) -> Result<(), StoreError> {
        let body = json!({"experiment_id": id.to_string()});
        let done = self.post_once(endpoint, &body).await;
        done.map(drop).map_err(refusal::of_experiment(id))
    }

    async fn of_run(&self, endpoint: Endpoint, id: &RunId) -> Result<(), StoreError> {
        let body = json!({"run_id": id.as_str()});
        let done = self.post(endpoint, &body).await;
        done.map(drop).map_err(refusal::of_run(id))
    }

    /// More than one request gives: the history of each run.
    async fn histories(&self, query: BulkHistoryQuery) -> Result<Vec<RunMetric>, StoreError> {
        let mut found = Vec::new();
        let mut wanting = query.max_results;
        let runs: BTreeSet<RunId> = query.run_ids.into_iter().collect();
        for run_id in runs {
            if wanting == 0 {
                break;
            }
            let history = HistoryQuery {
                run_id: run_id.clone(),
                key: query.key.clone(),
                page: PageRequest {
                    max_results: wanting,
                    token: None,
                },
            };
            let items = self.metric_history(history).await?.items;
            wanting = wanting.saturating_sub(u32::try_from(items.len()).unwrap_or(u32::MAX));
            found.extend(items.into_iter().map(|metric| RunMetric {
                run_id: run_id.clone(),
                metric,
            }));
        }
        Ok(found)
    }
}

/// The members that all searches have.
fn searching(page: &PageRequest, filter: &str, order: &[String]) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("max_results".to_owned(), json!(page.max_results));
    if !filter.is_empty() {
        body.insert("filter".to_owned(), json!(filter));
    }
    if !order.is_empty() {
        body.insert("order_by".to_owned(), json!(order));
    }
    requests::insert(&mut body, "page_token", page.token.as_deref());
    body
}

pub(super) fn joined<C: ToString>(clauses: &[C]) -> String {
    let clauses: Vec<String> = clauses.iter().map(ToString::to_string).collect();
    clauses.join(" AND ")
}

/// The clauses of an order, each key once: named again it decides nothing, and servers refuse it.
pub(super) fn order_texts<K: PartialEq + fmt::Display>(order: &[Order<K>]) -> Vec<String> {
    let first = |at: usize| {
        order[..at]
            .iter()
            .all(|earlier| earlier.key != order[at].key)
    };
    let kept = (0..order.len()).filter(|at| first(*at));
    kept.map(|at| order[at].to_string()).collect()
}

/// Refuses a filter whose text means something else.
pub(super) fn check_spelling<F: ?Sized, R: PartialEq<F>>(
    text: &str,
    filter: &F,
    parse: impl Fn(&str) -> Result<R, runledger_search::SearchError>,
) -> Result<(), StoreError> {
    if parse(text).is_ok_and(|read| read == *filter) {
        return Ok(());
    }
    Err(StoreError::invalid(format!(
        "The filter cannot be sent to a tracking server: nothing in MLflow's grammar means it. It \
         would be: {}",
        text.chars().take(300).collect::<String>()
    )))
}

/// The error of a call that is about no one thing.
pub(super) fn plainly(error: StoreError) -> StoreError {
    refusal::known(error, [])
}
