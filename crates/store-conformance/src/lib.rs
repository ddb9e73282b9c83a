//! The one test suite that every Runledger store must pass.
//!
//! A store hands over a [`Fixture`], which makes a new and empty [`World`] for
//! every case, and gets back [`trials`] for `libtest-mimic`. Its whole test
//! file is this:
//!
//! ```text
//! fn main() -> std::process::ExitCode {
//!     runledger_store_conformance::main(MyFixture)
//! }
//! ```
//!
//! with `harness = false` for that test in `Cargo.toml`. Names of cases start
//! with the module that holds them, so `cargo test --test conformance history::`
//! runs one noun.
//!
//! Each case states one rule of the contracts in `runledger-store`. Where the
//! prose there leaves a detail open, the case follows what MLflow 3.17.2
//! answers on its SQL store. Speed, SQL and HTTP are not looked at here.
//!
//! To add a case, write a function in the file of its noun and name it in the
//! list on top of that file: a function that no list names does not pass the
//! lints.

mod batches;
mod case;
mod clauses;
mod concurrency;
mod errors;
mod experiments;
mod fixture;
mod history;
mod inputs;
mod lifecycle;
mod logged_models;
mod purge;
mod random;
mod registry;
mod runs;
mod search_experiments;
mod search_logged_models;
mod search_runs;
mod setup;
mod traces;
mod webhooks;

use std::{process::ExitCode, sync::Arc};

use libtest_mimic::{Arguments, Trial};

pub use fixture::{Fixture, World};

/// Every case of the suite, as trials that run on worlds of this fixture.
pub fn trials(fixture: &Arc<dyn Fixture>) -> Vec<Trial> {
    let mut nouns = vec![
        batches::cases(),
        concurrency::cases(),
        errors::cases(),
        experiments::cases(),
        history::cases(),
        inputs::cases(),
        lifecycle::cases(),
        logged_models::cases(),
        registry::cases(),
        runs::cases(),
        search_experiments::cases(),
        search_logged_models::cases(),
        search_runs::cases(),
        traces::cases(),
    ];
    // What no client of a server has: see `Fixture::is_behind_a_server`.
    if !fixture.is_behind_a_server() {
        nouns.push(purge::cases());
        if fixture.keeps_webhooks() {
            nouns.push(webhooks::cases());
        }
    }
    nouns
        .into_iter()
        .flatten()
        .map(|case| case.trial(Arc::clone(fixture)))
        .collect()
}

/// Runs the suite with the command line of `cargo test`.
pub fn main(fixture: impl Fixture) -> ExitCode {
    let fixture: Arc<dyn Fixture> = Arc::new(fixture);
    libtest_mimic::run(&Arguments::from_args(), trials(&fixture)).exit_code()
}
