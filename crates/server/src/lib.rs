#![doc = include_str!("../README.md")]
//!
//! # Where to start
//!
//! - [`Server`] and [`ServerBuilder`]: putting a server together.
//! - `router.rs` makes the routes out of [`Endpoint`]'s table, `dispatch.rs`
//!   hands a call to its handler, `handlers/` holds those by noun.
//! - `failure.rs` is where every error leaves the server.
//!
//! [`Endpoint`]: runledger_protocol::Endpoint

mod admission;
mod apart;
mod app;
mod artifact_routes;
mod assets;
mod body;
mod body_timeout;
mod builder;
mod call;
mod conditions;
mod dispatch;
mod drain;
mod failure;
mod graphql;
mod handlers;
mod listen;
mod model_source;
mod options;
mod reply;
mod router;
mod security;
mod sparsely;
mod ui_folder;
mod webhooks;
mod write_timeout;

pub use builder::{BuildError, Server, ServerBuilder};
pub use listen::{ServeError, serve};
pub use options::{Asset, Limits};
pub use security::{InvalidSecurityConfig, SecurityConfig};
pub use webhooks::WebhookOptions;
