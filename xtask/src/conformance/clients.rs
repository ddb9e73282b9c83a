//! The official Python packages, used as the documentation shows, against our server.

use std::path::Path;

use anyhow::Result;

use super::Client;
use crate::server::{self, Server};
use crate::tally::Tally;
use crate::venv;

/// Runs the suites with each client.
pub(super) fn run(clients: &[Client], folder: &Path, tally: &mut Tally) -> Result<()> {
    let binary = server::build()?;
    for client in clients {
        let environment = client.environment().ensure()?;
        let place = folder.join(format!("clients-{}", client.release()));
        std::fs::create_dir_all(&place)?;
        let uri = format!("sqlite:///{}", place.join("mlflow.db").display());
        let server = Server::start(&binary, &uri, &place, place.join("server.log"))?;
        println!("\n-- clients of MLflow {}", client.release());
        let mut suites = venv::script(&environment, "conformance/clients/clients.py");
        suites.args(["--url", &server.url()]);
        tally.program(&mut suites, &place.join("clients.log"))?;
        tally.check("clients: the server ends in order", server.stop());
    }
    Ok(())
}
