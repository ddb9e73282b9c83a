//! Connections that are kept, and lent.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::connection::{Connection, Features, within};
use crate::authority::Authority;
use crate::tree::Fault;

/// Files that are on their way at once, and other requests.
const TRANSFERS: usize = 16;
const REQUESTS: usize = 16;

/// Connections that wait for the next request, and how long.
const IDLE: usize = 8;
const IDLE_TIME: Duration = Duration::from_secs(30);
/// Who waited so long is asked whether it is there.
const CHECK_TIME: Duration = Duration::from_secs(5);

/// How long a connection is waited for.
const WAIT_TIME: Duration = Duration::from_mins(1);

type Idle = Arc<Mutex<Vec<(Connection, Instant)>>>;

/// The connections to one server.
#[derive(Debug)]
pub(super) struct Pool {
    authority: Authority,
    idle: Idle,
    transfers: Arc<Semaphore>,
    requests: Arc<Semaphore>,
    features: OnceCell<Features>,
}

impl Pool {
    pub(super) fn new(authority: Authority) -> Self {
        Self {
            authority,
            idle: Idle::default(),
            transfers: Arc::new(Semaphore::new(TRANSFERS)),
            requests: Arc::new(Semaphore::new(REQUESTS)),
            features: OnceCell::new(),
        }
    }

    /// A connection for a file.
    pub(super) async fn transfer(&self) -> Result<Lease, Fault> {
        self.lend(&self.transfers).await
    }

    /// A connection for a command.
    pub(super) async fn request(&self) -> Result<Lease, Fault> {
        self.lend(&self.requests).await
    }

    /// What the server can do.
    pub(super) async fn features(&self) -> Result<Features, Fault> {
        let features = self.features.get_or_try_init(|| async {
            let mut lease = self.request().await?;
            let features = lease.connection().features;
            lease.give_back();
            Ok(features)
        });
        features.await.copied()
    }

    async fn lend(&self, places: &Arc<Semaphore>) -> Result<Lease, Fault> {
        let place = within(WAIT_TIME, async {
            let place = Arc::clone(places).acquire_owned().await;
            place.map_err(io::Error::other)
        });
        let place = place.await?;
        let connection = match self.kept().await {
            Some(connection) => connection,
            None => Connection::open(&self.authority).await?,
        };
        Ok(Lease {
            connection,
            idle: Arc::clone(&self.idle),
            _place: place,
        })
    }

    async fn kept(&self) -> Option<Connection> {
        loop {
            let (mut connection, since) = {
                let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
                idle.retain(|(_, since)| since.elapsed() < IDLE_TIME);
                idle.pop()?
            };
            if since.elapsed() < CHECK_TIME
                || connection
                    .ask("NOOP")
                    .await
                    .is_ok_and(|answer| answer.is_done())
            {
                return Some(connection);
            }
        }
    }
}

/// A connection that is lent. Where it is dropped in the middle of something, it
/// is closed.
#[derive(Debug)]
pub(super) struct Lease {
    connection: Connection,
    idle: Idle,
    _place: OwnedSemaphorePermit,
}

impl Lease {
    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// What was asked is answered: the next can have it.
    pub(super) fn give_back(self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE {
            idle.push((self.connection, Instant::now()));
        }
    }
}
