//! What is particular to MySQL and MariaDB: how their connections are opened,
//! and the statements that append.

mod append;
mod connect;

pub(crate) use append::Appender;
pub(crate) use connect::{connect, use_collation};
