//! Public items of the crate for users, each of which shows in its documentation how it is used.

use anyhow::Result;

use super::modules;

/// Where the items are.
const CRATE: &str = "crates/client/src/";

/// Every public item without an example.
pub(super) fn breaches() -> Result<Vec<String>> {
    let mut breaches = Vec::new();
    for path in modules::sources()? {
        let shown = modules::shown(&path);
        if !shown.starts_with(CRATE) {
            continue;
        }
        let text = modules::read(&path)?;
        breaches.extend(without_example(&text).into_iter().map(|(line, item)| {
            format!("examples: {shown}:{line}: `{item}` has no example in its documentation")
        }));
    }
    Ok(breaches)
}

/// The items of a file that have no example, and their lines.
fn without_example(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut has_example = false;
    // Attributes stand between the documentation and its item, on one line or on several.
    let mut in_attribute = false;
    // What a public trait has is as public.
    let mut in_trait = false;
    for (index, line) in text.lines().enumerate() {
        in_trait = (in_trait && line != "}") || line.starts_with("pub trait ");
        let line = line.trim();
        if line.starts_with("///") {
            has_example |= line.contains("```");
        } else if in_attribute || line.starts_with("#[") {
            in_attribute = !line.ends_with(']');
        } else {
            let line = line.strip_prefix("pub ").or(in_trait.then_some(line));
            if !has_example && let Some(item) = line.and_then(item) {
                found.push((index + 1, item));
            }
            has_example = false;
        }
    }
    found
}

/// What is made on this line: its kind and name.
fn item(item: &str) -> Option<&str> {
    let kind = item
        .trim_start_matches("async ")
        .trim_start_matches("const ")
        .split(' ')
        .next()?;
    if !matches!(kind, "fn" | "struct" | "enum" | "trait" | "type") {
        return None;
    }
    let end = item.find(['(', '<', '{', ';', ':']).unwrap_or(item.len());
    item.get(..end).map(str::trim_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_example_is_found() {
        let text = "/// One.\n///\n/// ```\n/// one();\n/// ```\n#[must_use]\npub fn one() {}\n\
                    /// Two.\npub async fn two<T>(it: T) {}\n/// Three.\npub(crate) fn three() {}\n\
                    pub struct Four;\n";
        assert_eq!(
            without_example(text),
            [(9, "async fn two"), (12, "struct Four")]
        );
    }

    #[test]
    fn methods_of_public_traits_are_public() {
        let text = "/// ```\n/// ```\npub trait One {\n    fn one();\n}\n\nfn two() {}\n";
        assert_eq!(without_example(text), [(4, "fn one")]);
    }

    #[test]
    fn attributes_of_several_lines_are_passed_over() {
        let item = "#[expect(\n    clippy::all,\n    reason = \"so\"\n)]\npub fn one() {}\n";
        assert_eq!(without_example(item), [(5, "fn one")]);
        let shown = format!("/// ```\n/// ```\n{item}");
        assert_eq!(without_example(&shown), []);
    }
}
