//! Runs synchronous database work for asynchronous callers.
//!
//! Reads run on a few connections of their own ([`readers`]). Writes go through
//! one thread that owns the only writing connections of this process
//! ([`writer`]) and commits what arrives together in one transaction. Closures
//! have no point at which they can be cancelled: a caller that goes away leaves
//! no half-done transaction behind.

mod readers;
mod writer;

use std::time::Duration;

pub(crate) use readers::Readers;
pub(crate) use writer::{Append, Writer};

/// How long a call waits for its turn before it is answered with "unavailable".
const TURN_TIMEOUT: Duration = Duration::from_secs(30);
