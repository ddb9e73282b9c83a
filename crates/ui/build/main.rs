//! Builds the pages with npm and writes the table of assets, all of it below `OUT_DIR`.
//!
//! `RUNLEDGER_UI_DIST=<dir>` takes a ready build instead. Without npm, on docs.rs, or with `RUNLEDGER_UI=none`, a plain
//! page says how to get the real one, so that `cargo check` works everywhere. `RUNLEDGER_UI=required` makes that an
//! error: releases are built so.
#![allow(
    clippy::print_stdout,
    reason = "this is how a build script speaks to Cargo"
)]

mod bundle;
mod table;

use std::env;
use std::path::{Path, PathBuf};

use bundle::Fault;

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("Cargo sets it"));
    let source = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("Cargo sets it"));
    for name in bundle::INPUTS.iter().chain(&["build", "fallback"]) {
        println!("cargo::rerun-if-changed={name}");
    }
    for name in ["RUNLEDGER_UI", "RUNLEDGER_UI_DIST"] {
        println!("cargo::rerun-if-env-changed={name}");
    }

    let wish = env::var("RUNLEDGER_UI").unwrap_or_default();
    let dist = match pages(&source, &out, &wish) {
        Ok(dist) => dist,
        Err(fault) => {
            assert!(wish != "required", "the web UI is required: {fault}");
            println!(
                "cargo::warning=The web UI is left out, a plain page takes its place: {fault}"
            );
            source.join("fallback")
        }
    };
    table::write(&source, &dist, &out).expect("the table of assets can be written");
}

/// The folder with the pages.
fn pages(source: &Path, out: &Path, wish: &str) -> Result<PathBuf, Fault> {
    if let Some(ready) = env::var_os("RUNLEDGER_UI_DIST") {
        let ready = PathBuf::from(ready);
        // A new build in the same folder is another input.
        println!("cargo::rerun-if-changed={}", ready.display());
        assert!(
            ready.join("index.html").is_file(),
            "RUNLEDGER_UI_DIST={} has no index.html",
            ready.display()
        );
        return Ok(ready);
    }
    if wish == "none" {
        return Err(Fault::Unwanted);
    }
    if env::var_os("DOCS_RS").is_some() {
        return Err(Fault::NoNetwork);
    }
    bundle::build(source, out)
}
