//! Finds or builds the programs under test.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The `runledger` binary: the one that `RUNLEDGER_BIN` names, else built once from this workspace, with the profile
/// of these tests.
///
/// # Panics
/// If it does not build.
pub fn runledger() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| match std::env::var_os("RUNLEDGER_BIN") {
            Some(path) => path.into(),
            None => built(
                &["--package", "runledger-cli", "--bin", "runledger"],
                "runledger",
            ),
        })
        .clone()
}

/// An example of one of the workspace's packages: from the folder that `RUNLEDGER_EXAMPLES` names, else built.
///
/// # Panics
/// If it does not build.
pub fn example(package: &str, name: &str) -> PathBuf {
    match std::env::var_os("RUNLEDGER_EXAMPLES") {
        Some(folder) => {
            PathBuf::from(folder).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
        }
        None => built(&["--package", package, "--example", name], name),
    }
}

/// Runs `cargo build`, and asks its messages where the executable is: no guess at target folders.
fn built(arguments: &[&str], name: &str) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.arg("build").args(arguments).args([
        "--quiet",
        "--message-format",
        "json-render-diagnostics",
    ]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit());
    let output = command.output().expect("cargo starts");
    assert!(
        output.status.success(),
        "`cargo build {}` failed",
        arguments.join(" ")
    );
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == name)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .unwrap_or_else(|| panic!("cargo names no executable {name}"))
}
