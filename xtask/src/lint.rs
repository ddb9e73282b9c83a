//! `cargo xtask lint`: the rules of the house that no compiler knows.

mod docs;
mod examples;
mod floors;
mod modules;

use anyhow::{Result, bail};
use cargo_metadata::{Metadata, MetadataCommand};

use crate::cache;

/// What to print.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Print the longest files instead; never fails
    #[arg(long)]
    sizes: bool,
}

/// Checks all rules, and prints every breach with the way to mend it.
pub(crate) fn run(args: &Args) -> Result<()> {
    if args.sizes {
        return modules::print_sizes();
    }
    let metadata = MetadataCommand::new()
        .current_dir(cache::repository())
        .other_options(vec!["--locked".to_owned(), "--all-features".to_owned()])
        .exec()?;
    let breaches = [
        floors::breaches(&metadata),
        modules::breaches()?,
        docs::breaches(&metadata),
        examples::breaches()?,
    ]
    .concat();
    for breach in &breaches {
        println!("{breach}");
    }
    if !breaches.is_empty() {
        bail!("{} breaches of the rules of the house", breaches.len());
    }
    println!("lint: floors, modules, documentation and examples are in order");
    Ok(())
}

/// The names of the workspace's packages that are published; tools and tests stand outside the floors.
fn published(metadata: &Metadata) -> Vec<&cargo_metadata::Package> {
    metadata
        .workspace_packages()
        .into_iter()
        .filter(|package| {
            package
                .publish
                .as_ref()
                .is_none_or(|registries| !registries.is_empty())
        })
        .collect()
}
