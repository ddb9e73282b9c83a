//! The folders that hold a run's, a logged model's or a trace's own files.

use super::watch::{Thing, Watch};
use crate::{safe_dir::Folder, write::TEMPORARY};

/// Folders within folders that are looked into: more than any key has.
const MAX_DEPTH: usize = 130;

/// Watches the folder of a thing and all below it but for artifacts. One that is removed
/// meanwhile is left out.
///
/// Each is watched before it is looked into: one that is made in it later is noticed.
pub(crate) fn watch_folders(watch: &mut Watch, thing: &Thing, folder: &Folder) {
    if watch.watch(thing, &[folder.path_of("")]) {
        watch_below(watch, thing, folder, 0);
    }
}

/// Whether all could be watched.
fn watch_below(watch: &mut Watch, thing: &Thing, folder: &Folder, depth: usize) -> bool {
    if depth == MAX_DEPTH {
        return true;
    }
    let names = folder.folder_names().unwrap_or_default();
    names.into_iter().all(|name| {
        if depth == 0 && (name == "artifacts" || name.starts_with(TEMPORARY)) {
            return true;
        }
        if !watch.watch(thing, &[folder.path_of(&name)]) {
            return false;
        }
        if !folder.has_folders(&name) {
            return true;
        }
        let below = folder.folder(&name);
        below.map_or(true, |below| watch_below(watch, thing, &below, depth + 1))
    })
}
