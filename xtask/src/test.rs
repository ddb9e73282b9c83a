//! `cargo xtask test`: everything that must pass before a change lands, the quick parts first.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::{
    built, cache, conformance, deny, lint, process, test_folders, test_races, test_stores,
    test_upgrades,
};

/// A step that can fail.
type Step = fn() -> Result<()>;

/// Runs all steps, and stops at the first that fails.
pub(crate) fn run() -> Result<()> {
    let steps: [(&str, Step); 11] = [
        ("formatting", formatting),
        ("house rules", || lint::run(&lint::Args::default())),
        ("clippy", clippy),
        ("dependencies", || deny::run(&deny::Args::default())),
        ("tests", tests),
        ("documentation", documentation),
        ("stores", || test_stores::run(&test_stores::Args::default())),
        ("races", test_races::run),
        ("upgrades", || {
            test_upgrades::run(&test_upgrades::Args::default())
        }),
        ("folders", || {
            test_folders::run(&test_folders::Args::default())
        }),
        ("sessions", || {
            conformance::run(&conformance::Args::sessions())
        }),
    ];
    let mut times: Vec<(&str, Duration)> = Vec::new();
    for (name, step) in steps {
        println!("\n== {name}");
        let began = Instant::now();
        step().with_context(|| format!("the step `{name}` failed"))?;
        times.push((name, began.elapsed()));
    }
    println!("\n== all steps passed");
    for (name, time) in times {
        println!("{name:14} {:>6.1} s", time.as_secs_f64());
    }
    Ok(())
}

fn formatting() -> Result<()> {
    process::run(&mut process::cargo(["fmt", "--all", "--check"]))
        .context("`cargo fmt --all` mends it")
}

fn clippy() -> Result<()> {
    process::run(&mut process::cargo([
        "clippy",
        "--workspace",
        "--all-targets",
        // Tests that other tasks run.
        "--features",
        built::FEATURES,
        "--locked",
        "--",
        "-D",
        "warnings",
    ]))
}

fn tests() -> Result<()> {
    if process::available(&mut process::cargo(["nextest"])) {
        // What is built with the tests is what they start. Left to themselves they build it alone,
        // which chooses other features of the dependencies and compiles all of them once more.
        let programs = cache::target()?.join("debug");
        let binary = format!("runledger{}", std::env::consts::EXE_SUFFIX);
        process::run(
            process::cargo([
                "nextest",
                "run",
                "--workspace",
                "--locked",
                "--features",
                built::CLIENT,
            ])
            .env("RUNLEDGER_BIN", programs.join(binary))
            .env("RUNLEDGER_EXAMPLES", programs.join("examples")),
        )?;
        process::run(&mut process::cargo([
            "test",
            "--workspace",
            "--locked",
            "--features",
            built::CLIENT,
            "--doc",
        ]))
    } else {
        process::run(&mut process::cargo([
            "test",
            "--workspace",
            "--locked",
            "--features",
            built::CLIENT,
        ]))
    }
}

fn documentation() -> Result<()> {
    process::run(
        process::cargo([
            "doc",
            "--workspace",
            "--no-deps",
            "--document-private-items",
            "--locked",
            "--features",
            built::CLIENT,
        ])
        .env("RUSTDOCFLAGS", "-D warnings"),
    )
}
