//! Registered models and their versions.
//!
//! They are read from the files for every answer: there are few of them. A model
//! or version that cannot be read is left out of lists, with a warning.

use std::cmp::Ordering;

use runledger_entities::{
    ModelAlias, ModelStage, ModelVersion, ModelVersionNumber, ModelVersionStatus, RegisteredModel,
    Tag,
};
use runledger_search::{PageToken, eval};
use runledger_store::{
    DescriptionPatch, ModelVersionQuery, NewModelVersion, NewRegisteredModel, Page, PageRequest,
    RegisteredModelQuery, Resource, StageChange, StoreError,
};

use super::{Files, refused, unreadable};
use crate::{
    FolderError,
    folder::{
        Scratch,
        model_versions::{self, StoredVersion},
        registered_models::{self, RegisteredFolder, RegisteredMeta},
    },
    index::internal,
};

fn no_model(name: &str) -> StoreError {
    StoreError::not_found(Resource::RegisteredModel, name)
}

fn no_version(name: &str, version: ModelVersionNumber) -> StoreError {
    StoreError::not_found_in(Resource::ModelVersion, version, name)
}

/// An error of the folder while something is written to a model.
fn model_error(error: FolderError) -> StoreError {
    match error {
        FolderError::Id { id, .. } if id.contains('%') => StoreError::invalid(format!(
            "Invalid name: '{id}'. Registered model name cannot contain '%' character"
        )),
        FolderError::Id { id, .. } => StoreError::invalid(format!(
            "Invalid name: '{id}'. Names of registered models are names of folders here."
        )),
        error => refused(&runledger_entities::RunId::new(""), error, true),
    }
}

/// Says that something was left out.
fn warn(error: &FolderError) {
    tracing::warn!(%error, "a registered model or a version cannot be read");
}

/// A model that is read, with all its versions that are not deleted.
struct Whole {
    model: RegisteredModel,
    versions: Vec<ModelVersion>,
}

impl Files {
    /// The folder of a model.
    fn registered(&self, name: &str) -> Result<RegisteredFolder, StoreError> {
        let root = self.existing_root()?.ok_or_else(|| no_model(name))?;
        match registered_models::open_model(&root, name) {
            Ok(model) => Ok(model),
            Err(
                FolderError::Missing { .. }
                | FolderError::Id { .. }
                | FolderError::WrongKind { .. },
            ) => Err(no_model(name)),
            Err(error) => Err(internal(error)),
        }
    }

    /// The folder of the model of a version.
    fn registered_for(
        &self,
        name: &str,
        version: ModelVersionNumber,
    ) -> Result<RegisteredFolder, StoreError> {
        self.registered(name).map_err(|error| match error {
            StoreError::NotFound { .. } => no_version(name, version),
            error => error,
        })
    }

    fn whole(model: &RegisteredFolder, scratch: &mut Scratch) -> Result<Whole, FolderError> {
        let meta = registered_models::read_meta(model, scratch)?;
        let aliases = registered_models::aliases(model, scratch)?;
        let mut versions = Vec::new();
        for number in model_versions::numbers(model)? {
            match model_versions::read(model, ModelVersionNumber(number), scratch) {
                Ok(StoredVersion::There(found)) => {
                    versions.push(with_aliases(*found, &aliases));
                }
                Ok(StoredVersion::Deleted) => {}
                Err(error) if error.is_missing() => {}
                Err(error) => warn(&error),
            }
        }
        let mut latest_versions: Vec<ModelVersion> = Vec::new();
        for version in &versions {
            latest_versions.retain(|known| known.current_stage != version.current_stage);
            latest_versions.push(version.clone());
        }
        let model = RegisteredModel {
            name: model.name.clone(),
            creation_timestamp: meta.creation_timestamp,
            last_updated_timestamp: meta.last_updated_timestamp,
            description: meta.description,
            latest_versions,
            tags: registered_models::tags(model, scratch)?,
            aliases,
        };
        Ok(Whole { model, versions })
    }

    /// All models with all their versions.
    fn all_registered(&self) -> Result<Vec<Whole>, StoreError> {
        let Some(root) = self.existing_root()? else {
            return Ok(Vec::new());
        };
        let mut scratch = Scratch::default();
        let mut all = Vec::new();
        for name in registered_models::model_names(&root).map_err(internal)? {
            let whole = registered_models::open_model(&root, &name)
                .and_then(|model| Self::whole(&model, &mut scratch));
            match whole {
                Ok(whole) => all.push(whole),
                Err(error) if error.is_missing() => {}
                Err(error) => warn(&error),
            }
        }
        Ok(all)
    }

    pub(super) fn get_registered(&self, name: &str) -> Result<RegisteredModel, StoreError> {
        let model = self.registered(name)?;
        Self::whole(&model, &mut Scratch::default())
            .map(|whole| whole.model)
            .map_err(|error| unreadable(&error))
    }

    pub(super) fn create_registered(
        &self,
        new: NewRegisteredModel,
    ) -> Result<RegisteredModel, StoreError> {
        let root = self.root()?;
        let _registry = self.registry();
        let is_prompt = |tags: &[Tag]| tags.iter().any(|tag| tag.key == Tag::IS_PROMPT);
        let now = self.now();
        let meta = RegisteredMeta {
            creation_timestamp: now,
            last_updated_timestamp: Some(now),
            description: new.description,
        };
        let made = registered_models::create_model(&root, &new.name, &meta, &new.tags, self.sync)
            .map_err(model_error)?;
        if made {
            return self.get_registered(&new.name);
        }
        let there = self.registered(&new.name)?;
        let tags = registered_models::tags(&there, &mut Scratch::default());
        Err(StoreError::RegisteredModelExists {
            is_prompt: is_prompt(&tags.unwrap_or_default()),
            new_is_prompt: is_prompt(&new.tags),
            name: new.name,
        })
    }

    pub(super) fn search_registered(
        &self,
        query: &RegisteredModelQuery,
    ) -> Result<Page<RegisteredModel>, StoreError> {
        let all = self.all_registered()?.into_iter().map(|whole| whole.model);
        let found = all.filter(|model| eval::registered_model_matches(model, &query.filter));
        page(found.collect(), &query.page, |a, b| {
            eval::compare_registered_models(a, b, &query.order_by)
        })
    }

    /// Changes what a model's `meta.yaml` says.
    fn change_registered(
        &self,
        model: &RegisteredFolder,
        change: impl FnOnce(&mut RegisteredMeta),
    ) -> Result<(), StoreError> {
        let mut scratch = Scratch::default();
        registered_models::update_meta(model, &mut scratch, change, self.sync)
            .map(drop)
            .map_err(internal)
    }

    /// Sets the time of a model's update.
    fn touch(&self, model: &RegisteredFolder, now: i64) -> Result<(), StoreError> {
        self.change_registered(model, |meta| meta.last_updated_timestamp = Some(now))
    }

    pub(super) fn update_registered(
        &self,
        name: &str,
        patch: DescriptionPatch,
    ) -> Result<RegisteredModel, StoreError> {
        let _registry = self.registry();
        let (model, now) = (self.registered(name)?, self.now());
        self.change_registered(&model, |meta| {
            meta.description = patch.description;
            meta.last_updated_timestamp = Some(now);
        })?;
        self.get_registered(name)
    }

    pub(super) fn rename_registered(
        &self,
        name: &str,
        new_name: &str,
    ) -> Result<RegisteredModel, StoreError> {
        let _registry = self.registry();
        self.registered(name)?;
        let root = self.root()?;
        if name != new_name
            && !registered_models::rename(&root, name, new_name, self.sync).map_err(model_error)?
        {
            return Err(StoreError::RegisteredModelExists {
                name: new_name.to_owned(),
                is_prompt: false,
                new_is_prompt: false,
            });
        }
        // The folders have the new name already; what follows is for MLflow, which
        // reads it from the files.
        let (model, now) = (self.registered(new_name)?, self.now());
        let mut scratch = Scratch::default();
        for number in model_versions::numbers(&model).map_err(internal)? {
            let version = ModelVersionNumber(number);
            let change = |version: &mut ModelVersion| {
                version.last_updated_timestamp = Some(now);
                true
            };
            model_versions::update(&model, version, &mut scratch, change, self.sync)
                .map_err(internal)?;
        }
        self.touch(&model, now)?;
        self.get_registered(new_name)
    }

    pub(super) fn delete_registered(&self, name: &str) -> Result<(), StoreError> {
        let _registry = self.registry();
        self.registered(name)?;
        registered_models::remove(&self.root()?, name, self.sync).map_err(internal)
    }

    pub(super) fn set_registered_tag(&self, name: &str, tag: &Tag) -> Result<(), StoreError> {
        let _registry = self.registry();
        let model = self.registered(name)?;
        registered_models::set_tag(&model, tag, self.sync).map_err(model_error)
    }

    pub(super) fn delete_registered_tag(&self, name: &str, key: &str) -> Result<(), StoreError> {
        let _registry = self.registry();
        let model = self.registered(name)?;
        match registered_models::delete_tag(&model, key, self.sync) {
            Ok(()) | Err(FolderError::Key { .. }) => Ok(()),
            Err(error) => Err(internal(error)),
        }
    }

    pub(super) fn set_alias(
        &self,
        name: &str,
        alias: String,
        version: ModelVersionNumber,
    ) -> Result<(), StoreError> {
        let _registry = self.registry();
        self.get_version(name, version)?;
        let model = self.registered(name)?;
        let alias = ModelAlias { alias, version };
        registered_models::set_alias(&model, &alias, self.sync).map_err(model_error)?;
        self.change_registered(&model, |_| {})
    }

    pub(super) fn delete_alias(&self, name: &str, alias: &str) -> Result<(), StoreError> {
        let _registry = self.registry();
        let model = self.registered(name)?;
        match registered_models::delete_alias(&model, alias, self.sync) {
            Ok(()) | Err(FolderError::Key { .. }) => {}
            Err(error) => return Err(internal(error)),
        }
        self.change_registered(&model, |_| {})
    }

    pub(super) fn version_by_alias(
        &self,
        name: &str,
        alias: &str,
    ) -> Result<ModelVersion, StoreError> {
        let model = self.registered(name)?;
        let aliases = registered_models::aliases(&model, &mut Scratch::default())
            .map_err(|error| unreadable(&error))?;
        match aliases.iter().find(|found| found.alias == alias) {
            Some(found) => self.get_version(name, found.version),
            None => Err(StoreError::not_found_in(Resource::ModelAlias, alias, name)),
        }
    }

    pub(super) fn last_version(&self, name: &str) -> Result<ModelVersionNumber, StoreError> {
        let numbers = model_versions::numbers(&self.registered(name)?).map_err(internal)?;
        Ok(ModelVersionNumber(numbers.last().copied().unwrap_or(0)))
    }

    pub(super) fn create_version(&self, new: NewModelVersion) -> Result<ModelVersion, StoreError> {
        let _registry = self.registry();
        let (model, now) = (self.registered(&new.name)?, self.now());
        let version = ModelVersion {
            name: new.name,
            version: ModelVersionNumber(0),
            creation_timestamp: now,
            last_updated_timestamp: Some(now),
            user_id: None,
            current_stage: ModelStage::None,
            description: new.description,
            source: Some(new.source),
            storage_location: new.storage_location,
            run_id: new.run_id,
            run_link: new.run_link,
            status: ModelVersionStatus::Ready,
            status_message: None,
            tags: new.tags,
            aliases: Vec::new(),
        };
        let number = model_versions::create(&self.root()?, &model, &version, self.sync)
            .map_err(model_error)?;
        self.touch(&model, now)?;
        self.get_version(&model.name, number)
    }

    pub(super) fn get_version(
        &self,
        name: &str,
        version: ModelVersionNumber,
    ) -> Result<ModelVersion, StoreError> {
        let model = self.registered_for(name, version)?;
        let mut scratch = Scratch::default();
        match model_versions::read(&model, version, &mut scratch) {
            Ok(StoredVersion::There(found)) => {
                let aliases = registered_models::aliases(&model, &mut scratch)
                    .map_err(|error| unreadable(&error))?;
                Ok(with_aliases(*found, &aliases))
            }
            Ok(StoredVersion::Deleted) => Err(no_version(name, version)),
            Err(error) if error.is_missing() => Err(no_version(name, version)),
            Err(error) => Err(unreadable(&error)),
        }
    }

    pub(super) fn search_versions(
        &self,
        query: &ModelVersionQuery,
    ) -> Result<Page<ModelVersion>, StoreError> {
        let mut found = Vec::new();
        for whole in self.all_registered()? {
            let of_prompt = eval::are_of_prompt(&whole.versions);
            let versions = whole.versions.into_iter();
            found.extend(
                versions.filter(|version| {
                    eval::model_version_matches(version, of_prompt, &query.filter)
                }),
            );
        }
        page(found, &query.page, |a, b| {
            eval::compare_model_versions(a, b, &query.order_by)
        })
    }

    /// Changes what a version's `meta.yaml` says.
    fn change_version(
        &self,
        model: &RegisteredFolder,
        version: ModelVersionNumber,
        change: impl FnOnce(&mut ModelVersion) -> bool,
    ) -> Result<(), StoreError> {
        let mut scratch = Scratch::default();
        match model_versions::update(model, version, &mut scratch, change, self.sync) {
            Ok(true) => Ok(()),
            Ok(false) => Err(no_version(&model.name, version)),
            Err(error) if error.is_missing() => Err(no_version(&model.name, version)),
            Err(error) => Err(internal(error)),
        }
    }

    pub(super) fn update_version(
        &self,
        name: &str,
        version: ModelVersionNumber,
        patch: DescriptionPatch,
    ) -> Result<ModelVersion, StoreError> {
        let _registry = self.registry();
        let (model, now) = (self.registered_for(name, version)?, self.now());
        self.change_version(&model, version, |version| {
            version.description = patch.description;
            version.last_updated_timestamp = Some(now);
            true
        })?;
        self.get_version(name, version)
    }

    pub(super) fn move_version(
        &self,
        name: &str,
        version: ModelVersionNumber,
        to: StageChange,
    ) -> Result<ModelVersion, StoreError> {
        let _registry = self.registry();
        self.get_version(name, version)?;
        let (model, now) = (self.registered(name)?, self.now());
        if to.archive_others {
            for number in model_versions::numbers(&model).map_err(internal)? {
                let other = ModelVersionNumber(number);
                if other == version {
                    continue;
                }
                let archived = self.change_version(&model, other, |other| {
                    let is_in_stage = other.current_stage == to.stage;
                    if is_in_stage {
                        other.current_stage = ModelStage::Archived;
                        other.last_updated_timestamp = Some(now);
                    }
                    is_in_stage
                });
                match archived {
                    // A deleted one.
                    Ok(()) | Err(StoreError::NotFound { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        self.change_version(&model, version, |version| {
            version.current_stage = to.stage;
            version.last_updated_timestamp = Some(now);
            true
        })?;
        self.touch(&model, now)?;
        self.get_version(name, version)
    }

    pub(super) fn delete_version(
        &self,
        name: &str,
        version: ModelVersionNumber,
    ) -> Result<(), StoreError> {
        let _registry = self.registry();
        let found = self.get_version(name, version)?;
        let (model, now) = (self.registered(name)?, self.now());
        let mut scratch = Scratch::default();
        // The aliases first: none may stand for what is gone.
        for alias in &found.aliases {
            registered_models::delete_alias(&model, alias, self.sync).map_err(internal)?;
        }
        let deleted = model_versions::delete(&model, version, now, &mut scratch, self.sync);
        if !deleted.map_err(internal)? {
            return Err(no_version(name, version));
        }
        self.touch(&model, now)
    }

    pub(super) fn set_version_tag(
        &self,
        name: &str,
        version: ModelVersionNumber,
        tag: &Tag,
    ) -> Result<(), StoreError> {
        let _registry = self.registry();
        self.get_version(name, version)?;
        let model = self.registered(name)?;
        model_versions::set_tag(&model, version, tag, self.sync).map_err(model_error)
    }

    pub(super) fn delete_version_tag(
        &self,
        name: &str,
        version: ModelVersionNumber,
        key: &str,
    ) -> Result<(), StoreError> {
        let _registry = self.registry();
        self.get_version(name, version)?;
        let model = self.registered(name)?;
        match model_versions::delete_tag(&model, version, key, self.sync) {
            Ok(()) | Err(FolderError::Key { .. }) => Ok(()),
            Err(error) => Err(internal(error)),
        }
    }
}

fn with_aliases(mut version: ModelVersion, aliases: &[ModelAlias]) -> ModelVersion {
    let own = aliases
        .iter()
        .filter(|alias| alias.version == version.version);
    version.aliases = own.map(|alias| alias.alias.clone()).collect();
    version
}

/// The page that a request asks for, of what was found.
fn page<T>(
    mut found: Vec<T>,
    request: &PageRequest,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Result<Page<T>, StoreError> {
    let token = PageToken::decode(request.token.as_deref().unwrap_or_default())
        .map_err(|error| StoreError::invalid(error.to_string()))?;
    found.sort_by(compare);
    let skipped = usize::try_from(token.offset).unwrap_or(usize::MAX);
    let most = usize::try_from(request.max_results).unwrap_or(usize::MAX);
    let rest = found.len().saturating_sub(skipped);
    let items: Vec<T> = found.into_iter().skip(skipped).take(most).collect();
    let next = PageToken {
        offset: token.offset + items.len() as u64,
        after: None,
    };
    Ok(Page {
        next_token: (rest > most).then(|| next.encode()),
        items,
    })
}
