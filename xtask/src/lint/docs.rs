//! Documentation that must keep up with the code: the map of crates.

use std::fs;

use cargo_metadata::Metadata;

use crate::cache;

const ARCHITECTURE: &str = "docs/architecture.md";

/// Every crate that the architecture page does not name.
pub(super) fn breaches(metadata: &Metadata) -> Vec<String> {
    let text = match fs::read_to_string(cache::repository().join(ARCHITECTURE)) {
        Ok(text) => text,
        Err(error) => return vec![format!("docs: cannot read {ARCHITECTURE}: {error}")],
    };
    super::published(metadata)
        .into_iter()
        .filter(|package| !names(&text, &package.name))
        .map(|package| {
            format!(
                "docs: {ARCHITECTURE} does not name the crate `{}`: add it to the code map",
                package.name
            )
        })
        .collect()
}

/// Whether the text has the name in code marks, so that `runledger-store-sql` does not stand for `runledger-store`.
fn names(text: &str, package: &str) -> bool {
    text.contains(&format!("`{package}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_name_does_not_stand_for_a_shorter_one() {
        assert!(names("the `runledger-store` traits", "runledger-store"));
        assert!(!names("the `runledger-store-sql` crate", "runledger-store"));
    }
}
