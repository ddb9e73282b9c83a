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
            None => built(&["--bin", "runledger"], "runledger"),
        })
        .clone()
}

/// An example of the workspace: from the folder that `RUNLEDGER_EXAMPLES` names, else built.
///
/// # Panics
/// If it does not build.
pub fn example(name: &str) -> PathBuf {
    match std::env::var_os("RUNLEDGER_EXAMPLES") {
        Some(folder) => {
            PathBuf::from(folder).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
        }
        None => built(&["--example", name], name),
    }
}

/// What cargo builds here is what it has built for these tests already: the whole workspace, with the features of tests
/// (a test is among the targets for that), else cargo compiles nearly everything once more.
const AS_FOR_TESTS: [&str; 6] = [
    "--workspace",
    "--features",
    "runledger-e2e/postgres,runledger/parquet,runledger/system-metrics,runledger/nvml,\
     runledger/burn,runledger/candle,runledger/linfa,runledger/smartcore",
    "--locked",
    "--test",
    "races",
];

/// Runs `cargo build`, and asks its messages where the executable is: no guess at target folders.
fn built(arguments: &[&str], name: &str) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command
        .arg("build")
        .args(AS_FOR_TESTS)
        .args(arguments)
        .args(["--quiet", "--message-format", "json-render-diagnostics"]);
    // Tests are run with the variables of their package, and build scripts of dependencies look at them.
    for (variable, _) in std::env::vars_os() {
        let name = variable.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&variable);
        }
    }
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
