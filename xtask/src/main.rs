//! The tasks of this repository, one file each: `cargo xtask help` lists them.
//!
//! Whatever a continuous integration service runs is a task here, so that a red result there can be
//! had on any machine. A task installs what it needs below the user's cache folder, or says what is
//! missing and fails.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a task talks to the person who started it"
)]

mod apt;
mod bench;
mod bench_ui;
mod built;
mod cache;
mod conformance;
mod database;
mod deny;
mod emulators;
mod file_servers;
mod lint;
mod process;
mod server;
mod tally;
mod test;
mod test_artifacts;
mod test_folders;
mod test_races;
mod test_stores;
mod test_ui;
mod test_upgrades;
mod venv;

use std::process::ExitCode;

use clap::Parser;

/// Tasks of the Runledger repository.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Everything that must pass before a change lands: formatting, lints, tests, documentation, stores, races, upgrades, folders, sessions of clients
    #[command(visible_alias = "ci")]
    Test,
    /// Run the conformance suite on each store, and print a table of cases and stores
    TestStores(test_stores::Args),
    /// Write through three servers on one `PostgreSQL`, and kill one of them every second
    TestRaces,
    /// Upgrade databases that old releases of MLflow made, and have them read back
    TestUpgrades(test_upgrades::Args),
    /// Serve `mlruns` folders that MLflow's own file store uses at the same time
    TestFolders(test_folders::Args),
    /// Run the suite of artifact storages, and MLflow clients, on emulators of the clouds
    TestArtifacts(test_artifacts::Args),
    /// Drive the web UI in Chromium, on the real server
    TestUi(test_ui::Args),
    /// Run official MLflow clients against the server, share its database with Python, and compare its answers with MLflow's
    Conformance(conformance::Args),
    /// Start a private database server for tests, print its URL, and keep it until Ctrl-C
    Database(database::Args),
    /// Holds a private database server until its input ends
    #[command(name = database::guard::NAME, hide = true)]
    DatabaseGuard(database::guard::Args),
    /// Check the rules of the house: floors, module comments, documentation that names everything
    Lint(lint::Args),
    /// Check licences, sources and duplicates of the dependencies with cargo-deny
    Deny(deny::Args),
    /// Measure the server beside MLflow's and `FastTrackML`
    Bench(bench::Args),
    /// Measure the web UI beside MLflow's, in Chromium
    BenchUi(bench_ui::Args),
}

fn main() -> ExitCode {
    let outcome = match Task::parse() {
        Task::Test => test::run(),
        Task::TestStores(args) => test_stores::run(&args),
        Task::TestRaces => test_races::run(),
        Task::TestUpgrades(args) => test_upgrades::run(&args),
        Task::TestFolders(args) => test_folders::run(&args),
        Task::TestArtifacts(args) => test_artifacts::run(&args),
        Task::TestUi(args) => test_ui::run(&args),
        Task::Conformance(args) => conformance::run(&args),
        Task::Database(args) => database::run(&args),
        Task::DatabaseGuard(args) => database::guard::run(&args),
        Task::Lint(args) => lint::run(&args),
        Task::Deny(args) => deny::run(&args),
        Task::Bench(args) => bench::run(&args),
        Task::BenchUi(args) => bench_ui::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
