//! What must hold for every asset: complete, relative, and within the content security policy.

use std::collections::BTreeSet;
use std::path::Path;

use super::{ASSETS, Asset, find};

/// A first load that stays instant on a slow line.
const BUDGET_BYTES: usize = 45_000;

fn text(asset: &Asset) -> &'static str {
    std::str::from_utf8(asset.bytes).unwrap()
}

fn scripts() -> impl Iterator<Item = &'static Asset> {
    ASSETS
        .iter()
        .filter(|asset| asset.content_type.starts_with("text/javascript"))
}

/// The pieces of `text` between each `start` and the next `end`.
fn between<'a>(text: &'a str, start: &'a str, end: char) -> impl Iterator<Item = &'a str> {
    text.split(start)
        .skip(1)
        .filter_map(move |rest| rest.split(end).next())
}

fn walk(dir: &Path, prefix: &str, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{prefix}{}", entry.file_name().into_string().unwrap());
        if entry.file_type().unwrap().is_dir() {
            walk(&entry.path(), &format!("{path}/"), found);
        } else {
            found.insert(path);
        }
    }
}

#[test]
fn paths_are_unique_and_sorted() {
    assert!(ASSETS.is_sorted_by(|a, b| a.path < b.path));
}

#[test]
fn every_file_is_embedded() {
    let mut files = BTreeSet::new();
    walk(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("web"),
        "",
        &mut files,
    );
    let embedded = ASSETS.iter().map(|asset| asset.path.to_owned()).collect();
    assert_eq!(files, embedded);
}

#[test]
fn the_page_answers_at_the_base() {
    assert_eq!(find("").unwrap().path, "index.html");
    assert_eq!(
        find("static-files/app.js").unwrap().path,
        "static-files/app.js"
    );
    assert!(find("/index.html").is_none());
    assert!(find("static-files/../index.html").is_none());
}

#[test]
fn what_the_page_refers_to_exists() {
    let page = text(find("").unwrap());
    let targets = between(page, " href=\"", '"').chain(between(page, " src=\"", '"'));
    for target in targets.filter(|target| !target.starts_with('#')) {
        assert!(find(target).is_some(), "index.html refers to {target}");
    }
}

#[test]
fn what_a_module_imports_exists() {
    for script in scripts() {
        for target in between(text(script), " from \"", '"') {
            let path = target
                .strip_prefix("./")
                .map(|name| format!("static-files/{name}"));
            assert!(
                path.is_some_and(|path| find(&path).is_some()),
                "{} imports {target}",
                script.path
            );
        }
    }
}

#[test]
fn urls_are_relative() {
    for asset in ASSETS {
        // The SVG namespace is a name, not an address.
        let text = text(asset).replace("http://www.w3.org/2000/svg", "");
        for absolute in [
            "http:",
            "https:",
            "\"//",
            "\"/ajax-api",
            "\"/get-artifact",
            "\"/static-files",
            "url(",
        ] {
            assert!(
                !text.contains(absolute),
                "{} contains {absolute}",
                asset.path
            );
        }
    }
}

#[test]
fn the_page_has_no_inline_script_or_style() {
    let page = text(find("").unwrap());
    assert!(!page.contains("<style"));
    for script in between(page, "<script", '<') {
        assert!(
            script.contains(" src=\"") && script.ends_with('>'),
            "<script{script}"
        );
    }
    for tag in between(page, "<", '>') {
        for attribute in tag.split_whitespace().skip(1) {
            let name = attribute.split('=').next().unwrap();
            assert!(name != "style" && !name.starts_with("on"), "<{tag}>");
        }
    }
}

#[test]
fn scripts_never_turn_text_into_markup_or_code() {
    for script in scripts() {
        let sinks = [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "DOMParser",
            "eval(",
            "Function(",
        ];
        for sink in sinks
            .into_iter()
            .chain(["srcdoc", "javascript:", "style:", ".style"])
        {
            assert!(
                !text(script).contains(sink),
                "{} contains {sink}",
                script.path
            );
        }
    }
}

#[test]
fn the_pages_stay_small() {
    let total: usize = ASSETS.iter().map(|asset| asset.bytes.len()).sum();
    assert!(total < BUDGET_BYTES, "{total} bytes");
}
