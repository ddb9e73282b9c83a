//! The programs that tasks test, built from the whole workspace at once.
//!
//! Cargo chooses the features of the dependencies by what is built together. Asked for one package it compiles nearly
//! everything once more, with features that differ a little: minutes and gigabytes for each task. What is built here
//! is what `cargo xtask test` has built for the tests already, with [`FEATURES`].

use std::env;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use cargo_metadata::Message;

use crate::{cache, process};

/// The features of the crate `runledger` that no program here has, and tests have to.
pub(crate) const CLIENT: &str = "runledger/parquet,runledger/system-metrics,runledger/nvml,\
     runledger/burn,runledger/candle,runledger/linfa,runledger/smartcore";

/// All features that tests are built with, so that nothing is built twice.
pub(crate) const FEATURES: &str = "runledger-e2e/postgres,\
     runledger/parquet,runledger/system-metrics,runledger/nvml,\
     runledger/burn,runledger/candle,runledger/linfa,runledger/smartcore";

const BINARY: &str = "runledger";

/// The binary that `RUNLEDGER_BIN` names, else the one of this repository, built with the profile of tests.
pub(crate) fn binary() -> Result<PathBuf> {
    if let Some(path) = named()? {
        return Ok(path);
    }
    // A test beside it, and cargo counts the features of tests.
    find(BINARY, &["--bin", BINARY, "--test", "races"], None)
}

/// The binary that `RUNLEDGER_BIN` names, else the one of this repository, built for release.
pub(crate) fn release_binary() -> Result<PathBuf> {
    if let Some(path) = named()? {
        return Ok(path);
    }
    process::run(&mut process::cargo([
        "build",
        "--release",
        "--package",
        "runledger-cli",
    ]))?;
    let binary = format!("{BINARY}{}", env::consts::EXE_SUFFIX);
    Ok(cache::target()?.join("release").join(binary))
}

/// A program of integration tests, ready to be started as cargo does, in the folder of its package.
pub(crate) fn test(folder: &str, name: &str) -> Result<Command> {
    let package = cache::repository().join(folder);
    let program = find(name, &["--test", name], Some(&package))?;
    let mut command = Command::new(program);
    command
        .env("CARGO_MANIFEST_DIR", &package)
        .current_dir(package)
        .stdin(Stdio::null());
    Ok(command)
}

/// An example of a package, in the folder `folder` of the repository.
pub(crate) fn example(folder: &str, name: &str) -> Result<PathBuf> {
    let package = cache::repository().join(folder);
    find(name, &["--example", name], Some(&package))
}

fn named() -> Result<Option<PathBuf>> {
    env::var_os("RUNLEDGER_BIN")
        .map(|path| std::path::absolute(path).context("RUNLEDGER_BIN is no path"))
        .transpose()
}

/// Builds, and asks cargo's messages where the executable is.
fn find(name: &str, targets: &[&str], package: Option<&Path>) -> Result<PathBuf> {
    let mut command = process::cargo([
        "build",
        "--workspace",
        "--features",
        FEATURES,
        "--locked",
        "--quiet",
        "--message-format",
        "json-render-diagnostics",
    ]);
    command.args(targets);
    println!(
        "$ cargo build --workspace --features {FEATURES} {}",
        targets.join(" ")
    );
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let messages = child.stdout.take().context("cargo has no output")?;
    let mut found = None;
    for message in Message::parse_stream(BufReader::new(messages)) {
        if let Message::CompilerArtifact(artifact) = message?
            && artifact.target.name == name
            && package.is_none_or(|package| artifact.manifest_path.starts_with(package))
        {
            found = artifact.executable.map(PathBuf::from).or(found);
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`cargo build` failed: {status}");
    }
    found.with_context(|| format!("cargo built no program `{name}`"))
}
