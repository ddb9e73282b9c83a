//! Logged models.

use std::collections::{HashMap, HashSet};

use runledger_entities::{ExperimentId, LoggedModelId};
use runledger_store::{AdoptStore as _, Adoption, StoreError};
use tokio::runtime::Handle;

use super::{Refresher, settled, words};
use crate::{
    folder::logged_models::read_model,
    index::{folders::watch_folders, internal, watch::Thing},
    layout::Root,
};

impl Refresher {
    /// Brings one logged model up to its files.
    pub(super) fn model(
        &mut self,
        root: &Root,
        id: &LoggedModelId,
        handle: &Handle,
    ) -> Result<(), StoreError> {
        self.experiments(root, handle)?;
        let known = self.states.experiment_of_model(id).map_err(internal)?;
        if let Some(experiment) = known {
            return self.models_of(root, experiment, handle);
        }
        let all: Vec<ExperimentId> = self.sound.iter().copied().collect();
        for experiment in all {
            let there = root
                .experiment(experiment)
                .and_then(|folder| folder.model(id));
            if there.is_ok() {
                return self.models_of(root, experiment, handle);
            }
        }
        Ok(())
    }

    /// Brings the logged models of an experiment up to their files.
    pub(super) fn models_of(
        &mut self,
        root: &Root,
        id: ExperimentId,
        handle: &Handle,
    ) -> Result<(), StoreError> {
        if !self.sound.contains(&id) {
            return Ok(());
        }
        let list = Thing::Models(id);
        let changed = |thing: &Thing| matches!(thing, Thing::Model(of, _) if *of == id);
        if self.is_clean(&list) && !self.dirty.iter().any(changed) {
            return Ok(());
        }
        let experiment = match root.experiment(id) {
            Err(error) if error.is_missing() => return Ok(()),
            experiment => experiment.map_err(internal)?,
        };
        self.dirty.remove(&list);
        // Where there are none yet, the next call looks again.
        if experiment.folder.is_folder("models") {
            let models = experiment.folder.path_of("models");
            self.watch.watch(&list, &[models]);
        } else {
            self.watch.unwatch(&list);
        }
        self.states.begin().map_err(internal)?;
        let there = experiment.model_ids().map_err(internal)?;
        let listed: HashSet<&LoggedModelId> = there.iter().collect();
        let known = self.states.models(id).map_err(internal)?;
        let mut adoption = Adoption::default();
        for (model, _) in &known {
            if !listed.contains(model) {
                adoption.gone_logged_models.push(model.clone());
                self.states.forget_model(model).map_err(internal)?;
            }
        }
        let known: HashMap<_, _> = known.into_iter().collect();
        for model in &there {
            let thing = Thing::Model(id, model.clone());
            if self.is_clean(&thing) {
                continue;
            }
            self.dirty.remove(&thing);
            let Ok(folder) = experiment.model(model) else {
                continue;
            };
            watch_folders(&mut self.watch, &thing, &folder.folder);
            let looks = settled(&folder.folder);
            if looks.is_some() && known.get(model).copied().flatten() == looks {
                continue;
            }
            match read_model(&folder, &mut self.scratch) {
                Ok(stored) => {
                    let mut model = stored.model;
                    if let Some(deleted) = stored.deleted_time {
                        model.last_updated_timestamp = deleted;
                    }
                    adoption.logged_models.push(model);
                }
                Err(error) => {
                    tracing::warn!(%model, reason = %words(&error), "a logged model is passed over");
                    adoption.gone_logged_models.push(model.clone());
                }
            }
            self.states.put_model(model, id, looks).map_err(internal)?;
        }
        // Their metrics name the runs that measured them.
        let metrics = adoption.logged_models.iter().flat_map(|it| &it.metrics);
        let runs = metrics.map(|metric| metric.run_id.clone()).collect();
        self.new_runs(root, runs, handle)?;
        if !adoption.is_empty() {
            handle.block_on(self.search.sql.adopt(adoption))?;
        }
        self.states.commit().map_err(internal)
    }
}
