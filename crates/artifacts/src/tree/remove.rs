//! Removes a directory with everything in it, and nothing that links lead to.

use super::files::{Fault, Files, Kind};
use super::repository::{MAX_ENTRIES, TreeRepository, below};

/// How deep directories are that are removed.
const MAX_DEPTH: usize = 2_100;

impl<F: Files> TreeRepository<F> {
    /// Removes a directory with everything in it.
    pub(super) async fn remove_tree(&self, at: String) -> Result<(), Fault> {
        let mut ahead = vec![(at, false)];
        while let Some((directory, is_empty)) = ahead.pop() {
            if is_empty {
                self.files.remove_directory(&directory).await?;
                continue;
            }
            if directory.matches('/').count() > MAX_DEPTH {
                return Err(Fault::Other(std::io::Error::other("it is too deep")));
            }
            // What a link leads to may be somebody else's.
            if self.files.remove_link(&directory).await? {
                continue;
            }
            let mut max = MAX_ENTRIES;
            let mut entries = self.files.list(&directory, max).await;
            if let Err(Fault::TooMany(most)) = entries {
                max = most;
                entries = self.files.list(&directory, max).await;
            }
            let entries = match entries {
                Err(Fault::NotFound) => continue,
                entries => entries?,
            };
            // Of a directory with more entries, the rest comes when these are gone.
            ahead.push((directory.clone(), entries.len() <= max));
            let entries = entries.into_iter();
            for entry in entries.filter(|entry| is_plain(&entry.name)) {
                let path = below(&directory, &entry.name);
                if entry.kind == Kind::Directory {
                    ahead.push((path, false));
                } else {
                    self.files.remove_file(&path).await?;
                }
            }
        }
        Ok(())
    }
}

/// Whether it is one name in a directory, whatever a client may call it.
fn is_plain(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\0', '\r', '\n'])
}

#[cfg(test)]
mod tests {
    use super::is_plain;
    use crate::ArtifactPath;

    #[test]
    fn hidden_and_strange_names_are_not_listed() {
        for name in ["a", "a b", "...", "-rf"] {
            assert!(is_plain(name), "{name}");
            assert!(ArtifactPath::root().entry(name).is_some(), "{name}");
        }
        for name in ["", ".", "..", "a/b", "a\nb", ".runledger-upload-x", "a\\b"] {
            assert!(ArtifactPath::root().entry(name).is_none(), "{name:?}");
        }
        assert!(
            is_plain(".runledger-upload-x"),
            "it is removed with its directory"
        );
    }
}
