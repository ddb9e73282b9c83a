//! How much the server takes on at once: requests, and the bytes of their bodies.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use runledger_entities::ErrorCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use crate::{failure::Failure, sparsely::Sparsely};

/// Lets a bounded number of requests in, and a bounded number wait.
#[derive(Debug)]
pub(crate) struct Admission {
    places: Semaphore,
    waiting: AtomicUsize,
    queue: usize,
}

impl Admission {
    pub(crate) fn new(places: usize, queue: usize) -> Self {
        Self {
            places: Semaphore::new(places),
            waiting: AtomicUsize::new(0),
            queue,
        }
    }

    /// Waits for a place, or refuses where too many wait already.
    pub(crate) async fn enter(&self) -> Result<SemaphorePermit<'_>, Failure> {
        if let Ok(permit) = self.places.try_acquire() {
            return Ok(permit);
        }
        let _waiter = self.wait()?;
        self.places.acquire().await.map_err(|_| busy())
    }

    fn wait(&self) -> Result<Waiter<'_>, Failure> {
        let waiter = Waiter(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.queue {
            static LOGGED: Sparsely = Sparsely::new();
            LOGGED.run(|skipped| {
                let queue = self.queue;
                tracing::warn!(queue, skipped, "requests are refused: the queue is full");
            });
            return Err(busy());
        }
        Ok(waiter)
    }
}

/// One that waits; also where its future is dropped.
struct Waiter<'a>(&'a AtomicUsize);

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn busy() -> Failure {
    Failure::new(
        ErrorCode::TemporarilyUnavailable,
        "The server has too much to do now. Try again.",
    )
}

/// Bounds the memory that large bodies hold together.
#[derive(Debug)]
pub(crate) struct BodyBudget {
    units: Arc<Semaphore>,
}

/// The share of the budget that one body holds.
#[derive(Debug, Default)]
pub(crate) struct Share {
    permit: Option<OwnedSemaphorePermit>,
}

impl BodyBudget {
    /// Bytes that one permit stands for.
    const UNIT: usize = 64 << 10;

    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            units: Arc::new(Semaphore::new(bytes / Self::UNIT)),
        }
    }

    /// Makes `share` cover a body of `bytes`; the first 64 KiB of each are
    /// free, because the number of connections bounds them.
    pub(crate) fn cover(&self, share: &mut Share, bytes: usize) -> Result<(), Failure> {
        let wanted = bytes / Self::UNIT;
        let held = share
            .permit
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits);
        let Some(more) = wanted.checked_sub(held).filter(|more| *more > 0) else {
            return Ok(());
        };
        let permit = u32::try_from(more)
            .ok()
            .and_then(|more| Arc::clone(&self.units).try_acquire_many_owned(more).ok())
            .ok_or_else(|| {
                static LOGGED: Sparsely = Sparsely::new();
                LOGGED.run(|skipped| {
                    tracing::warn!(
                        bytes,
                        skipped,
                        "requests are refused: the memory for bodies is in use"
                    );
                });
                busy()
            })?;
        match &mut share.permit {
            Some(held) => held.merge(permit),
            None => share.permit = Some(permit),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_finds_the_queue_full_is_refused() {
        let admission = Admission::new(1, 0);
        let place = admission.enter().await.unwrap();
        assert!(admission.enter().await.is_err());
        drop(place);
        assert!(admission.enter().await.is_ok());
    }

    #[test]
    fn a_share_grows_and_comes_back() {
        let budget = BodyBudget::new(4 << 20);
        let mut share = Share::default();
        budget.cover(&mut share, 1000).unwrap();
        assert!(share.permit.is_none());
        budget.cover(&mut share, 3 << 20).unwrap();
        assert!(budget.cover(&mut Share::default(), 2 << 20).is_err());
        drop(share);
        assert!(budget.cover(&mut Share::default(), 4 << 20).is_ok());
    }
}
