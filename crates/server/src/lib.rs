//! The MLflow Tracking HTTP service as a library.
//!
//! [`Server::builder`] takes a store and artifact roots behind their traits
//! and gives a service: `examples/custom_server.rs` is a whole server binary.
//!
//! A request travels one way: bytes, [`security`] and bounds, the message out
//! of `runledger-protocol`, a handler, the store's trait, and back. Stores
//! never see HTTP, and nothing here sees SQL or files.

mod admission;
mod app;
mod artifact_routes;
mod assets;
mod body;
mod builder;
mod call;
mod dispatch;
mod failure;
mod handlers;
mod listen;
mod options;
mod reply;
mod router;
mod security;

pub use builder::{BuildError, Server, ServerBuilder};
pub use listen::{ServeError, serve};
pub use options::{Asset, Limits};
pub use security::{InvalidSecurityConfig, SecurityConfig};
