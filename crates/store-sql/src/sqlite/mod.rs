//! What is particular to SQLite: how its connections are set up, and the
//! statements that append.

mod append;
mod connect;
mod log;

pub(crate) use append::Appender;
pub(crate) use connect::{Access, connect, connect_for_append};
pub(crate) use log::Log;
