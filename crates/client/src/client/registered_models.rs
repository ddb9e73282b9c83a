//! Calls about registered models, their tags and aliases.

use runledger_entities::{
    ModelVersion, ModelVersionNumber, RegisteredModel, Tag, limits, validate,
};
use runledger_search::{parse_registered_model_filter, parse_registered_model_order};
use runledger_store::{
    DescriptionPatch, ModelRegistryStoreExt as _, NewRegisteredModel, RegisteredModelQuery,
};

use super::{Client, first_page, owned};
use crate::TrackingError;

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
    ///
    /// # Errors
    /// [`TrackingError::Value`] if the name or a tag breaks a rule, and
    /// [`TrackingError::Store`] (`RESOURCE_ALREADY_EXISTS`) if the name is taken.
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
    /// let model = client.get_registered_model("digits").await?;
    /// assert_eq!(model.latest_versions[0].version, version);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if it is not there.
    pub async fn get_registered_model(&self, name: &str) -> Result<RegisteredModel, TrackingError> {
        Ok(self.registry.get_registered_model(name).await?)
    }

    /// Registered models that fulfil a filter (`name LIKE 'prod-%' AND tags.team = 'vision'`;
    /// all but prompts if it is empty), ordered by clauses such as `last_updated_timestamp
    /// DESC`, by name without any.
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
    /// client.set_registered_model_tag("digits", "team", "vision").await?;
    /// let found = client.search_registered_models("tags.team = 'vision'", &["name ASC"]).await?;
    /// assert_eq!(found[0].name, "digits");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Search`] if the filter or the order cannot be read.
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
    /// let model = client.update_registered_model("digits", Some("reads numbers")).await?;
    /// assert_eq!(model.description.as_deref(), Some("reads numbers"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if it is not there.
    pub async fn update_registered_model(
        &self,
        name: &str,
        description: Option<&str>,
    ) -> Result<RegisteredModel, TrackingError> {
        let patch = patch(description);
        Ok(self.registry.update_registered_model(name, patch).await?)
    }

    /// Gives a registered model another name; everything goes with it.
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
    /// client.rename_registered_model("digits", "figures").await?;
    /// assert_eq!(client.get_model_version("figures", version).await?.name, "figures");
    /// assert!(client.get_registered_model("digits").await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if the new name breaks a rule, and [`TrackingError::Store`] if
    /// the model is not there, or the name is taken.
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
    /// client.delete_registered_model("digits").await?;
    /// assert!(client.search_registered_models("", &[]).await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if it is not there.
    pub async fn delete_registered_model(&self, name: &str) -> Result<(), TrackingError> {
        Ok(self.registry.delete_registered_model(name).await?)
    }

    /// Sets a tag of a registered model.
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
    /// use runledger::entities::Tag;
    ///
    /// client.set_registered_model_tag("digits", "team", "vision").await?;
    /// let model = client.get_registered_model("digits").await?;
    /// assert_eq!(model.tags, [Tag::new("team", "vision")]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if the key breaks a rule or a text is too long, and
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if the model is not there.
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
    /// client.set_registered_model_tag("digits", "team", "vision").await?;
    /// client.delete_registered_model_tag("digits", "team").await?;
    /// assert!(client.get_registered_model("digits").await?.tags.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if the model is not there.
    pub async fn delete_registered_model_tag(
        &self,
        name: &str,
        key: &str,
    ) -> Result<(), TrackingError> {
        Ok(self.registry.delete_registered_model_tag(name, key).await?)
    }

    /// Makes an alias stand for a version, whatever it stood for before.
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
    /// client.set_registered_model_alias("digits", "champion", version).await?;
    /// let champion = client.get_model_version_by_alias("digits", "champion").await?;
    /// assert_eq!(champion.version, version);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if it is no name for an alias, such as `latest` or `v1`, and
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if the version is not there.
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
    /// client.set_registered_model_alias("digits", "champion", version).await?;
    /// client.delete_registered_model_alias("digits", "champion").await?;
    /// assert!(client.get_model_version("digits", version).await?.aliases.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if it is no name for an alias, and [`TrackingError::Store`]
    /// (`RESOURCE_DOES_NOT_EXIST`) if the model is not there.
    pub async fn delete_registered_model_alias(
        &self,
        name: &str,
        alias: &str,
    ) -> Result<(), TrackingError> {
        validate::model_alias(alias)?;
        Ok(self.registry.delete_model_alias(name, alias).await?)
    }

    /// The version that an alias stands for; `latest` is the newest of all.
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
    /// let newest = client.get_model_version_by_alias("digits", "latest").await?;
    /// assert_eq!(newest.version, version);
    /// assert_eq!(newest.download_uri(), "s3://models/digits/7");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if it is no name for an alias, and [`TrackingError::Store`] if
    /// the model has no such alias (`INVALID_PARAMETER_VALUE`, as with MLflow), or no version
    /// at all.
    pub async fn get_model_version_by_alias(
        &self,
        name: &str,
        alias: &str,
    ) -> Result<ModelVersion, TrackingError> {
        validate::model_alias(alias)?;
        Ok(self.registry.resolve_model_alias(name, alias).await?)
    }
}

pub(super) fn patch(description: Option<&str>) -> DescriptionPatch {
    DescriptionPatch {
        description: description.map(str::to_owned),
    }
}
