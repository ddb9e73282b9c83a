//! Calls about what runs hold: params, metrics, tags, histories.

use std::fmt;

use runledger_entities::{LongValues, Metric, Param, RunId, Tag, limits, validate};
use runledger_store::{Batch, HistoryQuery};

use super::batch::{check, parts};
use super::{Client, first_page, now};
use crate::TrackingError;

impl Client {
    /// Logs a param. Once logged, its value cannot change.
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
    /// client.log_param(&run, "learning rate", 0.01).await?;
    /// let changed = client.log_param(&run, "learning rate", 0.1).await;
    /// assert!(changed.is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if the key breaks a rule, and [`TrackingError::Store`] if the
    /// run is not there or deleted, or has another value of it.
    pub async fn log_param(
        &self,
        run: &RunId,
        key: &str,
        value: impl fmt::Display,
    ) -> Result<(), TrackingError> {
        let mut param = Param::new(key, value.to_string());
        validate::param("", &mut param, LongValues::Truncate)?;
        Ok(self.store.log_param(run, param).await?)
    }

    /// Logs a metric, measured now.
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
    /// for step in 0..3_u32 {
    ///     client.log_metric(&run, "loss", 1.0 / f64::from(step + 1), step.into()).await?;
    /// }
    /// assert_eq!(client.metric_history(&run, "loss").await?.len(), 3);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if the key breaks a rule, and [`TrackingError::Store`] if the
    /// run is not there or deleted.
    pub async fn log_metric(
        &self,
        run: &RunId,
        key: &str,
        value: f64,
        step: i64,
    ) -> Result<(), TrackingError> {
        let batch = Batch {
            metrics: vec![Metric::new(key, value, now(), step)],
            ..Batch::default()
        };
        self.log_batch(run, batch).await
    }

    /// Sets a tag of a run.
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
    /// client.set_tag(&run, "reviewed", true).await?;
    /// let tags = client.get_run(&run).await?.data.tags;
    /// assert!(tags.iter().any(|tag| tag.key == "reviewed" && tag.value == "true"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Client::log_metric`].
    pub async fn set_tag(
        &self,
        run: &RunId,
        key: &str,
        value: impl fmt::Display,
    ) -> Result<(), TrackingError> {
        let batch = Batch {
            tags: vec![Tag::new(key, value.to_string())],
            ..Batch::default()
        };
        self.log_batch(run, batch).await
    }

    /// Deletes a tag of a run.
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
    /// client.set_tag(&run, "reviewed", true).await?;
    /// client.delete_tag(&run, "reviewed").await?;
    /// assert!(client.delete_tag(&run, "reviewed").await.is_err(), "it is gone");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if the run is not there or deleted, or has no such tag
    /// (`RESOURCE_DOES_NOT_EXIST`).
    pub async fn delete_tag(&self, run: &RunId, key: &str) -> Result<(), TrackingError> {
        Ok(self.store.delete_tag(run, key).await?)
    }

    /// Logs metrics, params and tags, however many: in as many batches as MLflow's
    /// limits ask for. Each of them is logged whole or not at all.
    ///
    /// Nothing is sent if a name or value breaks a rule; over-long values are cut, as
    /// MLflow's client cuts them.
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
    /// use runledger::entities::{Metric, Param};
    /// use runledger::store::Batch;
    ///
    /// let points = (0..2_500_u32).map(|step| {
    ///     let time = 1_700_000_000_000 + i64::from(step);
    ///     Metric::new("loss", 1.0 / f64::from(step + 1), time, step.into())
    /// });
    /// let batch = Batch {
    ///     metrics: points.collect(),
    ///     params: vec![Param::new("depth", "7")],
    ///     ..Batch::default()
    /// };
    /// client.log_batch(&run, batch).await?;
    /// assert_eq!(client.metric_history(&run, "loss").await?.len(), 2_500);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`] if a name or value breaks a rule, and [`TrackingError::Store`]
    /// if the run is not there or deleted, or a param has another value already. Batches before
    /// the one at fault are logged.
    pub async fn log_batch(&self, run: &RunId, mut batch: Batch) -> Result<(), TrackingError> {
        check(&mut batch)?;
        self.log_checked(run, batch).await
    }

    /// The same, of what keeps the rules.
    pub(crate) async fn log_checked(&self, run: &RunId, batch: Batch) -> Result<(), TrackingError> {
        for part in parts(batch) {
            self.store.log_batch(run, part).await?;
        }
        Ok(())
    }

    /// All points of a metric, ordered by timestamp, step and value.
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
    /// client.log_metric(&run, "loss", 0.5, 1).await?;
    /// client.log_metric(&run, "loss", 0.25, 2).await?;
    /// for point in client.metric_history(&run, "loss").await? {
    ///     println!("step {} at {} ms: {}", point.step, point.timestamp, point.value);
    /// }
    /// assert!(client.metric_history(&run, "no such metric").await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if the store cannot be asked.
    pub async fn metric_history(
        &self,
        run: &RunId,
        key: &str,
    ) -> Result<Vec<Metric>, TrackingError> {
        let mut query = HistoryQuery {
            run_id: run.clone(),
            key: key.to_owned(),
            page: first_page(limits::HISTORY_MAX_RESULTS),
        };
        let mut found = Vec::new();
        loop {
            let page = self.store.metric_history(query.clone()).await?;
            found.extend(page.items);
            query.page.token = page.next_token;
            if query.page.token.is_none() {
                return Ok(found);
            }
        }
    }
}
