//! Experiment tracking for Rust, as MLflow does it: to a tracking server (this
//! project's, or MLflow 2.x and 3.x), to a database, or to an `mlruns` folder.
//!
//! - [`start_run`] and its neighbours, or a [`Tracker`] of one's own, are for training
//!   loops: an [`ActiveRun`] is a guard that ends its run, and metrics are sent behind
//!   the loop's back, each exactly once.
//! - [`Client`] has the calls one by one, asynchronous.
//! - [`RestStore`] is a tracking server as a
//!   [`TrackingStore`](runledger_store::TrackingStore), below both.
//! - [`spill`] is about what a run could not send while its tracker was away.
//! - [`spans`] sends the spans of a program as traces.
//! - [`artifacts`] are the files of runs and models, [`datasets`] what runs
//!   read, and [`models`] what they make;
//!   [`system_metrics`] is what a run uses of its machine.
//! - [`autolog`] logs trainings of burn, candle, linfa and smartcore by a line of code each.
//!
//! `docs/quickstart-rust.md` begins at the beginning.
//!
//! Times are milliseconds since the epoch, unless a
//! [`Duration`](std::time::Duration) says otherwise. Which run is active is known to
//! each thread and each task for itself ([`active_run`]).

mod active;
pub mod artifacts;
pub mod autolog;
mod background;
mod client;
mod context;
pub mod datasets;
mod delivery;
mod error;
pub mod models;
mod place;
mod queue;
pub mod rest;
mod run;
pub mod spans;
pub mod spill;
pub mod system_metrics;
mod tracker;

pub use active::{active_run, last_active_run};
pub use artifacts::ArtifactsError;
pub use client::{Client, OpenOptions, RunOptions, without_account};
pub use error::TrackingError;
pub use rest::{Account, InvalidOption, InvalidServer, RestOptions, RestStore, ServerLook};
pub use run::{ActiveRun, RunLogger};
pub use runledger_entities as entities;
pub use runledger_store as store;
pub use tracker::{Tracker, set_experiment, set_tracking_uri, start_run, start_run_with, tracker};

/// The quickstart, whose code the tests run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/quickstart-rust.md")]
struct Quickstart;
