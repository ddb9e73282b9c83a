//! `cargo xtask bench`: our server beside others. The measuring is done by `tests/bench/run.py`;
//! this file builds ours and installs theirs.

use std::process::Command;

use anyhow::Result;

use crate::{cache, process, server, venv};

/// What `tests/bench/run.py` is given.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// Arguments of `tests/bench/run.py`, such as `--quick`; `--help` shows them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Builds, installs, and measures.
pub(crate) fn run(args: &Args) -> Result<()> {
    let script = cache::repository().join("tests/bench/run.py");
    let mut command = Command::new(venv::system_python()?);
    command
        .arg(script)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(cache::repository());
    if !args.arguments.iter().any(|argument| argument == "--help") {
        let mlflow = venv::MLFLOW_3_17.ensure()?;
        command.arg("--ours").arg(server::build()?);
        command.arg("--venv-317").arg(mlflow);
        match venv::FASTTRACKML.ensure() {
            Ok(folder) => {
                command.arg("--venv-ft").arg(folder);
            }
            Err(error) => {
                println!("note: FastTrackML is left out, it does not install here: {error:#}");
            }
        }
    }
    process::run(command.args(&args.arguments))
}
