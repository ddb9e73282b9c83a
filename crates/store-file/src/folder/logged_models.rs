//! The folder of a logged model (MLflow 3.x): `meta.yaml`, params, tags, metrics.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use runledger_entities::{
    LifecycleStage, LoggedModel, LoggedModelMetric, LoggedModelStatus, Param, RunId, Tag,
};

use super::meta::{self, Fields};
use super::{Scratch, keys, metrics};
use crate::FolderError;
use crate::layout::{ExperimentFolder, META, ModelFolder, key_path};
use crate::metric_line::{Owner, Point, read_points};
use crate::write::{self, Sync};
use crate::yaml::{Map, Yaml};

const TAGS: &str = "tags";
const PARAMS: &str = "params";
const METRICS: &str = "metrics";

/// A logged model as its folder holds it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredModel {
    /// The model.
    pub(crate) model: LoggedModel,
    /// When it was deleted, in milliseconds since the epoch. MLflow 3.17 does not
    /// write it: its last update is that time then.
    pub(crate) deleted_time: Option<i64>,
}

/// What may change of a logged model's `meta.yaml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ModelMeta {
    /// Its name.
    pub(crate) name: String,
    /// The URI of its files.
    pub(crate) artifact_location: String,
    /// Milliseconds since the epoch.
    pub(crate) creation_timestamp: i64,
    /// Milliseconds since the epoch.
    pub(crate) last_updated_timestamp: i64,
    /// Whether its files are complete.
    pub(crate) status: LoggedModelStatus,
    /// More about the status.
    pub(crate) status_message: Option<String>,
    /// Free text, such as `Agent`.
    pub(crate) model_type: Option<String>,
    /// The run that made it.
    pub(crate) source_run_id: Option<String>,
    /// Active or deleted.
    pub(crate) lifecycle_stage: LifecycleStage,
    /// When it was deleted, in milliseconds since the epoch.
    pub(crate) deleted_time: Option<i64>,
}

/// Reads a logged model with its params, tags and the points of its metrics.
pub(crate) fn read_model(
    model: &ModelFolder,
    scratch: &mut Scratch,
) -> Result<StoredModel, FolderError> {
    let (found, _) = read_meta(model, scratch)?;
    let is_deleted = found.lifecycle_stage == LifecycleStage::Deleted;
    Ok(StoredModel {
        deleted_time: is_deleted
            .then(|| found.deleted_time.unwrap_or(found.last_updated_timestamp)),
        model: LoggedModel {
            model_id: model.model_id.clone(),
            experiment_id: model.experiment.experiment_id,
            name: found.name,
            artifact_location: found.artifact_location,
            creation_timestamp: found.creation_timestamp,
            last_updated_timestamp: found.last_updated_timestamp,
            status: found.status,
            status_message: found.status_message,
            model_type: found.model_type,
            source_run_id: found.source_run_id.map(RunId::new),
            lifecycle_stage: found.lifecycle_stage,
            tags: keys::read(&model.folder, TAGS, &mut scratch.text)?,
            params: keys::read(&model.folder, PARAMS, &mut scratch.text)?,
            metrics: read_metrics(model, scratch)?,
        },
    })
}

fn read_meta(model: &ModelFolder, scratch: &mut Scratch) -> Result<(ModelMeta, Map), FolderError> {
    meta::patiently(&model.folder, META, || read_meta_once(model, scratch))
}

fn read_meta_once(
    model: &ModelFolder,
    scratch: &mut Scratch,
) -> Result<(ModelMeta, Map), FolderError> {
    let map = meta::read(&model.folder, META, &mut scratch.text)?;
    let fields = Fields {
        map: &map,
        folder: &model.folder,
        path: META,
    };
    let experiment_id = model.experiment.experiment_id.to_string();
    let found = fields.text("experiment_id")?;
    fields.same_id("experiment_id", &found, &experiment_id)?;
    let found = fields.text("model_id")?;
    fields.same_id("model_id", &found, model.model_id.as_str())?;
    let number = fields.integer("status")?;
    let status = i32::try_from(number)
        .ok()
        .and_then(LoggedModelStatus::from_number)
        .ok_or_else(|| fields.wrong("status", format!("is {number}")))?;
    let found = ModelMeta {
        name: fields.text("name")?,
        artifact_location: fields.text("artifact_location")?,
        creation_timestamp: fields.integer("creation_timestamp")?,
        last_updated_timestamp: fields.integer("last_updated_timestamp")?,
        status,
        status_message: fields.optional_text("status_message")?,
        model_type: fields.optional_text("model_type")?,
        source_run_id: fields.optional_text("source_run_id")?,
        lifecycle_stage: fields.lifecycle_stage()?,
        deleted_time: fields.optional_integer("deleted_time")?,
    };
    Ok((found, map))
}

/// Points of a model that are remembered, beyond which only the last of each
/// series is.
const MOST_POINTS: usize = 50_000;

/// What tells one point of a model from another, in the order in which MLflow's
/// SQL store lists them.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    key: String,
    timestamp: i64,
    step: i64,
    run_id: String,
    dataset: Option<(String, String)>,
}

/// The points of a model; of equal ones the first.
#[derive(Debug, Default)]
struct Points(BTreeMap<Place, f64>);

impl Points {
    fn add(&mut self, key: &str, point: &Point<'_>) {
        let place = Place {
            key: key.to_owned(),
            timestamp: point.timestamp,
            step: point.step,
            run_id: point.run_id.unwrap_or_default().to_owned(),
            dataset: point.dataset.map(|(n, d)| (n.to_owned(), d.to_owned())),
        };
        self.0.entry(place).or_insert(point.value);
        if self.0.len() > MOST_POINTS {
            self.keep_the_last();
        }
    }

    /// Keeps the last point of each key, run and dataset.
    fn keep_the_last(&mut self) {
        /// Key, run and dataset.
        type Series = (String, String, Option<(String, String)>);
        let mut last: BTreeMap<Series, (Place, f64)> = BTreeMap::new();
        for (place, value) in std::mem::take(&mut self.0) {
            let series = (
                place.key.clone(),
                place.run_id.clone(),
                place.dataset.clone(),
            );
            last.insert(series, (place, value));
        }
        self.0 = last.into_values().collect();
    }
}

fn read_metrics(
    model: &ModelFolder,
    scratch: &mut Scratch,
) -> Result<Vec<LoggedModelMetric>, FolderError> {
    let mut points = Points::default();
    let lines = &mut scratch.lines;
    model.folder.walk(METRICS, &mut |entry| {
        let Some(mut file) = entry.open()? else {
            return Ok(());
        };
        let span = (0, file.state.size);
        read_points(
            &mut file.file,
            Owner::LoggedModel,
            span,
            lines,
            |point, _| {
                points.add(entry.key, point);
                ControlFlow::Continue(())
            },
        )
        .map(drop)
        .map_err(|error| FolderError::line(entry.path(), error))
    })?;
    let metrics = points.0.into_iter().map(|(place, value)| {
        let (dataset_name, dataset_digest) = place.dataset.unzip();
        LoggedModelMetric {
            key: place.key,
            value: Some(value),
            timestamp: place.timestamp,
            step: place.step,
            run_id: RunId::new(place.run_id),
            dataset_name,
            dataset_digest,
        }
    });
    Ok(metrics.collect())
}

/// Makes the folder of a logged model with its params and tags; its metrics are
/// appended. The `meta.yaml` comes last: a folder without one is no model.
pub(crate) fn create_model(
    experiment: &ExperimentFolder,
    new: &LoggedModel,
    sync: Sync,
) -> Result<ModelFolder, FolderError> {
    let pairs = new
        .params
        .iter()
        .map(|param| (PARAMS, &param.key, &param.value))
        .chain(new.tags.iter().map(|tag| (TAGS, &tag.key, &tag.value)));
    let files = pairs
        .map(|(folder, key, value)| Ok((key_path(folder, key)?, value.as_str())))
        .collect::<Result<Vec<_>, FolderError>>()?;
    let model = experiment.make_model(&new.model_id)?;
    for name in [PARAMS, METRICS] {
        model.folder.make_folder(name)?;
    }
    write::write_unseen(&model.folder, &files, sync)?;
    let mut map = Map::new();
    for (key, id) in [
        ("experiment_id", new.experiment_id.to_string()),
        ("model_id", new.model_id.to_string()),
    ] {
        map.insert(key.to_owned(), Yaml::Str(id));
    }
    let meta = ModelMeta {
        name: new.name.clone(),
        artifact_location: new.artifact_location.clone(),
        creation_timestamp: new.creation_timestamp,
        last_updated_timestamp: new.last_updated_timestamp,
        status: new.status,
        status_message: new.status_message.clone(),
        model_type: new.model_type.clone(),
        source_run_id: new.source_run_id.as_ref().map(ToString::to_string),
        lifecycle_stage: new.lifecycle_stage,
        deleted_time: None,
    };
    put(&mut map, &meta);
    meta::replace(&model.folder, META, &map, sync)?;
    // `models/` may be new itself.
    write::flush_path(&experiment.folder, "models/.", sync)?;
    Ok(model)
}

/// Rewrites the `meta.yaml`; keys that we do not know stay.
pub(crate) fn update_model(
    model: &ModelFolder,
    scratch: &mut Scratch,
    change: impl FnOnce(&mut ModelMeta),
    sync: Sync,
) -> Result<ModelMeta, FolderError> {
    let (mut found, mut map) = read_meta(model, scratch)?;
    change(&mut found);
    put(&mut map, &found);
    meta::replace(&model.folder, META, &map, sync)?;
    Ok(found)
}

fn put(map: &mut Map, meta: &ModelMeta) {
    let status = i64::from(meta.status.number());
    for (key, value) in [
        ("artifact_location", meta.artifact_location.as_str().into()),
        ("creation_timestamp", Yaml::Int(meta.creation_timestamp)),
        (
            "last_updated_timestamp",
            Yaml::Int(meta.last_updated_timestamp),
        ),
        ("lifecycle_stage", meta.lifecycle_stage.name().into()),
        ("model_type", Yaml::optional(meta.model_type.as_deref())),
        ("name", meta.name.as_str().into()),
        (
            "source_run_id",
            Yaml::optional(meta.source_run_id.as_deref()),
        ),
        ("status", Yaml::Int(status)),
        (
            "status_message",
            Yaml::optional(meta.status_message.as_deref()),
        ),
    ] {
        map.insert(key.to_owned(), value);
    }
    match meta.deleted_time {
        Some(time) => map.insert("deleted_time".to_owned(), Yaml::Int(time)),
        None => map.remove("deleted_time"),
    };
}

/// Adds params; one that is there keeps its value.
pub(crate) fn put_model_params(
    model: &ModelFolder,
    params: &[Param],
    sync: Sync,
) -> Result<(), FolderError> {
    let paths = params
        .iter()
        .map(|param| key_path(PARAMS, &param.key))
        .collect::<Result<Vec<_>, _>>()?;
    for (param, path) in params.iter().zip(paths) {
        write::create_new(&model.folder, &path, param.value.as_bytes(), sync)?;
    }
    Ok(())
}

/// Sets tags; of equal keys the last wins.
pub(crate) fn set_model_tags(
    model: &ModelFolder,
    tags: &[Tag],
    sync: Sync,
) -> Result<(), FolderError> {
    keys::set_tags(&model.folder, TAGS, tags, sync)
}

/// Deletes a tag; whether it was there.
pub(crate) fn delete_model_tag(
    model: &ModelFolder,
    key: &str,
    sync: Sync,
) -> Result<bool, FolderError> {
    keys::delete_tag(&model.folder, TAGS, key, sync)
}

/// Appends points to the metric files of a model, one write per key. Points
/// without a value are left out: a line has no form for them.
pub(crate) fn append_model_metrics(
    model: &ModelFolder,
    points: &[LoggedModelMetric],
    sync: Sync,
) -> Result<(), FolderError> {
    let points = points.iter().filter_map(|metric| {
        let dataset = metric.dataset_name.as_deref();
        let point = Point {
            value: metric.value?,
            timestamp: metric.timestamp,
            step: metric.step,
            run_id: Some(metric.run_id.as_str()),
            dataset: dataset.zip(metric.dataset_digest.as_deref()),
        };
        Some((metric.key.as_str(), point))
    });
    metrics::append(&model.folder, points, sync)
}
