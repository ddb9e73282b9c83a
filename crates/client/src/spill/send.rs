//! Sending what was left in a file.

use std::path::Path;
use std::sync::Arc;

use runledger_entities::{RunId, limits};
use runledger_store::StoreError;
use tokio::task::spawn_blocking;

use super::{SpillError, SpillFile, Spilled, Unsent};
use crate::delivery::{Delivery, is_away};
use crate::{Client, TrackingError, background};

/// What went out of a file.
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
/// # let lines = [
/// #     serde_json::json!({
/// #         "runledger_spill": 1,
/// #         "run_id": run.as_str(),
/// #         "tracking_uri": "http://localhost:5000",
/// #     }),
/// #     serde_json::json!({"metric": {
/// #         "key": "loss", "value": 0.25, "timestamp": 1_700_000_000_000_i64, "step": 3,
/// #     }}),
/// #     serde_json::json!({"end": {"status": "FINISHED", "end_time": 1_700_000_060_000_i64}}),
/// # ];
/// # let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
/// # std::fs::write(folder.path().join("left.spill"), text)?;
/// for spilled in runledger::spill::waiting(folder.path())? {
///     let sent = spilled?.send(&client, |_| ()).await?;
///     assert_eq!((sent.metrics, sent.params), (1, 0));
///     assert!(sent.is_ended);
///     for reason in sent.changed_params {
///         println!("{reason}");
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// How many metrics.
    pub metrics: usize,
    /// How many params.
    pub params: usize,
    /// How many tags.
    pub tags: usize,
    /// Whether the run was ended.
    pub is_ended: bool,
    /// Why params were left out: they have other values already.
    pub changed_params: Vec<String>,
}

impl Spilled {
    /// Sends everything that was not sent yet, and removes the file. `progress` is told
    /// of the bytes of lines that have arrived.
    ///
    /// Nothing is logged twice, also after a break in the middle. Two processes do not
    /// send the same file: one of them gets [`SpillError::InUse`].
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
    /// # let lines = [
    /// #     serde_json::json!({
    /// #         "runledger_spill": 1,
    /// #         "run_id": run.as_str(),
    /// #         "tracking_uri": "http://localhost:5000",
    /// #     }),
    /// #     serde_json::json!({"metric": {
    /// #         "key": "loss", "value": 0.25, "timestamp": 1_700_000_000_000_i64, "step": 3,
    /// #     }}),
    /// #     serde_json::json!({"end": {"status": "FINISHED", "end_time": 1_700_000_060_000_i64}}),
    /// # ];
    /// # let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    /// # std::fs::write(folder.path().join("left.spill"), text)?;
    /// use runledger::entities::RunStatus;
    ///
    /// for spilled in runledger::spill::waiting(folder.path())? {
    ///     let spilled = spilled?;
    ///     spilled.send(&client, |bytes| println!("{bytes} B have arrived")).await?;
    ///     assert!(!spilled.path().exists());
    /// }
    /// assert_eq!(client.get_run(&run).await?.info.status, RunStatus::Finished);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`SpillError`]; what was not sent stays in the file.
    pub async fn send(
        &self,
        client: &Client,
        mut progress: impl FnMut(u64),
    ) -> Result<Sent, SpillError> {
        let mut sent = Sent::default();
        let spilled = self.clone();
        let Some(mut file) = on_disk(&self.path, move || SpillFile::open(&spilled)).await? else {
            return Ok(sent);
        };
        loop {
            let (back, unsent) = on_disk(&self.path, move || {
                let unsent = file.unsent()?;
                Ok((file, unsent))
            })
            .await?;
            file = back;
            let Unsent { batch, end, until } = unsent;
            if file.is_sent() {
                return on_disk(&self.path, move || file.remove())
                    .await
                    .map(|()| sent);
            }
            let counts = (batch.metrics.len(), batch.params.len(), batch.tags.len());
            // A batch of the first metrics may have been on its way when this was left.
            let may_have_arrived = sent.metrics < limits::BATCH_METRICS;
            let mut delivery = Delivery::of(batch, end, may_have_arrived);
            let changed = match self.deliver(client, &mut delivery).await {
                Ok(()) => None,
                // It can never be logged, and what follows can.
                Err(error @ StoreError::ParamsChanged { .. }) => Some(error.to_string()),
                Err(source) => {
                    return Err(SpillError::Store {
                        run_id: self.run_id.clone(),
                        path: self.path.clone(),
                        source,
                    });
                }
            };
            file = on_disk(&self.path, move || {
                file.advance(until)?;
                Ok(file)
            })
            .await?;
            sent.metrics += counts.0;
            sent.params += if changed.is_some() { 0 } else { counts.1 };
            sent.changed_params.extend(changed);
            sent.tags += counts.2;
            sent.is_ended |= end.is_some();
            progress(until);
        }
    }

    /// A call of a [`RestStore`](crate::RestStore) is repeated by itself, unless it may
    /// have arrived: then once more, after a look at what is there.
    async fn deliver(&self, client: &Client, delivery: &mut Delivery) -> Result<(), StoreError> {
        let mut outcome = delivery.attempt(client, &self.run_id).await;
        if outcome.as_ref().is_err_and(is_away) && delivery.is_in_doubt() {
            outcome = delivery.attempt(client, &self.run_id).await;
        }
        outcome
    }
}

/// Sends what was left of a run in a folder, or in the one of [`super::folder`].
pub(crate) async fn send_left(
    client: &Client,
    folder: Option<Arc<Path>>,
    run: &RunId,
) -> Result<(), TrackingError> {
    if !client.can_be_away() {
        return Ok(());
    }
    let found = background::apart(move || {
        let folder = match folder {
            Some(folder) => folder.to_path_buf(),
            None => super::folder()?,
        };
        super::waiting(&folder)
    });
    let found = match found.await? {
        // Without a folder there is no file.
        Err(SpillError::NoFolder) => return Ok(()),
        found => found?,
    };
    for spilled in found {
        match spilled {
            Ok(spilled) if spilled.run_id == *run => {
                spilled.send(client, |_| ()).await?;
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "a file of unsent data is passed over"),
        }
    }
    Ok(())
}

/// Does something with the disk on a thread for that.
async fn on_disk<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> Result<T, SpillError> + Send + 'static,
) -> Result<T, SpillError> {
    spawn_blocking(work).await.unwrap_or_else(|broken| {
        Err(SpillError::Io {
            path: path.to_owned(),
            source: broken.into(),
        })
    })
}
