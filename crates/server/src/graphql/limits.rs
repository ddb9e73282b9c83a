//! How much one query may ask for: MLflow's limits, with its messages.
//!
//! Fragments count where they are used, so that a short text cannot unfold into
//! a long query.

use std::collections::HashSet;

use async_graphql::parser::types::{
    ExecutableDocument, Field, FragmentDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned};

use crate::options::Limits;

/// Levels of fields.
const MAX_DEPTH: usize = 10;
/// Fields in all.
const MAX_SELECTIONS: usize = 1000;

/// Checks all operations of a document together.
///
/// # Errors
/// What is too much.
pub(super) fn check(document: &ExecutableDocument, limits: &Limits) -> Result<(), String> {
    let (mut roots, mut aliases, mut selections) = (0, 0, 0);
    let mut waiting: Vec<(&SelectionSet, usize)> = document
        .operations
        .iter()
        .map(|(_, operation)| (&operation.node.selection_set.node, 1))
        .collect();
    while let Some((set, depth)) = waiting.pop() {
        if depth > MAX_DEPTH {
            return Err(format!("Query exceeds maximum depth of {MAX_DEPTH}"));
        }
        let fields = fields(set, document);
        aliases = aliases.max(fields.iter().filter(|field| field.alias.is_some()).count());
        selections += fields.len();
        if selections > MAX_SELECTIONS {
            return Err(format!(
                "Query exceeds maximum total selections of {MAX_SELECTIONS}"
            ));
        }
        if depth == 1 {
            roots += fields.len();
        }
        let below = fields.iter().map(|field| &field.selection_set.node);
        let below = below.filter(|set| !set.items.is_empty());
        waiting.extend(below.map(|set| (set, depth + 1)));
    }
    within(
        roots,
        limits.graphql_root_fields,
        "root fields",
        "MLFLOW_SERVER_GRAPHQL_MAX_ROOT_FIELDS",
    )?;
    within(
        aliases,
        limits.graphql_aliases,
        "aliases",
        "MLFLOW_SERVER_GRAPHQL_MAX_ALIASES",
    )
}

fn within(count: usize, most: usize, what: &str, variable: &str) -> Result<(), String> {
    if count <= most {
        return Ok(());
    }
    Err(format!(
        "GraphQL queries should have at most {most} {what}, got {count} {what}. To increase the \
         limit, set the {variable} environment variable."
    ))
}

/// The fields of one level, those of its fragments included; each fragment once.
fn fields<'a>(set: &'a SelectionSet, document: &'a ExecutableDocument) -> Vec<&'a Field> {
    let mut fields = Vec::new();
    let mut seen: HashSet<&Name> = HashSet::new();
    let mut sets = vec![set];
    while let Some(set) = sets.pop() {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => fields.push(&field.node),
                Selection::InlineFragment(inline) => sets.push(&inline.node.selection_set.node),
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if seen.insert(name) {
                        let found = document.fragments.get(name);
                        sets.extend(found.map(selection_set));
                    }
                }
            }
        }
    }
    fields
}

fn selection_set(fragment: &Positioned<FragmentDefinition>) -> &SelectionSet {
    &fragment.node.selection_set.node
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn checked(query: &str) -> Result<(), String> {
        check(&parse_query(query).unwrap(), &Limits::default())
    }

    #[test]
    fn a_query_of_the_ui_passes() {
        assert_eq!(checked("{ a { b { c d } } }"), Ok(()));
    }

    #[test]
    fn each_limit_says_what_is_too_much() {
        let many = |count: usize, field: fn(usize) -> String| -> String {
            (0..count).map(field).collect()
        };
        let deep = format!("{{ a {} b {} }}", "{ a ".repeat(10), "}".repeat(10));
        let aliases = |count| many(count, |n| format!("x{n}: a "));
        for (query, message) in [
            (deep, "maximum depth of 10"),
            (
                format!("{{ a {{ {} }} }}", many(1000, |n| format!("f{n} "))),
                "total selections of 1000",
            ),
            (
                format!("{{ {} }}", many(11, |n| format!("f{n} "))),
                "at most 10 root fields, got 11",
            ),
            (format!("{{ a {{ {} }} }}", aliases(11)), "got 11 aliases"),
            (
                format!(
                    "{{ a {{ {} ...f }} }} fragment f on T {{ y: a }}",
                    aliases(10)
                ),
                "got 11 aliases",
            ),
        ] {
            let refusal = checked(&query).expect_err(message);
            assert!(refusal.contains(message), "{refusal}");
        }
    }

    #[test]
    fn fragments_that_use_each_other_end() {
        let circle = "{ ...a } fragment a on T { ...b } fragment b on T { ...a x }";
        assert_eq!(checked(circle), Ok(()));
        let below = "{ ...a } fragment a on T { x { ...a } }";
        assert!(checked(below).unwrap_err().contains("depth"));
    }
}
