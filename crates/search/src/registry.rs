//! What filters of registered models and of their versions have in common.

use std::ops::Range;

use crate::{
    RegistryFilter, SearchError, TextOp, TextTest,
    clause::{self, Value},
    grammar::{Comparison, Part, Shape},
    lexer::Token,
};
use runledger_entities::Tag;

const ENTITIES: &str = "('attribute', 'tag', 'tags')";

/// What stands before the first dot of a name, and what comes after it.
pub(crate) enum Name<'a> {
    /// A tag, by its key without quotes.
    Tag(&'a str),
    /// An attribute, as it was written.
    Attribute(&'a str),
}

impl<'a> Name<'a> {
    /// Splits a name.
    pub(crate) fn of(name: &'a str, span: Range<usize>) -> Result<Self, SearchError> {
        match name.split_once('.') {
            None => Ok(Self::Attribute(name)),
            Some(("attribute", key)) => Ok(Self::Attribute(key)),
            Some(("tag" | "tags", key)) => Ok(Self::Tag(clause::unquoted_key(key))),
            Some((entity, _)) => Err(SearchError::UnknownEntity {
                entity: entity.to_owned(),
                kind: "entity types",
                valid: ENTITIES,
                span,
            }),
        }
    }
}

/// A comparison whose operator may not fit its field.
pub(crate) struct Unchecked<F> {
    pub(crate) field: F,
    /// In upper case.
    pub(crate) comparator: String,
    pub(crate) comparator_span: Range<usize>,
    pub(crate) value: Value,
    pub(crate) value_span: Range<usize>,
}

/// What can be searched for, by fields.
pub(crate) trait Field: Sized {
    /// The things, in messages.
    const THINGS: &'static str;

    /// The field of this name.
    fn named(name: &str, span: Range<usize>) -> Result<Self, SearchError>;

    /// The right side of a comparison with it, where that is neither a quoted
    /// text nor a name.
    fn value(&self, filter: &str, part: &Part) -> Result<Value, SearchError>;
}

impl<F: Field> Unchecked<F> {
    /// The comparisons of a filter.
    pub(crate) fn all(filter: &str) -> Result<Vec<Self>, SearchError> {
        clause::comparisons(filter, str::to_owned)?
            .into_iter()
            .map(|comparison| Self::read(filter, comparison))
            .collect()
    }

    fn read(filter: &str, comparison: Comparison) -> Result<Self, SearchError> {
        let name = clause::identifier(filter, &comparison)?;
        let field = F::named(name, comparison.left.span.clone())?;
        let Some(part) = &comparison.right else {
            return Err(SearchError::NullNotSupported {
                supported: "runs and experiments",
                what: F::THINGS.to_owned(),
                span: comparison.comparator_span,
            });
        };
        let value = match clause::quoted_text(filter, part)? {
            Some(text) => text,
            None => field.value(filter, part)?,
        };
        Ok(Self {
            field,
            comparator: comparison.comparator.to_uppercase(),
            comparator_span: comparison.comparator_span,
            value,
            value_span: part.span.clone(),
        })
    }
}

/// The error for a tag that is compared with something else than a text.
pub(crate) fn tag_value(filter: &str, part: &Part) -> SearchError {
    SearchError::ExpectedText {
        what: "tag (e.g. 'my-value')",
        found: filter[part.span.clone()].to_owned(),
        span: part.span.clone(),
    }
}

/// The error for an attribute that is compared with neither a text nor a list.
pub(crate) fn attribute_value(filter: &str, part: &Part) -> SearchError {
    SearchError::ExpectedTextOrList {
        found: filter[part.span.clone()].to_owned(),
        span: part.span.clone(),
    }
}

/// Whether a part is in parentheses.
pub(crate) fn is_list(part: &Part) -> bool {
    part.shape == Shape::Parenthesis
}

/// Whether a part is a number.
pub(crate) fn is_number(part: &Part) -> bool {
    matches!(part.shape, Shape::Token(Token::Integer | Token::Float))
}

/// The test of a tag.
pub(crate) fn tag_test(
    comparator: String,
    span: Range<usize>,
    value: Value,
) -> Result<TextTest, SearchError> {
    let test = match value {
        Value::Text(value) => clause::text_test(&comparator, value),
        Value::Number { .. } | Value::List(_) => None,
    };
    test.ok_or(SearchError::InvalidComparatorFor {
        what: "tag",
        comparator,
        span,
    })
}

/// The test of an attribute that is a text; `lists` if `IN` and `NOT IN` fit it.
pub(crate) fn text_test(
    comparator: String,
    span: Range<usize>,
    value: Value,
    lists: bool,
) -> Result<TextTest, SearchError> {
    let invalid = |comparator, span| SearchError::InvalidComparatorFor {
        what: "attribute",
        comparator,
        span,
    };
    match value {
        Value::List(values) if lists => match comparator.as_str() {
            "IN" | "NOT IN" | "=" | "!=" | "LIKE" | "ILIKE" => {
                clause::list_test(&comparator, span, values)
            }
            _ => Err(invalid(comparator, span)),
        },
        Value::Text(value) => match clause::text_test(&comparator, value) {
            Some(test) => Ok(test),
            None => Err(invalid(comparator, span)),
        },
        Value::List(_) | Value::Number { .. } => Err(invalid(comparator, span)),
    }
}

/// A filter with what it says about prompts.
///
/// The first test of the tag that marks prompts decides (MLflow 3.17): if it
/// asks for them they are found, by all tests. Otherwise they are not, and tests
/// of this tag mean nothing else, since other models do not have it.
pub(crate) fn with_prompts<C>(
    mut clauses: Vec<C>,
    tag: impl Fn(&C) -> Option<(&str, &TextTest)>,
) -> RegistryFilter<C> {
    let of_prompts = |clause: &C| match tag(clause) {
        Some((Tag::IS_PROMPT, test)) => Some(asks_for_prompts(test)),
        _ => None,
    };
    let prompts = clauses.iter().find_map(of_prompts).unwrap_or(false);
    if !prompts {
        clauses.retain(|clause| of_prompts(clause).is_none());
    }
    RegistryFilter { clauses, prompts }
}

fn asks_for_prompts(test: &TextTest) -> bool {
    match test {
        TextTest::Compare {
            op: TextOp::Equal,
            value,
        } => value.to_lowercase() == "true",
        TextTest::Compare {
            op: TextOp::NotEqual,
            value,
        } => value.to_lowercase() == "false",
        _ => false,
    }
}
