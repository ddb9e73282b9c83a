//! The commands about experiments and runs as a user starts them: the real binary,
//! on a folder, on SQLite and on a server.
//!
//! What they print is compared with the files in `tests/snapshots`. After a change
//! that is meant, `RUNLEDGER_UPDATE_SNAPSHOTS=1` writes them anew.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod about;
mod experiments;
mod help;
mod registry;
mod runs;
mod snapshot;
mod transfer;
mod transfer_models;
mod transfer_registry;
mod transfer_tables;
mod transfer_traces;
mod watch;
mod world;
