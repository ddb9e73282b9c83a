//! Telling webhooks of what happened.
//!
//! [`Client`] sends one request, to an address that was looked at before; `target`
//! reads URLs, `address` says which addresses are open to everybody, `signature`
//! signs. [`Deliverer`] is the task that takes deliveries out of the store and
//! decides what becomes of them; `rests` says which webhooks it leaves alone. What is told, and that it is not lost, is the
//! store's.

mod address;
mod client;
mod deliverer;
mod options;
mod rests;
mod signature;
mod target;
mod tls;

use std::sync::Arc;

use runledger_store::WebhookStore;

pub(crate) use client::{Client, Message, NoAnswer};
pub(crate) use deliverer::Deliverer;
pub use options::WebhookOptions;

/// What the handlers of webhooks work on.
#[derive(Clone, Debug)]
pub(crate) struct Webhooks {
    pub(crate) store: Arc<dyn WebhookStore>,
    pub(crate) client: Arc<Client>,
}
