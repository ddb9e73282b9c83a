//! The folder of a trace: `trace_info.yaml`, metadata, tags, and what is about it.
//!
//! MLflow 3.x writes and reads `trace_info.yaml` in a form of its own, and reads the
//! one of 2.x too, which has no place for previews and for the client's id. A trace
//! without those is written in the older form, so that both versions read it: 2.17
//! finds no trace at all in an experiment that has one in the newer form.
//!
//! `links/` and `spans.jsonl` are Runledger's own, and not looked at by MLflow.

use std::collections::BTreeMap;

use runledger_entities::{RunId, Tag, TraceInfo, TraceState, time, trace_keys};
use runledger_store::AdoptedTrace;

use super::assessments;
use super::meta::{self, Fields};
use super::{Scratch, keys, spans, trace_numbers};
use crate::FolderError;
use crate::layout::{ExperimentFolder, TRACES, TraceFolder, key_path, text_id};
use crate::write::{self, Sync};
use crate::yaml::{Map, Yaml};

/// The file that makes a folder a trace.
pub(crate) const TRACE_INFO: &str = "trace_info.yaml";
const TAGS: &str = "tags";
const METADATA: &str = "request_metadata";
const RUNS: &str = "links/runs";
const PROMPTS: &str = "links/prompts";

/// Keys of the newer form alone.
const NEWER: [&str; 8] = [
    "client_request_id",
    "execution_duration_ms",
    "request_preview",
    "request_time",
    "response_preview",
    "state",
    "trace_id",
    "trace_location",
];
/// Keys of the older form alone.
const OLDER: [&str; 5] = [
    "execution_time_ms",
    "experiment_id",
    "request_id",
    "status",
    "timestamp_ms",
];

/// A trace as its folder holds it, without its spans.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StoredTrace {
    /// What is known about it. That spans are kept beside it is among the tags, where
    /// no file of a tag says otherwise.
    pub(crate) info: TraceInfo,
    /// All keys of its `trace_info.yaml`.
    map: Map,
}

/// Reads a trace with its tags, metadata and assessments.
pub(crate) fn read_trace(
    trace: &TraceFolder,
    scratch: &mut Scratch,
) -> Result<StoredTrace, FolderError> {
    let buffer = &mut scratch.text;
    let mut stored = meta::patiently(&trace.folder, TRACE_INFO, || {
        let map = meta::read(&trace.folder, TRACE_INFO, buffer)?;
        let fields = Fields {
            map: &map,
            folder: &trace.folder,
            path: TRACE_INFO,
        };
        let info = info_of(&fields, trace)?;
        Ok(StoredTrace { info, map })
    })?;
    let info = &mut stored.info;
    info.tags = pairs(trace, TAGS, buffer)?;
    info.metadata = pairs(trace, METADATA, buffer)?;
    trace_numbers::tidy(&mut info.metadata);
    info.assessments = assessments::read_all(trace, buffer)?;
    if spans::are_there(trace)? {
        info.tags
            .entry(trace_keys::SPANS_LOCATION.to_owned())
            .or_insert_with(|| trace_keys::IN_STORE.to_owned());
    }
    Ok(stored)
}

fn pairs(
    trace: &TraceFolder,
    folder: &str,
    buffer: &mut Vec<u8>,
) -> Result<BTreeMap<String, String>, FolderError> {
    let tags: Vec<Tag> = keys::read(&trace.folder, folder, buffer)?;
    Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

/// What the file says, in either form. The experiment is that of the folder.
fn info_of(fields: &Fields<'_>, trace: &TraceFolder) -> Result<TraceInfo, FolderError> {
    let is_older = fields.map.contains_key("request_id");
    let [id, state] = if is_older {
        ["request_id", "status"]
    } else {
        ["trace_id", "state"]
    };
    fields.same_id(id, &fields.text(id)?, trace.trace_id.as_str())?;
    let name = fields.text(state)?;
    let state =
        TraceState::from_name(&name).ok_or_else(|| fields.wrong(state, format!("is '{name}'")))?;
    let (request_time, execution_duration) = if is_older {
        (
            fields.integer("timestamp_ms")?,
            fields.optional_integer("execution_time_ms")?,
        )
    } else {
        let text = fields.text("request_time")?;
        let time = time::parse_timestamp(&text)
            .ok_or_else(|| fields.wrong("request_time", format!("is '{text}'")))?;
        (time, fields.optional_integer("execution_duration_ms")?)
    };
    Ok(TraceInfo {
        trace_id: trace.trace_id.clone(),
        experiment_id: trace.experiment.experiment_id,
        request_time,
        execution_duration,
        state,
        client_request_id: fields.optional_text("client_request_id")?,
        request_preview: fields.optional_text("request_preview")?,
        response_preview: fields.optional_text("response_preview")?,
        metadata: BTreeMap::new(),
        tags: BTreeMap::new(),
        assessments: Vec::new(),
    })
}

/// Writes what `info` says into the keys of `map`; keys that we do not know stay.
fn put(map: &mut Map, info: &TraceInfo) {
    let texts = [
        ("client_request_id", info.client_request_id.as_deref()),
        ("request_preview", info.request_preview.as_deref()),
        ("response_preview", info.response_preview.as_deref()),
    ];
    let is_newer = map.contains_key("trace_id") || texts.iter().any(|(_, text)| text.is_some());
    let others: &[&str] = if is_newer { &OLDER } else { &NEWER };
    for key in others {
        map.remove(*key);
    }
    let id: Yaml = info.trace_id.as_str().into();
    let experiment = Yaml::Str(info.experiment_id.to_string());
    let duration = info.execution_duration.map(Yaml::Int);
    let mut set = |key: &str, value: Yaml| map.insert(key.to_owned(), value);
    if !is_newer {
        set("execution_time_ms", duration.unwrap_or(Yaml::Null));
        set("experiment_id", experiment);
        set("request_id", id);
        set("status", info.state.status_name().into());
        set("timestamp_ms", Yaml::Int(info.request_time));
        return;
    }
    set(
        "request_time",
        Yaml::Str(time::timestamp(info.request_time)),
    );
    set("state", info.state.name().into());
    set("trace_id", id);
    let experiment = Map::from([("experiment_id".to_owned(), experiment)]);
    let location = Map::from([
        ("mlflow_experiment".to_owned(), Yaml::Map(experiment)),
        ("type".to_owned(), "MLFLOW_EXPERIMENT".into()),
    ]);
    set("trace_location", Yaml::Map(location));
    let texts = texts.map(|(key, text)| (key, text.map(Yaml::from)));
    for (key, value) in texts
        .into_iter()
        .chain([("execution_duration_ms", duration)])
    {
        match value {
            Some(value) => map.insert(key.to_owned(), value),
            None => map.remove(key),
        };
    }
}

/// The files of tags and metadata. That spans are kept beside the trace is no tag: a
/// reader of MLflow's would ask its store for them, and fail.
fn files_of(
    info: &TraceInfo,
    is_new: impl Fn(&str, &str, &str) -> bool,
) -> Result<Vec<(String, &str)>, FolderError> {
    let mut files = Vec::new();
    for (folder, pairs) in [(METADATA, &info.metadata), (TAGS, &info.tags)] {
        for (key, value) in pairs {
            let is_here = key == trace_keys::SPANS_LOCATION && value == trace_keys::IN_STORE;
            if !is_here && is_new(folder, key, value) {
                files.push((key_path(folder, key)?, value.as_str()));
            }
        }
    }
    Ok(files)
}

/// Makes the folder of a new trace, with all that is known about it but its spans, which
/// `before` may add. `trace_info.yaml` comes last: a folder without one is no trace.
pub(crate) fn create_trace(
    experiment: &ExperimentFolder,
    info: &TraceInfo,
    before: impl FnOnce(&TraceFolder) -> Result<(), FolderError>,
    sync: Sync,
) -> Result<TraceFolder, FolderError> {
    let files = files_of(info, |_, _, _| true)?;
    let trace = experiment.make_trace(&info.trace_id)?;
    for name in [METADATA, TAGS] {
        trace.folder.make_folder(name)?;
    }
    before(&trace)?;
    write::write_unseen(&trace.folder, &files, sync)?;
    for assessment in &info.assessments {
        assessments::put_assessment(&trace, assessment, sync)?;
    }
    let mut map = Map::new();
    put(&mut map, info);
    meta::replace(&trace.folder, TRACE_INFO, &map, sync)?;
    // `traces/` may be new itself.
    write::flush_path(&experiment.folder, &format!("{TRACES}/."), sync)?;
    Ok(trace)
}

/// Writes what is different in `info` from what is `stored`, but for assessments.
/// Nothing is removed.
pub(crate) fn update_trace(
    trace: &TraceFolder,
    stored: &StoredTrace,
    info: &TraceInfo,
    sync: Sync,
) -> Result<(), FolderError> {
    let files = files_of(info, |folder, key, value| {
        let old = match folder {
            TAGS => &stored.info.tags,
            _ => &stored.info.metadata,
        };
        old.get(key).is_none_or(|old| old != value)
    })?;
    for (path, value) in files {
        write::replace(&trace.folder, &path, value.as_bytes(), sync)?;
    }
    let mut map = stored.map.clone();
    put(&mut map, info);
    if map == stored.map {
        return Ok(());
    }
    meta::replace(&trace.folder, TRACE_INFO, &map, sync)
}

/// Sets a tag.
pub(crate) fn set_trace_tag(trace: &TraceFolder, tag: &Tag, sync: Sync) -> Result<(), FolderError> {
    keys::set_tags(&trace.folder, TAGS, std::slice::from_ref(tag), sync)
}

/// Deletes a tag; whether it was there.
pub(crate) fn delete_trace_tag(
    trace: &TraceFolder,
    key: &str,
    sync: Sync,
) -> Result<bool, FolderError> {
    keys::delete_tag(&trace.folder, TAGS, key, sync)
}

/// Whether a key can be the name of a file.
pub(crate) fn is_key(key: &str) -> bool {
    key_path(TAGS, key).is_ok()
}

/// The runs and the versions of prompts that a trace is linked to.
fn read_links(trace: &TraceFolder) -> Result<(Vec<RunId>, Vec<String>), FolderError> {
    let names = |folder| {
        let mut names = Vec::new();
        trace.folder.walk(folder, &mut |entry| {
            names.push(entry.key.to_owned());
            Ok(())
        })?;
        names.sort_unstable();
        Ok::<_, FolderError>(names)
    };
    // A folder that is not there has nothing below it either.
    if !trace.folder.exists("links") {
        return Ok((Vec::new(), Vec::new()));
    }
    let runs = names(RUNS)?.into_iter().map(RunId::new).collect();
    Ok((runs, names(PROMPTS)?))
}

/// A trace with its spans and links.
pub(crate) fn complete(trace: &TraceFolder, info: TraceInfo) -> Result<AdoptedTrace, FolderError> {
    let spans = if info.has_spans_in_store() {
        // The index, and a database that it is copied to, are to have all of it.
        spans::read_spans(trace, u64::MAX)?
    } else {
        Vec::new()
    };
    let (runs, prompts) = read_links(trace)?;
    Ok(AdoptedTrace {
        info,
        spans,
        runs,
        prompts,
    })
}

/// Links a trace to a run.
pub(crate) fn link_run(trace: &TraceFolder, run: &RunId, sync: Sync) -> Result<(), FolderError> {
    text_id("run", run.as_str())?;
    let path = key_path(RUNS, run.as_str())?;
    write::create_new(&trace.folder, &path, b"", sync).map(drop)
}

/// Links a trace to a version of a prompt.
pub(crate) fn link_prompt(
    trace: &TraceFolder,
    prompt: &str,
    sync: Sync,
) -> Result<(), FolderError> {
    let path = key_path(PROMPTS, prompt)?;
    write::create_new(&trace.folder, &path, b"", sync).map(drop)
}
