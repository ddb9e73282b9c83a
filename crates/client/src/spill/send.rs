//! Sending what was left in a file.

use runledger_entities::limits;
use tokio::task::spawn_blocking;

use super::{SpillError, SpillFile, Spilled, Unsent};
use crate::Client;
use crate::delivery::{Delivery, is_away};

/// What went out of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
}

impl Spilled {
    /// Sends everything that was not sent yet, and removes the file. `progress` is told
    /// of the bytes of lines that have arrived.
    ///
    /// Nothing is logged twice, also after a break in the middle. Two processes do not
    /// send the same file: one of them gets [`SpillError::InUse`].
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
            self.deliver(client, &mut delivery).await?;
            file = on_disk(&self.path, move || {
                file.advance(until)?;
                Ok(file)
            })
            .await?;
            sent.metrics += counts.0;
            sent.params += counts.1;
            sent.tags += counts.2;
            sent.is_ended |= end.is_some();
            progress(until);
        }
    }

    /// A call of a [`RestStore`](crate::RestStore) is repeated by itself, unless it may
    /// have arrived: then once more, after a look at what is there.
    async fn deliver(&self, client: &Client, delivery: &mut Delivery) -> Result<(), SpillError> {
        let mut outcome = delivery.attempt(client, &self.run_id).await;
        if outcome.as_ref().is_err_and(is_away) && delivery.is_in_doubt() {
            outcome = delivery.attempt(client, &self.run_id).await;
        }
        outcome.map_err(|source| SpillError::Store {
            run_id: self.run_id.clone(),
            path: self.path.clone(),
            source,
        })
    }
}

/// Does something with the disk on a thread for that.
async fn on_disk<T: Send + 'static>(
    path: &std::path::Path,
    work: impl FnOnce() -> Result<T, SpillError> + Send + 'static,
) -> Result<T, SpillError> {
    spawn_blocking(work).await.unwrap_or_else(|broken| {
        Err(SpillError::Io {
            path: path.to_owned(),
            source: broken.into(),
        })
    })
}
