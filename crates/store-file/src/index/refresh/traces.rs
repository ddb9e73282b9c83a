//! Traces.

use std::collections::{HashMap, HashSet};

use runledger_entities::{ExperimentId, TraceId};
use runledger_store::{AdoptStore as _, AdoptedTrace, Adoption, StoreError};
use tokio::runtime::Handle;

use super::{Refresher, settled, words};
use crate::{
    FolderError,
    folder::{
        Scratch,
        meta::is_young,
        traces::{TRACE_INFO, complete, read_trace},
    },
    index::{folders::watch_folders, internal, states::TraceLooks, watch::Thing},
    layout::{ExperimentFolder, Root, TRACES, TraceFolder},
    store::Locks,
};

/// How many traces are read before they go into the index together: their spans are in
/// memory until then.
const TOGETHER: usize = 128;

/// A trace that was looked at, with how its folder looked.
enum Looked {
    /// As it was.
    Same,
    /// Read again.
    Read(Box<AdoptedTrace>, TraceLooks),
    /// Not a trace, or none that can be read.
    Bad(FolderError, TraceLooks),
    /// In the middle of being written by another program: it stays what it was,
    /// until the next look.
    Unsteady,
    /// Nothing is there.
    Gone,
}

/// How the traces of an experiment looked.
type Known = HashMap<TraceId, TraceLooks>;

/// A trace to be looked at, with how it looked before, if it is known.
type Work = (TraceId, Option<TraceLooks>);

impl Refresher {
    /// Brings the traces of an experiment up to their files.
    pub(super) fn traces_of(
        &mut self,
        root: &Root,
        id: ExperimentId,
        handle: &Handle,
    ) -> Result<(), StoreError> {
        if !self.sound.contains(&id) {
            return Ok(());
        }
        let list = Thing::Traces(id);
        let is_listed = self.is_clean(&list) && self.complete_traces.contains(&id);
        let changed: Vec<TraceId> = self
            .dirty
            .iter()
            .filter_map(|thing| match thing {
                Thing::Trace(of, trace) if *of == id => Some(trace.clone()),
                _ => None,
            })
            .collect();
        if is_listed && changed.is_empty() {
            return Ok(());
        }
        let experiment = match root.experiment(id) {
            Err(error) if error.is_missing() => return Ok(()),
            experiment => experiment.map_err(internal)?,
        };
        let (doubtful, known) = if is_listed {
            let known = self.known_traces(id, &changed)?;
            (changed, known)
        } else {
            let known = self.states.traces(id).map_err(internal)?;
            let known = known.into_iter().collect();
            (self.list_traces(&experiment, &known)?, known)
        };
        // Given back now and then, so that others need not wait for all of it.
        for some in doubtful.chunks(TOGETHER) {
            self.states.begin().map_err(internal)?;
            self.look_at_traces(&experiment, some, &known, handle)?;
            self.states.commit().map_err(internal)?;
        }
        Ok(())
    }

    /// What is known of these traces.
    fn known_traces(&self, id: ExperimentId, of: &[TraceId]) -> Result<Known, StoreError> {
        let mut known = Known::new();
        for trace in of {
            if let Some(state) = self.states.trace(id, trace).map_err(internal)? {
                known.insert(trace.clone(), state);
            }
        }
        Ok(known)
    }

    /// The traces that are there or were there, and may have changed.
    fn list_traces(
        &mut self,
        experiment: &ExperimentFolder,
        known: &Known,
    ) -> Result<Vec<TraceId>, StoreError> {
        let id = experiment.experiment_id;
        let list = Thing::Traces(id);
        self.dirty.remove(&list);
        // Where there are none yet, the next call looks again.
        if experiment.folder.is_folder(TRACES) {
            let traces = experiment.folder.path_of(TRACES);
            self.watch.watch(&list, &[traces]);
        } else {
            self.watch.unwatch(&list);
        }
        let there = experiment.trace_ids().map_err(internal)?;
        let listed: HashSet<&TraceId> = there.iter().collect();
        let gone = known.keys().filter(|trace| !listed.contains(trace));
        let gone: Vec<TraceId> = gone.cloned().collect();
        let doubtful = there
            .iter()
            .filter(|trace| !self.is_clean(&Thing::Trace(id, (*trace).clone())));
        let doubtful = gone.into_iter().chain(doubtful.cloned()).collect();
        if self.watch.is_watched(&list) {
            self.complete_traces.insert(id);
        }
        Ok(doubtful)
    }

    /// Looks at traces that may have changed, while the lock is held.
    fn look_at_traces(
        &mut self,
        experiment: &ExperimentFolder,
        ids: &[TraceId],
        known: &Known,
        handle: &Handle,
    ) -> Result<(), StoreError> {
        let id = experiment.experiment_id;
        let mut work: Vec<Work> = Vec::with_capacity(ids.len());
        for trace in ids {
            let thing = Thing::Trace(id, trace.clone());
            self.dirty.remove(&thing);
            if self.watch.is_watched(&thing) || self.watch.has_room() {
                match experiment.trace(trace) {
                    Ok(folder) => watch_folders(&mut self.watch, &thing, &folder.folder),
                    Err(_) => self.watch.unwatch(&thing),
                }
            }
            if !self.watch.is_watched(&thing) {
                // Nobody tells of its changes.
                self.complete_traces.remove(&id);
            }
            work.push((trace.clone(), known.get(trace).copied()));
        }
        let looked = look_at_all(experiment, work, &self.locks)?;
        let mut adoption = Adoption::default();
        let mut states = Vec::new();
        for (trace, looked) in looked {
            match looked {
                Looked::Same => {}
                Looked::Unsteady => {
                    self.dirty.insert(Thing::Trace(id, trace));
                }
                Looked::Read(adopted, state) => {
                    adoption.traces.push(*adopted);
                    states.push((trace, Some(state)));
                }
                Looked::Bad(error, state) => {
                    if error.is_missing() {
                        tracing::debug!(%trace, reason = %words(&error), "a folder is no trace");
                    } else {
                        tracing::warn!(%trace, reason = %words(&error), "a trace is passed over");
                    }
                    if known.contains_key(&trace) {
                        adoption.gone_traces.push(trace.clone());
                    }
                    states.push((trace, Some(state)));
                }
                // One that is known elsewhere was moved there.
                Looked::Gone if !known.contains_key(&trace) => {}
                Looked::Gone => {
                    adoption.gone_traces.push(trace.clone());
                    states.push((trace, None));
                }
            }
        }
        let refused = self.adopt_traces(adoption, handle)?;
        for (trace, state) in states {
            let noted = match state {
                // One that is not in the index is to be read again in any case.
                Some(_) if refused.contains(&trace) => {
                    self.states.put_trace(&trace, id, TraceLooks(None))
                }
                Some(state) => self.states.put_trace(&trace, id, state),
                None => self.states.forget_trace(&trace, id),
            };
            noted.map_err(internal)?;
        }
        Ok(())
    }

    /// Puts traces into the index; a trace that it cannot take must not hide its
    /// neighbours. Says which were not taken.
    fn adopt_traces(
        &self,
        adoption: Adoption,
        handle: &Handle,
    ) -> Result<HashSet<TraceId>, StoreError> {
        let mut refused = HashSet::new();
        if adoption.is_empty() {
            return Ok(refused);
        }
        let adopt = |adoption| handle.block_on(self.search.sql.adopt(adoption));
        let one_by_one = adoption.traces.clone();
        let gone_traces = adoption.gone_traces.clone();
        let error = match adopt(adoption) {
            Ok(()) => return Ok(refused),
            Err(error) => error,
        };
        if matches!(error, StoreError::Unavailable { .. }) || one_by_one.is_empty() {
            return Err(error);
        }
        adopt(Adoption {
            gone_traces,
            ..Adoption::default()
        })?;
        let count = one_by_one.len();
        for adopted in one_by_one {
            let trace = adopted.info.trace_id.clone();
            let put = adopt(Adoption {
                traces: vec![adopted],
                ..Adoption::default()
            });
            if let Err(error) = put {
                tracing::warn!(%trace, reason = %words(&error), "a trace is passed over");
                refused.insert(trace);
            }
        }
        // Where all of several are refused, the index is at fault.
        if count > 1 && refused.len() == count {
            return Err(error);
        }
        Ok(refused)
    }
}

/// Looks at traces, in several threads where there are many.
fn look_at_all(
    experiment: &ExperimentFolder,
    work: Vec<Work>,
    locks: &Locks,
) -> Result<Vec<(TraceId, Looked)>, StoreError> {
    let traces = match experiment.folder.folder(TRACES) {
        Err(error) if error.is_missing() => {
            return Ok(work.into_iter().map(|(id, _)| (id, Looked::Gone)).collect());
        }
        traces => traces.map_err(internal)?,
    };
    let look = |work: &[Work]| {
        let mut scratch = Scratch::default();
        let looked = work.iter().map(|(id, known)| {
            let _lock = locks.trace(id);
            let looked = match experiment.trace_in(&traces, id) {
                Ok(trace) => look_at(&trace, *known, &mut scratch),
                Err(_) => Looked::Gone,
            };
            (id.clone(), looked)
        });
        looked.collect::<Vec<_>>()
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = work.len().div_ceil(threads.clamp(1, 8)).max(16);
    if work.len() <= share {
        return Ok(look(&work));
    }
    let looked = std::thread::scope(|scope| {
        let threads: Vec<_> = work
            .chunks(share)
            .map(|share| scope.spawn(move || look(share)))
            .collect();
        let looked = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
        looked.collect::<Result<Vec<_>, _>>()
    });
    let looked = looked.map_err(|_| StoreError::internal("reading a trace panicked"))?;
    Ok(looked.into_iter().flatten().collect())
}

fn look_at(trace: &TraceFolder, known: Option<TraceLooks>, scratch: &mut Scratch) -> Looked {
    let looks = TraceLooks(settled(&trace.folder));
    if looks.0.is_some() && known == Some(looks) {
        return Looked::Same;
    }
    let read = read_trace(trace, scratch).and_then(|stored| complete(trace, stored.info));
    match read {
        Ok(adopted) => Looked::Read(Box::new(adopted), looks),
        Err(_) if known.is_some() && is_young(&trace.folder, TRACE_INFO) => Looked::Unsteady,
        Err(error) => Looked::Bad(error, looks),
    }
}
