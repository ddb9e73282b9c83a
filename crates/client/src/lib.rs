//! Experiment tracking for Rust: MLflow's tracking API over HTTP, databases and
//! folders.

pub mod rest;
pub mod spans;

pub use rest::{InvalidOption, InvalidServer, RestOptions, RestStore};
pub use runledger_entities as entities;
pub use runledger_store as store;
