//! Taking over what another store kept, under the ids that it has there.
//!
//! The index of the file store is filled this way, and a database from a folder
//! or from another database. It is not for clients: nothing is validated here,
//! and what is there already is written over.

use std::fmt;

use async_trait::async_trait;
use runledger_entities::{
    Experiment, ExperimentId, LoggedModel, LoggedModelId, ModelVersion, ModelVersionNumber,
    RegisteredModel, Run, RunId, Span, TraceId, TraceInfo,
};

use crate::StoreError;

/// A run as it was in another store.
#[derive(Clone, Debug, PartialEq)]
pub struct AdoptedRun {
    /// The run. Its metrics become the latest values as they are: a history is
    /// logged afterwards, and changes them only where it has newer points.
    pub run: Run,
    /// When it was deleted, in milliseconds since the epoch.
    pub deleted_time: Option<i64>,
}

/// A registered model as it was in another store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdoptedRegisteredModel {
    /// The model; its newest versions are among all of them.
    pub model: RegisteredModel,
    /// All its versions.
    pub versions: Vec<ModelVersion>,
    /// The largest number that a version of it ever had: that of the next one is
    /// larger.
    pub last_version: ModelVersionNumber,
}

/// A trace as it was in another store.
#[derive(Clone, Debug, PartialEq)]
pub struct AdoptedTrace {
    /// What is known about it, its assessments with it.
    pub info: TraceInfo,
    /// The spans that are kept beside it. What they say about their trace is in
    /// `info` already.
    pub spans: Vec<Span>,
    /// The runs that it is linked to.
    pub runs: Vec<RunId>,
    /// The versions of prompts that it is linked to, each `name/version`.
    pub prompts: Vec<String>,
}

/// What to take over and what to forget, all of it or nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Adoption {
    /// Experiments, which runs and models of the same adoption may belong to.
    pub experiments: Vec<Experiment>,
    /// Runs. Those of experiments that are not there fail the adoption.
    pub runs: Vec<AdoptedRun>,
    /// Logged models, in any stage; one that is deleted was last updated when it
    /// was deleted. Their metrics of runs that are not there are left out.
    pub logged_models: Vec<LoggedModel>,
    /// Registered models with their versions.
    pub registered_models: Vec<AdoptedRegisteredModel>,
    /// Traces. Those of experiments that are not there fail the adoption.
    pub traces: Vec<AdoptedTrace>,
    /// Runs to forget, in any stage; those that are not there do no harm.
    pub gone_runs: Vec<RunId>,
    /// Logged models to forget, as above.
    pub gone_logged_models: Vec<LoggedModelId>,
    /// Traces to forget, as above.
    pub gone_traces: Vec<TraceId>,
    /// Experiments to forget with all that is in them, as above.
    pub gone_experiments: Vec<ExperimentId>,
}

impl Adoption {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }
}

/// A store that takes over what another store kept.
#[async_trait]
pub trait AdoptStore: fmt::Debug + Send + Sync + 'static {
    /// The largest id of an experiment that the store can keep.
    fn largest_experiment_id(&self) -> i64;

    /// Puts things in the place of those with the same ids, with all that belongs
    /// to them, and forgets others.
    ///
    /// [`StoreError::ExperimentExists`] where another experiment has the name of
    /// one that is to be taken over.
    async fn adopt(&self, adoption: Adoption) -> Result<(), StoreError>;
}

/// A store that gives its traces to others, with all that belongs to them.
#[async_trait]
pub trait WholeTraces: fmt::Debug + Send + Sync + 'static {
    /// Traces in the order of these ids, each once, without those that are not there.
    async fn whole_traces(&self, ids: Vec<TraceId>) -> Result<Vec<AdoptedTrace>, StoreError>;
}
