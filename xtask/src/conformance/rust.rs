//! The crate `runledger` and the official client, on a server, a database file and a folder: what
//! one logs, the other reads back equal.

use std::path::Path;

use anyhow::Result;

use crate::server::Server;
use crate::tally::Tally;
use crate::{built, venv};

const PACKAGE: &str = "crates/client";

/// Has both log and read in each place.
pub(super) fn run(folder: &Path, tally: &mut Tally) -> Result<()> {
    let environment = venv::MLFLOW_3_17.ensure()?;
    let binary = built::binary()?;
    let log = built::example(PACKAGE, "log_all")?;
    let describe = built::example(PACKAGE, "describe")?;
    for name in ["server", "server-on-folder", "database", "folder"] {
        let place = folder.join(format!("rust-{name}"));
        std::fs::create_dir_all(&place)?;
        let database = format!("sqlite:///{}", place.join("mlflow.db").display());
        let mlruns = place.join("mlruns").display().to_string();
        let behind = match name {
            "server" => Some(&database),
            "server-on-folder" => Some(&mlruns),
            _ => None,
        };
        let server = behind
            .map(|uri| Server::start(&binary, uri, &place, place.join("server.log")))
            .transpose()?;
        let uri = match (&server, name) {
            (Some(server), _) => server.url(),
            (None, "database") => database,
            (None, _) => mlruns,
        };
        println!("\n-- rust: {name}");
        let mut program = venv::script(&environment, "conformance/rust.py");
        program.args(["--uri", &uri]).args(["--name", name]);
        program
            .arg("--log")
            .arg(&log)
            .arg("--describe")
            .arg(&describe);
        program.arg("--folder").arg(&place);
        tally.program(&mut program, &place.join("rust.log"))?;
        if let Some(server) = server {
            let ended = server.stop();
            tally.check(&format!("rust on {name}: the server ends in order"), ended);
        }
    }
    Ok(())
}
