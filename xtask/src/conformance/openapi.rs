//! The description of our API beside what the server answers.

use std::path::Path;

use anyhow::Result;

use crate::server::Server;
use crate::tally::Tally;
use crate::{built, venv};

/// Sends what Schemathesis makes of `/openapi.json`, and counts the operations.
pub(super) fn run(folder: &Path, tally: &mut Tally) -> Result<()> {
    let binary = built::binary()?;
    let environment = venv::SCHEMATHESIS.ensure()?;
    let place = folder.join("openapi");
    std::fs::create_dir_all(&place)?;
    let uri = format!("sqlite:///{}", place.join("mlflow.db").display());
    let server = Server::start(&binary, &uri, &place, place.join("server.log"))?;
    println!("\n-- openapi");
    let mut program = venv::script(&environment, "conformance/openapi.py");
    program
        .args(["--url", &server.url()])
        .arg("--folder")
        .arg(&place);
    tally.program(&mut program, &place.join("openapi.log"))?;
    tally.check("openapi: the server ends in order", server.stop());
    Ok(())
}
