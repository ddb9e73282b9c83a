//! What is particular to PostgreSQL: how its connections are opened, and the
//! statements that append or insert columns.

mod append;
mod columns;
mod connect;

pub(crate) use append::Appender;
pub(crate) use columns::InsertColumns;
pub(crate) use connect::connect;
