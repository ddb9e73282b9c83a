//! Looks at runs, and puts what changed into the index.

use std::{collections::HashSet, time::SystemTime};

use runledger_entities::RunId;
use runledger_store::{AdoptStore as _, AdoptedRun, Adoption, StoreError};
use tokio::runtime::Handle;

use super::{Refresher, settled, settled_at, words};
use crate::{
    FolderError,
    folder::{
        Scratch,
        meta::is_young,
        metrics::MetricFiles,
        runs::{StoredRun, read_run},
    },
    index::{folders::watch_folders, internal, states::RunState, watch::Thing},
    layout::{ExperimentFolder, META, RunFolder},
    signature::{Notes, signature},
    store::Locks,
};

/// How many runs are read before they go into the index together. They are in memory until
/// then, and 2,048 took as long.
pub(super) const CHUNK: usize = 512;

/// A run that was looked at.
enum Looked {
    /// As it was.
    Same,
    /// Read again.
    Read(Box<StoredRun>, RunState),
    /// Not a run, or none that can be read.
    Bad(FolderError, RunState),
    /// In the middle of being written by another program: it stays what it was,
    /// until the next look.
    Unsteady,
    /// Nothing is there.
    Gone,
}

impl Refresher {
    /// Looks at runs that may have changed, while the lock is held. The next ones
    /// are read while the index takes in the last ones.
    pub(super) fn look_at_runs(
        &mut self,
        experiment: &ExperimentFolder,
        ids: &[RunId],
        handle: &Handle,
    ) -> Result<(), StoreError> {
        // In the order of the index's keys: its pages are then written one after
        // another, and not again and again.
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        let mut before: Option<Pending> = None;
        for chunk in ids.chunks(CHUNK) {
            let looked = self.look_at_chunk(experiment, chunk)?;
            for (id, looked) in &looked {
                if matches!(looked, Looked::Unsteady) {
                    let thing = Thing::Run(experiment.experiment_id, id.clone());
                    self.dirty.insert(thing);
                }
            }
            let pending = self.begin_to_put(looked, handle);
            if let Some(before) = before.replace(pending) {
                self.finish_to_put(before, handle)?;
            }
        }
        match before {
            Some(before) => self.finish_to_put(before, handle),
            None => Ok(()),
        }
    }

    fn look_at_chunk(
        &mut self,
        experiment: &ExperimentFolder,
        ids: &[RunId],
    ) -> Result<Vec<(RunId, Looked)>, StoreError> {
        let mut work = Vec::with_capacity(ids.len());
        for id in ids {
            let thing = Thing::Run(experiment.experiment_id, id.clone());
            self.dirty.remove(&thing);
            match experiment.run(id) {
                Ok(run) => watch_folders(&mut self.watch, &thing, &run.folder),
                Err(_) => self.watch.unwatch(&thing),
            }
            work.push((id.clone(), self.states.run(id).map_err(internal)?));
        }
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = work.len().div_ceil(threads.clamp(1, 8)).max(1);
        if work.len() <= share || work.len() < 16 {
            let look = |(id, state)| {
                let looked = look_at_run(experiment, &id, state, &self.locks, &mut self.scratch);
                (id, looked)
            };
            return Ok(work.into_iter().map(look).collect());
        }
        let mut shares: Vec<Vec<(RunId, Option<RunState>)>> = Vec::new();
        while !work.is_empty() {
            shares.push(work.split_off(work.len().saturating_sub(share)));
        }
        let locks = &*self.locks;
        let looked = std::thread::scope(|scope| {
            let threads: Vec<_> = shares
                .into_iter()
                .map(|share| {
                    scope.spawn(move || {
                        let mut scratch = Scratch::default();
                        let look = |(id, state)| {
                            let looked = look_at_run(experiment, &id, state, locks, &mut scratch);
                            (id, looked)
                        };
                        share.into_iter().map(look).collect::<Vec<_>>()
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(std::thread::ScopedJoinHandle::join)
                .collect::<Result<Vec<_>, _>>()
        });
        let looked = looked.map_err(|_| StoreError::internal("reading a run panicked"))?;
        Ok(looked.into_iter().flatten().collect())
    }

    fn begin_to_put(&self, looked: Vec<(RunId, Looked)>, handle: &Handle) -> Pending {
        let mut adoption = Adoption::default();
        let mut states = Vec::new();
        for (id, looked) in looked {
            match looked {
                Looked::Same | Looked::Unsteady => {}
                Looked::Read(stored, state) => {
                    adoption.runs.push(AdoptedRun {
                        deleted_time: stored.deleted_time,
                        run: stored.run,
                    });
                    states.push((id, Some(state)));
                }
                Looked::Bad(error, state) => {
                    if error.is_missing() {
                        tracing::debug!(run = %id, reason = %words(&error), "a folder is no run");
                    } else {
                        tracing::warn!(run = %id, reason = %words(&error), "a run is passed over");
                    }
                    adoption.gone_runs.push(id.clone());
                    states.push((id, Some(state)));
                }
                Looked::Gone => {
                    adoption.gone_runs.push(id.clone());
                    states.push((id, None));
                }
            }
        }
        let sql = self.search.sql.clone();
        let one_by_one = adoption.clone();
        let task =
            (!adoption.is_empty()).then(|| handle.spawn(async move { sql.adopt(adoption).await }));
        Pending {
            task,
            states,
            adoption: one_by_one,
        }
    }

    fn finish_to_put(&mut self, pending: Pending, handle: &Handle) -> Result<(), StoreError> {
        let Pending {
            task,
            states,
            adoption,
        } = pending;
        let mut refused = HashSet::new();
        if let Some(task) = task {
            let put = handle
                .block_on(task)
                .map_err(|error| StoreError::internal(error.to_string()))?;
            if let Err(error) = put {
                refused = self.put_one_by_one(adoption, error, handle)?;
            }
        }
        for (id, state) in states {
            let noted = match state {
                Some(mut state) => {
                    if refused.contains(&id) {
                        // Not in the index: to be read again in any case.
                        state.signature = None;
                    }
                    self.states.put_run(&id, &state)
                }
                None => self.states.forget_run(&id),
            };
            noted.map_err(internal)?;
        }
        Ok(())
    }

    /// A run that the index cannot take must not hide its neighbours: says which
    /// were not taken. Where that is all of several, the index is at fault.
    fn put_one_by_one(
        &self,
        adoption: Adoption,
        error: StoreError,
        handle: &Handle,
    ) -> Result<HashSet<RunId>, StoreError> {
        let Adoption {
            runs, gone_runs, ..
        } = adoption;
        if matches!(error, StoreError::Unavailable { .. }) || runs.is_empty() {
            return Err(error);
        }
        let forget = |gone_runs| {
            let gone = Adoption {
                gone_runs,
                ..Adoption::default()
            };
            handle.block_on(self.search.sql.adopt(gone))
        };
        forget(gone_runs)?;
        let count = runs.len();
        let mut refused = HashSet::new();
        for adopted in runs {
            let id = adopted.run.info.run_id.clone();
            let one = Adoption {
                runs: vec![adopted],
                ..Adoption::default()
            };
            if let Err(error) = handle.block_on(self.search.sql.adopt(one)) {
                tracing::warn!(run = %id, reason = %words(&error), "a run is passed over");
                forget(vec![id.clone()])?;
                refused.insert(id);
            }
        }
        if count > 1 && refused.len() == count {
            return Err(error);
        }
        Ok(refused)
    }
}

/// Runs on their way into the index.
struct Pending {
    task: Option<tokio::task::JoinHandle<Result<(), StoreError>>>,
    states: Vec<(RunId, Option<RunState>)>,
    adoption: Adoption,
}

fn look_at_run(
    experiment: &ExperimentFolder,
    id: &RunId,
    known: Option<RunState>,
    locks: &Locks,
    scratch: &mut Scratch,
) -> Looked {
    let _lock = locks.run(id);
    let Ok(run) = experiment.run(id) else {
        return Looked::Gone;
    };
    let known = known.filter(|known| known.experiment_id == experiment.experiment_id);
    let Some(known) = known else {
        return read_unknown_run(run, scratch);
    };
    let seen = settled(&run.folder);
    if seen.is_some() && known.signature == seen {
        return Looked::Same;
    }
    let state = |metrics| RunState {
        experiment_id: experiment.experiment_id,
        signature: seen,
        metrics,
    };
    match read_run(&run, Some(&known.metrics), scratch) {
        Ok(mut stored) => {
            let metrics = std::mem::take(&mut stored.metrics);
            Looked::Read(Box::new(stored), state(metrics))
        }
        Err(_) if is_young(&run.folder, META) => Looked::Unsteady,
        Err(error) => Looked::Bad(error, state(MetricFiles::default())),
    }
}

/// Reads a run of which nothing is known, and takes its signature from the files as they are
/// read: each is looked at once.
fn read_unknown_run(run: RunFolder, scratch: &mut Scratch) -> Looked {
    let began = SystemTime::now();
    let RunFolder {
        run_id,
        experiment,
        folder,
    } = run;
    let run = RunFolder {
        folder: folder.noting(),
        run_id,
        experiment,
    };
    let read = read_run(&run, None, scratch);
    let looks = match read {
        Ok(_) => run.folder.notes().map(Notes::signature),
        // Not all was read. What all looks like now, it looked like before, unless it is young.
        Err(_) => signature(&run.folder).ok(),
    };
    let state = |metrics| RunState {
        experiment_id: run.experiment.experiment_id,
        signature: looks.and_then(|looks| settled_at(looks, began)),
        metrics,
    };
    match read {
        Ok(mut stored) => {
            let metrics = std::mem::take(&mut stored.metrics);
            Looked::Read(Box::new(stored), state(metrics))
        }
        Err(error) => Looked::Bad(error, state(MetricFiles::default())),
    }
}
