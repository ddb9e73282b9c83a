#![doc = include_str!("../README.md")]
//!
//! # Where to start
//!
//! - [`Endpoint`]: the one table of routes, each with the permission it asks for.
//! - [`messages`]: requests and responses, by noun.
//! - [`ErrorResponse`]: the error body, which any [`Coded`] error becomes.
//!
//! [`Coded`]: runledger_entities::Coded

mod endpoints;
mod error;
mod json;
pub mod messages;
mod openapi;
pub mod otlp;

pub use endpoints::{Area, Endpoint, Method, Permission, Scope, Version};
pub use error::{ErrorResponse, RequestError, check_content_type};
pub use json::decode::Input;
pub use json::query::pairs as query_pairs;
pub use messages::Request;
pub use openapi::openapi;
