//! Brings the index up to the files.
//!
//! What is watched and did not change is taken for what it was. Everything else
//! is compared by file times ([`crate::signature`]) with how it looked when it
//! was read, and read again where it differs. A folder is watched before it is
//! read, and its signature taken before that too: what changes meanwhile shows the
//! next time.

mod experiments;
mod look;
mod models;
mod runs;
mod traces;

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use runledger_entities::{ExperimentId, LoggedModelId, RunId};
use runledger_store::StoreError;
use runledger_store_sql::SqlStore;
use tokio::runtime::Handle;

use super::{
    internal,
    search::Search,
    states::States,
    watch::{Changes, Thing, Watch},
};
use crate::{
    folder::Scratch,
    layout::Root,
    safe_dir::Folder,
    signature::{Signature, signature},
    store::Locks,
};

/// A file that was written so lately may be written again within the resolution
/// of its time: two seconds on the coarsest file systems.
const YOUNG: Duration = Duration::from_secs(3);

/// What has to be fresh.
#[derive(Clone, Debug)]
pub(crate) enum Scope {
    /// The experiments themselves.
    Experiments,
    /// One run.
    Run(RunId),
    /// All runs of these experiments.
    Runs(Vec<ExperimentId>),
    /// One logged model.
    Model(LoggedModelId),
    /// All logged models of these experiments.
    Models(Vec<ExperimentId>),
    /// All traces of these experiments.
    Traces(Vec<ExperimentId>),
    /// The runs of all experiments.
    AllRuns,
    /// The logged models of all experiments.
    AllModels,
}

/// Who refreshes: one at a time in this process.
#[derive(Debug)]
pub(crate) struct Refresher {
    path: PathBuf,
    search: Search,
    states: States,
    watch: Watch,
    /// Experiments of which every run was watched when it was last listed.
    complete: HashSet<ExperimentId>,
    /// The same of their traces.
    complete_traces: HashSet<ExperimentId>,
    /// What changed and was not looked at yet.
    dirty: HashSet<Thing>,
    /// Experiments that can be read.
    sound: HashSet<ExperimentId>,
    /// Experiments that cannot, with the reason that was told.
    passed_over: HashMap<ExperimentId, String>,
    scratch: Scratch,
    /// Held while a run is read, so that no batch of this process is seen half.
    locks: Arc<Locks>,
}

impl Refresher {
    pub(crate) fn new(path: &Path, search: Search, states: States, locks: Arc<Locks>) -> Self {
        Self {
            path: path.to_owned(),
            search,
            states,
            watch: Watch::new(path),
            complete: HashSet::new(),
            complete_traces: HashSet::new(),
            dirty: HashSet::new(),
            sound: HashSet::new(),
            passed_over: HashMap::new(),
            scratch: Scratch::default(),
            locks,
        }
    }

    /// Takes note of what changed, so that the kernel need not remember it.
    pub(crate) fn note_changes(&mut self) {
        let Changes { all, things } = self.watch.changes();
        if all {
            tracing::debug!("too many files changed at once: everything is looked at again");
            self.forget_what_is_known();
        }
        self.dirty.extend(things);
    }

    /// Brings what is asked for up to the files.
    pub(crate) fn refresh(
        &mut self,
        scope: &Scope,
        handle: &Handle,
    ) -> Result<SqlStore, StoreError> {
        if !self.search.is_current(&self.states).map_err(internal)? {
            tracing::warn!("the index was removed: it is made anew");
            handle
                .block_on(self.search.reopen(&mut self.states))
                .map_err(internal)?;
            self.forget_what_is_known();
        }
        self.note_changes();
        let done = self.refresh_noted(scope, handle);
        if done.is_err() {
            self.states.rollback();
            // What was taken from the list of changes may not be in the index.
            self.forget_what_is_known();
        }
        // Datasets may be written anew by the next time.
        self.scratch = Scratch::default();
        done.map(|()| self.search.sql.clone())
    }

    /// Has everything compared again.
    fn forget_what_is_known(&mut self) {
        self.watch.distrust();
        self.complete.clear();
        self.complete_traces.clear();
        self.sound.clear();
        self.passed_over.clear();
    }

    fn refresh_noted(&mut self, scope: &Scope, handle: &Handle) -> Result<(), StoreError> {
        let root = match Root::open(&self.path) {
            Err(error) if error.is_missing() => return self.forget_all(handle),
            root => root.map_err(internal)?,
        };
        match scope {
            Scope::Experiments => self.experiments(&root, handle),
            Scope::Run(id) => self.run(&root, id, handle),
            Scope::Runs(of) => {
                self.experiments(&root, handle)?;
                for id in of {
                    self.runs_of(&root, *id, handle)?;
                }
                Ok(())
            }
            Scope::Model(id) => self.model(&root, id, handle),
            Scope::Models(of) => {
                self.experiments(&root, handle)?;
                for id in of {
                    self.models_of(&root, *id, handle)?;
                }
                Ok(())
            }
            Scope::Traces(of) => {
                self.experiments(&root, handle)?;
                for id in of {
                    self.traces_of(&root, *id, handle)?;
                }
                Ok(())
            }
            Scope::AllRuns | Scope::AllModels => {
                self.experiments(&root, handle)?;
                let all: Vec<ExperimentId> = self.sound.iter().copied().collect();
                for id in all {
                    match scope {
                        Scope::AllModels => self.models_of(&root, id, handle)?,
                        _ => self.runs_of(&root, id, handle)?,
                    }
                }
                Ok(())
            }
        }
    }

    fn is_clean(&self, thing: &Thing) -> bool {
        self.watch.is_watched(thing) && !self.dirty.contains(thing)
    }
}

/// The signature of a folder, unless it is too young to tell a later change.
fn settled(folder: &Folder) -> Option<u64> {
    settled_at(signature(folder).ok()?, SystemTime::now())
}

/// A signature, unless a change after `time` could leave it as it is.
fn settled_at(looks: Signature, time: SystemTime) -> Option<u64> {
    let time = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let young = i64::try_from(time.saturating_sub(YOUNG).as_nanos()).ok()?;
    (looks.newest_ns < young).then_some(looks.hash)
}

/// An error with what caused it.
fn words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words.push_str(": ");
        words.push_str(&inner.to_string());
        cause = inner.source();
    }
    words
}

fn fnv(bytes: &[u8]) -> u64 {
    crate::signature::fnv(crate::signature::FNV_OFFSET, bytes)
}
