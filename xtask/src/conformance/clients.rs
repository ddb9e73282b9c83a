//! The official Python packages, used as the documentation shows, against our server.

use std::path::Path;

use anyhow::Result;

use super::Client;
use crate::server::Server;
use crate::tally::Tally;
use crate::{built, venv};

/// Runs the suites with each client.
///
/// With the newest client also the frameworks that it logs by itself; Lightning if `torch` is wanted.
pub(super) fn run(clients: &[Client], torch: bool, folder: &Path, tally: &mut Tally) -> Result<()> {
    let binary = built::binary()?;
    for client in clients {
        let environment = client.environment().ensure()?;
        let place = folder.join(format!("clients-{}", client.release()));
        std::fs::create_dir_all(&place)?;
        let uri = format!("sqlite:///{}", place.join("mlflow.db").display());
        let server = Server::start(&binary, &uri, &place, place.join("server.log"))?;
        println!("\n-- clients of MLflow {}", client.release());
        let mut suites = venv::script(&environment, "conformance/clients/clients.py");
        suites.args(["--url", &server.url()]);
        if *client == Client::V3_17 {
            let frameworks = if torch {
                &venv::FRAMEWORKS_AND_TORCH
            } else {
                suites.args(["--autolog-without", "lightning_training"]);
                &venv::FRAMEWORKS
            };
            suites
                .arg("--autolog-python")
                .arg(venv::python(&frameworks.ensure()?));
        }
        tally.program(&mut suites, &place.join("clients.log"))?;
        tally.check("clients: the server ends in order", server.stop());
    }
    Ok(())
}
