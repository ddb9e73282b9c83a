//! Traces that clients tell about, their tags and links, and their deletion.

use std::collections::HashSet;

use runledger_entities::{
    Experiment, ExperimentId, RunId, StoredSpan, Tag, Trace, TraceId, TraceInfo, TraceState,
    limits, trace_keys,
};
use runledger_store::{AdoptedTrace, NewTrace, Resource, StoreError, TraceEnd, locations};

use super::{Files, refused, unreadable};
use crate::{
    FolderError,
    folder::{
        Scratch,
        assessments::put_assessment,
        removal::remove_trace,
        spans::read_spans,
        traces::{
            StoredTrace, complete, create_trace, delete_trace_tag, link_prompt, link_run,
            read_trace, set_trace_tag, update_trace,
        },
    },
    index::internal,
    layout::{ExperimentFolder, TraceFolder},
};

impl Files {
    pub(super) fn begin_trace(&self, id: TraceId, new: NewTrace) -> Result<TraceInfo, StoreError> {
        self.root()?;
        let (folder, experiment) = self.active_experiment(new.experiment_id)?;
        let mut info = TraceInfo {
            experiment_id: new.experiment_id,
            request_time: new.request_time,
            execution_duration: None,
            state: TraceState::InProgress,
            client_request_id: None,
            request_preview: None,
            response_preview: None,
            metadata: new.metadata,
            tags: new.tags,
            assessments: Vec::new(),
            trace_id: id,
        };
        locate(&mut info, &experiment);
        let _lock = self.locks.trace(&info.trace_id);
        let trace = create_trace(&folder, &info, |_| Ok(()), self.sync).map_err(trace_error)?;
        read_back(&trace)
    }

    pub(super) fn end_trace(&self, id: &TraceId, end: TraceEnd) -> Result<TraceInfo, StoreError> {
        let _lock = self.locks.trace(id);
        let (trace, stored) = self.trace(id)?;
        let mut info = stored.info.clone();
        info.execution_duration = Some(end.end_time.saturating_sub(info.request_time));
        info.state = end.state;
        info.metadata.extend(end.metadata);
        info.tags.extend(end.tags);
        update_trace(&trace, &stored, &info, self.sync).map_err(trace_error)?;
        read_back(&trace)
    }

    pub(super) fn start_trace(&self, mut told: TraceInfo) -> Result<TraceInfo, StoreError> {
        self.root()?;
        let (folder, experiment) = self.active_experiment(told.experiment_id)?;
        locate(&mut told, &experiment);
        let finalized = "true".to_owned();
        told.metadata
            .insert(trace_keys::FINALIZED.to_owned(), finalized);
        let now = self.now();
        for assessment in &mut told.assessments {
            for time in [
                &mut assessment.create_time,
                &mut assessment.last_update_time,
            ] {
                *time = if *time == 0 { now } else { *time };
            }
            assessment.valid = true;
        }
        let id = told.trace_id.clone();
        let _lock = self.locks.trace(&id);
        let known = match self.trace(&id) {
            Err(StoreError::NotFound { .. }) => None,
            known => Some(known?),
        };
        let Some((mut trace, stored)) = known else {
            let trace = create_trace(&folder, &told, |_| Ok(()), self.sync).map_err(trace_error)?;
            return read_back(&trace);
        };
        let elsewhere = |place: &String| place != trace_keys::IN_STORE;
        let place = stored.info.tags.get(trace_keys::SPANS_LOCATION);
        if place.is_some_and(elsewhere) {
            return Err(StoreError::InvalidState {
                message: format!("Cannot update traces that are no longer DB-backed: '{id}'."),
            });
        }
        if trace.experiment.experiment_id != told.experiment_id {
            trace = trace
                .experiment
                .move_trace(&id, &folder)
                .map_err(internal)?;
        }
        let assessments = std::mem::take(&mut told.assessments);
        let info = merged(&stored.info, told);
        update_trace(&trace, &stored, &info, self.sync).map_err(trace_error)?;
        for assessment in &assessments {
            put_assessment(&trace, assessment, self.sync).map_err(trace_error)?;
        }
        read_back(&trace)
    }

    /// A trace of this id, wherever it is.
    pub(super) fn trace(&self, id: &TraceId) -> Result<(TraceFolder, StoredTrace), StoreError> {
        let missing = || StoreError::not_found(Resource::Trace, id);
        let trace = self.find_trace(id)?.ok_or_else(missing)?;
        match read_trace(&trace, &mut Scratch::default()) {
            // A folder without its file is no trace, or none any more.
            Err(error) if error.is_missing() => Err(missing()),
            stored => Ok((trace, stored.map_err(|error| unreadable(&error))?)),
        }
    }

    pub(super) fn find_trace(&self, id: &TraceId) -> Result<Option<TraceFolder>, StoreError> {
        let Some(root) = self.existing_root()? else {
            return Ok(None);
        };
        match root.find_trace(id, self.index.experiment_of_trace(id)) {
            Err(FolderError::Id { .. }) => Ok(None),
            found => found.map_err(internal),
        }
    }

    /// Traces in the order of these ids, each once. One that cannot be read is passed
    /// over.
    pub(super) fn traces(
        &self,
        ids: &[TraceId],
        experiments: Option<&[ExperimentId]>,
    ) -> Result<Vec<(TraceFolder, TraceInfo)>, StoreError> {
        let mut seen = HashSet::new();
        let mut found = Vec::new();
        for id in ids.iter().filter(|id| seen.insert(*id)) {
            let (trace, stored) = match self.trace(id) {
                Ok(found) => found,
                Err(StoreError::NotFound { .. }) => continue,
                Err(error @ StoreError::Corrupt { .. }) => {
                    tracing::warn!(trace = %id, %error, "a trace is passed over");
                    continue;
                }
                Err(error) => return Err(error),
            };
            if experiments.is_none_or(|some| some.contains(&stored.info.experiment_id)) {
                found.push((trace, stored.info));
            }
        }
        Ok(found)
    }

    pub(super) fn traces_with_spans(
        &self,
        ids: &[TraceId],
        experiments: Option<&[ExperimentId]>,
    ) -> Result<Vec<Trace>, StoreError> {
        let traces = self.traces(ids, experiments)?.into_iter();
        let mut left = limits::SPANS_READ_BYTES.unsigned_abs();
        let whole = traces.map(|(trace, info)| {
            let spans = if info.has_spans_in_store() {
                read_spans(&trace, left).map_err(|error| match error {
                    FolderError::TooLong { .. } => StoreError::too_many_spans(),
                    error => unreadable(&error),
                })?
            } else {
                Vec::new()
            };
            let bytes = spans.iter().map(|span| span.content.len() as u64).sum();
            left = left.saturating_sub(bytes);
            let spans = spans.into_iter().map(|span| StoredSpan {
                content: span.content,
            });
            Ok(Trace {
                info,
                spans: spans.collect(),
            })
        });
        whole.collect()
    }

    /// Traces with all that belongs to them.
    pub(super) fn whole_traces(&self, ids: &[TraceId]) -> Result<Vec<AdoptedTrace>, StoreError> {
        let traces = self.traces(ids, None)?.into_iter();
        let whole =
            traces.map(|(trace, info)| complete(&trace, info).map_err(|error| unreadable(&error)));
        whole.collect()
    }

    pub(super) fn set_trace_tag(&self, id: &TraceId, tag: &Tag) -> Result<(), StoreError> {
        let _lock = self.locks.trace(id);
        let (trace, _) = self.trace(id)?;
        set_trace_tag(&trace, tag, self.sync).map_err(trace_error)
    }

    pub(super) fn delete_trace_tag(&self, id: &TraceId, key: &str) -> Result<(), StoreError> {
        let missing = || StoreError::not_found_in(Resource::TraceTag, key, id);
        let _lock = self.locks.trace(id);
        let trace = self.find_trace(id)?.ok_or_else(missing)?;
        match delete_trace_tag(&trace, key, self.sync) {
            Ok(true) => Ok(()),
            Ok(false) | Err(FolderError::Key { .. }) => Err(missing()),
            Err(error) => Err(internal(error)),
        }
    }

    /// Deletes these traces as far as they are of the experiment; says how many.
    pub(super) fn delete_traces(
        &self,
        experiment: ExperimentId,
        ids: &[TraceId],
    ) -> Result<u64, StoreError> {
        let folder = match self.experiment(experiment) {
            Err(StoreError::NotFound { .. }) => return Ok(0),
            found => found?.1,
        };
        let mut deleted = 0;
        for id in ids {
            let _lock = self.locks.trace(id);
            let trace = match folder.trace(id) {
                Err(FolderError::Id { .. }) => continue,
                Err(error) if error.is_missing() => continue,
                trace => trace.map_err(internal)?,
            };
            match remove_trace(&trace) {
                // Another process deleted it at the same time.
                Err(error) if error.is_missing() => {}
                removed => {
                    removed.map_err(internal)?;
                    deleted += 1;
                }
            }
        }
        Ok(deleted)
    }

    /// Links the traces that are there.
    pub(super) fn link_traces(&self, ids: &[TraceId], run: &RunId) -> Result<(), StoreError> {
        for id in ids {
            let _lock = self.locks.trace(id);
            if let Some(trace) = self.find_trace(id)? {
                link_run(&trace, run, self.sync).map_err(trace_error)?;
            }
        }
        Ok(())
    }

    pub(super) fn link_prompts(&self, id: &TraceId, prompts: &[String]) -> Result<(), StoreError> {
        let _lock = self.locks.trace(id);
        let (trace, _) = self.trace(id)?;
        for prompt in prompts {
            link_prompt(&trace, prompt, self.sync).map_err(trace_error)?;
        }
        Ok(())
    }

    /// The folder of an experiment that traces are made in, and what it says.
    pub(super) fn experiment_of_new(
        &self,
        id: ExperimentId,
    ) -> Result<(ExperimentFolder, Experiment), StoreError> {
        self.root()?;
        let (_, folder) = self.experiment(id)?;
        let experiment = super::experiments::read(&folder)?;
        Ok((folder, experiment))
    }
}

/// What is known of a trace after a client told about it again.
fn merged(known: &TraceInfo, told: TraceInfo) -> TraceInfo {
    let mut info = known.clone();
    info.experiment_id = told.experiment_id;
    info.request_time = told.request_time;
    info.execution_duration = told.execution_duration;
    info.state = told.state;
    info.client_request_id = told.client_request_id;
    info.request_preview = told.request_preview.or(info.request_preview);
    info.response_preview = told.response_preview.or(info.response_preview);
    info.metadata.extend(told.metadata);
    info.tags.extend(told.tags);
    info
}

/// Says where a trace keeps its files.
pub(super) fn locate(info: &mut TraceInfo, experiment: &Experiment) {
    let segments = ["traces", info.trace_id.as_str(), "artifacts"];
    let location = locations::append(&experiment.artifact_location, &segments);
    info.tags
        .insert(trace_keys::ARTIFACT_LOCATION.to_owned(), location);
}

fn read_back(trace: &TraceFolder) -> Result<TraceInfo, StoreError> {
    read_trace(trace, &mut Scratch::default())
        .map(|stored| stored.info)
        .map_err(|error| unreadable(&error))
}

/// An error of the folder while something is written to a trace.
pub(super) fn trace_error(error: FolderError) -> StoreError {
    match error {
        FolderError::Id { what, id } => {
            StoreError::invalid(format!("Invalid value '{id}' for the id of a {what}."))
        }
        FolderError::TooDeep { .. } => {
            StoreError::invalid("Invalid value for an assessment: it is nested too deeply.")
        }
        FolderError::TooLong { path, limit } => {
            StoreError::invalid(format!("'{path}' would be longer than {limit} bytes."))
        }
        error => refused(&RunId::new(""), error, true),
    }
}
