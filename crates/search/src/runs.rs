//! Filters and orders of runs (`runs/search`).

use std::{collections::HashSet, ops::Range};

use crate::{
    DatasetField, Order, RunClause, RunKey, RunNumber, RunText, SearchError, TextTest,
    clause::{self, NUMBER_OPS, TEXT_OPS, TEXT_OPS_OPEN, Value},
    grammar::{Comparison, Part, Shape},
};

const ENTITIES: &str = "['metric', 'parameter', 'tag', 'attribute', 'dataset']";
const FILTER_ATTRIBUTES: &str = "{'run_id', 'run_name', 'run name', 'Run name', 'Run Name', \
                                 'status', 'user_id', 'artifact_uri', 'start_time', 'end_time', \
                                 'created', 'Created'}";
const ORDER_ATTRIBUTES: &str = "{'run_id', 'run_name', 'status', 'user_id', 'artifact_uri', \
                                'start_time', 'end_time', 'created', 'Created'}";
const PARAM_OPS: &str = "{'=', '!=', 'LIKE', 'ILIKE', 'IS NULL', 'IS NOT NULL'}'";
/// MLflow forgets the closing quote for tags.
const TAG_OPS: &str = "{'=', '!=', 'LIKE', 'ILIKE', 'IS NULL', 'IS NOT NULL'}";

/// Reads a filter of runs; empty text is no filter.
///
/// ```
/// use runledger_search::{RunClause, parse_run_filter};
///
/// let filter = parse_run_filter("metrics.loss < 0.1 AND params.`learning rate` = '1e-3'")?;
/// assert_eq!(filter.len(), 2);
/// assert!(matches!(&filter[0], RunClause::Metric { key, .. } if key == "loss"));
///
/// let error = parse_run_filter("metrics.loss < 'low'").unwrap_err();
/// assert_eq!(error.to_string(), "Expected numeric value type for metric. Found 'low'");
/// assert_eq!(error.span(), Some(15..20));
/// # Ok::<(), runledger_search::SearchError>(())
/// ```
pub fn parse_run_filter(filter: &str) -> Result<Vec<RunClause>, SearchError> {
    // MLflow reads all comparisons before it looks at any operator, so that an
    // error in the last one is told before an operator that does not fit.
    clause::comparisons(filter, |part| format!("'{part}'"))?
        .iter()
        .map(|comparison| Unchecked::read(filter, comparison))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .map(Unchecked::check)
        .collect()
}

/// Reads the order of a search of runs: one key, with or without a direction,
/// per text.
///
/// What comes after the keys, by start time and by id, is the store's to add.
///
/// ```
/// use runledger_search::{Order, RunKey, parse_run_order};
///
/// let order = parse_run_order(&["metrics.loss DESC".to_owned()])?;
/// assert_eq!(order, [Order { key: RunKey::Metric("loss".to_owned()), descending: true }]);
/// # Ok::<(), runledger_search::SearchError>(())
/// ```
pub fn parse_run_order(clauses: &[String]) -> Result<Vec<Order<RunKey>>, SearchError> {
    clause::check_count(clauses.len())?;
    let mut order = Vec::with_capacity(clauses.len());
    let mut seen = HashSet::new();
    for text in clauses {
        let (name, descending) = clause::order_clause(text)?;
        let key = match field(&name, 0..text.len(), false)? {
            Field::Metric(key) => RunKey::Metric(key),
            Field::Param(key) => RunKey::Param(key),
            Field::Tag(key) => RunKey::Tag(key),
            Field::Text { attribute, .. } => RunKey::Text(attribute),
            Field::Number { attribute, .. } => RunKey::Number(attribute),
            Field::Dataset(_) => return Err(SearchError::RunOrderEntity { entity: "dataset" }),
        };
        if !seen.insert(key.clone()) {
            return Err(SearchError::duplicate_order(clauses));
        }
        order.push(Order { key, descending });
    }
    Ok(order)
}

/// What a name means.
enum Field {
    Metric(String),
    Param(String),
    Tag(String),
    /// An attribute, and its name as it was written.
    Text {
        attribute: RunText,
        written: String,
    },
    Number {
        attribute: RunNumber,
        written: String,
    },
    Dataset(DatasetField),
}

/// The field of a name. Filters know more spellings of `run_name` than orders.
fn field(name: &str, span: Range<usize>, filter: bool) -> Result<Field, SearchError> {
    let (entity, key) = name.split_once('.').unwrap_or(("attribute", name));
    let entity = clause::without_backticks(entity);
    let key = clause::unquoted_key(key);
    match entity {
        "metric" | "metrics" => Ok(Field::Metric(key.to_owned())),
        "parameter" | "parameters" | "param" | "params" => Ok(Field::Param(key.to_owned())),
        "tag" | "tags" => Ok(Field::Tag(key.to_owned())),
        "attribute" | "attributes" | "attr" | "run" => attribute(key, span, filter),
        "dataset" | "datasets" => match key {
            "name" => Ok(Field::Dataset(DatasetField::Name)),
            "digest" => Ok(Field::Dataset(DatasetField::Digest)),
            "context" => Ok(Field::Dataset(DatasetField::Context)),
            _ => Err(SearchError::UnknownDatasetField {
                key: key.to_owned(),
                span,
            }),
        },
        _ => Err(SearchError::UnknownEntity {
            entity: entity.to_owned(),
            kind: "values",
            valid: ENTITIES,
            span,
        }),
    }
}

fn attribute(key: &str, span: Range<usize>, filter: bool) -> Result<Field, SearchError> {
    let written = key.to_owned();
    let text = |attribute| Field::Text {
        attribute,
        written: written.clone(),
    };
    let number = |attribute| Field::Number {
        attribute,
        written: written.clone(),
    };
    Ok(match key {
        "run_id" => text(RunText::RunId),
        "run_name" => text(RunText::RunName),
        "run name" | "Run name" | "Run Name" if filter => text(RunText::RunName),
        "status" => text(RunText::Status),
        "user_id" => text(RunText::UserId),
        "artifact_uri" => text(RunText::ArtifactUri),
        "start_time" | "created" | "Created" => number(RunNumber::StartTime),
        "end_time" => number(RunNumber::EndTime),
        _ => {
            return Err(SearchError::UnknownAttribute {
                key: key.to_owned(),
                valid: if filter {
                    FILTER_ATTRIBUTES
                } else {
                    ORDER_ATTRIBUTES
                },
                span,
            });
        }
    })
}

/// A comparison whose operator may not fit its field.
struct Unchecked {
    field: Field,
    comparator: String,
    comparator_span: Range<usize>,
    /// Absent for `IS NULL` and `IS NOT NULL`.
    value: Option<Value>,
}

impl Unchecked {
    fn read(filter: &str, comparison: &Comparison) -> Result<Self, SearchError> {
        let name = clause::identifier(filter, comparison)?;
        let field = field(name, comparison.left.span.clone(), true)?;
        let value = if let Some(part) = &comparison.right {
            Some(field.value(filter, part)?)
        } else {
            field.check_nullable(comparison.comparator_span.clone())?;
            None
        };
        Ok(Self {
            field,
            comparator: comparison.comparator.to_uppercase(),
            comparator_span: comparison.comparator_span.clone(),
            value,
        })
    }

    fn check(self) -> Result<RunClause, SearchError> {
        let valid = match &self.field {
            Field::Metric(_) => NUMBER_OPS,
            Field::Param(_) => PARAM_OPS,
            Field::Tag(_) => TAG_OPS,
            Field::Text { .. } => TEXT_OPS,
            // The operators of texts, although only those of numbers are taken:
            // MLflow's message is wrong here.
            Field::Number { .. } | Field::Dataset(_) => TEXT_OPS_OPEN,
        };
        let invalid = |comparator: &str, span: &Range<usize>| SearchError::InvalidComparator {
            comparator: comparator.to_owned(),
            valid,
            span: span.clone(),
        };
        let Self {
            field,
            comparator,
            comparator_span: span,
            value,
        } = self;
        match value {
            Some(Value::Number { value, .. }) => {
                let test = clause::number_test(&comparator, value)
                    .ok_or_else(|| invalid(&comparator, &span))?;
                match field {
                    Field::Metric(key) => Ok(RunClause::Metric { key, test }),
                    Field::Number { attribute, .. } => Ok(RunClause::Number { attribute, test }),
                    _ => Err(invalid(&comparator, &span)),
                }
            }
            Some(Value::Text(value)) => {
                let test = clause::text_test(&comparator, value)
                    .ok_or_else(|| invalid(&comparator, &span))?;
                field.with(test).ok_or_else(|| invalid(&comparator, &span))
            }
            Some(Value::List(values)) => {
                let is_text_op =
                    ["=", "!=", "LIKE", "ILIKE", "IN", "NOT IN"].contains(&comparator.as_str());
                if !is_text_op {
                    return Err(invalid(&comparator, &span));
                }
                let test = clause::list_test(&comparator, span.clone(), values)?;
                field.with(test).ok_or_else(|| invalid(&comparator, &span))
            }
            None => field
                .with(clause::null_test(&comparator))
                .ok_or_else(|| invalid(&comparator, &span)),
        }
    }
}

impl Field {
    /// The name of the kind of field in messages.
    fn entity(&self) -> &'static str {
        match self {
            Self::Metric(_) => "metric",
            Self::Param(_) => "parameter",
            Self::Tag(_) => "tag",
            Self::Text { .. } | Self::Number { .. } => "attribute",
            Self::Dataset(_) => "dataset",
        }
    }

    fn key(&self) -> &str {
        match self {
            Self::Metric(key) | Self::Param(key) | Self::Tag(key) => key,
            Self::Text { written, .. } | Self::Number { written, .. } => written,
            Self::Dataset(field) => field.name(),
        }
    }

    fn check_nullable(&self, span: Range<usize>) -> Result<(), SearchError> {
        if matches!(self, Self::Param(_) | Self::Tag(_)) {
            return Ok(());
        }
        Err(SearchError::NullNotSupported {
            supported: "tags and params",
            what: format!("'{}' '{}'", self.entity(), self.key()),
            span,
        })
    }

    /// The right side of a comparison with this field.
    fn value(&self, filter: &str, part: &Part) -> Result<Value, SearchError> {
        let what = match self {
            Self::Metric(_) => return clause::number(filter, part, "metric"),
            Self::Number { written, .. } => {
                return clause::number(filter, part, &format!("numeric attribute: {written}"));
            }
            Self::Param(_) => "parameter (e.g. 'my-value')",
            Self::Tag(_) => "tag (e.g. 'my-value')",
            Self::Text { .. } => "attributes",
            Self::Dataset(_) => "dataset attributes",
        };
        if let Some(text) = clause::quoted_text(filter, part)? {
            return Ok(text);
        }
        let is_list = part.shape == Shape::Parenthesis;
        match self {
            Self::Dataset(_) if is_list => clause::list(filter, part).map(Value::List),
            Self::Text { attribute, .. } if is_list => {
                if *attribute == RunText::RunId {
                    clause::list(filter, part).map(Value::List)
                } else {
                    Err(SearchError::ListNotSupported {
                        attributes: "'run_id'",
                        span: part.span.clone(),
                    })
                }
            }
            _ => Err(SearchError::ExpectedText {
                what,
                found: filter[part.span.clone()].to_owned(),
                span: part.span.clone(),
            }),
        }
    }

    /// A test of this field, if it is one of texts.
    fn with(self, test: TextTest) -> Option<RunClause> {
        match self {
            Self::Param(key) => Some(RunClause::Param { key, test }),
            Self::Tag(key) => Some(RunClause::Tag { key, test }),
            Self::Text { attribute, .. } => Some(RunClause::Text { attribute, test }),
            Self::Dataset(field) => Some(RunClause::Dataset { field, test }),
            Self::Metric(_) | Self::Number { .. } => None,
        }
    }
}
