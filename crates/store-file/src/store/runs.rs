//! Runs: what their `meta.yaml` says.

use std::time::SystemTime;

use runledger_entities::{LifecycleStage, Run, RunData, RunId, RunInfo, RunInputs, RunStatus};
use runledger_store::{NewRun, Resource, RunPatch, SettledRun, StoreError, locations};

use super::{Files, refused, unreadable};
use crate::{
    FolderError,
    folder::{
        Scratch,
        runs::{RunMeta, create_run, delete_tag, update_meta},
    },
    index::internal,
    write::sweep,
};

impl Files {
    pub(super) fn create_run(&self, new: NewRun) -> Result<Run, StoreError> {
        self.root()?;
        let (folder, experiment) = self.active_experiment(new.experiment_id)?;
        let SettledRun {
            experiment_id,
            user_id,
            run_name,
            start_time,
            tags,
        } = new.settle()?;
        let run_id = RunId::random();
        let info = RunInfo {
            artifact_uri: locations::append(
                &experiment.artifact_location,
                &[run_id.as_str(), "artifacts"],
            ),
            run_id,
            experiment_id,
            run_name: Some(run_name),
            user_id,
            status: RunStatus::Running,
            start_time,
            end_time: None,
            lifecycle_stage: LifecycleStage::Active,
        };
        // What a crash left here once. That it fails does no harm.
        let _ = sweep(&folder.folder, SystemTime::now());
        create_run(&folder, &info, &tags, self.sync)
            .map_err(|error| refused(&info.run_id, error, true))?;
        Ok(Run {
            info,
            data: RunData {
                tags,
                ..RunData::default()
            },
            inputs: RunInputs::default(),
            outputs: Vec::new(),
        })
    }

    pub(super) fn update_run(&self, id: &RunId, patch: RunPatch) -> Result<RunInfo, StoreError> {
        let _lock = self.locks.run(id);
        let mut scratch = Scratch::default();
        let run = self.active_run(id)?;
        let _ = sweep(&run.folder, SystemTime::now());
        let change = |meta: &mut RunMeta| {
            if let Some(status) = patch.status {
                meta.info.status = status;
            }
            if let Some(end_time) = patch.end_time {
                meta.info.end_time = Some(end_time);
            }
            if let Some(name) = patch.run_name.filter(|name| !name.is_empty()) {
                meta.info.run_name = Some(name);
            }
        };
        update_meta(&run, &mut scratch, change, self.sync)
            .map(|meta| meta.info)
            .map_err(|error| refused(id, error, true))
    }

    /// Deletes or restores a run.
    pub(super) fn set_run_stage(&self, id: &RunId, to: LifecycleStage) -> Result<(), StoreError> {
        let _lock = self.locks.run(id);
        let missing = || StoreError::not_found(Resource::Run, id);
        let run = self.find_run(id)?.ok_or_else(missing)?;
        let now = self.now();
        let change = |meta: &mut RunMeta| {
            meta.info.lifecycle_stage = to;
            meta.deleted_time = (to == LifecycleStage::Deleted).then_some(now);
        };
        match update_meta(&run, &mut Scratch::default(), change, self.sync) {
            Err(error) if error.is_missing() => Err(missing()),
            Err(error @ FolderError::Io { .. }) => Err(internal(error)),
            changed => changed.map(drop).map_err(|error| unreadable(&error)),
        }
    }

    pub(super) fn delete_tag(&self, id: &RunId, key: &str) -> Result<(), StoreError> {
        let _lock = self.locks.run(id);
        let run = self.active_run(id)?;
        match delete_tag(&run, key, self.sync) {
            Ok(true) => Ok(()),
            Ok(false) | Err(FolderError::Key { .. } | FolderError::WrongKind { .. }) => {
                Err(StoreError::not_found_in(Resource::RunTag, key, id))
            }
            Err(error) => Err(internal(error)),
        }
    }
}
