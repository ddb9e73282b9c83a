//! What most cases begin and end with: making things, and reading them back.

use std::fmt::Debug;

use runledger_entities::{
    Coded, Dataset, DatasetInput, ErrorCode, Experiment, ExperimentId, LoggedModel, LoggedModelId,
    Metric, MetricModel, Param, Run, RunId, Tag, ViewType, validate,
};
use runledger_search::{Order, RunClause, RunKey};
use runledger_store::{
    Batch, HistoryQuery, NewExperiment, NewLoggedModel, NewRun, PageRequest, RunQuery, StoreError,
};

use crate::World;

/// A point of a metric: value, timestamp, step.
pub(crate) type Point = (f64, i64, i64);

/// Everything on one page.
pub(crate) fn whole() -> PageRequest {
    page(u32::MAX, None)
}

pub(crate) fn page(max_results: u32, token: Option<String>) -> PageRequest {
    PageRequest { max_results, token }
}

pub(crate) fn new_run(experiment_id: ExperimentId, name: &str) -> NewRun {
    NewRun {
        experiment_id,
        user_id: "ada".to_owned(),
        run_name: Some(name.to_owned()),
        start_time: 1_700_000_000_000,
        tags: Vec::new(),
    }
}

pub(crate) fn new_model(experiment_id: ExperimentId, name: &str) -> NewLoggedModel {
    NewLoggedModel {
        experiment_id,
        name: Some(name.to_owned()),
        model_type: None,
        source_run_id: None,
        params: Vec::new(),
        tags: Vec::new(),
    }
}

pub(crate) fn metrics(key: &str, points: &[Point]) -> Vec<Metric> {
    points
        .iter()
        .map(|&(value, timestamp, step)| Metric::new(key, value, timestamp, step))
        .collect()
}

pub(crate) fn params(pairs: &[(&str, &str)]) -> Vec<Param> {
    pairs.iter().map(|&(k, v)| Param::new(k, v)).collect()
}

pub(crate) fn tags(pairs: &[(&str, &str)]) -> Vec<Tag> {
    pairs.iter().map(|&(k, v)| Tag::new(k, v)).collect()
}

/// A use of a dataset, in a context unless that is empty.
pub(crate) fn dataset_input(name: &str, digest: &str, context: &str) -> DatasetInput {
    let tags = if context.is_empty() {
        Vec::new()
    } else {
        vec![Tag::new(Tag::DATASET_CONTEXT, context)]
    };
    DatasetInput {
        tags,
        dataset: Dataset {
            name: name.to_owned(),
            digest: digest.to_owned(),
            source_type: "local".to_owned(),
            source: "{}".to_owned(),
            schema: None,
            profile: None,
        },
    }
}

/// What a run records of a model, as `runs/log-model` takes it.
pub(crate) fn model_json(name: &str) -> String {
    format!(r#"{{"artifact_path":"{name}","flavors":{{}},"run_id":"r","utc_time_created":"now"}}"#)
}

/// A point as text, in which NaN equals itself and 0 differs from -0 no more
/// than in a database.
pub(crate) fn shown((value, timestamp, step): Point) -> String {
    let value = if value == 0.0 { 0.0 } else { value };
    format!("{value:?} at {timestamp}, step {step}")
}

pub(crate) fn shown_all(points: &[Point]) -> Vec<String> {
    points.iter().copied().map(shown).collect()
}

/// Lets the clock of the store move on.
pub(crate) async fn next_millisecond() {
    tokio::time::sleep(std::time::Duration::from_millis(3)).await;
}

/// Asserts that a call was refused with this code and these words.
#[track_caller]
pub(crate) fn assert_refused<T: Debug>(
    result: Result<T, StoreError>,
    code: ErrorCode,
    message: &str,
) {
    match result {
        Ok(value) => panic!("not refused: {value:?}; expected: {message}"),
        Err(error) => assert_eq!((error.code(), error.to_string().as_str()), (code, message)),
    }
}

impl World {
    /// Whether a metric, param or tag may have this key.
    pub(crate) fn takes_key(&self, key: &str) -> bool {
        !self.is_behind_a_server || validate::name("key", key).is_ok()
    }

    pub(crate) async fn experiment(&self, name: &str) -> Result<ExperimentId, StoreError> {
        self.tracking
            .create_experiment(NewExperiment {
                name: name.to_owned(),
                ..NewExperiment::default()
            })
            .await
    }

    pub(crate) async fn get_experiment(&self, id: ExperimentId) -> Result<Experiment, StoreError> {
        self.tracking.get_experiment(id).await
    }

    /// A run of this name in this experiment.
    pub(crate) async fn run(
        &self,
        experiment: ExperimentId,
        name: &str,
    ) -> Result<RunId, StoreError> {
        let run = self.tracking.create_run(new_run(experiment, name)).await?;
        Ok(run.info.run_id)
    }

    /// A run in an experiment of its own, for cases about one run.
    pub(crate) async fn one_run(&self) -> Result<RunId, StoreError> {
        let experiment = self.experiment("of one run").await?;
        self.run(experiment, "the run").await
    }

    pub(crate) async fn get(&self, run: &RunId) -> Result<Run, StoreError> {
        self.tracking.get_run(run).await
    }

    pub(crate) async fn log(&self, run: &RunId, batch: Batch) -> Result<(), StoreError> {
        self.tracking.log_batch(run, batch).await
    }

    pub(crate) async fn log_metrics(
        &self,
        run: &RunId,
        key: &str,
        points: &[Point],
    ) -> Result<(), StoreError> {
        let metrics = metrics(key, points);
        self.log(
            run,
            Batch {
                metrics,
                ..Batch::default()
            },
        )
        .await
    }

    pub(crate) async fn log_params(
        &self,
        run: &RunId,
        pairs: &[(&str, &str)],
    ) -> Result<(), StoreError> {
        let params = params(pairs);
        self.log(
            run,
            Batch {
                params,
                ..Batch::default()
            },
        )
        .await
    }

    pub(crate) async fn set_tags(
        &self,
        run: &RunId,
        pairs: &[(&str, &str)],
    ) -> Result<(), StoreError> {
        let tags = tags(pairs);
        self.log(
            run,
            Batch {
                tags,
                ..Batch::default()
            },
        )
        .await
    }

    /// The value of a tag.
    pub(crate) async fn tag(&self, run: &RunId, key: &str) -> Result<Option<String>, StoreError> {
        let tags = self.get(run).await?.data.tags;
        Ok(tags
            .into_iter()
            .find(|tag| tag.key == key)
            .map(|tag| tag.value))
    }

    /// The value of a param.
    pub(crate) async fn param(&self, run: &RunId, key: &str) -> Result<Option<String>, StoreError> {
        let params = self.get(run).await?.data.params;
        Ok(params
            .into_iter()
            .find(|param| param.key == key)
            .map(|param| param.value))
    }

    /// The latest point of a metric as [`shown`].
    pub(crate) async fn latest(&self, run: &RunId, key: &str) -> Result<String, StoreError> {
        let metrics = self.get(run).await?.data.metrics;
        let mut found: Vec<_> = metrics
            .into_iter()
            .filter(|metric| metric.key == key)
            .map(|metric| shown((metric.value, metric.timestamp, metric.step)))
            .collect();
        assert!(found.len() <= 1, "metric {key} is there twice: {found:?}");
        Ok(found.pop().unwrap_or_else(|| "missing".to_owned()))
    }

    /// The whole history of a metric.
    pub(crate) async fn history(&self, run: &RunId, key: &str) -> Result<Vec<Point>, StoreError> {
        let page = self
            .tracking
            .metric_history(HistoryQuery {
                run_id: run.clone(),
                key: key.to_owned(),
                page: whole(),
            })
            .await?;
        assert_eq!(page.next_token, None, "the whole history has one page");
        Ok(page
            .items
            .into_iter()
            .map(|metric| (metric.value, metric.timestamp, metric.step))
            .collect())
    }

    /// The names of the active runs that pass a filter, sorted.
    pub(crate) async fn found(
        &self,
        experiment: ExperimentId,
        filter: &[RunClause],
    ) -> Result<Vec<String>, StoreError> {
        let mut names = self.listed(experiment, filter, &[]).await?;
        names.sort();
        Ok(names)
    }

    /// The names of the active runs in an order.
    pub(crate) async fn ordered(
        &self,
        experiment: ExperimentId,
        order_by: &[Order<RunKey>],
    ) -> Result<Vec<String>, StoreError> {
        self.listed(experiment, &[], order_by).await
    }

    async fn listed(
        &self,
        experiment: ExperimentId,
        filter: &[RunClause],
        order_by: &[Order<RunKey>],
    ) -> Result<Vec<String>, StoreError> {
        let page = self
            .tracking
            .search_runs(RunQuery {
                experiment_ids: vec![experiment],
                view: ViewType::ActiveOnly,
                filter: filter.to_vec(),
                order_by: order_by.to_vec(),
                page: whole(),
            })
            .await?;
        assert_eq!(page.next_token, None, "everything fits on one page");
        Ok(page
            .items
            .into_iter()
            .map(|run| run.info.run_name.unwrap_or_default())
            .collect())
    }

    pub(crate) async fn model(
        &self,
        experiment: ExperimentId,
        name: &str,
    ) -> Result<LoggedModelId, StoreError> {
        let model = self
            .models
            .create_logged_model(new_model(experiment, name))
            .await?;
        Ok(model.model_id)
    }

    pub(crate) async fn get_model(&self, id: &LoggedModelId) -> Result<LoggedModel, StoreError> {
        self.models.get_logged_model(id).await
    }

    /// Logs a point of the metric `m` of a model, measured on a dataset of this
    /// name and digest.
    pub(crate) async fn measure(
        &self,
        run: &RunId,
        model: &LoggedModelId,
        (value, timestamp, step): Point,
        dataset: Option<(&str, &str)>,
    ) -> Result<(), StoreError> {
        let metric = Metric {
            model: Some(Box::new(MetricModel {
                model_id: Some(model.to_string()),
                dataset_name: dataset.map(|(name, _)| name.to_owned()),
                dataset_digest: dataset.map(|(_, digest)| digest.to_owned()),
            })),
            ..Metric::new("m", value, timestamp, step)
        };
        self.log(
            run,
            Batch {
                metrics: vec![metric],
                ..Batch::default()
            },
        )
        .await
    }
}
