//! Directives, of which MLflow's schema has one.
//!
//! `@component(name: String!)` on an operation says which part of the pages asks, and does
//! nothing. It is read and taken away here, since a schema of ours cannot have it.

use async_graphql::parser::types::{Directive, DocumentOperations, ExecutableDocument};
use async_graphql::{Positioned, Value};

const COMPONENT: &str = "component";

/// Takes `@component` from all operations.
///
/// # Errors
/// What is wrong with one, in MLflow's words.
pub(super) fn take_component(document: &mut ExecutableDocument) -> Result<(), String> {
    let operations: Vec<_> = match &mut document.operations {
        DocumentOperations::Single(operation) => vec![operation],
        DocumentOperations::Multiple(operations) => operations.values_mut().collect(),
    };
    for operation in operations {
        let directives = &mut operation.node.directives;
        let mut known = false;
        for directive in directives.iter().filter(|found| is_component(found)) {
            if known {
                return Err(format!(
                    "The directive '@{COMPONENT}' can only be used once at this location."
                ));
            }
            known = true;
            check(&directive.node)?;
        }
        directives.retain(|found| !is_component(found));
    }
    Ok(())
}

fn is_component(directive: &Positioned<Directive>) -> bool {
    directive.node.name.node == COMPONENT
}

fn check(directive: &Directive) -> Result<(), String> {
    let mut named = false;
    for (name, value) in &directive.arguments {
        if name.node != "name" {
            return Err(format!(
                "Unknown argument '{}' on directive '@{COMPONENT}'.",
                name.node
            ));
        }
        named = true;
        // A variable has no value here; that of the pages is always a text.
        match value.node.clone().into_const() {
            None | Some(Value::String(_)) => {}
            Some(other) => {
                return Err(format!(
                    "String cannot represent a non string value: {other}"
                ));
            }
        }
    }
    if named {
        return Ok(());
    }
    Err(format!(
        "Directive '@{COMPONENT}' argument 'name' of type 'String!' is required, but it was not \
         provided."
    ))
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn taken(query: &str) -> Result<usize, String> {
        let mut document = parse_query(query).unwrap();
        take_component(&mut document)?;
        let operations = document.operations.iter();
        Ok(operations
            .map(|(_, found)| found.node.directives.len())
            .sum())
    }

    #[test]
    fn what_the_pages_send_is_taken_away() {
        assert_eq!(
            taken(r#"query A @component(name: "MLflow.X") { a }"#),
            Ok(0)
        );
        assert_eq!(
            taken("query A($n: String!) @component(name: $n) { a }"),
            Ok(0)
        );
        assert_eq!(taken(r"query A @other { a }"), Ok(1));
        assert_eq!(taken("{ a }"), Ok(0));
    }

    #[test]
    fn a_wrong_one_is_refused_in_mlflows_words() {
        for (directives, message) in [
            ("@component(name: 3)", "non string value: 3"),
            ("@component(nme: \"3\")", "Unknown argument 'nme'"),
            (
                "@component",
                "argument 'name' of type 'String!' is required",
            ),
            (
                "@component(name: \"a\") @component(name: \"b\")",
                "can only be used once",
            ),
        ] {
            let refusal = taken(&format!("query A {directives} {{ a }}")).unwrap_err();
            assert!(refusal.contains(message), "{refusal}");
        }
    }
}
