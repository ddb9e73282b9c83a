//! Sessions of unchanged clients with one server, its database file in Python's hands, and the server
//! again.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use super::Client;
use crate::server::Server;
use crate::tally::Tally;
use crate::{built, process, venv};

/// Sessions against a fresh server, the file in Python's hands, and the server again.
pub(super) fn whole_tour(clients: &[Client], folder: &Path, tally: &mut Tally) -> Result<()> {
    let newest = venv::MLFLOW_3_17.ensure()?;
    let binary = built::binary()?;
    let added = folder.join("added.json");

    let server = start(&binary, folder, "server-first.log")?;
    let records = sessions(clients, &server.url(), folder, tally)?;
    tally.check("server: SIGTERM ends it with exit code 0", server.stop());
    if records.is_empty() {
        bail!("no session left a record: see the checks above");
    }

    tally.check(
        "database: its schema is the one that MLflow 3.17.2 makes",
        same_schema(&newest, folder),
    );
    let mut database = venv::script(&newest, "conformance/database.py");
    database
        .arg("--database")
        .arg(database_file(folder))
        .arg("--records")
        .args(&records)
        .arg("--added")
        .arg(&added)
        .arg("--artifacts")
        .arg(folder.join("python-artifacts"));
    tally.program(&mut database, &folder.join("database.log"))?;

    let server = start(&binary, folder, "server-second.log")?;
    let mut after = venv::script(&newest, "conformance/served.py");
    after
        .arg("--url")
        .arg(server.url())
        .arg("--added")
        .arg(&added);
    tally.program(&mut after, &folder.join("served.log"))?;
    tally.check("server: SIGTERM ends it again", server.stop());
    Ok(())
}

/// Runs the scenario with each client; returns the records of those that wrote one.
pub(super) fn sessions(
    clients: &[Client],
    url: &str,
    folder: &Path,
    tally: &mut Tally,
) -> Result<Vec<PathBuf>> {
    let mut records = Vec::new();
    for client in clients {
        let environment = client.environment().ensure()?;
        let record = folder.join(format!("{}.json", client.name()));
        let mut scenario = venv::script(&environment, "conformance/scenario.py");
        scenario.args(["--url", url]).arg("--record").arg(&record);
        tally.program(
            &mut scenario,
            &folder.join(format!("{}.log", client.name())),
        )?;
        if record.exists() {
            records.push(record);
        }
    }
    Ok(records)
}

/// Has Python MLflow make a fresh database, and compares the schema of ours with it.
fn same_schema(environment: &Path, folder: &Path) -> Result<()> {
    let theirs = folder.join("theirs.db");
    let uri = format!("sqlite:///{}", theirs.display());
    process::output(
        Command::new(venv::python(environment))
            .args(["-m", "mlflow", "db", "upgrade", &uri])
            .current_dir(folder),
    )?;
    let mut compare = venv::script(environment, "conformance/schema_compare.py");
    compare.arg(database_file(folder)).arg(theirs);
    let found = compare.stdin(Stdio::null()).output()?;
    if !found.status.success() {
        bail!(
            "{}{}",
            String::from_utf8_lossy(&found.stdout),
            String::from_utf8_lossy(&found.stderr)
        );
    }
    Ok(())
}

fn start(binary: &Path, folder: &Path, log: &str) -> Result<Server> {
    let uri = format!("sqlite:///{}", database_file(folder).display());
    Server::start(binary, &uri, folder, folder.join(log))
}

/// The database file of the servers.
fn database_file(folder: &Path) -> PathBuf {
    folder.join("mlflow.db")
}
