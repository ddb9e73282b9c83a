//! Calls about versions of registered models.

use runledger_entities::{ModelStage, ModelUri, ModelVersion, ModelVersionNumber, Tag, validate};
use runledger_search::{parse_model_version_filter, parse_model_version_order};
use runledger_store::{
    ModelRegistryStoreExt as _, ModelVersionQuery, NewModelVersion, StageChange,
};

use super::registered_models::patch;
use super::{Client, first_page, owned};
use crate::TrackingError;

/// Versions of one page.
const VERSIONS: u32 = 1000;
impl Client {
    /// Creates a version of a registered model, which must be there.
    ///
    /// A source that is a version (`models:/digits/3`) or a logged model (`models:/m-…`) has
    /// its files where those are, unless `storage_location` says otherwise; a registry at a
    /// server finds this out itself.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let model = runledger::store::NewRegisteredModel {
    /// #     name: "digits".to_owned(),
    /// #     ..Default::default()
    /// # };
    /// # client.create_registered_model(model).await?;
    /// use runledger::store::NewModelVersion;
    ///
    /// let new = NewModelVersion {
    ///     name: "digits".to_owned(),
    ///     source: "s3://models/digits/7".to_owned(),
    ///     ..NewModelVersion::default()
    /// };
    /// let first = client.create_model_version(new.clone()).await?;
    /// let second = client.create_model_version(new).await?;
    /// assert_eq!((first.version.0, second.version.0), (1, 2));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if a tag breaks a rule, and [`TrackingError::Store`]
    /// (`RESOURCE_DOES_NOT_EXIST`) if the model, or what the source names, is not there.
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
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let model = runledger::store::NewRegisteredModel {
    /// #     name: "digits".to_owned(),
    /// #     ..Default::default()
    /// # };
    /// # client.create_registered_model(model).await?;
    /// # let new = runledger::store::NewModelVersion {
    /// #     name: "digits".to_owned(),
    /// #     source: "s3://models/digits/7".to_owned(),
    /// #     ..Default::default()
    /// # };
    /// # let version = client.create_model_version(new).await?.version;
    /// let read = client.get_model_version("digits", version).await?;
    /// assert_eq!(read.source.as_deref(), Some("s3://models/digits/7"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if it is not there.
    pub async fn get_model_version(
        &self,
        name: &str,
        version: ModelVersionNumber,
    ) -> Result<ModelVersion, TrackingError> {
        Ok(self.registry.get_model_version(name, version).await?)
    }

    /// The newest version of each of these stages that has any, ordered by number; of all
    /// stages if none is named.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let model = runledger::store::NewRegisteredModel {
    /// #     name: "digits".to_owned(),
    /// #     ..Default::default()
    /// # };
    /// # client.create_registered_model(model).await?;
    /// # let new = runledger::store::NewModelVersion {
    /// #     name: "digits".to_owned(),
    /// #     source: "s3://models/digits/7".to_owned(),
    /// #     ..Default::default()
    /// # };
    /// # let version = client.create_model_version(new).await?.version;
    /// use runledger::entities::ModelStage;
    ///
    /// let newest = client.get_latest_versions("digits", &[]).await?;
    /// assert_eq!(newest[0].version, version);
    /// let in_use = client.get_latest_versions("digits", &[ModelStage::Production]).await?;
    /// assert!(in_use.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if the model is not there.
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
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let model = runledger::store::NewRegisteredModel {
    /// #     name: "digits".to_owned(),
    /// #     ..Default::default()
    /// # };
    /// # client.create_registered_model(model).await?;
    /// # let new = runledger::store::NewModelVersion {
    /// #     name: "digits".to_owned(),
    /// #     source: "s3://models/digits/7".to_owned(),
    /// #     ..Default::default()
    /// # };
    /// # let version = client.create_model_version(new).await?.version;
    /// let found = client
    ///     .search_model_versions("name = 'digits'", &["version_number DESC"])
    ///     .await?;
    /// assert_eq!(found[0].version, version);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Search`] if the filter or the order cannot be read.
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
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let model = runledger::store::NewRegisteredModel {
    /// #     name: "digits".to_owned(),
    /// #     ..Default::default()
    /// # };
    /// # client.create_registered_model(model).await?;
    /// # let new = runledger::store::NewModelVersion {
    /// #     name: "digits".to_owned(),
    /// #     source: "s3://models/digits/7".to_owned(),
    /// #     ..Default::default()
    /// # };
    /// # let version = client.create_model_version(new).await?.version;
    /// let text = "trained on twice the data";
    /// let updated = client.update_model_version("digits", version, Some(text)).await?;
    /// assert_eq!(updated.description.as_deref(), Some(text));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if the version is not there.
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
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let model = runledger::store::NewRegisteredModel {
    /// #     name: "digits".to_owned(),
    /// #     ..Default::default()
    /// # };
    /// # client.create_registered_model(model).await?;
    /// # let new = runledger::store::NewModelVersion {
    /// #     name: "digits".to_owned(),
    /// #     source: "s3://models/digits/7".to_owned(),
    /// #     ..Default::default()
    /// # };
    /// # let version = client.create_model_version(new).await?.version;
    /// use runledger::entities::ModelStage;
    ///
    /// let moved = client
    ///     .transition_model_version_stage("digits", version, ModelStage::Production, true)
    ///     .await?;
    /// assert_eq!(moved.current_stage, ModelStage::Production);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if others cannot be archived for this stage, and
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if the version is not there.
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
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let model = runledger::store::NewRegisteredModel {
    /// #     name: "digits".to_owned(),
    /// #     ..Default::default()
    /// # };
    /// # client.create_registered_model(model).await?;
    /// # let new = runledger::store::NewModelVersion {
    /// #     name: "digits".to_owned(),
    /// #     source: "s3://models/digits/7".to_owned(),
    /// #     ..Default::default()
    /// # };
    /// # let version = client.create_model_version(new).await?.version;
    /// client.delete_model_version("digits", version).await?;
    /// assert!(client.get_model_version("digits", version).await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if the version is not there.
    pub async fn delete_model_version(
        &self,
        name: &str,
        version: ModelVersionNumber,
    ) -> Result<(), TrackingError> {
        Ok(self.registry.delete_model_version(name, version).await?)
    }

    /// Sets a tag of a version.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let model = runledger::store::NewRegisteredModel {
    /// #     name: "digits".to_owned(),
    /// #     ..Default::default()
    /// # };
    /// # client.create_registered_model(model).await?;
    /// # let new = runledger::store::NewModelVersion {
    /// #     name: "digits".to_owned(),
    /// #     source: "s3://models/digits/7".to_owned(),
    /// #     ..Default::default()
    /// # };
    /// # let version = client.create_model_version(new).await?.version;
    /// client.set_model_version_tag("digits", version, "reviewed", "yes").await?;
    /// let found = client.search_model_versions("tags.reviewed = 'yes'", &[]).await?;
    /// assert_eq!(found.len(), 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if the key breaks a rule or a text is too long, and
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if the version is not there.
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
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let model = runledger::store::NewRegisteredModel {
    /// #     name: "digits".to_owned(),
    /// #     ..Default::default()
    /// # };
    /// # client.create_registered_model(model).await?;
    /// # let new = runledger::store::NewModelVersion {
    /// #     name: "digits".to_owned(),
    /// #     source: "s3://models/digits/7".to_owned(),
    /// #     ..Default::default()
    /// # };
    /// # let version = client.create_model_version(new).await?.version;
    /// client.set_model_version_tag("digits", version, "reviewed", "yes").await?;
    /// client.delete_model_version_tag("digits", version, "reviewed").await?;
    /// assert!(client.get_model_version("digits", version).await?.tags.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if the version is not there.
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
