//! Source files: each begins by saying what it is for, and the long ones are known.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::cache;

/// Where Rust sources of ours are.
const ROOTS: [&str; 3] = ["crates", "tests", "xtask"];

/// Files longer than this are worth a look.
const LONG: usize = 400;

/// Every file whose first line is not a module comment.
pub(super) fn breaches() -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    for path in sources()? {
        let text = read(&path)?;
        if !begins_with_comment(&text) {
            breaches.push(format!(
                "modules: {} must begin with `//!`: what it is for, what it leaves to others",
                shown(&path)
            ));
        }
    }
    Ok(breaches)
}

/// Prints the files that are longer than most, the longest first.
pub(super) fn print_sizes() -> Result<()> {
    let mut sizes = Vec::new();
    for path in sources()? {
        sizes.push((read(&path)?.lines().count(), path));
    }
    sizes.sort_unstable_by(|one, other| other.cmp(one));
    let total: usize = sizes.iter().map(|(lines, _)| lines).sum();
    let median = sizes.get(sizes.len() / 2).map_or(0, |(lines, _)| *lines);
    println!(
        "{} files, {total} lines, median {median}; longer than {LONG}:",
        sizes.len()
    );
    for (lines, path) in sizes.iter().take_while(|(lines, _)| *lines > LONG) {
        println!("{lines:6}  {}", shown(path));
    }
    Ok(())
}

fn begins_with_comment(text: &str) -> bool {
    // A crate may keep its first page in a file of its own.
    text.starts_with("//! ") || text.starts_with("#![doc = include_str!(")
}

pub(super) fn sources() -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = ROOTS.map(|root| cache::repository().join(root)).into();
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default();
            if path.is_dir() {
                // Neither ours to judge: installed packages, and builds of single crates.
                if name != "node_modules" && name != "target" {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

pub(super) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

pub(super) fn shown(path: &Path) -> String {
    path.strip_prefix(cache::repository())
        .unwrap_or(path)
        .display()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_says_what_it_is_for() {
        assert!(begins_with_comment("//! Runs.\n\nuse std::fmt;\n"));
        assert!(begins_with_comment(
            "#![doc = include_str!(\"../README.md\")]\n"
        ));
        assert!(!begins_with_comment("use std::fmt;\n//! Late.\n"));
        assert!(!begins_with_comment("//!\n"));
    }
}
