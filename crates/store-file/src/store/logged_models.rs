//! Logged models.

use runledger_entities::{
    LifecycleStage, LoggedModel, LoggedModelId, LoggedModelStatus, Param, RunId, Tag, names,
};
use runledger_store::{NewLoggedModel, Resource, StoreError, locations};

use super::{Files, refused, unreadable};
use crate::{
    FolderError,
    folder::{
        Scratch,
        logged_models::{
            ModelMeta, create_model, delete_model_tag, put_model_params, read_model,
            set_model_tags, update_model,
        },
    },
    index::internal,
    layout::ModelFolder,
};

impl Files {
    pub(super) fn create_model(&self, new: NewLoggedModel) -> Result<LoggedModel, StoreError> {
        self.root()?;
        let (folder, experiment) = self.active_experiment(new.experiment_id)?;
        let model_id = LoggedModelId::random();
        let now = self.now();
        let mut model = LoggedModel {
            artifact_location: locations::append(
                &experiment.artifact_location,
                &["models", model_id.as_str(), "artifacts"],
            ),
            model_id,
            experiment_id: new.experiment_id,
            name: new
                .name
                .filter(|name| !name.is_empty())
                .unwrap_or_else(names::random),
            creation_timestamp: now,
            last_updated_timestamp: now,
            status: LoggedModelStatus::Pending,
            status_message: None,
            model_type: new.model_type,
            source_run_id: new.source_run_id,
            lifecycle_stage: LifecycleStage::Active,
            tags: last_of_each(new.tags),
            params: first_of_each(new.params),
            metrics: Vec::new(),
        };
        model.tags.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        model.params.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        create_model(&folder, &model, self.sync).map_err(model_error)?;
        Ok(model)
    }

    /// The folder of a logged model that is not deleted, if there is one.
    pub(super) fn find_model(&self, id: &LoggedModelId) -> Result<Option<ModelFolder>, StoreError> {
        let Some(root) = self.existing_root()? else {
            return Ok(None);
        };
        for stage in [LifecycleStage::Active, LifecycleStage::Deleted] {
            for experiment in root.experiment_ids(stage).map_err(internal)? {
                let found = root.experiment(experiment).and_then(|it| it.model(id));
                let model = match found {
                    Ok(model) => model,
                    Err(FolderError::Id { .. }) => return Ok(None),
                    Err(_) => continue,
                };
                // A model that cannot be read is none.
                let stored = read_model(&model, &mut Scratch::default());
                if stored.is_ok_and(|it| it.model.lifecycle_stage == LifecycleStage::Active) {
                    return Ok(Some(model));
                }
                return Ok(None);
            }
        }
        Ok(None)
    }

    fn model(&self, id: &LoggedModelId) -> Result<ModelFolder, StoreError> {
        self.find_model(id)?
            .ok_or_else(|| StoreError::not_found(Resource::LoggedModel, id))
    }

    /// Changes what a model's `meta.yaml` says.
    fn change_model(
        &self,
        id: &LoggedModelId,
        change: impl FnOnce(&mut ModelMeta),
    ) -> Result<LoggedModel, StoreError> {
        let _lock = self.locks.model(id);
        let model = self.model(id)?;
        let mut scratch = Scratch::default();
        update_model(&model, &mut scratch, change, self.sync).map_err(internal)?;
        read_model(&model, &mut scratch)
            .map(|stored| stored.model)
            .map_err(|error| unreadable(&error))
    }

    pub(super) fn set_model_status(
        &self,
        id: &LoggedModelId,
        status: LoggedModelStatus,
    ) -> Result<LoggedModel, StoreError> {
        let now = self.now();
        self.change_model(id, |meta| {
            meta.status = status;
            meta.last_updated_timestamp = now;
        })
    }

    pub(super) fn delete_model(&self, id: &LoggedModelId) -> Result<(), StoreError> {
        let now = self.now();
        let deleted = self.change_model(id, |meta| {
            meta.lifecycle_stage = LifecycleStage::Deleted;
            meta.deleted_time = Some(now);
            meta.last_updated_timestamp = now;
        });
        deleted.map(drop)
    }

    pub(super) fn set_model_tags(
        &self,
        id: &LoggedModelId,
        tags: Vec<Tag>,
    ) -> Result<(), StoreError> {
        let _lock = self.locks.model(id);
        let model = self.model(id)?;
        set_model_tags(&model, &last_of_each(tags), self.sync).map_err(model_error)
    }

    pub(super) fn delete_model_tag(&self, id: &LoggedModelId, key: &str) -> Result<(), StoreError> {
        let _lock = self.locks.model(id);
        let model = self.model(id)?;
        match delete_model_tag(&model, key, self.sync) {
            Ok(true) => Ok(()),
            Ok(false) | Err(FolderError::Key { .. }) => {
                Err(StoreError::not_found_in(Resource::LoggedModelTag, key, id))
            }
            Err(error) => Err(internal(error)),
        }
    }

    pub(super) fn log_model_params(
        &self,
        id: &LoggedModelId,
        params: Vec<Param>,
    ) -> Result<(), StoreError> {
        let _lock = self.locks.model(id);
        let model = self.model(id)?;
        put_model_params(&model, &first_of_each(params), self.sync).map_err(model_error)
    }
}

fn model_error(error: FolderError) -> StoreError {
    refused(&RunId::new(""), error, true)
}

fn last_of_each(tags: Vec<Tag>) -> Vec<Tag> {
    let mut last: Vec<Tag> = Vec::with_capacity(tags.len());
    for tag in tags {
        last.retain(|known| known.key != tag.key);
        last.push(tag);
    }
    last
}

fn first_of_each(params: Vec<Param>) -> Vec<Param> {
    let mut first: Vec<Param> = Vec::with_capacity(params.len());
    for param in params {
        if first.iter().all(|known| known.key != param.key) {
            first.push(param);
        }
    }
    first
}
