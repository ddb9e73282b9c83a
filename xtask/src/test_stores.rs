//! `cargo xtask test-stores`: the conformance suite on each store, side by side.
//!
//! A store that is not there, does not build or runs no case is a failure, never a gap in the table.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::database::{Database, Kind};
use crate::{built, process};

/// Tells the test program which store to run the suite on.
const STORE_VARIABLE: &str = "RUNLEDGER_TEST_STORE";

/// Which stores to run.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Run this store only; can be given more than once
    #[arg(long, value_enum)]
    store: Vec<Store>,
}

/// A store, by the test program that runs the suite on it.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Store {
    /// MLflow's `mlruns` folder
    File,
    /// MLflow's database schema on `SQLite`
    Sqlite,
    /// The same on `PostgreSQL`
    Postgres,
    /// The same on `MariaDB`, or `MySQL` if the environment names one
    Mariadb,
    /// The REST API of a server on `SQLite`
    Rest,
    /// The REST API of a server on a folder
    RestFile,
}

/// The nouns that no client of the REST API has: MLflow has no endpoint for removal for good, and
/// none that hands out secrets and deliveries of webhooks.
const NOT_OF_REST: [&str; 2] = ["purge::", "webhooks::"];

impl Store {
    fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Mariadb => "mariadb",
            Self::Rest => "rest",
            Self::RestFile => "rest-file",
        }
    }

    /// The folder of the package that has it.
    fn package(self) -> &'static str {
        match self {
            Self::File => "crates/store-file",
            Self::Sqlite | Self::Postgres | Self::Mariadb => "crates/store-sql",
            Self::Rest | Self::RestFile => "crates/client",
        }
    }

    /// The test program in it that runs the suite.
    fn program(self) -> &'static str {
        match self {
            Self::RestFile => "conformance_files",
            _ => "conformance",
        }
    }

    /// Whether the store has what a case is about. A folder of MLflow's has no webhooks: the
    /// server says that they need a database, which its own tests check.
    fn has(self, case: &str) -> bool {
        match self {
            Self::File => !case.starts_with("webhooks::"),
            Self::Rest | Self::RestFile => !NOT_OF_REST.iter().any(|noun| case.starts_with(noun)),
            Self::Sqlite | Self::Postgres | Self::Mariadb => true,
        }
    }

    /// The server that it needs.
    fn database(self) -> Option<Kind> {
        match self {
            Self::File | Self::Sqlite | Self::Rest | Self::RestFile => None,
            Self::Postgres => Some(Kind::Postgres),
            Self::Mariadb => Some(Kind::Mariadb),
        }
    }
}

/// What a case did on one store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    Ignored,
}

/// The outcomes of one store, by case.
type Cases = BTreeMap<String, Outcome>;

/// Runs the suite on the chosen stores; an error unless every case passed on every one.
pub(crate) fn run(args: &Args) -> Result<()> {
    let stores = if args.store.is_empty() {
        Store::value_variants().to_vec()
    } else {
        args.store.clone()
    };
    let results: Vec<(Store, Cases)> = stores
        .into_iter()
        .map(|store| Ok((store, suite(store)?)))
        .collect::<Result<_>>()?;
    let wanting = print_table(&results);
    if !wanting.is_empty() {
        bail!("not conformant: {}", wanting.join(", "));
    }
    Ok(())
}

fn suite(store: Store) -> Result<Cases> {
    let mut command = built::test(store.package(), store.program())?;
    command.env(STORE_VARIABLE, store.name());
    // Lives as long as the suite.
    let database = store.database().map(Database::start).transpose()?;
    if let (Some(kind), Some(database)) = (store.database(), &database) {
        command.env(kind.variable(), database.url());
    }
    println!(
        "$ {STORE_VARIABLE}={} {}",
        store.name(),
        process::shown(&command)
    );
    let output = command.stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let cases = parse(&text);
    if cases.is_empty() {
        println!("{}", process::last_lines(&text, 40));
        bail!("the store `{}` ran no case", store.name());
    }
    let failed = cases.values().any(|outcome| *outcome == Outcome::Failed);
    if failed {
        // The reasons stand after the list of cases.
        println!(
            "{}",
            text.split_once("\nfailures:")
                .map_or("", |(_, reasons)| reasons)
        );
    }
    if !output.status.success() && !failed {
        println!("{}", process::last_lines(&text, 40));
        bail!(
            "the suite on `{}` broke off: {}",
            store.name(),
            output.status
        );
    }
    Ok(cases)
}

/// Reads the lines `test [kind] name ... outcome` of a test program.
fn parse(text: &str) -> Cases {
    text.lines()
        .filter_map(|line| {
            let (name, outcome) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
            // The kind is the store's name, which is the column here.
            let name = match name.strip_prefix('[') {
                Some(rest) => rest.split_once("] ")?.1,
                None => name,
            };
            let outcome = match outcome.trim() {
                "ok" => Outcome::Passed,
                "ignored" => Outcome::Ignored,
                _ => Outcome::Failed,
            };
            Some((name.trim().to_owned(), outcome))
        })
        .collect()
}

/// Prints cases × stores with counts; returns the stores in which a case failed or is missing.
fn print_table(results: &[(Store, Cases)]) -> Vec<&'static str> {
    let names: BTreeSet<&String> = results.iter().flat_map(|(_, cases)| cases.keys()).collect();
    let width = names.iter().map(|name| name.len()).max().unwrap_or(0);
    let row = |first: &str, cells: Vec<String>| {
        println!("{first:width$}  {}", cells.join("  ").trim_end());
    };
    let cell =
        |store: &Store, text: String| format!("{text:>size$}", size = store.name().len().max(7));

    row(
        "case",
        results
            .iter()
            .map(|(store, _)| cell(store, store.name().to_owned()))
            .collect(),
    );
    for name in &names {
        row(
            name,
            results
                .iter()
                .map(|(store, cases)| {
                    let word = match cases.get(*name) {
                        Some(Outcome::Passed) => "ok",
                        Some(Outcome::Failed) => "FAILED",
                        Some(Outcome::Ignored) => "ignored",
                        None if store.has(name) => "missing",
                        None => "-",
                    };
                    cell(store, word.to_owned())
                })
                .collect(),
        );
    }
    let passed = |cases: &Cases| {
        cases
            .values()
            .filter(|outcome| **outcome == Outcome::Passed)
            .count()
    };
    let wanted = |store: &Store, cases: &Cases| {
        let wanted = |name: &&&String| store.has(name) || cases.contains_key(**name);
        names.iter().filter(wanted).count()
    };
    row(
        "passed",
        results
            .iter()
            .map(|(store, cases)| {
                cell(store, format!("{}/{}", passed(cases), wanted(store, cases)))
            })
            .collect(),
    );
    let total: usize = results.iter().map(|(_, cases)| passed(cases)).sum();
    let all: usize = results
        .iter()
        .map(|(store, cases)| wanted(store, cases))
        .sum();
    println!("test-stores: {total} passed, {} failed", all - total);
    results
        .iter()
        .filter(|(store, cases)| passed(cases) < wanted(store, cases))
        .map(|(store, _)| store.name())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_read_with_and_without_a_kind() {
        let cases = parse(
            "running 3 tests\n\
             test [sqlite] runs::a ... ok\n\
             test [sqlite] runs::b  ... FAILED\n\
             test plain ... ignored\n\
             test result: FAILED. 1 passed; 1 failed\n",
        );
        assert_eq!(cases.len(), 3);
        assert_eq!(cases["runs::a"], Outcome::Passed);
        assert_eq!(cases["runs::b"], Outcome::Failed);
        assert_eq!(cases["plain"], Outcome::Ignored);
    }

    #[test]
    fn a_case_that_one_store_lacks_makes_it_wanting() {
        let cases = |names: &[&str]| {
            names
                .iter()
                .map(|name| ((*name).to_owned(), Outcome::Passed))
                .collect::<Cases>()
        };
        let complete = (Store::Sqlite, cases(&["a", "b"]));
        assert_eq!(
            print_table(std::slice::from_ref(&complete)),
            Vec::<&str>::new()
        );
        assert_eq!(
            print_table(&[complete, (Store::Sqlite, cases(&["a"]))]),
            ["sqlite"]
        );
    }

    #[test]
    fn a_folder_need_not_have_webhooks() {
        let cases = |names: &[&str]| {
            names
                .iter()
                .map(|name| ((*name).to_owned(), Outcome::Passed))
                .collect::<Cases>()
        };
        let sqlite = || (Store::Sqlite, cases(&["runs::a", "webhooks::b"]));
        let wanting = |file: &[&str]| print_table(&[sqlite(), (Store::File, cases(file))]);
        assert_eq!(wanting(&["runs::a"]), Vec::<&str>::new());
        assert_eq!(wanting(&["webhooks::b"]), ["file"]);
    }

    #[test]
    fn the_client_has_everything_but_purges_and_webhooks() {
        for store in [Store::Rest, Store::RestFile] {
            assert!(store.has("search_runs::filters::a"));
            assert!(store.has("registry::models::a"));
            assert!(store.has("traces::spans::a"));
            assert!(!store.has("purge::a"));
        }
    }
}
