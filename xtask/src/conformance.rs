//! `cargo xtask conformance`: unchanged MLflow clients work with our server, and Python MLflow with
//! our database file.
//!
//! The sessions themselves are Python programs in `tests/conformance`, which print a line per check;
//! this file gives them a server, carries files from one to the next, and counts.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use tempfile::TempDir;

use crate::server::{self, Server};
use crate::venv::{self, Environment};
use crate::{cache, process};

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
    println!(
        "conformance: {} passed, {} failed",
        tally.passed, tally.failed
    );
    if tally.failed > 0 {
        bail!(
            "the files of this run are kept in {}",
            keep(folder).display()
        );
    }
    Ok(())
}

/// Sessions against a fresh server, the file in Python's hands, and the server again.
fn whole_tour(clients: &[Client], folder: &Path, tally: &mut Tally) -> Result<()> {
    let newest = venv::MLFLOW_3_17.ensure()?;
    let binary = server::build()?;
    let added = folder.join("added.json");

    let server = Server::start(&binary, folder, folder.join("server-first.log"))?;
    let records = sessions(clients, &server.url(), folder, tally)?;
    tally.check("server: SIGTERM ends it with exit code 0", server.stop());
    if records.is_empty() {
        bail!("no session left a record: see the checks above");
    }

    tally.check(
        "database: its schema is the one that MLflow 3.17.2 makes",
        same_schema(&newest, folder),
    );
    let mut database = script(&newest, "database.py");
    database
        .arg("--database")
        .arg(server::database(folder))
        .arg("--records")
        .args(&records)
        .arg("--added")
        .arg(&added)
        .arg("--artifacts")
        .arg(folder.join("python-artifacts"));
    tally.program(&mut database, &folder.join("database.log"))?;

    let server = Server::start(&binary, folder, folder.join("server-second.log"))?;
    let mut after = script(&newest, "served.py");
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
        let mut scenario = script(&environment, "scenario.py");
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
    let mut compare = script(environment, "schema_compare.py");
    compare.arg(server::database(folder)).arg(theirs);
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

fn script(environment: &Path, name: &str) -> Command {
    let mut command = Command::new(venv::python(environment));
    command
        .arg(cache::repository().join("tests/conformance").join(name))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONUNBUFFERED", "1");
    // Settings of the person who runs this must not choose another server or user.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("MLFLOW_") {
            command.env_remove(name);
        }
    }
    command
}

fn keep(folder: TempDir) -> PathBuf {
    folder.keep()
}

/// How many checks passed and failed so far.
#[derive(Debug, Default)]
struct Tally {
    passed: usize,
    failed: usize,
}

impl Tally {
    /// Counts one check of this program's own.
    fn check(&mut self, name: &str, outcome: Result<()>) {
        match outcome {
            Ok(()) => {
                println!("ok  {name}");
                self.passed += 1;
            }
            Err(error) => {
                println!("FAIL  {name}: {error:#}");
                self.failed += 1;
            }
        }
    }

    /// Runs a program that prints a line per check, shows and counts them; what it says beside them goes to `log`.
    ///
    /// A program that ends badly without a failed check counts as one.
    fn program(&mut self, command: &mut Command, log: &Path) -> Result<()> {
        let shown = process::shown(command);
        let errors =
            fs::File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .with_context(|| format!("cannot start `{shown}`"))?;
        let output = child.stdout.take().context("the output is a pipe")?;
        let before = (self.passed, self.failed);
        for line in BufReader::new(output).lines() {
            let line = line?;
            match line.split_whitespace().next() {
                Some("ok") => self.passed += 1,
                Some("FAIL") => self.failed += 1,
                _ => {}
            }
            println!("{line}");
        }
        let status = child.wait()?;
        if !status.success() && self.failed == before.1 {
            println!("FAIL  `{shown}` ended with {status}");
            println!("{}", process::last_lines(&fs::read_to_string(log)?, 30));
            self.failed += 1;
        } else if status.success() && self.passed == before.0 {
            println!("FAIL  `{shown}` checked nothing");
            self.failed += 1;
        }
        Ok(())
    }
}
