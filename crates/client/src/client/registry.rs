//! Calls about the model registry.

use runledger_entities::{
    ModelStage, ModelUri, ModelVersion, ModelVersionNumber, RegisteredModel, Tag, limits, validate,
};
use runledger_search::{
    parse_model_version_filter, parse_model_version_order, parse_registered_model_filter,
    parse_registered_model_order,
};
use runledger_store::{
    DescriptionPatch, ModelRegistryStoreExt as _, ModelVersionQuery, NewModelVersion,
    NewRegisteredModel, RegisteredModelQuery, StageChange,
};

use super::{Client, first_page, owned};
use crate::TrackingError;

/// Versions of one page.
const VERSIONS: u32 = 1000;

impl Client {
    /// Registers a model, without versions.
    ///
    /// ```no_run
    /// # async fn example(client: runledger::Client) -> Result<(), runledger::TrackingError> {
    /// use runledger::store::{NewModelVersion, NewRegisteredModel};
    ///
    /// let model = NewRegisteredModel { name: "digits".to_owned(), ..Default::default() };
    /// client.create_registered_model(model).await?;
    /// let version = client
    ///     .create_model_version(NewModelVersion {
    ///         name: "digits".to_owned(),
    ///         source: "s3://models/digits/7".to_owned(),
    ///         ..Default::default()
    ///     })
    ///     .await?;
    /// client.set_registered_model_alias("digits", "champion", version.version).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_registered_model(
        &self,
        new: NewRegisteredModel,
    ) -> Result<RegisteredModel, TrackingError> {
        validate::registered_model_name("name", &new.name)?;
        for tag in &new.tags {
            validate::registered_model_tag(tag)?;
        }
        Ok(self.registry.create_registered_model(new).await?)
    }

    /// A registered model, with the newest version of each stage.
    pub async fn get_registered_model(&self, name: &str) -> Result<RegisteredModel, TrackingError> {
        Ok(self.registry.get_registered_model(name).await?)
    }

    /// Registered models that fulfil a filter (`name LIKE 'prod-%' AND tags.team = 'vision'`;
    /// all but prompts if it is empty), ordered by clauses such as `last_updated_timestamp
    /// DESC`, by name without any.
    pub async fn search_registered_models(
        &self,
        filter: &str,
        order_by: &[&str],
    ) -> Result<Vec<RegisteredModel>, TrackingError> {
        let mut query = RegisteredModelQuery {
            filter: parse_registered_model_filter(filter)?,
            order_by: parse_registered_model_order(&owned(order_by))?,
            page: first_page(limits::REGISTERED_MODELS_MAX_RESULTS),
        };
        let mut found = Vec::new();
        loop {
            let page = self.registry.search_registered_models(query.clone());
            let page = page.await?;
            found.extend(page.items);
            query.page.token = page.next_token;
            if query.page.token.is_none() {
                return Ok(found);
            }
        }
    }

    /// Sets the description of a registered model; `None` takes it away.
    pub async fn update_registered_model(
        &self,
        name: &str,
        description: Option<&str>,
    ) -> Result<RegisteredModel, TrackingError> {
        let patch = patch(description);
        Ok(self.registry.update_registered_model(name, patch).await?)
    }

    /// Gives a registered model another name; everything goes with it.
    pub async fn rename_registered_model(
        &self,
        name: &str,
        new_name: &str,
    ) -> Result<RegisteredModel, TrackingError> {
        validate::registered_model_name("new_name", new_name)?;
        let renamed = self.registry.rename_registered_model(name, new_name);
        Ok(renamed.await?)
    }

    /// Deletes a registered model with all its versions, for good.
    pub async fn delete_registered_model(&self, name: &str) -> Result<(), TrackingError> {
        Ok(self.registry.delete_registered_model(name).await?)
    }

    /// Sets a tag of a registered model.
    pub async fn set_registered_model_tag(
        &self,
        name: &str,
        key: &str,
        value: &str,
    ) -> Result<(), TrackingError> {
        let tag = Tag::new(key, value);
        validate::registered_model_tag(&tag)?;
        Ok(self.registry.set_registered_model_tag(name, tag).await?)
    }

    /// Deletes a tag of a registered model; one that is not there does no harm.
    pub async fn delete_registered_model_tag(
        &self,
        name: &str,
        key: &str,
    ) -> Result<(), TrackingError> {
        Ok(self.registry.delete_registered_model_tag(name, key).await?)
    }

    /// Makes an alias stand for a version, whatever it stood for before.
    pub async fn set_registered_model_alias(
        &self,
        name: &str,
        alias: &str,
        version: ModelVersionNumber,
    ) -> Result<(), TrackingError> {
        validate::new_model_alias(alias)?;
        Ok(self.registry.set_model_alias(name, alias, version).await?)
    }

    /// Deletes an alias of a registered model; one that is not there does no harm.
    pub async fn delete_registered_model_alias(
        &self,
        name: &str,
        alias: &str,
    ) -> Result<(), TrackingError> {
        validate::model_alias(alias)?;
        Ok(self.registry.delete_model_alias(name, alias).await?)
    }

    /// The version that an alias stands for; `latest` is the newest of all.
    pub async fn get_model_version_by_alias(
        &self,
        name: &str,
        alias: &str,
    ) -> Result<ModelVersion, TrackingError> {
        validate::model_alias(alias)?;
        Ok(self.registry.resolve_model_alias(name, alias).await?)
    }

    /// Creates a version of a registered model, which must be there.
    ///
    /// A source that is a version (`models:/digits/3`) or a logged model (`models:/m-…`) has
    /// its files where those are, unless `storage_location` says otherwise; a registry at a
    /// server finds this out itself.
    pub async fn create_model_version(
        &self,
        mut new: NewModelVersion,
    ) -> Result<ModelVersion, TrackingError> {
        for tag in &new.tags {
            validate::model_version_tag(tag)?;
        }
        if new.storage_location.is_none() && !self.is_registry_of_server {
            new.storage_location = match ModelUri::parse(&new.source) {
                Some(ModelUri::Version { name, version }) => {
                    let other = self.registry.get_model_version(&name, version).await?;
                    Some(other.download_uri().to_owned())
                }
                Some(ModelUri::LoggedModel(id)) => {
                    Some(self.get_logged_model(&id).await?.artifact_location)
                }
                _ => Some(new.source.clone()),
            };
        }
        Ok(self.registry.create_model_version(new).await?)
    }

    /// A version.
    pub async fn get_model_version(
        &self,
        name: &str,
        version: ModelVersionNumber,
    ) -> Result<ModelVersion, TrackingError> {
        Ok(self.registry.get_model_version(name, version).await?)
    }

    /// The newest version of each of these stages that has any, ordered by number; of all
    /// stages if none is named.
    pub async fn get_latest_versions(
        &self,
        name: &str,
        stages: &[ModelStage],
    ) -> Result<Vec<ModelVersion>, TrackingError> {
        let stages = if stages.is_empty() {
            &ModelStage::ALL
        } else {
            stages
        };
        Ok(self.registry.latest_model_versions(name, stages).await?)
    }

    /// Versions that fulfil a filter (`name = 'digits' AND version_number > 3`; all but those
    /// of prompts if it is empty), ordered by clauses such as `version_number DESC`, without
    /// any what was changed last first.
    pub async fn search_model_versions(
        &self,
        filter: &str,
        order_by: &[&str],
    ) -> Result<Vec<ModelVersion>, TrackingError> {
        let mut query = ModelVersionQuery {
            filter: parse_model_version_filter(filter)?,
            order_by: parse_model_version_order(&owned(order_by))?,
            page: first_page(VERSIONS),
        };
        let mut found = Vec::new();
        loop {
            let page = self.registry.search_model_versions(query.clone()).await?;
            found.extend(page.items);
            query.page.token = page.next_token;
            if query.page.token.is_none() {
                return Ok(found);
            }
        }
    }

    /// Sets the description of a version; `None` takes it away.
    pub async fn update_model_version(
        &self,
        name: &str,
        version: ModelVersionNumber,
        description: Option<&str>,
    ) -> Result<ModelVersion, TrackingError> {
        let patch = patch(description);
        let updated = self.registry.update_model_version(name, version, patch);
        Ok(updated.await?)
    }

    /// Moves a version to a stage; with `archive_others` those that are in it go to
    /// `Archived`, which only `Staging` and `Production` can ask for.
    pub async fn transition_model_version_stage(
        &self,
        name: &str,
        version: ModelVersionNumber,
        stage: ModelStage,
        archive_others: bool,
    ) -> Result<ModelVersion, TrackingError> {
        if archive_others {
            validate::archiving(stage, stage.name())?;
        }
        let change = StageChange {
            stage,
            archive_others,
        };
        let moved = self
            .registry
            .transition_model_version(name, version, change);
        Ok(moved.await?)
    }

    /// Deletes a version with its aliases, for good.
    pub async fn delete_model_version(
        &self,
        name: &str,
        version: ModelVersionNumber,
    ) -> Result<(), TrackingError> {
        Ok(self.registry.delete_model_version(name, version).await?)
    }

    /// Sets a tag of a version.
    pub async fn set_model_version_tag(
        &self,
        name: &str,
        version: ModelVersionNumber,
        key: &str,
        value: &str,
    ) -> Result<(), TrackingError> {
        let tag = Tag::new(key, value);
        validate::model_version_tag(&tag)?;
        let set = self.registry.set_model_version_tag(name, version, tag);
        Ok(set.await?)
    }

    /// Deletes a tag of a version; one that is not there does no harm.
    pub async fn delete_model_version_tag(
        &self,
        name: &str,
        version: ModelVersionNumber,
        key: &str,
    ) -> Result<(), TrackingError> {
        let deleted = self.registry.delete_model_version_tag(name, version, key);
        Ok(deleted.await?)
    }
}

fn patch(description: Option<&str>) -> DescriptionPatch {
    DescriptionPatch {
        description: description.map(str::to_owned),
    }
}
