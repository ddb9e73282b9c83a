//! Writes `assets.rs`: every file of the pages with its type, tag, policy and compressed copies, sorted by path.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

pub(crate) fn write(source: &Path, dist: &Path, out: &Path) -> io::Result<()> {
    let mut paths = Vec::new();
    walk(dist, "", &mut paths)?;
    paths.sort_unstable();
    let mut text = String::new();
    for (name, file) in [("PAGE_POLICY", "page"), ("FRAME_POLICY", "frame")] {
        let policy = fs::read_to_string(source.join(format!("policies/{file}.txt")))?;
        let policy = policy.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(text, "const {name}: &str = {policy:?};");
    }
    text.push_str("const TABLE: &[Asset] = &[\n");
    for path in paths.iter().filter(|path| !is_copy(path, &paths)) {
        let file = dist.join(path);
        let _ = writeln!(
            text,
            "    Asset {{ path: {path:?}, content_type: {:?}, immutable: {}, etag: {:?}, bytes: {}, brotli: {}, \
             gzip: {}, content_security_policy: {} }},",
            content_type(path),
            is_hashed(path),
            etag(&fs::read(&file)?),
            include(&file),
            compressed(&file, "br"),
            compressed(&file, "gz"),
            if path == "artifact-frame.html" {
                "FRAME_POLICY"
            } else {
                "PAGE_POLICY"
            },
        );
    }
    text.push_str("];\n");
    fs::write(out.join("assets.rs"), text)
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &format!("{path}/"), found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}

/// Whether this is the compressed form of another file.
fn is_copy(path: &str, all: &[String]) -> bool {
    let stem = path
        .strip_suffix(".br")
        .or_else(|| path.strip_suffix(".gz"));
    stem.is_some_and(|stem| all.iter().any(|other| other == stem))
}

/// Whether the name changes with the content: Vite puts eight characters of a hash before the ending.
fn is_hashed(path: &str) -> bool {
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    let hash = stem.get(stem.len().saturating_sub(9)..).unwrap_or_default();
    path.starts_with("static-files/") && hash.len() == 9 && hash.starts_with('-')
}

fn include(file: &Path) -> String {
    format!("include_bytes!({:?})", file.display().to_string())
}

fn compressed(file: &Path, suffix: &str) -> String {
    let copy = file.with_file_name(format!(
        "{}.{suffix}",
        file.file_name().unwrap_or_default().to_string_lossy()
    ));
    if copy.is_file() {
        format!("Some({})", include(&copy))
    } else {
        "None".to_owned()
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "json" => "application/json",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

/// The 64-bit FNV-1a hash of the bytes as a quoted entity tag: it tells builds apart and is no proof of integrity.
fn etag(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("\"{hash:016x}\"")
}
