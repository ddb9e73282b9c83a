//! The server over a real store, asked in process.

mod artifacts;
mod experiments;
mod logged_models;
mod logging;
mod metrics;
mod mutations;
mod runs;
mod transport;
mod world;
