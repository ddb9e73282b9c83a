//! Logged models.
//!
//! A model names the run that made it, and points of runs name the model they were measured
//! on. So models come when the runs are there, and with each its points: a folder would keep
//! a point twice that comes with its run and again with its model.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use runledger::{Client, rest};
use runledger_entities::{
    ExperimentId, InvalidValue, LoggedModel, LoggedModelId, LoggedModelStatus, Metric, MetricModel,
    RunId, Tag, limits, validate,
};
use runledger_store::{LoggedModelPatch, LoggedModelQuery, NewLoggedModel, PageRequest};

use super::{INCOMPLETE, artifacts, log};
use crate::args::MovingArgs;
use crate::command::CommandError;
use crate::transfer::measured::{Point, value};
use crate::transfer::{Done, MODEL, MODELS, Owner, files, is_lacking};

/// The tag with the id that a model had where it comes from.
const SOURCE: &str = "runledger.import.model_id";

/// The logged models of an archive.
#[derive(Debug, Default)]
pub(super) struct Models {
    /// Those that are there, by the ids that they had before.
    whole: HashMap<String, LoggedModelId>,
    cut_short: HashMap<String, Vec<LoggedModelId>>,
    /// The points that come with models, by the ids that their runs had before.
    points: HashMap<String, HashSet<Point>>,
    /// Whether the store can have none.
    is_lacking: bool,
}

impl Models {
    /// Looks which models of an experiment are there, and which points come with the others.
    pub(super) async fn look(
        &mut self,
        client: &Client,
        directory: &Path,
        target: ExperimentId,
        done: &mut Done,
    ) -> Result<(), CommandError> {
        let folders = files::whole(&directory.join(MODELS), MODEL).await?;
        if folders.is_empty() || self.is_lacking {
            return Ok(());
        }
        if !self.look_up(client, target).await? {
            self.is_lacking = true;
            done.left_out.push(format!(
                "the logged models were left out: {} has none, which need MLflow 3",
                client.uri()
            ));
            return Ok(());
        }
        for folder in folders {
            let model = read(&folder).await?;
            if self.whole.contains_key(model.model_id.as_str()) {
                continue;
            }
            for metric in &model.metrics {
                let run = metric.run_id.as_str().to_owned();
                let points = self.points.entry(run).or_default();
                points.insert(Point::of_model(metric));
            }
        }
        Ok(())
    }

    /// Looks up the models of an experiment that were imported; whether there can be any.
    async fn look_up(
        &mut self,
        client: &Client,
        target: ExperimentId,
    ) -> Result<bool, CommandError> {
        let mut query = LoggedModelQuery {
            experiment_ids: vec![target],
            filter: Vec::new(),
            datasets: Vec::new(),
            order_by: Vec::new(),
            page: PageRequest {
                max_results: limits::SEARCH_DEFAULT_RESULTS,
                token: None,
            },
        };
        loop {
            let page = match client.models().search_logged_models(query.clone()).await {
                Err(error) if is_lacking(&error) => return Ok(false),
                page => page?,
            };
            for model in page.items {
                let tag = |key: &str| model.tags.iter().find(|tag| tag.key == key);
                let Some(source) = tag(SOURCE).map(|tag| tag.value.clone()) else {
                    continue;
                };
                if tag(INCOMPLETE).is_some() {
                    let cut_short = self.cut_short.entry(source).or_default();
                    // Two experiments of an archive may become one.
                    if !cut_short.contains(&model.model_id) {
                        cut_short.push(model.model_id);
                    }
                } else {
                    self.whole.insert(source, model.model_id);
                }
            }
            query.page.token = page.next_token;
            if query.page.token.is_none() {
                return Ok(true);
            }
        }
    }

    /// Whether a point of a run comes with a model.
    pub(super) fn has_point(&self, run: &str, metric: &Metric) -> bool {
        let points = self.points.get(run);
        points.is_some_and(|points| points.contains(&Point::of(metric)))
    }

    /// Whether the store has none, and was to get some.
    pub(super) fn are_lacking(&self) -> bool {
        self.is_lacking
    }

    /// The id that a model has now, if it is there.
    pub(super) fn now(&self, before: &LoggedModelId) -> Option<&LoggedModelId> {
        self.whole.get(before.as_str())
    }

    /// Reads the models of an experiment. One that was cut short is deleted, and read anew.
    pub(super) async fn import(
        &mut self,
        client: &Client,
        moving: &MovingArgs,
        (directory, target): (&Path, ExperimentId),
        runs: &HashMap<String, RunId>,
        done: &mut Done,
    ) -> Result<(), CommandError> {
        if self.is_lacking {
            return Ok(());
        }
        for folder in files::whole(&directory.join(MODELS), MODEL).await? {
            let model = read(&folder).await?;
            let source = model.model_id.as_str();
            for id in self.cut_short.remove(source).unwrap_or_default() {
                client.models().delete_logged_model(&id).await?;
            }
            if self.whole.contains_key(source) {
                done.logged_models.before += 1;
                continue;
            }
            let id = one(
                client,
                moving,
                (folder.as_path(), target),
                &model,
                runs,
                done,
            )
            .await?;
            self.whole.insert(source.to_owned(), id);
            done.logged_models.now += 1;
        }
        Ok(())
    }
}

/// The model in a folder, of which every value can be kept.
async fn read(folder: &Path) -> Result<LoggedModel, CommandError> {
    let file = folder.join(MODEL);
    let value = files::read_json(&file).await?;
    let model = rest::read::logged_model(&value["model"]);
    let model = model.map_err(|error| files::unreadable(&file, &error))?;
    let checked = check(&model);
    checked.map_err(|error| files::unreadable(&file, &error))?;
    Ok(model)
}

fn check(model: &LoggedModel) -> Result<(), InvalidValue> {
    validate::logged_model_name(&model.name)?;
    validate::length("name", &model.name, limits::LOGGED_MODEL_NAME)?;
    if let Some(kind) = &model.model_type {
        validate::length("model_type", kind, limits::LOGGED_MODEL_NAME)?;
    }
    let params = model.params.iter().map(|param| &param.key);
    for key in params.chain(model.tags.iter().map(|tag| &tag.key)) {
        validate::length("key", key, limits::LOGGED_MODEL_KEY)?;
    }
    Ok(())
}

/// Reads a model with all that belongs to it.
async fn one(
    client: &Client,
    moving: &MovingArgs,
    (directory, target): (&Path, ExperimentId),
    model: &LoggedModel,
    runs: &HashMap<String, RunId>,
    done: &mut Done,
) -> Result<LoggedModelId, CommandError> {
    let source = model.model_id.as_str();
    let maker = model.source_run_id.as_ref();
    let maker = maker.and_then(|run| runs.get(run.as_str()).cloned());
    let new = NewLoggedModel {
        experiment_id: target,
        name: Some(model.name.clone()),
        model_type: model.model_type.clone(),
        source_run_id: maker,
        params: Vec::new(),
        tags: vec![Tag::new(SOURCE, source), Tag::new(INCOMPLETE, "true")],
    };
    let store = client.models();
    let id = store.create_logged_model(new).await?.model_id;
    for params in model.params.chunks(limits::BATCH_PARAMS) {
        store.log_logged_model_params(&id, params.to_vec()).await?;
    }
    let mut tags = model.tags.clone();
    // Of an earlier import, into the store that it comes from; and of the registry there.
    let other = [SOURCE, INCOMPLETE, Tag::MODEL_VERSIONS];
    tags.retain(|tag| !other.contains(&tag.key.as_str()));
    for tags in tags.chunks(limits::BATCH_TAGS) {
        store.set_logged_model_tags(&id, tags.to_vec()).await?;
    }
    let (from, to) = (Owner::Model(source), Owner::Model(id.as_str()));
    done.files += artifacts(moving, directory, from, to).await?;
    if matches!(
        model.status,
        LoggedModelStatus::Ready | LoggedModelStatus::UploadFailed
    ) {
        let patch = LoggedModelPatch {
            status: model.status,
        };
        store.update_logged_model(&id, patch).await?;
    }
    // At last: were this cut short, a folder would keep them twice.
    points(client, &id, model, runs, done).await?;
    store.delete_logged_model_tag(&id, INCOMPLETE).await?;
    Ok(id)
}

/// Logs the points of a model, to their runs.
async fn points(
    client: &Client,
    id: &LoggedModelId,
    model: &LoggedModel,
    runs: &HashMap<String, RunId>,
    done: &mut Done,
) -> Result<(), CommandError> {
    let mut points: BTreeMap<&RunId, Vec<Metric>> = BTreeMap::new();
    let mut unknown = 0;
    for metric in &model.metrics {
        let Some(run) = runs.get(metric.run_id.as_str()) else {
            unknown += 1;
            continue;
        };
        let of = MetricModel {
            model_id: Some(id.as_str().to_owned()),
            dataset_name: metric.dataset_name.clone(),
            dataset_digest: metric.dataset_digest.clone(),
        };
        points.entry(run).or_default().push(Metric {
            key: metric.key.clone(),
            value: value(metric),
            timestamp: metric.timestamp,
            step: metric.step,
            model: Some(Box::new(of)),
        });
    }
    for (run, points) in points {
        log(client, run, points).await?;
    }
    if unknown > 0 {
        done.left_out.push(format!(
            "{unknown} metrics of logged model {} were left out: their runs were not imported",
            model.model_id
        ));
    }
    Ok(())
}
