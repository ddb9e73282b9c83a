//! `cargo xtask bench-ui`: our web UI beside MLflow's in Chromium. The measuring is done by
//! `tests/ui/bench/run.mjs`; this file seeds the databases and starts the servers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::server::Server;
use crate::{built, cache, process, test_ui, venv};

/// What `mlflow server` starts unless it is told otherwise.
const MLFLOW_WORKERS: u8 = 4;

/// What both servers show: experiments, as arguments of `tests/bench/seed.py`. `run.mjs` knows their names.
const SHARED: [&[&str]; 4] = [
    &["runs", "--experiment", "bench-runs", "--n", "10000"],
    &[
        "series",
        "--experiment",
        "bench-series",
        "--points",
        "100000",
    ],
    &[
        "traces",
        "--experiment",
        "bench-trace-100",
        "--n",
        "1",
        "--spans",
        "100",
    ],
    &[
        "traces",
        "--experiment",
        "bench-trace-10000",
        "--n",
        "1",
        "--spans",
        "10000",
    ],
];

/// What is shown by ours alone: MLflow's pages come to 100,000 runs after a thousand clicks.
const LARGE: [&[&str]; 1] = [&["runs", "--experiment", "bench-runs", "--n", "100000"]];

/// How to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Visits of each page; the tables have their medians
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Measure this part only
    #[arg(long, value_name = "PART", value_parser = ["runs", "charts", "traces", "scroll"])]
    only: Option<String>,
    /// Write the tables to this file, as in docs/performance.md
    #[arg(long, value_name = "FILE")]
    md: Option<PathBuf>,
    /// Write all samples to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Keep the databases in this folder, 2 GB, and take those that are there
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Builds, installs, seeds and measures.
pub(crate) fn run(args: &Args) -> Result<()> {
    let chromium = test_ui::chromium()?;
    let tests = cache::repository().join("tests/ui");
    test_ui::install(&tests)?;
    let binary = built::release_binary()?;
    let environment = venv::MLFLOW_3_17.ensure()?;
    // On the disk that is built on: many a `/tmp` is memory.
    let temporary = tempfile::Builder::new()
        .prefix("bench-ui-")
        .tempdir_in(cache::target()?)?;
    let folder = match &args.data {
        Some(folder) => std::path::absolute(folder).context("--data is no path")?,
        None => temporary.path().to_owned(),
    };
    let seeder = Seeder {
        binary: &binary,
        environment: &environment,
        folder: &folder,
    };
    let shared = seeder.database("shared", &SHARED)?;
    let large = seeder.database("large", &LARGE)?;
    let copy = temporary.path().join("mlflow.db");
    fs::copy(&shared, &copy).context("cannot copy the database")?;

    let machine = machine(temporary.path())?;
    let log = |name: &str| temporary.path().join(format!("{name}.log"));
    let ours = Server::start(&binary, &uri(&shared), temporary.path(), log("ours"))?;
    let hundred_thousand = Server::start(&binary, &uri(&large), temporary.path(), log("large"))?;
    let mlflow = Server::start_mlflow(
        &environment,
        &uri(&copy),
        temporary.path(),
        log("mlflow"),
        MLFLOW_WORKERS,
    )?;
    let mut command = Command::new("node");
    command
        .current_dir(&tests)
        .arg("bench/run.mjs")
        .args(["--ours", &ours.url(), "--mlflow", &mlflow.url()])
        .args(["--large", &hundred_thousand.url()])
        .args(["--rounds", &args.rounds.to_string()])
        .args(["--chromium", chromium, "--machine", &machine]);
    if let Some(part) = &args.only {
        command.args(["--only", part]);
    }
    for (flag, file) in [("--md", &args.md), ("--json", &args.json)] {
        if let Some(file) = file {
            let file = std::path::absolute(file).with_context(|| format!("{flag} is no path"))?;
            command.arg(flag).arg(file);
        }
    }
    process::run(&mut command)
}

/// Makes databases with our server and fills them.
struct Seeder<'a> {
    binary: &'a Path,
    environment: &'a Path,
    folder: &'a Path,
}

impl Seeder<'_> {
    /// The database of this name. It gets its name when it is complete; one that is there is taken.
    fn database(&self, name: &str, experiments: &[&[&str]]) -> Result<PathBuf> {
        let path = self.folder.join(format!("{name}.db"));
        if path.exists() {
            return Ok(path);
        }
        let folder = self.folder.join(format!("{name}-seeding"));
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let unfinished = folder.join("seeding.db");
        let uri = uri(&unfinished);
        let server = Server::start(self.binary, &uri, &folder, folder.join("server.log"))?;
        for arguments in experiments {
            let mut command = venv::script(self.environment, "bench/seed.py");
            command
                .args(["--url", &server.url(), "--sql", &uri])
                .args(*arguments);
            process::run(&mut command)?;
        }
        // The log of what was written goes into the database then.
        server.stop()?;
        fs::rename(&unfinished, &path)?;
        fs::remove_dir_all(&folder)?;
        Ok(path)
    }
}

fn uri(database: &Path) -> String {
    format!("sqlite:///{}", database.display())
}

/// One line on this machine, as `cargo xtask bench` writes it.
fn machine(folder: &Path) -> Result<String> {
    let line = process::output(
        Command::new(venv::system_python()?)
            .args(["-c", "import procs, sys; print(procs.machine(sys.argv[1]))"])
            .arg(folder)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(cache::repository().join("tests/bench")),
    )?;
    Ok(line.trim().to_owned())
}
