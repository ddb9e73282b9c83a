//! Calls about experiments.

use runledger_entities::{
    Coded as _, ErrorCode, Experiment, ExperimentId, Tag, ViewType, limits, validate,
};
use runledger_search::{parse_experiment_filter, parse_experiment_order};
use runledger_store::{ExperimentQuery, NewExperiment};

use super::{Client, first_page, owned};
use crate::TrackingError;

impl Client {
    /// Creates an experiment of this name.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// use runledger::entities::ErrorCode;
    ///
    /// let id = client.create_experiment("digits").await?;
    /// assert_eq!(client.get_experiment(id).await?.name, "digits");
    /// let again = client.create_experiment("digits").await;
    /// let code = again.err().and_then(|error| error.code());
    /// assert_eq!(code, Some(ErrorCode::ResourceAlreadyExists));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if the name is empty or too long, and
    /// [`TrackingError::Store`] (`RESOURCE_ALREADY_EXISTS`) if an experiment has it, active or
    /// deleted.
    pub async fn create_experiment(&self, name: &str) -> Result<ExperimentId, TrackingError> {
        validate::experiment_name(name)?;
        let new = NewExperiment {
            name: name.to_owned(),
            ..NewExperiment::default()
        };
        Ok(self.store.create_experiment(new).await?)
    }

    /// An experiment, active or deleted.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// use runledger::entities::ExperimentId;
    ///
    /// let experiment = client.get_experiment(ExperimentId::DEFAULT).await?;
    /// println!("files of its runs are below {}", experiment.artifact_location);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if there is none of this id.
    pub async fn get_experiment(&self, id: ExperimentId) -> Result<Experiment, TrackingError> {
        Ok(self.store.get_experiment(id).await?)
    }

    /// The experiment of this name, active or deleted, if there is one.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// assert!(client.get_experiment_by_name("Default").await?.is_some());
    /// assert!(client.get_experiment_by_name("digits").await?.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if the store cannot be asked.
    pub async fn get_experiment_by_name(
        &self,
        name: &str,
    ) -> Result<Option<Experiment>, TrackingError> {
        match self.store.get_experiment_by_name(name).await {
            Ok(experiment) => Ok(Some(experiment)),
            Err(error) if error.code() == ErrorCode::ResourceDoesNotExist => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The experiment of this name, which is created if it is not there.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// let made = client.experiment_named("digits").await?;
    /// let found = client.experiment_named("digits").await?;
    /// assert_eq!(made.experiment_id, found.experiment_id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::ExperimentDeleted`] if it is deleted.
    pub async fn experiment_named(&self, name: &str) -> Result<Experiment, TrackingError> {
        let found = match self.get_experiment_by_name(name).await? {
            Some(found) => found,
            None => match self.create_experiment(name).await {
                Ok(id) => self.get_experiment(id).await?,
                // Somebody was faster.
                Err(error) if error.code() == Some(ErrorCode::ResourceAlreadyExists) => {
                    self.store.get_experiment_by_name(name).await?
                }
                Err(error) => return Err(error),
            },
        };
        active(found)
    }

    /// The active experiment of this id.
    pub(crate) async fn active_experiment(
        &self,
        id: ExperimentId,
    ) -> Result<Experiment, TrackingError> {
        active(self.get_experiment(id).await?)
    }

    /// Active experiments that fulfil a filter (`name LIKE 'a%'`, `tags.team = 'x'`;
    /// all if it is empty), ordered by clauses such as `name DESC`, newest first
    /// without any.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// for name in ["digits", "letters", "digits, larger"] {
    ///     client.create_experiment(name).await?;
    /// }
    /// let found = client.search_experiments("name LIKE 'digits%'", &["name ASC"]).await?;
    /// assert_eq!(found.len(), 2);
    /// assert_eq!(found[0].name, "digits");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Search`] if the filter or the order cannot be read.
    pub async fn search_experiments(
        &self,
        filter: &str,
        order_by: &[&str],
    ) -> Result<Vec<Experiment>, TrackingError> {
        let mut query = ExperimentQuery {
            view: ViewType::ActiveOnly,
            filter: parse_experiment_filter(filter)?,
            order_by: parse_experiment_order(&owned(order_by))?,
            page: first_page(limits::SEARCH_DEFAULT_RESULTS),
        };
        let mut found = Vec::new();
        loop {
            let page = self.store.search_experiments(query.clone()).await?;
            found.extend(page.items);
            query.page.token = page.next_token;
            if query.page.token.is_none() {
                return Ok(found);
            }
        }
    }

    /// Deletes an experiment and its runs, softly.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// use runledger::entities::LifecycleStage;
    ///
    /// let id = client.create_experiment("digits").await?;
    /// client.delete_experiment(id).await?;
    /// let experiment = client.get_experiment(id).await?;
    /// assert_eq!(experiment.lifecycle_stage, LifecycleStage::Deleted);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if it is not there, or deleted already.
    pub async fn delete_experiment(&self, id: ExperimentId) -> Result<(), TrackingError> {
        Ok(self.store.delete_experiment(id).await?)
    }

    /// Restores a deleted experiment and its runs.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// let id = client.create_experiment("digits").await?;
    /// client.delete_experiment(id).await?;
    /// client.restore_experiment(id).await?;
    /// assert_eq!(client.experiment_named("digits").await?.experiment_id, id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if it is not there, or not deleted.
    pub async fn restore_experiment(&self, id: ExperimentId) -> Result<(), TrackingError> {
        Ok(self.store.restore_experiment(id).await?)
    }

    /// Renames an experiment.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// let id = client.create_experiment("digits").await?;
    /// client.rename_experiment(id, "figures").await?;
    /// assert_eq!(client.get_experiment(id).await?.name, "figures");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if the name is empty or too long, and
    /// [`TrackingError::Store`] if the experiment is not there or deleted, or another one has
    /// the name.
    pub async fn rename_experiment(
        &self,
        id: ExperimentId,
        name: &str,
    ) -> Result<(), TrackingError> {
        validate::experiment_name(name)?;
        Ok(self.store.rename_experiment(id, name.to_owned()).await?)
    }

    /// Sets a tag of an experiment.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// let id = client.create_experiment("digits").await?;
    /// client.set_experiment_tag(id, "team", "vision").await?;
    /// let found = client.search_experiments("tags.team = 'vision'", &[]).await?;
    /// assert_eq!(found[0].experiment_id, id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if the key breaks a rule or a text is too long, and
    /// [`TrackingError::Store`] if the experiment is not there or deleted.
    pub async fn set_experiment_tag(
        &self,
        id: ExperimentId,
        key: &str,
        value: &str,
    ) -> Result<(), TrackingError> {
        let tag = Tag::new(key, value);
        validate::experiment_tag(&tag)?;
        Ok(self.store.set_experiment_tag(id, tag).await?)
    }
}

fn active(experiment: Experiment) -> Result<Experiment, TrackingError> {
    if ViewType::ActiveOnly.includes(experiment.lifecycle_stage) {
        return Ok(experiment);
    }
    Err(TrackingError::ExperimentDeleted {
        name: experiment.name,
        id: experiment.experiment_id,
    })
}
