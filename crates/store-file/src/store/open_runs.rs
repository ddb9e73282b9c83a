//! Finding runs, and keeping those open that are written to.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use runledger_entities::{ExperimentId, LifecycleStage, RunId};
use runledger_store::{Resource, StoreError};

use super::{Files, unreadable};
use crate::{
    FolderError,
    folder::{Scratch, runs::read_run_meta},
    index::internal,
    layout::{META, RunFolder},
    safe_dir::FileState,
};

/// How many runs are kept open: two file handles each.
const MOST: usize = 128;

/// Active runs that were lately written to, and what their `meta.yaml` looked like.
#[derive(Debug, Default)]
pub(super) struct OpenRuns(Mutex<HashMap<RunId, (Arc<RunFolder>, FileState)>>);

impl OpenRuns {
    /// A run that is active still, as its unchanged `meta.yaml` tells.
    fn active(&self, id: &RunId) -> Option<Arc<RunFolder>> {
        let known = self.lock().get(id).cloned();
        let (run, seen) = known?;
        if run.folder.state(META).ok().flatten() == Some(seen) {
            return Some(run);
        }
        self.lock().remove(id);
        None
    }

    fn keep(&self, run: &Arc<RunFolder>, seen: FileState) {
        let mut open = self.lock();
        if open.len() >= MOST {
            open.clear();
        }
        open.insert(run.run_id.clone(), (Arc::clone(run), seen));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<RunId, (Arc<RunFolder>, FileState)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files {
    /// The folder of a run, if there is one.
    pub(super) fn find_run(&self, id: &RunId) -> Result<Option<RunFolder>, StoreError> {
        let Some(root) = self.existing_root()? else {
            return Ok(None);
        };
        let at = |of: ExperimentId| root.experiment(of).ok()?.run(id).ok();
        if let Some(run) = self.index.experiment_of(id).and_then(at) {
            return Ok(Some(run));
        }
        match root.find_run(id) {
            // An id that cannot be the name of a folder names no run.
            Err(FolderError::Id { .. }) => Ok(None),
            found => found.map_err(internal),
        }
    }

    /// The folder of a run that may be written to.
    pub(super) fn active_run(&self, id: &RunId) -> Result<Arc<RunFolder>, StoreError> {
        if let Some(run) = self.open_runs.active(id) {
            return Ok(run);
        }
        let missing = || StoreError::not_found(Resource::Run, id);
        let run = self.find_run(id)?.ok_or_else(missing)?;
        // Before it is read: a change in between shows the next time.
        let seen = run.folder.state(META).map_err(internal)?;
        let meta = match read_run_meta(&run, &mut Scratch::default()) {
            Err(error) if error.is_missing() => return Err(missing()),
            meta => meta.map_err(|error| unreadable(&error))?,
        };
        match meta.info.lifecycle_stage {
            LifecycleStage::Active => {
                let run = Arc::new(run);
                if let Some(seen) = seen {
                    self.open_runs.keep(&run, seen);
                }
                Ok(run)
            }
            current @ LifecycleStage::Deleted => Err(StoreError::Lifecycle {
                what: "run",
                id: id.to_string(),
                wanted: LifecycleStage::Active,
                current,
            }),
        }
    }
}
