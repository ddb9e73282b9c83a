//! Calls about runs as a whole: their life, and searches.

use runledger_entities::{
    ExperimentId, LongValues, Run, RunId, RunInfo, RunStatus, Tag, ViewType, limits, validate,
};
use runledger_search::{parse_run_filter, parse_run_order};
use runledger_store::{NewRun, RunPatch, RunQuery};

use super::{Client, RunOptions, first_page, now, owned};
use crate::{TrackingError, background, context};

/// The tag that holds the description of a run.
const NOTE: &str = "mlflow.note.content";

impl Client {
    /// Creates a run, which begins now.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// use runledger::RunOptions;
    /// use runledger::entities::{ExperimentId, RunStatus};
    ///
    /// let options = RunOptions::named("first");
    /// let run = client.create_run(ExperimentId::DEFAULT, options).await?;
    /// assert_eq!(run.info.status, RunStatus::Running);
    /// println!("it began at {} ms", run.info.start_time);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if a tag breaks a rule, and [`TrackingError::Store`] if the
    /// experiment is not there or deleted, or a tag is given twice.
    pub async fn create_run(
        &self,
        experiment_id: ExperimentId,
        options: RunOptions,
    ) -> Result<Run, TrackingError> {
        let mut tags = options.tags;
        let named = [
            (NOTE, options.description),
            (Tag::PARENT_RUN_ID, options.parent.map(RunId::into_string)),
        ];
        for (key, value) in named {
            tags.extend(value.map(|value| Tag::new(key, value)));
        }
        for (n, tag) in tags.iter_mut().enumerate() {
            validate::tag(&format!("tags[{n}]."), tag, LongValues::Truncate)?;
        }
        let new = NewRun {
            experiment_id,
            user_id: background::apart(context::user).await?,
            run_name: options.name,
            start_time: now(),
            tags,
        };
        Ok(self.store.create_run(new).await?)
    }

    /// A run with all that it logged.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let experiment = runledger::entities::ExperimentId::DEFAULT;
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// client.log_metric(&run, "loss", 0.25, 1).await?;
    /// let read = client.get_run(&run).await?;
    /// assert_eq!(read.data.metrics[0].value, 0.25);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if there is none of this id.
    pub async fn get_run(&self, id: &RunId) -> Result<Run, TrackingError> {
        Ok(self.store.get_run(id).await?)
    }

    /// The run whose child this one is, if it is one.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let experiment = runledger::entities::ExperimentId::DEFAULT;
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// use runledger::RunOptions;
    /// use runledger::entities::ExperimentId;
    ///
    /// let options = RunOptions {
    ///     parent: Some(run.clone()),
    ///     ..RunOptions::default()
    /// };
    /// let child = client.create_run(ExperimentId::DEFAULT, options).await?;
    /// let parent = client.get_parent_run(&child.info.run_id).await?;
    /// assert_eq!(parent.map(|parent| parent.info.run_id), Some(run));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if the run or its parent is not
    /// there.
    pub async fn get_parent_run(&self, id: &RunId) -> Result<Option<Run>, TrackingError> {
        let run = self.get_run(id).await?;
        let mut tags = run.data.tags.into_iter();
        match tags.find(|tag| tag.key == Tag::PARENT_RUN_ID) {
            Some(parent) => Ok(Some(self.get_run(&RunId::new(parent.value)).await?)),
            None => Ok(None),
        }
    }

    /// Changes the status of a run; the end of one ends now.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let experiment = runledger::entities::ExperimentId::DEFAULT;
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// use runledger::entities::RunStatus;
    ///
    /// let ended = client.end_run(&run, RunStatus::Finished).await?;
    /// let took = ended.end_time.map(|end| end - ended.start_time);
    /// println!("it took {} ms", took.unwrap_or_default());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if the run is not there or deleted.
    pub async fn end_run(&self, id: &RunId, status: RunStatus) -> Result<RunInfo, TrackingError> {
        let is_end = !matches!(status, RunStatus::Running | RunStatus::Scheduled);
        let patch = RunPatch {
            status: Some(status),
            end_time: is_end.then(now),
            run_name: None,
        };
        Ok(self.store.update_run(id, patch).await?)
    }

    /// Deletes a run, softly.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let experiment = runledger::entities::ExperimentId::DEFAULT;
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// use runledger::entities::{ExperimentId, LifecycleStage};
    ///
    /// client.delete_run(&run).await?;
    /// assert!(client.search_runs(&[ExperimentId::DEFAULT], "", &[], 10).await?.is_empty());
    /// let deleted = client.get_run(&run).await?;
    /// assert_eq!(deleted.info.lifecycle_stage, LifecycleStage::Deleted);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if it is not there.
    pub async fn delete_run(&self, id: &RunId) -> Result<(), TrackingError> {
        Ok(self.store.delete_run(id).await?)
    }

    /// Restores a deleted run.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let experiment = runledger::entities::ExperimentId::DEFAULT;
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// use runledger::entities::ExperimentId;
    ///
    /// client.delete_run(&run).await?;
    /// client.restore_run(&run).await?;
    /// let found = client.search_runs(&[ExperimentId::DEFAULT], "", &[], 10).await?;
    /// assert_eq!(found[0].info.run_id, run);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] (`RESOURCE_DOES_NOT_EXIST`) if it is not there.
    pub async fn restore_run(&self, id: &RunId) -> Result<(), TrackingError> {
        Ok(self.store.restore_run(id).await?)
    }

    /// Active runs of some experiments that fulfil a filter (`metrics.loss < 0.1 AND
    /// params.depth = '7'`; all if it is empty), ordered by clauses such as
    /// `metrics.loss ASC`, then newest first. At most `max_results`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let experiment = runledger::entities::ExperimentId::DEFAULT;
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// use runledger::entities::ExperimentId;
    ///
    /// client.log_param(&run, "depth", 7).await?;
    /// client.log_metric(&run, "loss", 0.05, 1).await?;
    /// let filter = "metrics.loss < 0.1 AND params.depth = '7'";
    /// let best = client
    ///     .search_runs(&[ExperimentId::DEFAULT], filter, &["metrics.loss ASC"], 1)
    ///     .await?;
    /// assert_eq!(best[0].info.run_id, run);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Search`] if the filter or the order cannot be read.
    pub async fn search_runs(
        &self,
        experiments: &[ExperimentId],
        filter: &str,
        order_by: &[&str],
        max_results: usize,
    ) -> Result<Vec<Run>, TrackingError> {
        let mut query = RunQuery {
            experiment_ids: experiments.to_vec(),
            view: ViewType::ActiveOnly,
            filter: parse_run_filter(filter)?,
            order_by: parse_run_order(&owned(order_by))?,
            page: first_page(0),
        };
        let mut found: Vec<Run> = Vec::new();
        loop {
            let wanting = max_results.saturating_sub(found.len());
            let wanting = u32::try_from(wanting).unwrap_or(u32::MAX);
            if wanting == 0 {
                return Ok(found);
            }
            query.page.max_results = wanting.min(limits::SEARCH_DEFAULT_RESULTS);
            let page = self.store.search_runs(query.clone()).await?;
            found.extend(page.items);
            query.page.token = page.next_token;
            if query.page.token.is_none() {
                return Ok(found);
            }
        }
    }
}
