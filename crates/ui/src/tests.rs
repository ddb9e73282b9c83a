//! What must hold for every build of the pages: complete, relative, compressed, within the policy and the budget.

use std::ffi::OsStr;
use std::path::Path;

use super::{ASSETS, Asset, CONTENT_SECURITY_POLICY, find, is_fallback};

/// JavaScript and style sheets of the first page, compressed.
const BUDGET_BYTES: usize = 150_000;

fn text(asset: &Asset) -> &'static str {
    std::str::from_utf8(asset.bytes).unwrap()
}

/// The pieces of `text` between each `start` and the next `end`.
fn between<'a>(text: &'a str, start: &'a str, end: char) -> impl Iterator<Item = &'a str> {
    text.split(start)
        .skip(1)
        .filter_map(move |rest| rest.split(end).next())
}

/// What a page loads before it shows anything.
fn loaded_by(page: &Asset) -> Vec<&'static Asset> {
    let page = text(page);
    between(page, " href=\"", '"')
        .chain(between(page, " src=\"", '"'))
        .filter(|target| !target.starts_with('#'))
        .map(|target| {
            let path = target.strip_prefix("./").unwrap_or(target);
            find(path).unwrap_or_else(|| panic!("the page refers to {target}"))
        })
        .collect()
}

fn has_extension(asset: &Asset, extension: &str) -> bool {
    Path::new(asset.path).extension() == Some(OsStr::new(extension))
}

#[test]
fn paths_are_unique_and_sorted() {
    assert!(ASSETS.is_sorted_by(|a, b| a.path < b.path));
}

#[test]
fn the_page_answers_at_the_base() {
    assert_eq!(find("").unwrap().path, "index.html");
    assert!(find("/index.html").is_none());
    assert!(find("static-files/../index.html").is_none());
}

#[test]
fn what_pages_refer_to_exists_and_is_relative() {
    for page in ASSETS.iter().filter(|asset| has_extension(asset, "html")) {
        for asset in loaded_by(page) {
            assert!(!asset.path.starts_with('/'), "{}", asset.path);
        }
    }
}

#[test]
fn pages_have_no_inline_script_or_style() {
    for page in ASSETS.iter().filter(|asset| has_extension(asset, "html")) {
        let page = text(page);
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
}

#[test]
fn scripts_are_immutable_and_pages_are_not() {
    for asset in ASSETS {
        let is_hashed = asset.path.starts_with("static-files/");
        assert_eq!(asset.immutable, is_hashed, "{}", asset.path);
    }
}

#[test]
fn policies_are_one_line_and_allow_no_inline_script() {
    for asset in ASSETS {
        let policy = asset.content_security_policy;
        assert!(policy.starts_with("default-src 'none';") && !policy.contains('\n'));
        let scripts = between(policy, "script-src ", ';').next().unwrap();
        assert_eq!(scripts, "'self'", "{}", asset.path);
        assert!(policy.contains("require-trusted-types-for 'script'"));
    }
    assert!(!CONTENT_SECURITY_POLICY.contains("unsafe"));
}

#[test]
fn no_script_turns_text_into_markup_or_code() {
    for asset in ASSETS.iter().filter(|asset| has_extension(asset, "js")) {
        for sink in [
            "insertAdjacentHTML",
            "document.write",
            "DOMParser",
            "eval(",
            "new Function(",
        ] {
            assert!(
                !text(asset).contains(sink),
                "{} contains {sink}",
                asset.path
            );
        }
    }
}

#[test]
fn text_is_compressed() {
    if is_fallback() {
        return;
    }
    for asset in ASSETS
        .iter()
        .filter(|asset| asset.path.ends_with("js") && asset.bytes.len() > 2000)
    {
        let brotli = asset
            .brotli
            .unwrap_or_else(|| panic!("{} has no brotli copy", asset.path));
        let gzip = asset
            .gzip
            .unwrap_or_else(|| panic!("{} has no gzip copy", asset.path));
        assert!(brotli.len() < asset.bytes.len() && gzip.len() < asset.bytes.len());
        assert_eq!(&gzip[..2], b"\x1f\x8b");
    }
}

#[test]
fn the_first_page_stays_small() {
    let total: usize = loaded_by(find("").unwrap())
        .iter()
        .map(|asset| asset.gzip.unwrap_or(asset.bytes).len())
        .sum();
    assert!(total < BUDGET_BYTES, "{total} bytes");
}
