//! Filters and orders of versions of models (`model-versions/search`).

use std::ops::Range;

use crate::{
    ModelVersionClause, ModelVersionKey, ModelVersionText, Order, RegistryFilter, SearchError,
    clause::{self, Value},
    experiments::decimal,
    grammar::Part,
    python,
    registry::{self, Name, Unchecked},
};

const ATTRIBUTES: &str = "{'name', 'version_number', 'run_id', 'source_path'}";
const NUMBERS: &str = "{'version_number', 'creation_timestamp', 'last_updated_timestamp'}";
const ORDER_KEYS: &str =
    "{'name', 'version_number', 'creation_timestamp', 'last_updated_timestamp'}";

/// Reads a filter of versions; empty text is no filter.
///
/// ```
/// use runledger_search::{ModelVersionClause, parse_model_version_filter};
///
/// let filter = parse_model_version_filter("name = 'm' AND version_number > 3")?;
/// assert!(matches!(
///     filter.clauses[..],
///     [ModelVersionClause::Text { .. }, ModelVersionClause::Number(_)]
/// ));
/// # Ok::<(), runledger_search::SearchError>(())
/// ```
pub fn parse_model_version_filter(
    filter: &str,
) -> Result<RegistryFilter<ModelVersionClause>, SearchError> {
    let clauses: Result<_, _> = Unchecked::all(filter)?.into_iter().map(check).collect();
    Ok(registry::with_prompts(clauses?, |clause| match clause {
        ModelVersionClause::Tag { key, test } => Some((key, test)),
        _ => None,
    }))
}

/// Reads the order of a search of versions: one key, with or without a
/// direction, per text.
///
/// What comes after the keys, by name and number, is the store's to add.
pub fn parse_model_version_order(
    clauses: &[String],
) -> Result<Vec<Order<ModelVersionKey>>, SearchError> {
    clause::check_count(clauses.len())?;
    let mut order: Vec<Order<ModelVersionKey>> = Vec::new();
    for text in clauses {
        let (name, descending) = clause::order_clause(text)?;
        let key = order_key(&name, 0..text.len())?;
        if order.iter().any(|earlier| earlier.key == key) {
            return Err(SearchError::duplicate_order(clauses));
        }
        order.push(Order { key, descending });
    }
    Ok(order)
}

fn order_key(name: &str, span: Range<usize>) -> Result<ModelVersionKey, SearchError> {
    let (key, is_tag) = match Name::of(name, span.clone())? {
        // MLflow does not look further at what a tag would be.
        Name::Tag(key) => (key, true),
        Name::Attribute(key) => (clause::unquoted_key(key), false),
    };
    match key {
        "name" => Ok(ModelVersionKey::Name),
        "version_number" => Ok(ModelVersionKey::Number),
        "creation_timestamp" => Ok(ModelVersionKey::CreationTimestamp),
        "last_updated_timestamp" => Ok(ModelVersionKey::LastUpdatedTimestamp),
        key if is_tag => Err(SearchError::UnknownOrderKey {
            key: key.to_owned(),
            valid: ORDER_KEYS,
        }),
        key => Err(SearchError::UnknownAttribute {
            key: key.to_owned(),
            valid: ORDER_KEYS,
            span,
        }),
    }
}

enum Field {
    Text(ModelVersionText),
    Number,
    Tag(String),
}

impl Field {
    fn takes_lists(&self) -> bool {
        matches!(
            self,
            Self::Text(ModelVersionText::Name | ModelVersionText::RunId)
        )
    }
}

impl registry::Field for Field {
    const THINGS: &'static str = "versions of models";

    fn named(name: &str, span: Range<usize>) -> Result<Self, SearchError> {
        match Name::of(name, span.clone())? {
            Name::Tag(key) => Ok(Self::Tag(key.to_owned())),
            Name::Attribute("name") => Ok(Self::Text(ModelVersionText::Name)),
            Name::Attribute("run_id") => Ok(Self::Text(ModelVersionText::RunId)),
            Name::Attribute("source_path") => Ok(Self::Text(ModelVersionText::SourcePath)),
            Name::Attribute("version_number") => Ok(Self::Number),
            Name::Attribute(key) => Err(SearchError::UnknownAttribute {
                key: key.to_owned(),
                valid: ATTRIBUTES,
                span,
            }),
        }
    }

    fn value(&self, filter: &str, part: &Part) -> Result<Value, SearchError> {
        let span = || part.span.clone();
        match self {
            Self::Tag(_) => Err(registry::tag_value(filter, part)),
            _ if registry::is_list(part) => {
                if self.takes_lists() {
                    return clause::list(filter, part).map(Value::List);
                }
                Err(SearchError::ListNotSupported {
                    attributes: "'name', 'run_id'",
                    span: span(),
                })
            }
            Self::Number if registry::is_number(part) => {
                clause::number(filter, part, "version_number")
            }
            Self::Text(_) if registry::is_number(part) => Err(SearchError::NumberNotSupported {
                attributes: NUMBERS,
                span: span(),
            }),
            Self::Number | Self::Text(_) => Err(registry::attribute_value(filter, part)),
        }
    }
}

fn check(unchecked: Unchecked<Field>) -> Result<ModelVersionClause, SearchError> {
    let Unchecked {
        field,
        comparator,
        comparator_span: span,
        value,
        value_span,
    } = unchecked;
    match field {
        Field::Number => number(comparator, span, &value, value_span),
        Field::Text(attribute) => {
            let lists = Field::Text(attribute).takes_lists();
            let test = registry::text_test(comparator, span, value, lists)?;
            Ok(ModelVersionClause::Text { attribute, test })
        }
        Field::Tag(key) => {
            let test = registry::tag_test(comparator, span, value)?;
            Ok(ModelVersionClause::Tag { key, test })
        }
    }
}

/// A test of the number, which may be quoted.
fn number(
    comparator: String,
    span: Range<usize>,
    value: &Value,
    value_span: Range<usize>,
) -> Result<ModelVersionClause, SearchError> {
    let Some(mut test) = clause::number_test(&comparator, 0.0) else {
        return Err(SearchError::InvalidComparatorFor {
            what: "attribute version_number",
            comparator,
            span,
        });
    };
    let number = match value {
        Value::Number {
            value,
            is_float: false,
        } => Ok(*value),
        Value::Number { value, .. } => Err(python::float(*value)),
        Value::Text(quoted) => decimal(quoted)
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(|| python::text(quoted)),
        Value::List(_) => Err("[]".to_owned()),
    };
    test.value = number.map_err(|value| SearchError::InvalidNumber {
        attribute: "version_number",
        value,
        span: value_span,
    })?;
    Ok(ModelVersionClause::Number(test))
}
