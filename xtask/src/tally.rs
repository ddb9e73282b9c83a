//! Counts the checks of programs that print a line for each, and of tasks themselves.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::process;

/// How many checks passed and failed so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    passed: usize,
    failed: usize,
}

impl Tally {
    /// Prints the counts; if anything failed, keeps the files of the run and fails.
    pub(crate) fn finish(&self, task: &str, folder: TempDir) -> Result<()> {
        println!("{task}: {} passed, {} failed", self.passed, self.failed);
        if self.failed > 0 {
            bail!(
                "the files of this run are kept in {}",
                folder.keep().display()
            );
        }
        Ok(())
    }

    /// Counts one check of this program's own.
    pub(crate) fn check(&mut self, name: &str, outcome: Result<()>) {
        match outcome {
            Ok(()) => {
                println!("ok  {name}");
                self.passed += 1;
            }
            Err(error) => {
                println!("FAIL  {name}: {error:#}");
                self.failed += 1;
            }
        }
    }

    /// Runs a program that prints a line per check, shows and counts them; what it says beside them goes to `log`.
    ///
    /// A program that ends badly without a failed check counts as one.
    pub(crate) fn program(&mut self, command: &mut Command, log: &Path) -> Result<()> {
        let shown = process::shown(command);
        let errors =
            fs::File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .with_context(|| format!("cannot start `{shown}`"))?;
        let output = child.stdout.take().context("the output is a pipe")?;
        let before = (self.passed, self.failed);
        for line in BufReader::new(output).lines() {
            let line = line?;
            match line.split_whitespace().next() {
                // "not ok" in the Test Anything Protocol.
                Some("ok") => self.passed += 1,
                Some("FAIL" | "not") => self.failed += 1,
                _ => {}
            }
            println!("{line}");
        }
        let status = child.wait()?;
        if !status.success() && self.failed == before.1 {
            println!("FAIL  `{shown}` ended with {status}");
            println!("{}", process::last_lines(&fs::read_to_string(log)?, 30));
            self.failed += 1;
        } else if status.success() && self.passed == before.0 {
            println!("FAIL  `{shown}` checked nothing");
            self.failed += 1;
        }
        Ok(())
    }
}
