//! Registered models and their versions: each method handed to the files.

use async_trait::async_trait;
use runledger_entities::{ModelVersion, ModelVersionNumber, RegisteredModel, Tag};
use runledger_store::{
    DescriptionPatch, ModelRegistryStore, ModelVersionQuery, NewModelVersion, NewRegisteredModel,
    Page, RegisteredModelQuery, StageChange, StoreError,
};

use super::FileStore;

#[async_trait]
impl ModelRegistryStore for FileStore {
    async fn create_registered_model(
        &self,
        new: NewRegisteredModel,
    ) -> Result<RegisteredModel, StoreError> {
        self.write(move |files| files.create_registered(new)).await
    }

    async fn get_registered_model(&self, name: &str) -> Result<RegisteredModel, StoreError> {
        let name = name.to_owned();
        self.read(move |files| files.get_registered(&name)).await
    }

    async fn search_registered_models(
        &self,
        query: RegisteredModelQuery,
    ) -> Result<Page<RegisteredModel>, StoreError> {
        self.read(move |files| files.search_registered(&query))
            .await
    }

    async fn update_registered_model(
        &self,
        name: &str,
        patch: DescriptionPatch,
    ) -> Result<RegisteredModel, StoreError> {
        let name = name.to_owned();
        self.write(move |files| files.update_registered(&name, patch))
            .await
    }

    async fn rename_registered_model(
        &self,
        name: &str,
        new_name: &str,
    ) -> Result<RegisteredModel, StoreError> {
        let (name, new_name) = (name.to_owned(), new_name.to_owned());
        self.write(move |files| files.rename_registered(&name, &new_name))
            .await
    }

    async fn delete_registered_model(&self, name: &str) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.write(move |files| files.delete_registered(&name))
            .await
    }

    async fn set_registered_model_tag(&self, name: &str, tag: Tag) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.write(move |files| files.set_registered_tag(&name, &tag))
            .await
    }

    async fn delete_registered_model_tag(&self, name: &str, key: &str) -> Result<(), StoreError> {
        let (name, key) = (name.to_owned(), key.to_owned());
        self.write(move |files| files.delete_registered_tag(&name, &key))
            .await
    }

    async fn set_model_alias(
        &self,
        name: &str,
        alias: &str,
        version: ModelVersionNumber,
    ) -> Result<(), StoreError> {
        let (name, alias) = (name.to_owned(), alias.to_owned());
        self.write(move |files| files.set_alias(&name, alias, version))
            .await
    }

    async fn delete_model_alias(&self, name: &str, alias: &str) -> Result<(), StoreError> {
        let (name, alias) = (name.to_owned(), alias.to_owned());
        self.write(move |files| files.delete_alias(&name, &alias))
            .await
    }

    async fn get_model_version_by_alias(
        &self,
        name: &str,
        alias: &str,
    ) -> Result<ModelVersion, StoreError> {
        let (name, alias) = (name.to_owned(), alias.to_owned());
        self.read(move |files| files.version_by_alias(&name, &alias))
            .await
    }

    async fn create_model_version(&self, new: NewModelVersion) -> Result<ModelVersion, StoreError> {
        self.write(move |files| files.create_version(new)).await
    }

    async fn get_model_version(
        &self,
        name: &str,
        version: ModelVersionNumber,
    ) -> Result<ModelVersion, StoreError> {
        let name = name.to_owned();
        self.read(move |files| files.get_version(&name, version))
            .await
    }

    async fn search_model_versions(
        &self,
        query: ModelVersionQuery,
    ) -> Result<Page<ModelVersion>, StoreError> {
        self.read(move |files| files.search_versions(&query)).await
    }

    async fn update_model_version(
        &self,
        name: &str,
        version: ModelVersionNumber,
        patch: DescriptionPatch,
    ) -> Result<ModelVersion, StoreError> {
        let name = name.to_owned();
        self.write(move |files| files.update_version(&name, version, patch))
            .await
    }

    async fn transition_model_version(
        &self,
        name: &str,
        version: ModelVersionNumber,
        change: StageChange,
    ) -> Result<ModelVersion, StoreError> {
        let name = name.to_owned();
        self.write(move |files| files.move_version(&name, version, change))
            .await
    }

    async fn delete_model_version(
        &self,
        name: &str,
        version: ModelVersionNumber,
    ) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.write(move |files| files.delete_version(&name, version))
            .await
    }

    async fn set_model_version_tag(
        &self,
        name: &str,
        version: ModelVersionNumber,
        tag: Tag,
    ) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.write(move |files| files.set_version_tag(&name, version, &tag))
            .await
    }

    async fn delete_model_version_tag(
        &self,
        name: &str,
        version: ModelVersionNumber,
        key: &str,
    ) -> Result<(), StoreError> {
        let (name, key) = (name.to_owned(), key.to_owned());
        self.write(move |files| files.delete_version_tag(&name, version, &key))
            .await
    }

    async fn last_model_version(&self, name: &str) -> Result<ModelVersionNumber, StoreError> {
        let name = name.to_owned();
        self.read(move |files| files.last_version(&name)).await
    }
}
