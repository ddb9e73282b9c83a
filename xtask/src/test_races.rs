//! `cargo xtask test-races`: several servers on one `PostgreSQL`, some of them killed.
//!
//! The test is `tests/tests/races`; this file gives it a database.

use anyhow::Result;

use crate::database::{Database, Kind};
use crate::{built, process};

/// Starts a database and runs the test on it.
pub(crate) fn run() -> Result<()> {
    let database = Database::start(Kind::Postgres)?;
    process::run(
        built::test("tests", "races")?
            .arg("--nocapture")
            .env("RUNLEDGER_BIN", built::binary()?)
            .env(Kind::Postgres.variable(), database.url()),
    )
}
