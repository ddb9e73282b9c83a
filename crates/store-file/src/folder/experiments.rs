//! The folder of an experiment: its `meta.yaml` and its tags.

use runledger_entities::{Experiment, LifecycleStage, Tag};

use super::meta::{self, Fields};
use super::{Scratch, keys};
use crate::FolderError;
use crate::layout::{ExperimentFolder, META, Root};
use crate::write::Sync;
use crate::yaml::{Map, Yaml};

const TAGS: &str = "tags";

/// What may change of an experiment's `meta.yaml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExperimentMeta {
    /// The name.
    pub(crate) name: String,
    /// The URI under which its runs keep their artifacts.
    pub(crate) artifact_location: String,
    /// Active or deleted.
    pub(crate) lifecycle_stage: LifecycleStage,
    /// Milliseconds since the epoch; old versions did not write it.
    pub(crate) creation_time: Option<i64>,
    /// Milliseconds since the epoch of the last rename, delete or restore.
    pub(crate) last_update_time: Option<i64>,
}

/// Reads an experiment with its tags.
pub(crate) fn read_experiment(
    experiment: &ExperimentFolder,
    scratch: &mut Scratch,
) -> Result<Experiment, FolderError> {
    let (found, _) = read_meta(experiment, scratch)?;
    Ok(Experiment {
        experiment_id: experiment.experiment_id,
        name: found.name,
        artifact_location: found.artifact_location,
        lifecycle_stage: found.lifecycle_stage,
        creation_time: found.creation_time,
        last_update_time: found.last_update_time,
        tags: keys::read(&experiment.folder, TAGS, &mut scratch.text)?,
    })
}

fn read_meta(
    experiment: &ExperimentFolder,
    scratch: &mut Scratch,
) -> Result<(ExperimentMeta, Map), FolderError> {
    meta::patiently(&experiment.folder, META, || {
        read_meta_once(experiment, scratch)
    })
}

fn read_meta_once(
    experiment: &ExperimentFolder,
    scratch: &mut Scratch,
) -> Result<(ExperimentMeta, Map), FolderError> {
    let map = meta::read(&experiment.folder, META, &mut scratch.text)?;
    let fields = Fields {
        map: &map,
        folder: &experiment.folder,
        path: META,
    };
    let id = experiment.experiment_id.to_string();
    fields.same_id("experiment_id", &fields.text("experiment_id")?, &id)?;
    let found = ExperimentMeta {
        name: fields.text("name")?,
        artifact_location: fields.text("artifact_location")?,
        lifecycle_stage: fields.lifecycle_stage()?,
        creation_time: fields.optional_integer("creation_time")?,
        last_update_time: fields.optional_integer("last_update_time")?,
    };
    Ok((found, map))
}

/// Makes the folder of an experiment. Its tags come first, so that who sees the
/// `meta.yaml` sees all of it.
pub(crate) fn create_experiment(
    root: &Root,
    new: &Experiment,
    sync: Sync,
) -> Result<ExperimentFolder, FolderError> {
    let experiment = root.make_experiment(new.experiment_id)?;
    set_experiment_tags(&experiment, &new.tags, sync)?;
    let mut map = Map::new();
    map.insert(
        "experiment_id".to_owned(),
        Yaml::Str(new.experiment_id.to_string()),
    );
    let meta = ExperimentMeta {
        name: new.name.clone(),
        artifact_location: new.artifact_location.clone(),
        lifecycle_stage: new.lifecycle_stage,
        creation_time: new.creation_time,
        last_update_time: new.last_update_time,
    };
    put(&mut map, &meta);
    meta::replace(&experiment.folder, META, &map, sync)?;
    crate::write::flush(&root.folder, sync)?;
    Ok(experiment)
}

/// Rewrites the `meta.yaml`; keys that we do not know stay.
///
/// As MLflow does, the rewritten file lists the tags too, which nobody reads.
pub(crate) fn update_experiment(
    experiment: &ExperimentFolder,
    scratch: &mut Scratch,
    change: impl FnOnce(&mut ExperimentMeta),
    sync: Sync,
) -> Result<ExperimentMeta, FolderError> {
    let (mut found, mut map) = read_meta(experiment, scratch)?;
    change(&mut found);
    put(&mut map, &found);
    let tags: Vec<Tag> = keys::read(&experiment.folder, TAGS, &mut scratch.text)?;
    let tags = tags.into_iter().map(|tag| (tag.key, Yaml::Str(tag.value)));
    map.insert(TAGS.to_owned(), Yaml::Map(tags.collect()));
    meta::replace(&experiment.folder, META, &map, sync)?;
    Ok(found)
}

fn put(map: &mut Map, meta: &ExperimentMeta) {
    let time = |time: Option<i64>| time.map_or(Yaml::Null, Yaml::Int);
    for (key, value) in [
        ("artifact_location", meta.artifact_location.as_str().into()),
        ("creation_time", time(meta.creation_time)),
        ("last_update_time", time(meta.last_update_time)),
        ("lifecycle_stage", meta.lifecycle_stage.name().into()),
        ("name", meta.name.as_str().into()),
    ] {
        map.insert(key.to_owned(), value);
    }
}

/// Sets tags; of equal keys the last wins.
pub(crate) fn set_experiment_tags(
    experiment: &ExperimentFolder,
    tags: &[Tag],
    sync: Sync,
) -> Result<(), FolderError> {
    keys::set_tags(&experiment.folder, TAGS, tags, sync)
}

/// Deletes a tag; whether it was there.
pub(crate) fn delete_experiment_tag(
    experiment: &ExperimentFolder,
    key: &str,
    sync: Sync,
) -> Result<bool, FolderError> {
    keys::delete_tag(&experiment.folder, TAGS, key, sync)
}
