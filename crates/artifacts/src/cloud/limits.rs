//! What all uploads of a process share.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};

/// Bytes that one permit of the memory stands for. As many are free in each
/// part: the number of requests bounds them.
pub(super) const UNIT: usize = 1 << 20;

/// The shares that repositories have unless they are given others.
static SHARED: LazyLock<Limits> = LazyLock::new(|| Limits {
    memory: Arc::new(Semaphore::new(512)),
    signing: Arc::new(Semaphore::new(4)),
    wait: Duration::from_mins(1),
    least_rate: 8 << 10,
});

/// Shares of memory and of time, which are handed out and come back.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// What parts hold, in [`UNIT`]s: 512 MiB.
    pub(super) memory: Arc<Semaphore>,
    /// Requests whose parts are being signed, which keeps a processor busy.
    pub(super) signing: Arc<Semaphore>,
    /// How long a share is waited for.
    pub(super) wait: Duration,
    /// Bytes a second that a part must at least gather once it has a share.
    pub(super) least_rate: u64,
}

/// There was no share in time.
#[derive(Debug)]
pub(super) struct Spent;

impl Limits {
    /// Those of the process.
    pub(super) fn shared() -> Self {
        SHARED.clone()
    }

    /// Memory for so many bytes, if it is free. With `may_wait` it is waited
    /// for: an upload that has begun is not thrown away for a moment's want.
    pub(super) async fn memory(
        &self,
        bytes: usize,
        may_wait: bool,
    ) -> Result<OwnedSemaphorePermit, Spent> {
        let units = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let memory = Arc::clone(&self.memory);
        if !may_wait {
            return memory.try_acquire_many_owned(units).map_err(|_| Spent);
        }
        self.wait_for(memory, units).await
    }

    /// A turn to sign the parts of an upload.
    pub(super) async fn turn_to_sign(&self) -> Result<OwnedSemaphorePermit, Spent> {
        self.wait_for(Arc::clone(&self.signing), 1).await
    }

    /// When so many bytes must be there.
    pub(super) fn end_of(&self, bytes: usize) -> Instant {
        let seconds = (bytes as u64).div_ceil(self.least_rate.max(1));
        Instant::now() + Duration::from_secs(seconds)
    }

    async fn wait_for(
        &self,
        shares: Arc<Semaphore>,
        count: u32,
    ) -> Result<OwnedSemaphorePermit, Spent> {
        let share = timeout(self.wait, shares.acquire_many_owned(count)).await;
        share.map_err(|_| Spent)?.map_err(|_| Spent)
    }
}
