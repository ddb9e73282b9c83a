//! Filters and orders of registered models (`registered-models/search`).

use std::ops::Range;

use crate::{
    Order, RegisteredModelClause, RegisteredModelKey, RegistryFilter, SearchError,
    clause::{self, Value},
    grammar::Part,
    registry::{self, Name, Unchecked},
};

const ATTRIBUTES: &str = "{'name'}";
const ORDER_KEYS: &str = "'{'name', 'timestamp'}'";

/// Reads a filter of registered models; empty text is no filter.
///
/// ```
/// use runledger_search::{RegisteredModelClause, parse_registered_model_filter};
///
/// let filter = parse_registered_model_filter("name LIKE 'prod-%' AND tags.team = 'vision'")?;
/// assert!(matches!(
///     filter.clauses[..],
///     [RegisteredModelClause::Name(_), RegisteredModelClause::Tag { .. }]
/// ));
/// assert!(!filter.prompts);
/// # Ok::<(), runledger_search::SearchError>(())
/// ```
pub fn parse_registered_model_filter(
    filter: &str,
) -> Result<RegistryFilter<RegisteredModelClause>, SearchError> {
    let clauses: Result<_, _> = Unchecked::all(filter)?.into_iter().map(check).collect();
    Ok(registry::with_prompts(clauses?, |clause| match clause {
        RegisteredModelClause::Tag { key, test } => Some((key, test)),
        RegisteredModelClause::Name(_) => None,
    }))
}

/// Reads the order of a search of registered models: one key, with or without a
/// direction, per text.
///
/// What comes after the keys, by name, is the store's to add. The keys are those
/// of MLflow's SQL store, and `creation_timestamp` as in its file store.
pub fn parse_registered_model_order(
    clauses: &[String],
) -> Result<Vec<Order<RegisteredModelKey>>, SearchError> {
    clause::check_count(clauses.len())?;
    let mut order: Vec<Order<RegisteredModelKey>> = Vec::new();
    for text in clauses {
        let (name, descending) = clause::order_clause(text)?;
        let key = match name.as_str() {
            "name" => RegisteredModelKey::Name,
            "timestamp" | "last_updated_timestamp" => RegisteredModelKey::LastUpdatedTimestamp,
            "creation_timestamp" => RegisteredModelKey::CreationTimestamp,
            _ => {
                return Err(SearchError::UnknownOrderKey {
                    key: name,
                    valid: ORDER_KEYS,
                });
            }
        };
        if order.iter().any(|earlier| earlier.key == key) {
            return Err(SearchError::duplicate_order(clauses));
        }
        order.push(Order { key, descending });
    }
    Ok(order)
}

enum Field {
    Name,
    Tag(String),
}

impl registry::Field for Field {
    const THINGS: &'static str = "registered models";

    fn named(name: &str, span: Range<usize>) -> Result<Self, SearchError> {
        match Name::of(name, span.clone())? {
            Name::Tag(key) => Ok(Self::Tag(key.to_owned())),
            Name::Attribute("name") => Ok(Self::Name),
            Name::Attribute(key) => Err(SearchError::UnknownAttribute {
                key: key.to_owned(),
                valid: ATTRIBUTES,
                span,
            }),
        }
    }

    fn value(&self, filter: &str, part: &Part) -> Result<Value, SearchError> {
        match self {
            Self::Tag(_) => Err(registry::tag_value(filter, part)),
            Self::Name if registry::is_list(part) => clause::list(filter, part).map(Value::List),
            Self::Name => Err(registry::attribute_value(filter, part)),
        }
    }
}

fn check(unchecked: Unchecked<Field>) -> Result<RegisteredModelClause, SearchError> {
    let Unchecked {
        field,
        comparator,
        comparator_span: span,
        value,
        ..
    } = unchecked;
    match field {
        Field::Name => {
            registry::text_test(comparator, span, value, true).map(RegisteredModelClause::Name)
        }
        Field::Tag(key) => {
            let test = registry::tag_test(comparator, span, value)?;
            Ok(RegisteredModelClause::Tag { key, test })
        }
    }
}
