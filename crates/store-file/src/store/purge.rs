//! Permanent removal.

use runledger_entities::{ExperimentId, LifecycleStage, LoggedModelId, RunId};
use runledger_store::{Resource, StoreError};

use super::{Files, unreadable};
use crate::{
    FolderError,
    folder::{
        Scratch,
        experiments::read_experiment,
        logged_models::read_model,
        removal::{remove_experiment, remove_model, remove_run},
        runs::read_run_meta,
    },
    index::internal,
};

impl Files {
    pub(super) fn purge_run(&self, id: &RunId) -> Result<(), StoreError> {
        let _lock = self.locks.run(id);
        let missing = || StoreError::not_found(Resource::Run, id);
        let run = self.find_run(id)?.ok_or_else(missing)?;
        let meta = match read_run_meta(&run, &mut Scratch::default()) {
            Err(error) if error.is_missing() => return Err(missing()),
            meta => meta.map_err(|error| unreadable(&error))?,
        };
        require_deleted("run", id.as_str(), meta.info.lifecycle_stage)?;
        remove_run(&run.experiment, id).map_err(internal)
    }

    pub(super) fn purge_model(
        &self,
        experiment: ExperimentId,
        id: &LoggedModelId,
    ) -> Result<(), StoreError> {
        let _lock = self.locks.model(id);
        let missing = || StoreError::not_found(Resource::LoggedModel, id);
        let (_, folder) = self.experiment(experiment)?;
        let model = folder.model(id).map_err(|_| missing())?;
        let stored =
            read_model(&model, &mut Scratch::default()).map_err(|error| unreadable(&error))?;
        require_deleted("logged model", id.as_str(), stored.model.lifecycle_stage)?;
        remove_model(&folder, id).map_err(internal)
    }

    pub(super) fn purge_experiment(&self, id: ExperimentId) -> Result<(), StoreError> {
        let _lock = self.locks.experiment(id);
        let (root, folder) = self.experiment(id)?;
        let experiment = read_experiment(&folder, &mut Scratch::default())
            .map_err(|error| unreadable(&error))?;
        require_deleted("experiment", &id.to_string(), experiment.lifecycle_stage)?;
        if !folder.trashed {
            // A delete that was cut short left it where it was.
            match root.move_experiment(id, LifecycleStage::Deleted) {
                Ok(()) | Err(FolderError::Missing { .. }) => {}
                Err(error) => return Err(internal(error)),
            }
        }
        remove_experiment(&root, id).map_err(internal)
    }
}

fn require_deleted(
    what: &'static str,
    id: &str,
    current: LifecycleStage,
) -> Result<(), StoreError> {
    match current {
        LifecycleStage::Deleted => Ok(()),
        current @ LifecycleStage::Active => Err(StoreError::Lifecycle {
            what,
            id: id.to_owned(),
            wanted: LifecycleStage::Deleted,
            current,
        }),
    }
}
