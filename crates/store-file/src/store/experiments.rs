//! Experiments.

use std::time::Duration;

use runledger_entities::{Experiment, ExperimentId, LifecycleStage, Tag};
use runledger_store::{NewExperiment, Resource, StoreError, locations};

use super::{Files, unreadable};
use crate::{
    FolderError,
    folder::{
        Scratch,
        experiments::{
            create_experiment, delete_experiment_tag, read_experiment, set_experiment_tags,
            update_experiment,
        },
        removal::remove_experiment,
        runs::{read_run_meta, update_meta},
    },
    index::internal,
    layout::{ExperimentFolder, Root},
};

/// How often a name is tried for that another process takes at the same time.
const ATTEMPTS: u32 = 5;

impl Files {
    /// Creates an experiment. `taken` says whether another than the given one
    /// has the name, in any stage.
    pub(super) fn create_experiment(
        &self,
        new: &NewExperiment,
    ) -> Result<ExperimentId, StoreError> {
        let root = self.root()?;
        let _creating = self.creating();
        let exists = || StoreError::ExperimentExists {
            name: new.name.clone(),
        };
        for attempt in 1..=ATTEMPTS {
            if named(&root, &new.name, None)? {
                return Err(exists());
            }
            let id = random_id();
            let now = self.now();
            let mut tags: Vec<Tag> = Vec::new();
            for tag in &new.tags {
                tags.retain(|known| known.key != tag.key);
                tags.push(tag.clone());
            }
            let experiment = Experiment {
                experiment_id: id,
                name: new.name.clone(),
                artifact_location: match &new.artifact_location {
                    Some(location) => locations::absolute(location),
                    None => self.location_of(id),
                },
                lifecycle_stage: LifecycleStage::Active,
                creation_time: Some(now),
                last_update_time: Some(now),
                tags,
            };
            match create_experiment(&root, &experiment, self.sync) {
                Err(FolderError::Exists { .. }) => continue,
                made => made.map_err(internal)?,
            };
            // Another process may have looked before this one wrote, and this one
            // before the other wrote. Whoever sees the other gives way; of two
            // that both do, the one that comes back first finds the name free.
            if !named(&root, &new.name, Some(id))? {
                return Ok(id);
            }
            root.move_experiment(id, LifecycleStage::Deleted)
                .and_then(|()| remove_experiment(&root, id))
                .map_err(internal)?;
            std::thread::sleep(Duration::from_millis(
                u64::from(attempt) * (5 + u64::from(uuid::Uuid::new_v4().as_bytes()[0]) / 8),
            ));
        }
        Err(exists())
    }

    pub(super) fn experiment(
        &self,
        id: ExperimentId,
    ) -> Result<(Root, ExperimentFolder), StoreError> {
        let missing = || StoreError::not_found(Resource::Experiment, id);
        let root = self.existing_root()?.ok_or_else(missing)?;
        match root.experiment(id) {
            Err(error) if error.is_missing() => Err(missing()),
            Err(FolderError::Id { .. }) => Err(missing()),
            folder => Ok((root, folder.map_err(internal)?)),
        }
    }

    /// The folder of an experiment that may be written to, and what it says.
    pub(super) fn active_experiment(
        &self,
        id: ExperimentId,
    ) -> Result<(ExperimentFolder, Experiment), StoreError> {
        let (_, folder) = self.experiment(id)?;
        let experiment = read(&folder)?;
        match experiment.lifecycle_stage {
            LifecycleStage::Active => Ok((folder, experiment)),
            current @ LifecycleStage::Deleted => Err(StoreError::Lifecycle {
                what: "experiment",
                id: id.to_string(),
                wanted: LifecycleStage::Active,
                current,
            }),
        }
    }

    /// Moves an experiment, and all its runs, from one stage to the other.
    pub(super) fn set_experiment_stage(
        &self,
        id: ExperimentId,
        to: LifecycleStage,
    ) -> Result<(), StoreError> {
        let _lock = self.locks.experiment(id);
        let (root, folder) = self.experiment(id)?;
        if read(&folder)?.lifecycle_stage == to {
            return Err(StoreError::not_found(Resource::Experiment, id));
        }
        if id == ExperimentId::DEFAULT && to == LifecycleStage::Deleted {
            return Err(StoreError::invalid(
                "Cannot delete the default experiment '0'. This is an internally reserved \
                 experiment.",
            ));
        }
        let now = self.now();
        let mut scratch = Scratch::default();
        // The runs first: an interrupted call is repeated, and then finds the
        // experiment as it was.
        for run in folder.run_ids().map_err(internal)? {
            let _lock = self.locks.run(&run);
            let Ok(run) = folder.run(&run) else {
                continue;
            };
            // What is no run, or cannot be read, is left as it is.
            match read_run_meta(&run, &mut scratch) {
                Ok(meta) if meta.info.lifecycle_stage != to => {}
                _ => continue,
            }
            let change = |meta: &mut crate::folder::runs::RunMeta| {
                meta.info.lifecycle_stage = to;
                meta.deleted_time = (to == LifecycleStage::Deleted).then_some(now);
            };
            update_meta(&run, &mut scratch, change, self.sync).map_err(internal)?;
        }
        let change = |meta: &mut crate::folder::experiments::ExperimentMeta| {
            meta.lifecycle_stage = to;
            meta.last_update_time = Some(now);
        };
        update_experiment(&folder, &mut scratch, change, self.sync).map_err(internal)?;
        if folder.trashed != (to == LifecycleStage::Deleted) {
            root.move_experiment(id, to).map_err(internal)?;
        }
        Ok(())
    }

    pub(super) fn rename_experiment(&self, id: ExperimentId, name: &str) -> Result<(), StoreError> {
        let (root, folder) = self.experiment(id)?;
        let _creating = self.creating();
        if read(&folder)?.lifecycle_stage != LifecycleStage::Active {
            return Err(StoreError::RenameDeleted);
        }
        if named(&root, name, Some(id))? {
            return Err(StoreError::ExperimentExists {
                name: name.to_owned(),
            });
        }
        let now = self.now();
        let change = |meta: &mut crate::folder::experiments::ExperimentMeta| {
            name.clone_into(&mut meta.name);
            meta.last_update_time = Some(now);
        };
        update_experiment(&folder, &mut Scratch::default(), change, self.sync)
            .map(drop)
            .map_err(internal)
    }

    pub(super) fn set_experiment_tag(&self, id: ExperimentId, tag: Tag) -> Result<(), StoreError> {
        let (folder, _) = self.active_experiment(id)?;
        set_experiment_tags(&folder, &[tag], self.sync).map_err(key_error)
    }

    pub(super) fn delete_experiment_tag(
        &self,
        id: ExperimentId,
        key: &str,
    ) -> Result<(), StoreError> {
        let (folder, _) = self.active_experiment(id)?;
        match delete_experiment_tag(&folder, key, self.sync) {
            Ok(true) => Ok(()),
            Ok(false) | Err(FolderError::Key { .. }) => {
                Err(StoreError::not_found_in(Resource::ExperimentTag, key, id))
            }
            Err(error) => Err(internal(error)),
        }
    }
}

fn key_error(error: FolderError) -> StoreError {
    super::refused(&runledger_entities::RunId::new(""), error, true)
}

pub(super) fn read(folder: &ExperimentFolder) -> Result<Experiment, StoreError> {
    match read_experiment(folder, &mut Scratch::default()) {
        Err(error) if error.is_missing() => Err(StoreError::not_found(
            Resource::Experiment,
            folder.experiment_id,
        )),
        read => read.map_err(|error| unreadable(&error)),
    }
}

/// Whether another experiment than this one has a name, in any stage.
fn named(root: &Root, name: &str, but: Option<ExperimentId>) -> Result<bool, StoreError> {
    let mut scratch = Scratch::default();
    for stage in [LifecycleStage::Active, LifecycleStage::Deleted] {
        for id in root.experiment_ids(stage).map_err(internal)? {
            // What cannot be read has no name.
            let there = root
                .experiment(id)
                .and_then(|folder| read_experiment(&folder, &mut scratch));
            if Some(id) != but && there.is_ok_and(|there| there.name == name) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// An id as MLflow's file store makes them: 18 decimal digits of a random number.
fn random_id() -> ExperimentId {
    const DIGITS: u128 = 10_u128.pow(17);
    let random = uuid::Uuid::new_v4().as_u128();
    // The first digit is not 0, so that there are always as many.
    let digits = DIGITS + random % (9 * DIGITS);
    ExperimentId(i64::try_from(digits).unwrap_or(i64::MAX))
}
