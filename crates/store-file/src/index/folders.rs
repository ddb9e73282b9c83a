//! The folders that hold a run's, a logged model's or a trace's own files.

use crate::{safe_dir::Folder, write::TEMPORARY};

/// Folders within folders that are looked into: more than any key has.
const MAX_DEPTH: usize = 130;

/// A folder and all below it but for artifacts, by their paths from the root.
/// One that is removed meanwhile is left out.
pub(crate) fn folders_of(folder: &Folder) -> Vec<String> {
    let mut found = vec![folder.path_of("")];
    add(folder, 0, &mut found);
    found
}

fn add(folder: &Folder, depth: usize, found: &mut Vec<String>) {
    if depth == MAX_DEPTH {
        return;
    }
    for name in folder.folder_names().unwrap_or_default() {
        if depth == 0 && (name == "artifacts" || name.starts_with(TEMPORARY)) {
            continue;
        }
        if let Ok(below) = folder.folder(&name) {
            found.push(below.path_of(""));
            add(&below, depth + 1, found);
        }
    }
}
