//! The server over a real store, asked in process.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod artifacts;
mod example;
mod experiments;
mod graphql;
mod logged_models;
mod logging;
mod metrics;
mod mutations;
mod read_only;
mod registry;
mod runs;
mod traces;
mod transport;
mod ui_folder;
mod webhooks;
mod world;
