//! What training writes: metrics, params and tags.

use runledger_entities::{LoggedModelId, LoggedModelMetric, Metric, Param, RunId, Tag};
use runledger_store::{Batch, Resource, StoreError};

use super::{Files, refused};
use crate::{
    folder::{
        Scratch,
        logged_models::append_model_metrics,
        metrics::append_metrics,
        runs::{put_params, set_tags},
    },
    index::internal,
    layout::{ModelFolder, RunFolder, key_path},
};

impl Files {
    /// Logs a batch. Whatever can be refused is looked at before anything is
    /// written; params, which can be refused to the last, come first.
    pub(super) fn log_batch(
        &self,
        id: &RunId,
        batch: Batch,
        single_param: bool,
    ) -> Result<(), StoreError> {
        let _lock = self.locks.run(id);
        let run = self.active_run(id)?;
        let refused = |error| refused(id, error, single_param);
        let Batch {
            metrics,
            params,
            mut tags,
        } = batch;
        // A run keeps its name (MLflow 3.17).
        tags.retain(|tag| tag.key != Tag::RUN_NAME || !tag.value.is_empty());
        // A single one is refused by its own file.
        if metrics.len() + params.len() + tags.len() > 1 {
            refuse_nested(&run, "metrics", metrics.iter().map(|metric| &*metric.key))?;
            refuse_nested(&run, "params", params.iter().map(|param| &*param.key))?;
            refuse_nested(&run, "tags", tags.iter().map(|tag| &*tag.key))?;
        }
        let models = self.models_of(&metrics)?;
        if !params.is_empty() {
            put_params(&run, &params, &mut Scratch::default(), self.sync).map_err(refused)?;
        }
        if !metrics.is_empty() {
            // A line with a dataset is no line to MLflow 2.x, and has no step in
            // 3.x: it stands in the file of the model alone.
            let plain: Vec<Metric> = metrics
                .iter()
                .map(|metric| {
                    Metric::new(&*metric.key, metric.value, metric.timestamp, metric.step)
                })
                .collect();
            append_metrics(&run, &plain, self.sync).map_err(refused)?;
            self.log_model_metrics(&run, &metrics, &models)?;
        }
        let mut last: Vec<Tag> = Vec::with_capacity(tags.len());
        for tag in tags {
            last.retain(|known| known.key != tag.key);
            last.push(tag);
        }
        if !last.is_empty() {
            set_tags(&run, &last, &mut Scratch::default(), self.sync).map_err(refused)?;
        }
        Ok(())
    }

    pub(super) fn log_param(&self, id: &RunId, param: Param) -> Result<(), StoreError> {
        let batch = Batch {
            params: vec![param],
            ..Batch::default()
        };
        self.log_batch(id, batch, true)
    }

    /// The logged models that metrics name, each of which must be there.
    fn models_of(&self, metrics: &[Metric]) -> Result<Vec<ModelFolder>, StoreError> {
        let mut ids: Vec<&str> = metrics.iter().filter_map(model_of).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter()
            .map(|id| {
                self.find_model(&LoggedModelId::new(id))?
                    .ok_or_else(|| StoreError::not_found(Resource::LoggedModel, id))
            })
            .collect()
    }

    /// Adds the metrics that name a logged model to the model's own files.
    fn log_model_metrics(
        &self,
        run: &RunFolder,
        metrics: &[Metric],
        models: &[ModelFolder],
    ) -> Result<(), StoreError> {
        for model in models {
            let _lock = self.locks.model(&model.model_id);
            let points: Vec<LoggedModelMetric> = metrics
                .iter()
                .filter(|metric| model_of(metric) == Some(model.model_id.as_str()))
                .map(|metric| {
                    let model = metric.model.as_deref();
                    // Fields stand between spaces: a name with one breaks the line.
                    let dataset = model.and_then(|model| {
                        let name = model.dataset_name.clone()?;
                        let digest = model.dataset_digest.clone()?;
                        let whole =
                            |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
                        (whole(&name) && whole(&digest)).then_some((name, digest))
                    });
                    let (dataset_name, dataset_digest) = dataset.unzip();
                    LoggedModelMetric {
                        key: metric.key.clone(),
                        value: Some(metric.value),
                        timestamp: metric.timestamp,
                        step: metric.step,
                        run_id: run.run_id.clone(),
                        dataset_name,
                        dataset_digest,
                    }
                })
                .collect();
            append_model_metrics(model, &points, self.sync).map_err(internal)?;
        }
        Ok(())
    }

    /// Appends to the list of models in a tag of the run.
    pub(super) fn record_logged_model(&self, id: &RunId, json: &str) -> Result<(), StoreError> {
        let _lock = self.locks.run(id);
        let mut scratch = Scratch::default();
        let run = self.active_run(id)?;
        let model: serde_json::Value = serde_json::from_str(json).map_err(|_| {
            StoreError::invalid(format!(
                "Malformed model info. \n {json} is not a valid JSON."
            ))
        })?;
        let path = format!("tags/{}", Tag::LOGGED_MODELS);
        let mut models: Vec<serde_json::Value> = match run.folder.read_text(&path, LONGEST_LIST) {
            Err(error) if error.is_missing() => Vec::new(),
            text => {
                let text = text.map_err(internal)?;
                serde_json::from_str(&text).map_err(|_| StoreError::Corrupt {
                    place: "tags",
                    key: format!("{} of run {id}", Tag::LOGGED_MODELS),
                    reason: "it is not a JSON list".to_owned(),
                })?
            }
        };
        models.push(model);
        let tag = Tag::new(
            Tag::LOGGED_MODELS,
            serde_json::Value::from(models).to_string(),
        );
        set_tags(&run, &[tag], &mut scratch, self.sync).map_err(|error| refused(id, error, true))
    }
}

/// The logged model that a metric names.
fn model_of(metric: &Metric) -> Option<&str> {
    metric.model.as_deref()?.model_id.as_deref()
}

/// The longest list of models that is read, in bytes.
const LONGEST_LIST: u64 = 16 * 1024 * 1024;

/// Fails where a key would need a folder in the place of a file, or the other way
/// round: in this batch, or in what is there.
fn refuse_nested<'k>(
    run: &RunFolder,
    folder: &str,
    keys: impl Iterator<Item = &'k str>,
) -> Result<(), StoreError> {
    let mut keys: Vec<&str> = keys.collect();
    keys.sort_unstable();
    keys.dedup();
    let conflict = |key: &str, other: &str| {
        StoreError::invalid(format!(
            "The name '{key}' cannot be used beside '{other}': each is a file here, and one would \
             have to be a folder of the other."
        ))
    };
    for key in &keys {
        key_path(folder, key).map_err(|error| refused(&run.run_id, error, true))?;
        for (at, _) in key.match_indices('/') {
            let above = &key[..at];
            if keys.binary_search(&above).is_ok() {
                return Err(conflict(key, above));
            }
            let path = format!("{folder}/{above}");
            if run.folder.exists(&path) && !run.folder.is_folder(&path) {
                return Err(conflict(key, above));
            }
        }
        if run.folder.is_folder(&format!("{folder}/{key}")) {
            return Err(conflict(key, &format!("{key}/…")));
        }
    }
    Ok(())
}
