//! The index: a database that answers searches as the files would.
//!
//! It is a cache. The files are the truth; whatever is not in it, or is older
//! than they are, is read again before an answer is given ([`refresh`]). It lies
//! in the user's cache folder, never beside the data: its locks need a local
//! disk, and the data may lie on a network one. Deleted, it is made again.

mod folders;
mod metric_states;
mod place;
mod refresh;
mod search;
mod states;
mod watch;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use runledger_entities::{ExperimentId, RunId, TraceId};
use runledger_store::StoreError;
use runledger_store_sql::{SqlStore, StoreOptions};
use tokio::runtime::Handle;

pub(crate) use place::Place;
use refresh::Refresher;
pub(crate) use refresh::Scope;
use search::Search;
use states::States;

use crate::{OpenError, store::Locks};

/// How long another call's refreshing is waited for.
const TURN_TIMEOUT: Duration = Duration::from_mins(5);

/// How often changes are fetched from the kernel, whose queue is bounded.
const NOTE_INTERVAL: Duration = Duration::from_millis(200);

/// The index of one root.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    refresher: Arc<tokio::sync::Mutex<Refresher>>,
    /// Where runs and traces lie; read without waiting for the refresher.
    locations: Arc<Mutex<States>>,
}

impl Index {
    /// Opens the index of a root, or makes it.
    pub(crate) async fn open(
        root: &Path,
        cache: Option<&Path>,
        options: StoreOptions,
        locks: &Arc<Locks>,
    ) -> Result<Self, OpenError> {
        let place = Place::of(root, cache)?;
        match Self::open_at(root, &place, options.clone(), locks).await {
            Ok(index) => Ok(index),
            Err(error) => {
                // Broken, or of another version: it holds nothing that the files
                // do not.
                tracing::warn!(index = %place.path().display(), %error, "the index is made anew");
                place.clear()?;
                Self::open_at(root, &place, options, locks).await
            }
        }
    }

    async fn open_at(
        root: &Path,
        place: &Place,
        options: StoreOptions,
        locks: &Arc<Locks>,
    ) -> Result<Self, OpenError> {
        let failed = |reason: String| OpenError::Index {
            path: place.path().to_owned(),
            reason,
        };
        let states = |path: PathBuf| States::open(&path).map_err(|error| failed(error.to_string()));
        let mut noted = states(place.states())?;
        let search = Search::open(&mut noted, place, options).await?;
        let refresher = Refresher::new(root, search, noted, Arc::clone(locks));
        let refresher = Arc::new(tokio::sync::Mutex::new(refresher));
        note_changes(Arc::downgrade(&refresher), &Handle::current());
        Ok(Self {
            locations: Arc::new(Mutex::new(states(place.states())?)),
            refresher,
        })
    }

    /// The database, when everything in `scope` is as the files are.
    pub(crate) async fn fresh(&self, scope: Scope) -> Result<SqlStore, StoreError> {
        let turn = Arc::clone(&self.refresher).lock_owned();
        let mut refresher = tokio::time::timeout(TURN_TIMEOUT, turn)
            .await
            .map_err(|_| StoreError::Unavailable {
                reason: "the index of the file store is being brought up to date",
            })?;
        let handle = Handle::current();
        tokio::task::spawn_blocking(move || refresher.refresh(&scope, &handle))
            .await
            .map_err(|error| StoreError::internal(error.to_string()))?
    }

    /// Where a run lay when the index heard of it last.
    pub(crate) fn experiment_of(&self, run: &RunId) -> Option<ExperimentId> {
        let states = self
            .locations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // Whoever asks looks everywhere then.
        states.experiment_of_run(run).ok().flatten()
    }

    /// Where a trace lay when the index heard of it last.
    pub(crate) fn experiment_of_trace(&self, trace: &TraceId) -> Option<ExperimentId> {
        let states = self
            .locations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        states.experiment_of_trace(trace).ok().flatten()
    }
}

/// Fetches changes from the kernel until the index is dropped.
fn note_changes(refresher: Weak<tokio::sync::Mutex<Refresher>>, handle: &Handle) {
    handle.spawn(async move {
        loop {
            tokio::time::sleep(NOTE_INTERVAL).await;
            let Some(refresher) = refresher.upgrade() else {
                return;
            };
            // One that is being refreshed fetches them itself.
            if let Ok(mut refresher) = refresher.try_lock() {
                refresher.note_changes();
            }
        }
    });
}

/// A fault of the index, or of the file system below the root.
pub(crate) fn internal(source: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::internal(source)
}
