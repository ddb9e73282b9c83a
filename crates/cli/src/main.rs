//! The `runledger` program: experiment tracking that speaks MLflow Tracking.
//!
//! Reads flags and environment variables, opens the store and the artifact
//! repositories, and runs the server. What a flag means to the store or the
//! server is left to them.
//!
//! Exit codes: 0 after an orderly end, 1 if the server could not run, 2 if the
//! command line is wrong.

mod args;
mod logging;
mod report;
mod serve;
mod settings;
mod signals;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    logging::start();
    // Without a subcommand the program is the server: the flags then have
    // their defaults, or the values of the environment.
    let command = cli.command.unwrap_or_else(Command::server);
    let Command::Server(flags) = command;
    match serve::run(&flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}
