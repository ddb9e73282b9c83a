//! The schema: made in an empty database, recognised in any other, and brought
//! from the version of any MLflow since 2.0 to the newest.
//!
//! The table `alembic_version` is MLflow's own, so that either program
//! recognises the database. [`prepare`](prepare::prepare) is what opening a
//! store does; [`upgrade()`], [`plan()`] and [`current`] are the commands
//! `runledger db`. The versions and their scripts are in [`revisions`], what
//! scripts may say in [`script`].

mod catalog;
mod failure;
mod lock;
mod open;
mod plan;
mod prepare;
pub(crate) mod python;
mod rebuild;
mod report;
mod revisions;
mod script;
mod state;
mod steps;
mod traces;
mod upgrade;

pub use plan::{Current, Plan, PlannedStep, current, plan};
pub(crate) use prepare::{ensure_table, prepare};
pub(crate) use revisions::Level;
pub(crate) use state::level;
pub use upgrade::{Progress, Upgraded, upgrade};

use diesel::{QueryResult, sql_types::BigInt};

use crate::{connection::Connection, sql::Sql};
use failure::Failure;

/// The newest schema version, that of MLflow 3.17, in Alembic's name.
pub const SCHEMA_VERSION: &str = "dc11669786a5";

/// The number of rows of a table; nothing if there is no such table.
fn count_rows(connection: &mut Connection, table: &'static str) -> QueryResult<Option<u64>> {
    if !catalog::has_table(connection, table)? {
        return Ok(None);
    }
    let rows = Sql::varying("select count(*) from ")
        .sql(table)
        .first::<BigInt, i64>(connection)?;
    Ok(rows.and_then(|rows| rows.try_into().ok()))
}
