//! Packages of Debian and Ubuntu, installed where we may.

use std::process::Command;

use anyhow::{Result, bail};
use rustix::process::geteuid;

use crate::process;

/// Whether packages can be installed here.
pub(crate) fn is_possible() -> bool {
    geteuid().is_root() && process::available(&mut Command::new("apt-get"))
}

/// Installs a package; an error that names it if that cannot be done here.
pub(crate) fn install(package: &str, otherwise: &str) -> Result<()> {
    if !is_possible() {
        bail!("the package `{package}` is missing: install it, {otherwise}");
    }
    if install_now(package).is_err() {
        // The lists of packages can be missing or old.
        process::run(apt().args(["update", "-q"]))?;
        install_now(package)?;
    }
    Ok(())
}

fn install_now(package: &str) -> Result<()> {
    process::run(apt().args(["install", "-q", "-y", "--no-install-recommends", package]))
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}
