//! Outputs compared with files.

use std::fs;
use std::path::PathBuf;

use regex::{Captures, Regex};

/// The variable that writes the files anew.
const UPDATE: &str = "RUNLEDGER_UPDATE_SNAPSHOTS";

/// Compares a text with the snapshot of this name.
pub(crate) fn assert(name: &str, text: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let path = folder.join(format!("{name}.txt"));
    if std::env::var_os(UPDATE).is_some() {
        fs::create_dir_all(&folder).unwrap();
        fs::write(&path, text).unwrap();
        return;
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        expected == text,
        "{} differs; {UPDATE}=1 writes it anew\n--- expected\n{expected}\n--- found\n{text}",
        path.display()
    );
}

/// The text without what differs from time to time: ids of runs, times, ports.
/// Columns stay where they are.
pub(crate) fn steady(text: &str) -> String {
    let mut ids: Vec<String> = Vec::new();
    let text =
        Regex::new(r"\b[0-9a-f]{32}\b")
            .unwrap()
            .replace_all(text, |found: &Captures<'_>| {
                let id = found[0].to_owned();
                let place = ids.iter().position(|known| *known == id);
                let place = place.unwrap_or_else(|| {
                    ids.push(id);
                    ids.len() - 1
                });
                format!("{:0>32}", place + 1)
            });
    let mut text = text.into_owned();
    for (place, id) in ids.iter().enumerate() {
        text = text.replace(&id[..8], &format!("{:0>8}", place + 1));
    }
    let text = Regex::new(r"20\d\d-\d\d-\d\d \d\d:\d\d(:\d\d)?")
        .unwrap()
        .replace_all(&text, |found: &Captures<'_>| {
            "2026-01-01 00:00:00"[..found[0].len()].to_owned()
        });
    let text = Regex::new(r"127\.0\.0\.1:\d+")
        .unwrap()
        .replace_all(&text, "127.0.0.1:5000");
    let text = Regex::new(r#"("[a-z_]*(time|timestamp)": )\d{13}"#)
        .unwrap()
        .replace_all(&text, "${1}1767225600000");
    // On a slow machine it takes longer: `0.1s` and ` 12s` have the same width.
    let text = Regex::new(r"\b\d\.\ds\b| \d\ds\b(?:  step)|\b\d\ds ")
        .unwrap()
        .replace_all(&text, |found: &Captures<'_>| {
            let rest = found[0].find("  step").map_or("", |at| &found[0][at..]);
            format!("0.1s{rest}")
        });
    text.into_owned()
}
