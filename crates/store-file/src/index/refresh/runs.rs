//! Which runs have to be looked at.

use std::collections::HashSet;

use runledger_entities::{ExperimentId, RunId};
use runledger_store::{AdoptStore as _, Adoption, StoreError};
use tokio::runtime::Handle;

use super::{Refresher, look::CHUNK};
use crate::{
    FolderError,
    index::{internal, watch::Thing},
    layout::Root,
};

impl Refresher {
    /// Brings one run up to its files.
    pub(super) fn run(
        &mut self,
        root: &Root,
        id: &RunId,
        handle: &Handle,
    ) -> Result<(), StoreError> {
        let known = self.states.experiment_of_run(id).map_err(internal)?;
        if let Some(experiment) = known
            && self.is_clean(&Thing::Run(experiment, id.clone()))
        {
            return Ok(());
        }
        let found = known
            .and_then(|experiment| root.experiment(experiment).ok()?.run(id).ok())
            .map(|run| run.experiment);
        let experiment = match found {
            Some(experiment) => Some(experiment),
            None => match root.find_run(id) {
                // An id that cannot be a folder names no run.
                Err(FolderError::Id { .. }) => None,
                found => found.map_err(internal)?.map(|run| run.experiment),
            },
        };
        let Some(experiment) = experiment else {
            if known.is_none() {
                return Ok(());
            }
            let adoption = Adoption {
                gone_runs: vec![id.clone()],
                ..Adoption::default()
            };
            handle.block_on(self.search.sql.adopt(adoption))?;
            return self.states.forget_run(id).map_err(internal);
        };
        if !self.sound.contains(&experiment.experiment_id) {
            self.experiments(root, handle)?;
            if !self.sound.contains(&experiment.experiment_id) {
                return Ok(());
            }
        }
        self.states.begin().map_err(internal)?;
        self.look_at_runs(&experiment, std::slice::from_ref(id), handle)?;
        self.states.commit().map_err(internal)
    }

    /// Brings runs up to their files that the index has not heard of, while the
    /// lock is held.
    pub(super) fn new_runs(
        &mut self,
        root: &Root,
        ids: HashSet<RunId>,
        handle: &Handle,
    ) -> Result<(), StoreError> {
        for id in ids {
            if self
                .states
                .experiment_of_run(&id)
                .map_err(internal)?
                .is_some()
            {
                continue;
            }
            let Ok(Some(run)) = root.find_run(&id) else {
                continue;
            };
            if self.sound.contains(&run.experiment.experiment_id) {
                self.look_at_runs(&run.experiment, std::slice::from_ref(&id), handle)?;
            }
        }
        Ok(())
    }

    /// Brings the runs of an experiment up to their files.
    pub(super) fn runs_of(
        &mut self,
        root: &Root,
        id: ExperimentId,
        handle: &Handle,
    ) -> Result<(), StoreError> {
        if !self.sound.contains(&id) {
            return Ok(());
        }
        let experiment = match root.experiment(id) {
            Err(error) if error.is_missing() => return Ok(()),
            experiment => experiment.map_err(internal)?,
        };
        if self.complete.contains(&id) {
            let changed: Vec<RunId> = self
                .dirty
                .iter()
                .filter_map(|thing| match thing {
                    Thing::Run(of, run) if *of == id => Some(run.clone()),
                    _ => None,
                })
                .collect();
            if changed.is_empty() {
                return Ok(());
            }
            self.states.begin().map_err(internal)?;
            self.look_at_runs(&experiment, &changed, handle)?;
            return self.states.commit().map_err(internal);
        }
        let there = experiment.run_ids().map_err(internal)?;
        let listed: HashSet<&RunId> = there.iter().collect();
        let known = self.states.runs(id).map_err(internal)?;
        let gone = known.iter().map(|(run, _)| run);
        let gone: Vec<RunId> = gone.filter(|run| !listed.contains(run)).cloned().collect();
        let doubtful = there
            .iter()
            .filter(|run| !self.is_clean(&Thing::Run(id, (*run).clone())));
        let doubtful: Vec<RunId> = gone.into_iter().chain(doubtful.cloned()).collect();
        // Given back now and then, so that others need not wait for all of it.
        for some in doubtful.chunks(4 * CHUNK) {
            self.states.begin().map_err(internal)?;
            self.look_at_runs(&experiment, some, handle)?;
            self.states.commit().map_err(internal)?;
        }
        if there
            .iter()
            .all(|run| self.watch.is_watched(&Thing::Run(id, run.clone())))
        {
            self.complete.insert(id);
        }
        Ok(())
    }
}
