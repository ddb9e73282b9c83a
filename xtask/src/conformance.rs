//! `cargo xtask conformance`: unchanged MLflow clients work with our server, and Python MLflow with
//! our database file.
//!
//! The sessions themselves are Python programs in `tests/conformance`, which print a line per check;
//! this file gives them a server, carries files from one to the next, and counts.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::process;
use crate::server::{self, Server};
use crate::tally::Tally;
use crate::venv::{self, Environment};

/// What to run.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Run this client only
    #[arg(long, value_enum)]
    client: Option<Client>,
    /// Run only the sessions, against a server that is already there: MLflow's own must pass too
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Client {
    #[value(name = "2.17")]
    V2_17,
    #[value(name = "3.17")]
    V3_17,
}

impl Client {
    fn environment(self) -> &'static Environment {
        match self {
            Self::V2_17 => &venv::MLFLOW_2_17,
            Self::V3_17 => &venv::MLFLOW_3_17,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::V2_17 => "client-2.17",
            Self::V3_17 => "client-3.17",
        }
    }
}

/// Runs the sessions; an error if any check failed.
pub(crate) fn run(args: &Args) -> Result<()> {
    let clients = match args.client {
        Some(client) => vec![client],
        None => Client::value_variants().to_vec(),
    };
    let folder = tempfile::Builder::new()
        .prefix("runledger-conformance-")
        .tempdir()?;
    let mut tally = Tally::default();
    match &args.url {
        Some(url) => {
            sessions(&clients, url, folder.path(), &mut tally)?;
        }
        None => whole_tour(&clients, folder.path(), &mut tally)?,
    }
    tally.finish("conformance", folder)
}

/// Sessions against a fresh server, the file in Python's hands, and the server again.
fn whole_tour(clients: &[Client], folder: &Path, tally: &mut Tally) -> Result<()> {
    let newest = venv::MLFLOW_3_17.ensure()?;
    let binary = server::build()?;
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
fn sessions(
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
