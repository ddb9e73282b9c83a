//! Traces of programs that know OpenTelemetry only.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::server::Server;
use crate::tally::Tally;
use crate::{built, cache, process, venv};

/// OpenTelemetry's packages for Node. Their versions go together.
const PACKAGES: [&str; 5] = [
    "@opentelemetry/api@1.9.1",
    "@opentelemetry/exporter-trace-otlp-http@0.223.1",
    "@opentelemetry/exporter-trace-otlp-proto@0.223.1",
    "@opentelemetry/resources@2.12.1",
    "@opentelemetry/sdk-trace-base@2.12.1",
];

/// Has the SDKs send to a fresh server, and counts what their programs check.
pub(super) fn run(folder: &Path, tally: &mut Tally) -> Result<()> {
    let binary = built::binary()?;
    let python = venv::OPENTELEMETRY.ensure()?;
    let node = packages()?;
    let place = folder.join("otel");
    std::fs::create_dir_all(&place)?;
    let uri = format!("sqlite:///{}", place.join("mlflow.db").display());
    let server = Server::start(&binary, &uri, &place, place.join("server.log"))?;
    println!("\n-- otel");
    let mut program = venv::script(&python, "conformance/otel/sdk.py");
    program.args(["--url", &server.url()]);
    tally.program(&mut program, &place.join("python.log"))?;
    // A module finds its packages beside itself.
    let script = node.join("sdk.mjs");
    std::fs::copy(
        cache::repository().join("tests/conformance/otel/sdk.mjs"),
        &script,
    )?;
    let mut program = Command::new("node");
    program.arg(script).arg(server.url()).current_dir(&place);
    tally.program(&mut program, &place.join("node.log"))?;
    tally.check("otel: the server ends in order", server.stop());
    Ok(())
}

/// The folder with the packages for Node, installed into the cache folder once.
fn packages() -> Result<PathBuf> {
    const STAMP: &str = "requirements.txt";

    let folder = cache::folder()?.join("tools").join("opentelemetry-node");
    let _lock = cache::lock("opentelemetry-node")?;
    let wanted = PACKAGES.join("\n");
    let stamp = folder.join(STAMP);
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    std::fs::create_dir_all(&folder)?;
    process::run(
        Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
            .args(PACKAGES)
            .current_dir(&folder),
    )
    .context("npm is needed for OpenTelemetry's SDK for Node")?;
    std::fs::write(stamp, wanted)?;
    Ok(folder)
}
