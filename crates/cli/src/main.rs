//! The `runledger` program: experiment tracking that speaks MLflow Tracking.
//!
//! Reads flags and environment variables, opens the store and the artifact
//! repositories, and runs the server, or a command about what a store keeps. What
//! a flag means to the store or the server is left to them.
//!
//! Exit codes: 0 after an orderly end, 1 if the command failed (`db check`: if
//! the schema is not the newest; `doctor`: if something is wrong), 2 if the command line is wrong.

mod about;
mod args;
mod artifacts;
mod command;
mod db;
mod doctor;
mod experiments;
mod gc;
mod logging;
mod models;
mod report;
mod runs;
mod serve;
mod settings;
mod signals;
mod sync;
mod term;
mod traces;
mod tracking;
mod transfer;
mod watch;
mod webhooks;

use std::error::Error;
use std::process::ExitCode;

use args::{Cli, Command};
use artifacts::ArtifactsError;
use clap::Parser;
use command::CommandError;
use db::{ImportError, Outcome};
use gc::GcError;
use serve::RunError;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Without a subcommand the program is the server: the flags then have
    // their defaults, or the values of the environment.
    let command = cli.command.unwrap_or_else(Command::server);
    logging::start(!matches!(command, Command::Server(_)));
    match command {
        Command::Server(flags) => ended(serve::run(&flags), RunError::exit_code),
        Command::Experiments(command) => finished(experiments::run(&command)),
        Command::Runs(command) => finished(runs::run(&command)),
        Command::Sync(args) => finished(sync::run(&args)),
        Command::Export(args) => finished(transfer::export(&args)),
        Command::Import(args) => finished(transfer::import(&args)),
        Command::Models(command) => finished(models::run(&command)),
        Command::Traces(command) => finished(traces::run(&command)),
        Command::Watch(args) => finished(watch::run(&args)),
        Command::Db(command) => match db::run(&command) {
            Ok(Outcome::OutOfDate) => ExitCode::FAILURE,
            result => ended(result, ImportError::exit_code),
        },
        Command::Artifacts(command) => match artifacts::run(&command) {
            Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
            result => ended(result, ArtifactsError::exit_code),
        },
        Command::Doctor(args) => match doctor::run(&args) {
            Ok(false) => ExitCode::FAILURE,
            result => finished(result),
        },
        Command::Completions(args) => finished(about::completions(&args)),
        Command::Man(args) => finished(about::man(&args)),
        Command::Gc(args) => ended(gc::run(&args), GcError::exit_code),
    }
}

/// The same, of a command whose reader may go away before its end.
fn finished<T>(result: Result<T, CommandError>) -> ExitCode {
    match result {
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        result => ended(result, CommandError::exit_code),
    }
}

/// Says what went wrong, if something did.
fn ended<T, E: Error>(result: Result<T, E>, exit_code: impl FnOnce(&E) -> u8) -> ExitCode {
    match result {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            report::error(&error);
            ExitCode::from(exit_code(&error))
        }
    }
}
