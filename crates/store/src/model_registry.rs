//! The model registry: registered models and their versions.

use std::fmt;

use async_trait::async_trait;
use runledger_entities::{
    ModelStage, ModelVersion, ModelVersionNumber, RegisteredModel, RunId, Tag,
};
use runledger_search::{
    ModelVersionClause, ModelVersionKey, Order, RegisteredModelClause, RegisteredModelKey,
    RegistryFilter,
};

use crate::{Page, PageRequest, Resource, StoreError};

/// A registered model to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewRegisteredModel {
    /// The name.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// Tags; of equal keys the last wins.
    pub tags: Vec<Tag>,
}

/// A change of a registered model, or of a version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DescriptionPatch {
    /// The new description; `None` takes it away.
    pub description: Option<String>,
}

/// A version to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewModelVersion {
    /// The name of its registered model, which must be there.
    pub name: String,
    /// The URI that it is made of, as the client wrote it.
    pub source: String,
    /// The URI of its files, where they are not at the source.
    pub storage_location: Option<String>,
    /// The run that made it.
    pub run_id: Option<RunId>,
    /// A link to that run.
    pub run_link: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Tags; of equal keys the last wins.
    pub tags: Vec<Tag>,
}

/// A change of the stage of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageChange {
    /// The new stage.
    pub stage: ModelStage,
    /// Whether all other versions that are in it go to [`ModelStage::Archived`].
    pub archive_others: bool,
}

/// A search of registered models.
#[derive(Clone, Debug, PartialEq)]
pub struct RegisteredModelQuery {
    /// Which.
    pub filter: RegistryFilter<RegisteredModelClause>,
    /// The order; by name after it.
    pub order_by: Vec<Order<RegisteredModelKey>>,
    /// The page.
    pub page: PageRequest,
}

/// A search of versions.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelVersionQuery {
    /// Which.
    pub filter: RegistryFilter<ModelVersionClause>,
    /// The order; by name and then the larger number first after it. Without one,
    /// what was changed last comes first.
    pub order_by: Vec<Order<ModelVersionKey>>,
    /// The page.
    pub page: PageRequest,
}

/// A store of registered models and their versions.
///
/// Names, aliases and tags are checked by the caller
/// (`runledger_entities::validate`). A model that is not there is
/// [`Resource::RegisteredModel`], a version that is not there, or was deleted,
/// [`Resource::ModelVersion`], even where its model is not there either.
///
/// Models and versions come with their tags and aliases. What changes a model's
/// `last_updated_timestamp` is said at each method; nothing else does.
#[async_trait]
pub trait ModelRegistryStore: fmt::Debug + Send + Sync + 'static {
    /// Creates a model without versions.
    ///
    /// # Errors
    /// [`StoreError::RegisteredModelExists`] if the name is taken. Of several that
    /// create the same name at the same time, one does.
    async fn create_registered_model(
        &self,
        new: NewRegisteredModel,
    ) -> Result<RegisteredModel, StoreError>;

    /// A model, with the newest version of each stage.
    async fn get_registered_model(&self, name: &str) -> Result<RegisteredModel, StoreError>;

    /// A page of models.
    async fn search_registered_models(
        &self,
        query: RegisteredModelQuery,
    ) -> Result<Page<RegisteredModel>, StoreError>;

    /// Sets the description of a model, and the time of its update.
    async fn update_registered_model(
        &self,
        name: &str,
        patch: DescriptionPatch,
    ) -> Result<RegisteredModel, StoreError>;

    /// Gives a model another name: its versions, tags and aliases go with it, and
    /// it and all its versions get the time of the change.
    ///
    /// # Errors
    /// [`StoreError::RegisteredModelExists`] if the name is taken.
    async fn rename_registered_model(
        &self,
        name: &str,
        new_name: &str,
    ) -> Result<RegisteredModel, StoreError>;

    /// Deletes a model with all that belongs to it, for good. A model of the same
    /// name that is created later begins with version 1.
    async fn delete_registered_model(&self, name: &str) -> Result<(), StoreError>;

    /// Sets a tag of a model.
    async fn set_registered_model_tag(&self, name: &str, tag: Tag) -> Result<(), StoreError>;

    /// Deletes a tag of a model; one that is not there does no harm.
    async fn delete_registered_model_tag(&self, name: &str, key: &str) -> Result<(), StoreError>;

    /// Makes an alias stand for a version, whatever it stood for before.
    async fn set_model_alias(
        &self,
        name: &str,
        alias: &str,
        version: ModelVersionNumber,
    ) -> Result<(), StoreError>;

    /// Deletes an alias of a model; one that is not there does no harm.
    async fn delete_model_alias(&self, name: &str, alias: &str) -> Result<(), StoreError>;

    /// The version that an alias stands for.
    ///
    /// # Errors
    /// [`Resource::ModelAlias`] if the model has no such alias.
    async fn get_model_version_by_alias(
        &self,
        name: &str,
        alias: &str,
    ) -> Result<ModelVersion, StoreError>;

    /// Creates a version, ready and in no stage, and sets the time of the model's
    /// update.
    ///
    /// Its number is one more than the largest that the model ever had, deleted
    /// versions included: of many that are created at the same time, by any number
    /// of servers, each gets a number of its own, and none is left out.
    async fn create_model_version(&self, new: NewModelVersion) -> Result<ModelVersion, StoreError>;

    /// A version.
    async fn get_model_version(
        &self,
        name: &str,
        version: ModelVersionNumber,
    ) -> Result<ModelVersion, StoreError>;

    /// A page of versions. Deleted ones are not found.
    async fn search_model_versions(
        &self,
        query: ModelVersionQuery,
    ) -> Result<Page<ModelVersion>, StoreError>;

    /// Sets the description of a version, and the time of its update.
    async fn update_model_version(
        &self,
        name: &str,
        version: ModelVersionNumber,
        patch: DescriptionPatch,
    ) -> Result<ModelVersion, StoreError>;

    /// Moves a version to a stage. It, its model and the versions that it archives
    /// get the time of the change.
    async fn transition_model_version(
        &self,
        name: &str,
        version: ModelVersionNumber,
        change: StageChange,
    ) -> Result<ModelVersion, StoreError>;

    /// Deletes a version with its aliases, for good, and sets the time of the
    /// model's update. Its number is not given again.
    async fn delete_model_version(
        &self,
        name: &str,
        version: ModelVersionNumber,
    ) -> Result<(), StoreError>;

    /// Sets a tag of a version.
    async fn set_model_version_tag(
        &self,
        name: &str,
        version: ModelVersionNumber,
        tag: Tag,
    ) -> Result<(), StoreError>;

    /// Deletes a tag of a version; one that is not there does no harm.
    async fn delete_model_version_tag(
        &self,
        name: &str,
        version: ModelVersionNumber,
        key: &str,
    ) -> Result<(), StoreError>;

    /// The largest number that a version of a model ever had; 0 if it never had
    /// any.
    async fn last_model_version(&self, name: &str) -> Result<ModelVersionNumber, StoreError>;
}

/// What composes from the methods of a [`ModelRegistryStore`].
#[async_trait]
pub trait ModelRegistryStoreExt: ModelRegistryStore {
    /// The newest version of each of these stages that has any, ordered by number.
    async fn latest_model_versions(
        &self,
        name: &str,
        stages: &[ModelStage],
    ) -> Result<Vec<ModelVersion>, StoreError> {
        let mut versions = self.get_registered_model(name).await?.latest_versions;
        versions.retain(|version| stages.contains(&version.current_stage));
        Ok(versions)
    }

    /// The version that an alias stands for; `latest`, in any case, is the newest
    /// of all (MLflow 3.17).
    ///
    /// # Errors
    /// [`Resource::ModelAlias`] if the model has no such alias,
    /// [`Resource::LatestModelVersion`] if it has no version.
    async fn resolve_model_alias(
        &self,
        name: &str,
        alias: &str,
    ) -> Result<ModelVersion, StoreError> {
        if alias.to_lowercase() != RegisteredModel::LATEST {
            return self.get_model_version_by_alias(name, alias).await;
        }
        let versions = self.latest_model_versions(name, &ModelStage::ALL).await?;
        versions
            .into_iter()
            .max_by_key(|version| version.version)
            .ok_or_else(|| StoreError::not_found(Resource::LatestModelVersion, name))
    }
}

impl<S: ModelRegistryStore + ?Sized> ModelRegistryStoreExt for S {}
