//! The client and the fluent API through their public doors: against a server in
//! this process, a database and a folder.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod client;
mod config;
mod faults;
mod files;
mod fluent;
mod models;
mod proxy;
mod spilling;
mod system;
mod traces;
mod world;
