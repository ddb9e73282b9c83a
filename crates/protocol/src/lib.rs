//! The MLflow Tracking REST protocol.
//!
//! - [`Endpoint`]: the one table of routes, each with the permission it asks for.
//! - [`messages`]: requests, decoded by MLflow's JSON rules, and responses.
//! - [`ErrorResponse`]: the error body, which any [`Coded`] error becomes.
//!
//! No I/O and no HTTP library: `runledger-server` serves this, and a client
//! can speak it.
//!
//! [`Coded`]: runledger_entities::Coded

mod endpoints;
mod error;
mod json;
pub mod messages;

pub use endpoints::{Area, Endpoint, Method, Permission, Scope, Version};
pub use error::{ErrorResponse, RequestError, check_content_type};
pub use json::decode::Input;
pub use json::query::pairs as query_pairs;
pub use messages::Request;
