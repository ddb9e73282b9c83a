//! Runs npm on a copy of the sources, because nothing may be written beside the originals.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// All that the build of the pages reads.
pub(crate) const INPUTS: &[&str] = &[
    "web",
    "policies",
    "package.json",
    "package-lock.json",
    ".npmrc",
    "compress.mjs",
    "svelte.config.js",
    "tsconfig.json",
    "vite.config.ts",
];

/// Why there are no pages.
#[derive(Debug)]
pub(crate) enum Fault {
    /// `RUNLEDGER_UI=none`.
    Unwanted,
    /// Where packages cannot be fetched.
    NoNetwork,
    /// There is no npm.
    NoNpm,
    /// npm ended with an error.
    Failed { what: String, tail: String },
    /// A file could not be copied.
    Io(io::Error),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unwanted => f.write_str("RUNLEDGER_UI=none"),
            Self::NoNetwork => f.write_str("packages cannot be fetched here"),
            Self::NoNpm => f.write_str("npm was not found; install Node.js 20.19 or later"),
            Self::Failed { what, tail } => write!(f, "`{what}` failed: {tail}"),
            Self::Io(error) => write!(f, "the sources could not be copied: {error}"),
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Builds the pages; returns their folder.
pub(crate) fn build(source: &Path, out: &Path) -> Result<PathBuf, Fault> {
    let work = out.join("ui");
    let dist = out.join("dist");
    let lock = "package-lock.json";
    let installed = work.join("node_modules/.package-lock.json").is_file()
        && fs::read(work.join(lock)).ok() == fs::read(source.join(lock)).ok();
    fs::create_dir_all(&work)?;
    // A file that is gone from the sources must not stay in the copy.
    if work.join("web").exists() {
        fs::remove_dir_all(work.join("web"))?;
    }
    for name in INPUTS {
        copy(&source.join(name), &work.join(name))?;
    }
    if !installed {
        npm(
            &["ci", "--no-audit", "--no-fund", "--ignore-scripts"],
            &work,
            &dist,
        )?;
    }
    npm(&["run", "build"], &work, &dist)?;
    Ok(dist)
}

fn npm(arguments: &[&str], work: &Path, dist: &Path) -> Result<(), Fault> {
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let output = Command::new(program)
        .args(arguments)
        .current_dir(work)
        .env("RUNLEDGER_UI_OUT", dist)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Fault::NoNpm,
            _ => Fault::Io(error),
        })?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    // A warning of Cargo's is one line.
    let lines: Vec<_> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    Err(Fault::Failed {
        what: format!("npm {}", arguments.join(" ")),
        tail: lines[lines.len().saturating_sub(6)..].join(" | "),
    })
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    fs::copy(from, to).map(|_| ())
}
