//! Filters and orders of experiments (`experiments/search`).

use std::ops::Range;

use crate::{
    ExperimentClause, ExperimentKey, ExperimentNumber, Order, SearchError,
    clause::{self, TEXT_OPS, TEXT_OPS_OPEN, Value},
    grammar::{Comparison, Part, Shape},
    python,
};

const ENTITIES: &str = "('attribute', 'tag', 'tags')";
const ATTRIBUTES: &str = "{'name', 'experiment_id', 'creation_time', 'last_update_time'}";

/// Reads a filter of experiments; empty text is no filter.
///
/// Unlike in filters of runs, `LIKE`, `ILIKE` and `IN` must be in upper case
/// (MLflow 3.17).
///
/// ```
/// use runledger_search::{ExperimentClause, parse_experiment_filter};
///
/// let filter = parse_experiment_filter("name LIKE 'prod/%' AND tags.team = 'vision'")?;
/// assert!(matches!(filter[..], [ExperimentClause::Name(_), ExperimentClause::Tag { .. }]));
/// # Ok::<(), runledger_search::SearchError>(())
/// ```
pub fn parse_experiment_filter(filter: &str) -> Result<Vec<ExperimentClause>, SearchError> {
    clause::comparisons(filter, str::to_owned)?
        .into_iter()
        .map(|comparison| Unchecked::read(filter, comparison))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .map(Unchecked::check)
        .collect()
}

/// Reads the order of a search of experiments: one key, with or without a
/// direction, per text.
///
/// What comes after the keys, by id, is the store's to add.
pub fn parse_experiment_order(
    clauses: &[String],
) -> Result<Vec<Order<ExperimentKey>>, SearchError> {
    clause::check_count(clauses.len())?;
    clauses
        .iter()
        .map(|text| {
            let (name, descending) = clause::order_clause(text)?;
            let key = match field(&name, 0..text.len())? {
                Field::Name => ExperimentKey::Name,
                Field::Id => ExperimentKey::Id,
                Field::Number(attribute) => ExperimentKey::Number(attribute),
                Field::Tag(_) => return Err(SearchError::ExperimentOrderEntity { entity: "tag" }),
            };
            Ok(Order { key, descending })
        })
        .collect()
}

/// What a name means.
enum Field {
    Name,
    Id,
    Number(ExperimentNumber),
    Tag(String),
}

fn field(name: &str, span: Range<usize>) -> Result<Field, SearchError> {
    let (entity, key) = name.split_once('.').unwrap_or(("attribute", name));
    let key = clause::unquoted_key(key);
    match (entity, key) {
        ("tag" | "tags", key) => Ok(Field::Tag(key.to_owned())),
        ("attribute", "name") => Ok(Field::Name),
        ("attribute", "experiment_id") => Ok(Field::Id),
        ("attribute", "creation_time") => Ok(Field::Number(ExperimentNumber::CreationTime)),
        ("attribute", "last_update_time") => Ok(Field::Number(ExperimentNumber::LastUpdateTime)),
        ("attribute", key) => Err(SearchError::UnknownAttribute {
            key: key.to_owned(),
            valid: ATTRIBUTES,
            span,
        }),
        (entity, _) => Err(SearchError::UnknownEntity {
            entity: entity.to_owned(),
            kind: "entity types",
            valid: ENTITIES,
            span,
        }),
    }
}

impl Field {
    /// The name of an attribute in messages.
    fn name(&self) -> &str {
        match self {
            Self::Name => "name",
            Self::Id => "experiment_id",
            Self::Number(attribute) => attribute.name(),
            Self::Tag(key) => key,
        }
    }

    /// The right side of a comparison with this field.
    fn value(&self, filter: &str, part: &Part) -> Result<Value, SearchError> {
        if let Self::Number(attribute) = self {
            let what = format!("numeric attribute: {}", attribute.name());
            return clause::number(filter, part, &what);
        }
        if let Some(text) = clause::quoted_text(filter, part)? {
            return Ok(text);
        }
        match self {
            Self::Id if part.shape == Shape::Parenthesis => {
                clause::list(filter, part).map(Value::List)
            }
            Self::Name if part.shape == Shape::Parenthesis => Err(SearchError::ListNotSupported {
                attributes: "'experiment_id'",
                span: part.span.clone(),
            }),
            _ => Err(SearchError::ExpectedText {
                what: match self {
                    Self::Tag(_) => "tag (e.g. 'my-value')",
                    _ => "attributes",
                },
                found: filter[part.span.clone()].to_owned(),
                span: part.span.clone(),
            }),
        }
    }
}

/// A comparison whose operator and value may not fit its field.
struct Unchecked {
    field: Field,
    comparator: String,
    comparator_span: Range<usize>,
    /// The right side and its place; absent for `IS NULL` and `IS NOT NULL`.
    value: Option<(Value, Range<usize>)>,
}

impl Unchecked {
    fn read(filter: &str, comparison: Comparison) -> Result<Self, SearchError> {
        let name = clause::identifier(filter, &comparison)?;
        let field = field(name, comparison.left.span.clone())?;
        let value = match &comparison.right {
            Some(part) => Some((field.value(filter, part)?, part.span.clone())),
            None if matches!(field, Field::Tag(_)) => None,
            None => {
                return Err(SearchError::NullNotSupported {
                    supported: "tags",
                    what: format!("attribute '{}'", field.name()),
                    span: comparison.comparator_span,
                });
            }
        };
        Ok(Self {
            field,
            comparator: comparison.comparator,
            comparator_span: comparison.comparator_span,
            value,
        })
    }

    fn check(self) -> Result<ExperimentClause, SearchError> {
        let Self {
            field,
            comparator,
            comparator_span: span,
            value,
        } = self;
        match (field, value) {
            (Field::Id, Some((value, value_span))) => {
                id_clause(comparator, span, value, value_span)
            }
            (Field::Number(attribute), Some((Value::Number { value, is_float }, value_span))) => {
                let test = clause::number_test(&comparator, value);
                match test {
                    Some(_) if is_float => Err(SearchError::FractionalTime {
                        attribute: attribute.name(),
                        value: python::float(value),
                        span: value_span,
                    }),
                    Some(test) => Ok(ExperimentClause::Number { attribute, test }),
                    None => Err(SearchError::InvalidComparator {
                        comparator,
                        valid: TEXT_OPS_OPEN,
                        span,
                    }),
                }
            }
            (Field::Tag(key), None) => Ok(ExperimentClause::Tag {
                key,
                test: clause::null_test(&comparator),
            }),
            (Field::Tag(key), Some((Value::Text(value), _))) => {
                match clause::text_test(&comparator, value) {
                    Some(test) => Ok(ExperimentClause::Tag { key, test }),
                    None => Err(SearchError::InvalidComparatorFor {
                        what: "tag",
                        comparator,
                        span,
                    }),
                }
            }
            (Field::Name, Some((Value::Text(value), _))) => {
                match clause::text_test(&comparator, value) {
                    Some(test) => Ok(ExperimentClause::Name(test)),
                    None => Err(SearchError::InvalidComparator {
                        comparator,
                        valid: TEXT_OPS,
                        span,
                    }),
                }
            }
            // `Field::value` gives no other pairs.
            _ => Err(SearchError::InvalidComparator {
                comparator,
                valid: TEXT_OPS,
                span,
            }),
        }
    }
}

fn id_clause(
    comparator: String,
    span: Range<usize>,
    value: Value,
    value_span: Range<usize>,
) -> Result<ExperimentClause, SearchError> {
    let (negated, is_list) = match comparator.as_str() {
        "=" => (false, false),
        "!=" => (true, false),
        "IN" => (false, true),
        "NOT IN" => (true, true),
        _ => {
            return Err(SearchError::InvalidComparatorFor {
                what: "experiment_id",
                comparator,
                span,
            });
        }
    };
    let values = match value {
        Value::List(values) if is_list => values,
        Value::Text(value) => vec![value],
        Value::List(_) | Value::Number { .. } => {
            return Err(SearchError::ListComparator { comparator, span });
        }
    };
    let values = values
        .into_iter()
        .map(|id| decimal(&id).ok_or(id))
        .collect::<Result<_, _>>()
        .map_err(|id| SearchError::InvalidExperimentId {
            id,
            span: value_span,
        })?;
    Ok(ExperimentClause::Id { negated, values })
}

/// An integer as Python reads it (spaces around, `+`, leading zeros, `_` between
/// digits), in its shortest form.
pub(crate) fn decimal(text: &str) -> Option<String> {
    let text = text.trim_matches(crate::lexer::is_space);
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let groups_are_digits = digits
        .split('_')
        .all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()));
    if !groups_are_digits {
        return None;
    }
    let digits = digits.replace('_', "");
    Some(match digits.trim_start_matches('0') {
        "" => "0".to_owned(),
        digits => format!("{sign}{digits}"),
    })
}
