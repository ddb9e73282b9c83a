//! MLflow's own web UI on our server: its pages in Chromium, from the package of each release.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::Client;
use crate::server::Server;
use crate::tally::Tally;
use crate::{built, cache, process, test_ui, venv};

/// Opens the pages of each release, with data that its own client logs.
pub(super) fn run(clients: &[Client], folder: &Path, tally: &mut Tally) -> Result<()> {
    if !process::available(&mut Command::new("npm")) {
        bail!("npm is missing: the tests of MLflow's pages run in Node 20 or later");
    }
    let chromium = test_ui::chromium()?;
    let tests = cache::repository().join("tests/ui");
    test_ui::install(&tests)?;
    let binary = built::binary()?;
    for client in clients {
        let environment = client.environment().ensure()?;
        let pages = pages(&environment)?;
        let place = folder.join(format!("browser-{}", client.release()));
        std::fs::create_dir_all(&place)?;
        let uri = format!("sqlite:///{}", place.join("mlflow.db").display());
        let server = Server::start_with(
            &binary,
            &uri,
            &place,
            place.join("server.log"),
            &[
                "--ui-dir",
                pages.to_str().context("the cache folder is no text")?,
            ],
        )?;
        println!("\n-- pages of MLflow {}", client.release());
        let mut browser = Command::new("node");
        browser
            .current_dir(&tests)
            .args(["mlflow/run.mjs", "--url", &server.url()])
            .args(["--release", client.short()])
            .arg("--python")
            .arg(venv::python(&environment))
            .args(["--chromium", chromium])
            .arg("--shots")
            .arg(place.join("shots"));
        tally.program(&mut browser, &place.join("browser.log"))?;
        tally.check("browser: the server ends in order", server.stop());
    }
    Ok(())
}

/// The build folder of the pages inside the installed package.
fn pages(environment: &Path) -> Result<PathBuf> {
    let mut locate = Command::new(venv::python(environment));
    // Without importing it, which takes seconds.
    locate.args([
        "-c",
        "import importlib.util; print(importlib.util.find_spec('mlflow').submodule_search_locations[0])",
    ]);
    let package = process::output(&mut locate)?;
    let pages = Path::new(package.trim()).join("server/js/build");
    if !pages.join("index.html").exists() {
        bail!("{} has no pages", pages.display());
    }
    Ok(pages)
}
