//! Experiments: read whenever their own files may have changed, which are few.

use std::collections::{HashMap, HashSet};

use runledger_entities::{Experiment, ExperimentId, LifecycleStage};
use runledger_store::{AdoptStore as _, Adoption, StoreError};
use tokio::runtime::Handle;

use super::{Refresher, fnv, words};
use crate::{
    folder::experiments::read_experiment,
    index::{internal, watch::Thing},
    layout::{Root, TRASH},
};

impl Refresher {
    /// The folder was removed.
    pub(super) fn forget_all(&mut self, handle: &Handle) -> Result<(), StoreError> {
        let known = self.states.experiments().map_err(internal)?;
        for (id, _) in known {
            self.forget_experiment(id, handle)?;
        }
        Ok(())
    }

    pub(super) fn forget_experiment(
        &mut self,
        id: ExperimentId,
        handle: &Handle,
    ) -> Result<(), StoreError> {
        self.complete.remove(&id);
        self.complete_traces.remove(&id);
        self.sound.remove(&id);
        let adoption = Adoption {
            gone_experiments: vec![id],
            ..Adoption::default()
        };
        handle.block_on(self.search.sql.adopt(adoption))?;
        self.states.forget_experiment(id).map_err(internal)
    }

    /// Brings the experiments up to their files.
    pub(super) fn experiments(&mut self, root: &Root, handle: &Handle) -> Result<(), StoreError> {
        let touched = |thing: &Thing| matches!(thing, Thing::Root | Thing::Experiment(_));
        if self.is_clean(&Thing::Root) && !self.dirty.iter().any(touched) {
            return Ok(());
        }
        self.dirty.remove(&Thing::Root);
        self.watch
            .watch(&Thing::Root, &[String::new(), TRASH.to_owned()]);
        let mut there: Vec<ExperimentId> = Vec::new();
        for stage in [LifecycleStage::Active, LifecycleStage::Deleted] {
            there.extend(root.experiment_ids(stage).map_err(internal)?);
        }
        self.states.begin().map_err(internal)?;
        let known = self.states.experiments().map_err(internal)?;
        let listed: HashSet<ExperimentId> = there.iter().copied().collect();
        for (id, _) in known.iter().filter(|(id, _)| !listed.contains(id)) {
            self.forget_experiment(*id, handle)?;
        }
        let known: HashMap<_, _> = known.into_iter().collect();
        for id in there {
            let thing = Thing::Experiment(id);
            let is_known = self.sound.contains(&id) || self.passed_over.contains_key(&id);
            if is_known && self.is_clean(&thing) {
                continue;
            }
            self.experiment(root, id, known.get(&id).copied().flatten(), handle)?;
        }
        self.states.commit().map_err(internal)
    }

    /// Reads one experiment. That its list of runs may have changed too stays
    /// noted: see [`Self::runs_of`].
    pub(super) fn experiment(
        &mut self,
        root: &Root,
        id: ExperimentId,
        known: Option<u64>,
        handle: &Handle,
    ) -> Result<(), StoreError> {
        let thing = Thing::Experiment(id);
        let read = root.experiment(id).and_then(|folder| {
            let path = folder.folder.path_of("");
            let tags = folder.folder.path_of("tags");
            let was_dirty = self.dirty.remove(&thing) || !self.watch.is_watched(&thing);
            if was_dirty {
                self.complete.remove(&id);
            }
            self.watch.watch(&thing, &[path, tags]);
            read_experiment(&folder, &mut self.scratch)
        });
        let experiment = match read {
            Ok(experiment) => experiment,
            Err(error) => {
                let reason = words(&error);
                if self.passed_over.get(&id) == Some(&reason) {
                    return Ok(());
                }
                tracing::warn!(experiment = %id, %reason, "an experiment is passed over");
                self.passed_over.insert(id, reason);
                return self.forget_experiment(id, handle);
            }
        };
        self.sound.insert(id);
        self.passed_over.remove(&id);
        let looks = fnv(format!("{experiment:?}").as_bytes());
        if known == Some(looks) {
            return Ok(());
        }
        self.put_experiment(experiment, handle)?;
        self.states
            .put_experiment(id, Some(looks))
            .map_err(internal)
    }

    pub(super) fn put_experiment(
        &mut self,
        experiment: Experiment,
        handle: &Handle,
    ) -> Result<(), StoreError> {
        let put = |experiment: Experiment| {
            let adoption = Adoption {
                experiments: vec![experiment],
                ..Adoption::default()
            };
            handle.block_on(self.search.sql.adopt(adoption))
        };
        match put(experiment.clone()) {
            Err(StoreError::ExperimentExists { name }) => {
                let id = experiment.experiment_id;
                tracing::warn!(
                    experiment = %id, %name,
                    "two experiments have the same name: this one is shown with its id behind it"
                );
                put(Experiment {
                    name: format!("{name} ({id})"),
                    ..experiment
                })
            }
            put => put,
        }
    }
}
