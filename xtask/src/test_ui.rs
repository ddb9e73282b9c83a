//! `cargo xtask test-ui`: the web UI in Chromium, driven as a person would, on the real server.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::server::Server;
use crate::tally::Tally;
use crate::{apt, built, cache, process, venv};

/// Where Debian's Chromium is.
const CHROMIUM: [&str; 2] = ["/usr/bin/chromium", "/usr/bin/chromium-browser"];

/// What to run.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Run the tests of this area only, for example `charts`
    #[arg(long, value_name = "AREA")]
    only: Option<String>,
    /// Save screenshots of the main pages into this folder
    #[arg(long, value_name = "DIR")]
    shots: Option<PathBuf>,
    /// Take the pictures of the documentation, `docs/images`, instead of testing
    #[arg(long, conflicts_with_all = ["only", "shots"])]
    images: bool,
}

/// Builds, installs, and runs the tests.
pub(crate) fn run(args: &Args) -> Result<()> {
    if !process::available(&mut Command::new("npm")) {
        bail!(
            "npm is missing: the pages are built with it, and their tests run in Node 20 or later"
        );
    }
    let chromium = chromium()?;
    let pages = cache::repository().join("crates/ui");
    let tests = cache::repository().join("tests/ui");
    for folder in [&pages, &tests] {
        install(folder)?;
    }
    if !args.images {
        npm(&pages, &["run", "check"])?;
        npm(&pages, &["test"])?;
    }
    let binary = built::release_binary()?;
    let python = venv::python(&venv::MLFLOW_3_17.ensure()?);
    let folder = tempfile::Builder::new().prefix("runledger-ui-").tempdir()?;
    let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    let server = Server::start(
        &binary,
        &uri,
        folder.path(),
        folder.path().join("server.log"),
    )?;
    let mut tally = Tally::default();
    let program = if args.images {
        "images/run.mjs"
    } else {
        "run.mjs"
    };
    let mut command = Command::new("node");
    command
        .current_dir(&tests)
        .args([program, "--url", &server.url()])
        .arg("--python")
        .arg(python)
        .arg("--chromium")
        .arg(chromium);
    if args.images {
        command
            .arg("--out")
            .arg(cache::repository().join("docs/images"));
    }
    if let Some(area) = &args.only {
        command.args(["--only", area]);
    }
    if let Some(shots) = &args.shots {
        let shots = std::path::absolute(shots).context("--shots is no path")?;
        command.arg("--shots").arg(shots);
    }
    tally.program(&mut command, &folder.path().join("browser.log"))?;
    tally.check("the server ends in order", server.stop());
    tally.finish("test-ui", folder)
}

/// Installs the packages that the lock file of this folder names.
pub(crate) fn install(folder: &Path) -> Result<()> {
    npm(
        folder,
        &["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
    )
}

fn npm(folder: &Path, arguments: &[&str]) -> Result<()> {
    process::run(Command::new("npm").args(arguments).current_dir(folder))
}

/// The browser, installed if it is missing.
pub(crate) fn chromium() -> Result<&'static str> {
    let find = || CHROMIUM.into_iter().find(|path| Path::new(path).exists());
    if find().is_none() {
        apt::install("chromium", "the tests drive it")?;
    }
    find().context("the package `chromium` is installed, but not where it is looked for")
}
