//! `cargo xtask deny`: what `deny.toml` says about the dependencies, checked with cargo-deny.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::{cache, process};

/// The release that is installed when there is none.
const VERSION: &str = "0.20.2";

/// What to check.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Also look for known vulnerabilities; fetches the `RustSec` database from the internet
    #[arg(long)]
    advisories: bool,
}

/// Runs cargo-deny, installing it into the cache folder if it is not there.
pub(crate) fn run(args: &Args) -> Result<()> {
    let mut command = Command::new(program()?);
    command
        .args([
            "--workspace",
            "--all-features",
            "--locked",
            "check",
            "--hide-inclusion-graph",
        ])
        .current_dir(cache::repository());
    if args.advisories {
        command.arg("advisories");
    }
    process::run(command.args(["bans", "licenses", "sources"]))
}

fn program() -> Result<PathBuf> {
    if process::available(&mut Command::new("cargo-deny")) {
        return Ok(PathBuf::from("cargo-deny"));
    }
    let root = cache::folder()?.join("tools");
    let program = root.join("bin").join("cargo-deny");
    let _lock = cache::lock("cargo-deny")?;
    if process::available(&mut Command::new(&program)) {
        return Ok(program);
    }
    println!("installing cargo-deny {VERSION}: this takes some minutes, once");
    process::run(
        process::cargo([
            "install",
            "cargo-deny",
            "--locked",
            "--quiet",
            "--version",
            VERSION,
        ])
        .arg("--root")
        .arg(&root)
        // Its build is of no use to ours.
        .env_remove("CARGO_TARGET_DIR"),
    )
    .context("`cargo install cargo-deny` by hand shows more")?;
    Ok(program)
}
