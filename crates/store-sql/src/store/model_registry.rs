//! Registered models and their versions: [`ModelRegistryStore`].

use async_trait::async_trait;
use runledger_entities::{ModelVersion, ModelVersionNumber, RegisteredModel, Tag};
use runledger_store::{
    DescriptionPatch, ModelRegistryStore, ModelVersionQuery, NewModelVersion, NewRegisteredModel,
    Page, RegisteredModelQuery, RegistryChange, StageChange, StoreError,
};

use super::SqlStore;
use crate::{
    nouns::{model_versions, registered_models},
    search,
};

#[async_trait]
impl ModelRegistryStore for SqlStore {
    async fn create_registered_model(
        &self,
        new: NewRegisteredModel,
    ) -> Result<RegisteredModel, StoreError> {
        let now = self.now();
        self.change(move |c, outbox| {
            let model = registered_models::create(c, &new, now)?;
            outbox.add(c, &RegistryChange::ModelCreated(&new))?;
            Ok(model)
        })
        .await
    }

    async fn get_registered_model(&self, name: &str) -> Result<RegisteredModel, StoreError> {
        let name = name.to_owned();
        self.executor
            .read(move |c| registered_models::get(c, &name))
            .await
    }

    async fn search_registered_models(
        &self,
        query: RegisteredModelQuery,
    ) -> Result<Page<RegisteredModel>, StoreError> {
        self.executor
            .read(move |c| search::registered_models::search(c, &query))
            .await
    }

    async fn update_registered_model(
        &self,
        name: &str,
        patch: DescriptionPatch,
    ) -> Result<RegisteredModel, StoreError> {
        let (name, now) = (name.to_owned(), self.now());
        self.executor
            .write(move |c| registered_models::update(c, &name, &patch, now))
            .await
    }

    async fn rename_registered_model(
        &self,
        name: &str,
        new_name: &str,
    ) -> Result<RegisteredModel, StoreError> {
        let (name, new_name, now) = (name.to_owned(), new_name.to_owned(), self.now());
        self.executor
            .write(move |c| registered_models::rename(c, &name, &new_name, now))
            .await
    }

    async fn delete_registered_model(&self, name: &str) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.executor
            .write(move |c| registered_models::delete(c, &name))
            .await
    }

    async fn set_registered_model_tag(&self, name: &str, tag: Tag) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.change(move |c, outbox| {
            registered_models::set_tag(c, &name, &tag)?;
            let change = RegistryChange::TagSet {
                name: &name,
                version: None,
                tag: &tag,
            };
            outbox.add(c, &change)
        })
        .await
    }

    async fn delete_registered_model_tag(&self, name: &str, key: &str) -> Result<(), StoreError> {
        let (name, key) = (name.to_owned(), key.to_owned());
        self.change(move |c, outbox| {
            registered_models::delete_tag(c, &name, &key)?;
            let change = RegistryChange::TagDeleted {
                name: &name,
                version: None,
                key: &key,
            };
            outbox.add(c, &change)
        })
        .await
    }

    async fn set_model_alias(
        &self,
        name: &str,
        alias: &str,
        version: ModelVersionNumber,
    ) -> Result<(), StoreError> {
        let (name, alias) = (name.to_owned(), alias.to_owned());
        self.change(move |c, outbox| {
            registered_models::set_alias(c, &name, &alias, version)?;
            let change = RegistryChange::AliasSet {
                name: &name,
                alias: &alias,
                version,
            };
            outbox.add(c, &change)
        })
        .await
    }

    async fn delete_model_alias(&self, name: &str, alias: &str) -> Result<(), StoreError> {
        let (name, alias) = (name.to_owned(), alias.to_owned());
        self.change(move |c, outbox| {
            registered_models::delete_alias(c, &name, &alias)?;
            let change = RegistryChange::AliasDeleted {
                name: &name,
                alias: &alias,
            };
            outbox.add(c, &change)
        })
        .await
    }

    async fn get_model_version_by_alias(
        &self,
        name: &str,
        alias: &str,
    ) -> Result<ModelVersion, StoreError> {
        let (name, alias) = (name.to_owned(), alias.to_owned());
        self.executor
            .read(move |c| registered_models::by_alias(c, &name, &alias))
            .await
    }

    async fn create_model_version(&self, new: NewModelVersion) -> Result<ModelVersion, StoreError> {
        let now = self.now();
        self.change(move |c, outbox| {
            let version = model_versions::create(c, &new, now)?;
            outbox.add(c, &RegistryChange::VersionCreated(&new, version.version))?;
            Ok(version)
        })
        .await
    }

    async fn get_model_version(
        &self,
        name: &str,
        version: ModelVersionNumber,
    ) -> Result<ModelVersion, StoreError> {
        let name = name.to_owned();
        self.executor
            .read(move |c| model_versions::get(c, &name, version))
            .await
    }

    async fn search_model_versions(
        &self,
        query: ModelVersionQuery,
    ) -> Result<Page<ModelVersion>, StoreError> {
        self.executor
            .read(move |c| search::model_versions::search(c, &query))
            .await
    }

    async fn update_model_version(
        &self,
        name: &str,
        version: ModelVersionNumber,
        patch: DescriptionPatch,
    ) -> Result<ModelVersion, StoreError> {
        let (name, now) = (name.to_owned(), self.now());
        self.executor
            .write(move |c| model_versions::update(c, &name, version, &patch, now))
            .await
    }

    async fn transition_model_version(
        &self,
        name: &str,
        version: ModelVersionNumber,
        change: StageChange,
    ) -> Result<ModelVersion, StoreError> {
        let (name, now) = (name.to_owned(), self.now());
        self.executor
            .write(move |c| model_versions::transition(c, &name, version, change, now))
            .await
    }

    async fn delete_model_version(
        &self,
        name: &str,
        version: ModelVersionNumber,
    ) -> Result<(), StoreError> {
        let (name, now) = (name.to_owned(), self.now());
        self.executor
            .write(move |c| model_versions::delete(c, &name, version, now))
            .await
    }

    async fn set_model_version_tag(
        &self,
        name: &str,
        version: ModelVersionNumber,
        tag: Tag,
    ) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.change(move |c, outbox| {
            model_versions::set_tag(c, &name, version, &tag)?;
            let change = RegistryChange::TagSet {
                name: &name,
                version: Some(version),
                tag: &tag,
            };
            outbox.add(c, &change)
        })
        .await
    }

    async fn delete_model_version_tag(
        &self,
        name: &str,
        version: ModelVersionNumber,
        key: &str,
    ) -> Result<(), StoreError> {
        let (name, key) = (name.to_owned(), key.to_owned());
        self.change(move |c, outbox| {
            model_versions::delete_tag(c, &name, version, &key)?;
            let change = RegistryChange::TagDeleted {
                name: &name,
                version: Some(version),
                key: &key,
            };
            outbox.add(c, &change)
        })
        .await
    }

    async fn last_model_version(&self, name: &str) -> Result<ModelVersionNumber, StoreError> {
        let name = name.to_owned();
        self.executor
            .read(move |c| {
                registered_models::get(c, &name)?;
                model_versions::last(c, &name)
            })
            .await
    }
}
