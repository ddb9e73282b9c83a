//! The folder of a run: its `meta.yaml`, params and tags; metrics, inputs and
//! outputs are read from their own modules.

use runledger_entities::{Param, Run, RunData, RunInfo, RunStatus, Tag};

use super::meta::{self, Fields};
use super::metrics::{self, MetricFiles};
use super::{Scratch, inputs, keys};
use crate::FolderError;
use crate::error::ChangedParam;
use crate::layout::{ExperimentFolder, META, RunFolder, key_path};
use crate::write::{self, Created, Sync};
use crate::yaml::{Map, Yaml};

const TAGS: &str = "tags";
const PARAMS: &str = "params";

/// A run as its folder holds it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredRun {
    /// The run.
    pub(crate) run: Run,
    /// When it was deleted, in milliseconds since the epoch.
    pub(crate) deleted_time: Option<i64>,
    /// What a later reading can go on from.
    pub(crate) metrics: MetricFiles,
}

/// What a run's `meta.yaml` says. The ids are the folder's: changing them has no
/// effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunMeta {
    /// What the run is.
    pub(crate) info: RunInfo,
    /// When it was deleted, in milliseconds since the epoch.
    pub(crate) deleted_time: Option<i64>,
}

/// Reads a run with all that it logged; of the metric files in `previous` only
/// what was added.
pub(crate) fn read_run(
    run: &RunFolder,
    previous: Option<&MetricFiles>,
    scratch: &mut Scratch,
) -> Result<StoredRun, FolderError> {
    let (mut meta, _) = read_meta(run, scratch)?;
    let tags: Vec<Tag> = keys::read(&run.folder, TAGS, &mut scratch.text)?;
    if meta.info.run_name.is_none() {
        let name = tags.iter().find(|tag| tag.key == Tag::RUN_NAME);
        meta.info.run_name = name.map(|tag| tag.value.clone());
    }
    let metrics = metrics::read(&run.folder, previous, &mut scratch.lines)?;
    Ok(StoredRun {
        deleted_time: meta.deleted_time,
        run: Run {
            info: meta.info,
            data: RunData {
                metrics: metrics.metrics(),
                params: keys::read(&run.folder, PARAMS, &mut scratch.text)?,
                tags,
            },
            inputs: inputs::read_inputs(run, scratch)?,
            outputs: inputs::read_outputs(run, scratch)?,
        },
        metrics,
    })
}

/// Reads only what a run is. A name that stands in its tag alone is not seen.
pub(crate) fn read_run_meta(
    run: &RunFolder,
    scratch: &mut Scratch,
) -> Result<RunMeta, FolderError> {
    read_meta(run, scratch).map(|(meta, _)| meta)
}

fn read_meta(run: &RunFolder, scratch: &mut Scratch) -> Result<(RunMeta, Map), FolderError> {
    meta::patiently(&run.folder, META, || read_meta_once(run, scratch))
}

fn read_meta_once(run: &RunFolder, scratch: &mut Scratch) -> Result<(RunMeta, Map), FolderError> {
    let map = meta::read(&run.folder, META, &mut scratch.text)?;
    let fields = Fields {
        map: &map,
        folder: &run.folder,
        path: META,
    };
    let experiment_id = run.experiment.experiment_id;
    let found = fields.text("experiment_id")?;
    fields.same_id("experiment_id", &found, &experiment_id.to_string())?;
    // Versions before 1.0 know only `run_uuid`, 3.x only `run_id`.
    let found = match fields.optional_text("run_id")? {
        Some(id) => id,
        None => fields.text("run_uuid")?,
    };
    fields.same_id("run_id", &found, run.run_id.as_str())?;
    let status = match fields.optional_integer("status")? {
        None => RunStatus::Running,
        Some(number) => status_from_number(number)
            .ok_or_else(|| fields.wrong("status", format!("is {number}")))?,
    };
    let info = RunInfo {
        run_id: run.run_id.clone(),
        experiment_id,
        run_name: fields
            .optional_text("run_name")?
            .filter(|name| !name.is_empty()),
        user_id: fields.optional_text("user_id")?.unwrap_or_default(),
        status,
        start_time: fields.integer("start_time")?,
        end_time: fields.optional_integer("end_time")?,
        artifact_uri: fields.optional_text("artifact_uri")?.unwrap_or_default(),
        lifecycle_stage: fields.lifecycle_stage()?,
    };
    let deleted_time = fields.optional_integer("deleted_time")?;
    Ok((RunMeta { info, deleted_time }, map))
}

/// Makes the folder of a run with its tags. The `meta.yaml` comes last: a
/// folder without one is no run to anybody.
pub(crate) fn create_run(
    experiment: &ExperimentFolder,
    info: &RunInfo,
    tags: &[Tag],
    sync: Sync,
) -> Result<RunFolder, FolderError> {
    let files = tags
        .iter()
        .map(|tag| Ok((key_path(TAGS, &tag.key)?, tag.value.as_str())))
        .collect::<Result<Vec<_>, FolderError>>()?;
    let run = experiment.make_run(&info.run_id)?;
    // MLflow 3.x takes no folder for a run that lacks one of these.
    for name in ["metrics", PARAMS, "artifacts"] {
        run.folder.make_folder(name)?;
    }
    write::write_unseen(&run.folder, &files, sync)?;
    let mut map = Map::new();
    // Constants that MLflow keeps for its oldest versions.
    for key in ["entry_point_name", "source_name", "source_version"] {
        map.insert(key.to_owned(), "".into());
    }
    map.insert("source_type".to_owned(), Yaml::Int(4));
    map.insert(TAGS.to_owned(), Yaml::List(Vec::new()));
    put(&mut map, &run, info, None);
    meta::replace(&run.folder, META, &map, sync)?;
    write::flush(&experiment.folder, sync)?;
    Ok(run)
}

/// Rewrites the `meta.yaml`; keys that we do not know stay. The tag that holds
/// the name follows a change of the name.
pub(crate) fn update_meta(
    run: &RunFolder,
    scratch: &mut Scratch,
    change: impl FnOnce(&mut RunMeta),
    sync: Sync,
) -> Result<RunMeta, FolderError> {
    let (before, meta) = rewrite(run, scratch, change, sync)?;
    if meta.info.run_name != before.info.run_name
        && let Some(name) = &meta.info.run_name
    {
        let tag = Tag::new(Tag::RUN_NAME, name.as_str());
        keys::set_tags(&run.folder, TAGS, &[tag], sync)?;
    }
    Ok(meta)
}

/// The `meta.yaml` before and after.
fn rewrite(
    run: &RunFolder,
    scratch: &mut Scratch,
    change: impl FnOnce(&mut RunMeta),
    sync: Sync,
) -> Result<(RunMeta, RunMeta), FolderError> {
    let (before, mut map) = read_meta(run, scratch)?;
    let mut meta = before.clone();
    change(&mut meta);
    put(&mut map, run, &meta.info, meta.deleted_time);
    meta::replace(&run.folder, META, &map, sync)?;
    Ok((before, meta))
}

/// Writes what we know into the mapping: both `run_id`, which 3.x wants, and
/// `run_uuid`, without which 2.17 reads no run of the experiment.
fn put(map: &mut Map, run: &RunFolder, info: &RunInfo, deleted_time: Option<i64>) {
    let id = run.run_id.as_str();
    for (key, value) in [
        ("artifact_uri", info.artifact_uri.as_str().into()),
        ("end_time", info.end_time.map_or(Yaml::Null, Yaml::Int)),
        (
            "experiment_id",
            Yaml::Str(run.experiment.experiment_id.to_string()),
        ),
        ("lifecycle_stage", info.lifecycle_stage.name().into()),
        ("run_id", id.into()),
        ("run_uuid", id.into()),
        ("start_time", Yaml::Int(info.start_time)),
        ("status", Yaml::Int(status_number(info.status))),
        ("user_id", info.user_id.as_str().into()),
    ] {
        map.insert(key.to_owned(), value);
    }
    // Without a name, what stands there stays: the name is in the tag then.
    match &info.run_name {
        Some(name) => map.insert("run_name".to_owned(), name.as_str().into()),
        None => None,
    };
    map.entry("run_name".to_owned())
        .or_insert_with(|| "".into());
    match deleted_time {
        Some(time) => map.insert("deleted_time".to_owned(), Yaml::Int(time)),
        None => map.remove("deleted_time"),
    };
}

/// Sets params that are not there yet.
///
/// Where one is there with another value, nothing is written, and all such are
/// in [`FolderError::ParamsChanged`]. Only if another process sets one of them
/// in the middle of this, those before it stay.
pub(crate) fn put_params(
    run: &RunFolder,
    params: &[Param],
    scratch: &mut Scratch,
    sync: Sync,
) -> Result<(), FolderError> {
    let mut missing = Vec::new();
    let mut changed = Vec::new();
    for param in params {
        let path = key_path(PARAMS, &param.key)?;
        match is_equal(run, &path, param, scratch) {
            Err(error) if error.is_missing() => missing.push((path, param)),
            Ok(equal) => changed.extend(equal.err()),
            Err(error) => return Err(error),
        }
    }
    if changed.is_empty() {
        for (path, param) in missing {
            let created = write::create_new(&run.folder, &path, param.value.as_bytes(), sync)?;
            if created == Created::Exists {
                changed.extend(is_equal(run, &path, param, scratch)?.err());
            }
        }
    }
    if changed.is_empty() {
        Ok(())
    } else {
        Err(FolderError::ParamsChanged(changed))
    }
}

fn is_equal(
    run: &RunFolder,
    path: &str,
    param: &Param,
    scratch: &mut Scratch,
) -> Result<Result<(), ChangedParam>, FolderError> {
    run.folder
        .read(path, keys::MAX_VALUE_BYTES, &mut scratch.text)?;
    if scratch.text == param.value.as_bytes() {
        return Ok(Ok(()));
    }
    Ok(Err(ChangedParam {
        key: param.key.clone(),
        old: String::from_utf8_lossy(&scratch.text).into_owned(),
        new: param.value.clone(),
    }))
}

/// Sets tags; of equal keys the last wins. The one that holds the name changes
/// the `meta.yaml` too.
pub(crate) fn set_tags(
    run: &RunFolder,
    tags: &[Tag],
    scratch: &mut Scratch,
    sync: Sync,
) -> Result<(), FolderError> {
    keys::set_tags(&run.folder, TAGS, tags, sync)?;
    match tags.iter().rfind(|tag| tag.key == Tag::RUN_NAME) {
        None => Ok(()),
        Some(tag) => {
            let rename = |meta: &mut RunMeta| meta.info.run_name = Some(tag.value.clone());
            rewrite(run, scratch, rename, sync).map(drop)
        }
    }
}

/// Deletes a tag; whether it was there.
pub(crate) fn delete_tag(run: &RunFolder, key: &str, sync: Sync) -> Result<bool, FolderError> {
    keys::delete_tag(&run.folder, TAGS, key, sync)
}

const STATUSES: [RunStatus; 5] = [
    RunStatus::Running,
    RunStatus::Scheduled,
    RunStatus::Finished,
    RunStatus::Failed,
    RunStatus::Killed,
];

fn status_number(status: RunStatus) -> i64 {
    let place = STATUSES.iter().zip(1..).find(|(one, _)| **one == status);
    place.map_or(1, |(_, number)| number)
}

fn status_from_number(number: i64) -> Option<RunStatus> {
    let place = usize::try_from(number).ok()?.checked_sub(1)?;
    STATUSES.get(place).copied()
}
