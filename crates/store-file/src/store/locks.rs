//! Locks within this process, each for the things whose ids have the same hash.
//!
//! Taken in this order, and one of a kind at a time: experiment, run, model,
//! trace.

use std::sync::{Mutex, MutexGuard, PoisonError};

use runledger_entities::{ExperimentId, LoggedModelId, RunId, TraceId};

use crate::signature::{FNV_OFFSET, fnv};

/// How many locks there are of each kind.
const LOCKS: usize = 256;

/// Keeps two writers of this process from changing one thing at a time, and the
/// index from reading half of a change.
#[derive(Debug)]
pub(crate) struct Locks {
    experiments: Box<[Mutex<()>]>,
    runs: Box<[Mutex<()>]>,
    models: Box<[Mutex<()>]>,
    traces: Box<[Mutex<()>]>,
}

impl Default for Locks {
    fn default() -> Self {
        let some = || (0..LOCKS).map(|_| Mutex::new(())).collect();
        Self {
            experiments: some(),
            runs: some(),
            models: some(),
            traces: some(),
        }
    }
}

impl Locks {
    pub(crate) fn experiment(&self, id: ExperimentId) -> MutexGuard<'_, ()> {
        lock(&self.experiments, &id.to_string())
    }

    pub(crate) fn run(&self, id: &RunId) -> MutexGuard<'_, ()> {
        lock(&self.runs, id.as_str())
    }

    pub(crate) fn model(&self, id: &LoggedModelId) -> MutexGuard<'_, ()> {
        lock(&self.models, id.as_str())
    }

    pub(crate) fn trace(&self, id: &TraceId) -> MutexGuard<'_, ()> {
        lock(&self.traces, id.as_str())
    }
}

fn lock<'l>(locks: &'l [Mutex<()>], id: &str) -> MutexGuard<'l, ()> {
    let hash = fnv(FNV_OFFSET, id.as_bytes());
    let place = usize::try_from(hash % LOCKS as u64).unwrap_or(0);
    locks[place].lock().unwrap_or_else(PoisonError::into_inner)
}
