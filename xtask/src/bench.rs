//! `cargo xtask bench`: our server beside others. The measuring is done by `tests/bench/run.py`;
//! this file builds ours, installs theirs, and starts what they share.

use std::process::Command;

use anyhow::Result;

use crate::database::{Database, Kind};
use crate::{built, cache, emulators, process, venv};

/// What `tests/bench/run.py` is given.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// Arguments of `tests/bench/run.py`, such as `--quick` and `--backend postgres`, `file` or `artifacts`; `--help` shows them
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
    if args.arguments.iter().any(|argument| argument == "--help") {
        return process::run(command.args(&args.arguments));
    }
    let backend = backend(&args.arguments);
    command.arg("--ours").arg(built::release_binary()?);
    if backend == Some("file") {
        command.arg("--venv-217").arg(venv::MLFLOW_2_17.ensure()?);
        return process::run(command.args(&args.arguments));
    }
    command.arg("--venv-317").arg(venv::MLFLOW_3_17.ensure()?);
    if backend == Some("postgres") {
        let database = Database::start(Kind::Postgres)?;
        command.env(Kind::Postgres.variable(), database.url());
        return process::run(command.args(&args.arguments));
    }
    if backend == Some("artifacts") {
        command.arg("--s3-server").arg(emulators::s3s_fs()?);
        return process::run(command.args(&args.arguments));
    }
    match venv::FASTTRACKML.ensure() {
        Ok(folder) => {
            command.arg("--venv-ft").arg(folder);
        }
        Err(error) => {
            println!("note: FastTrackML is left out, it does not install here: {error:#}");
        }
    }
    process::run(command.args(&args.arguments))
}

/// The value of `--backend VALUE` or `--backend=VALUE`; the last one counts, as in the script.
fn backend(arguments: &[String]) -> Option<&str> {
    let mut found = None;
    for (at, argument) in arguments.iter().enumerate() {
        match argument.strip_prefix("--backend") {
            Some("") => found = arguments.get(at + 1).map(String::as_str),
            Some(rest) => found = rest.strip_prefix('=').or(found),
            None => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backend_is_found_among_the_arguments_of_the_script() {
        for (arguments, expected) in [
            ("--quick", None),
            ("--backend postgres --quick", Some("postgres")),
            ("--quick --backend=postgres", Some("postgres")),
            ("--backend=postgres --backend sqlite", Some("sqlite")),
            ("--backend", None),
        ] {
            let arguments: Vec<_> = arguments.split(' ').map(str::to_owned).collect();
            assert_eq!(backend(&arguments), expected);
        }
    }
}
