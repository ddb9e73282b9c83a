//! What is particular to PostgreSQL: how its connections are opened, and the
//! statements that append.

mod append;
mod connect;

pub(crate) use append::Appender;
pub(crate) use connect::connect;
