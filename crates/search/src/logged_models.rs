//! Filters and orders of logged models (`logged-models/search`, MLflow 3.x).
//!
//! MLflow reads these with rules of their own: names are plural, only single
//! quotes count, and values need no quotes at all.

use std::ops::Range;

use runledger_entities::LoggedModelStatus;

use crate::{
    LoggedModelClause, LoggedModelKey, LoggedModelNumber, LoggedModelText, NumberTest, Order,
    SearchError, TextTest, clause,
    grammar::{self, Comparison, Part, Statements},
};

const NUMBER_OPS: &str = "('<', '<=', '>', '>=', '=', '!=')";
const TEXT_OPS: &str = "('=', '!=', 'LIKE', 'ILIKE', 'IN', 'NOT IN')";
const ATTRIBUTES: &str = "{'name', 'model_id', 'model_type', 'status', 'status_message', \
                          'source_run_id', 'experiment_id', 'artifact_location', \
                          'lifecycle_stage', 'creation_timestamp', 'last_updated_timestamp'}";

/// Reads a filter of logged models; empty text is no filter.
///
/// `status` and `experiment_id` are numbers in MLflow's database. They can be
/// compared by `=`, `!=`, `NOT IN` and, with one value, `IN`; a status also by
/// its name, such as `READY`. Text that is neither matches nothing.
///
/// ```
/// use runledger_search::{LoggedModelClause, parse_logged_model_filter};
///
/// let filter = parse_logged_model_filter("metrics.accuracy > 0.9 AND params.depth = '3'")?;
/// assert!(matches!(&filter[0], LoggedModelClause::Metric { key, .. } if key == "accuracy"));
/// # Ok::<(), runledger_search::SearchError>(())
/// ```
pub fn parse_logged_model_filter(filter: &str) -> Result<Vec<LoggedModelClause>, SearchError> {
    if filter.is_empty() {
        return Ok(Vec::new());
    }
    clause::check_length(filter)?;
    let parts = match grammar::statements(filter) {
        Statements::One(parts) => parts,
        Statements::None | Statements::Several => {
            return Err(SearchError::NotOneExpression {
                filter: filter.to_owned(),
            });
        }
        Statements::TooDeep => {
            return Err(SearchError::TooDeep {
                filter: filter.to_owned(),
            });
        }
    };
    let (comparisons, invalid) = clause::split(parts);
    let first_invalid = invalid.first().map(|part| part.span.clone());
    clause::check_count(comparisons.len())?;
    let mut clauses = Vec::with_capacity(comparisons.len());
    // MLflow reads all of the filter before it looks up any attribute, and
    // compares nothing before that.
    let mut late_error = None;
    for comparison in &comparisons {
        if first_invalid
            .as_ref()
            .is_some_and(|span| span.start < comparison.left.span.start)
        {
            break;
        }
        match read(filter, comparison, &mut clauses) {
            Err(
                error @ (SearchError::UnknownAttribute { .. } | SearchError::ListComparator { .. }),
            ) => {
                late_error.get_or_insert(error);
            }
            other => other?,
        }
    }
    if let Some(span) = first_invalid {
        return Err(SearchError::NotComparisons {
            filter: filter.to_owned(),
            span,
        });
    }
    match late_error {
        Some(error) => Err(error),
        None => Ok(clauses),
    }
}

/// Reads one key of the order of a search of logged models.
///
/// `field_name` is an attribute or `metrics.<name>`. The dataset counts for
/// metrics only; empty text stands for none.
pub fn parse_logged_model_order_field(
    field_name: &str,
    ascending: bool,
    dataset_name: Option<String>,
    dataset_digest: Option<String>,
) -> Result<Order<LoggedModelKey>, SearchError> {
    clause::check_length(field_name)?;
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    let key = match field_name.split_once('.') {
        Some(("metrics", key)) => LoggedModelKey::Metric {
            key: key.to_owned(),
            dataset_name: some(dataset_name),
            dataset_digest: some(dataset_digest),
        },
        Some(_) => {
            return Err(SearchError::OrderFieldNotMetric {
                field: field_name.to_owned(),
            });
        }
        None => match attribute(alias(field_name)) {
            Some(Attribute::Text(attribute)) => LoggedModelKey::Text(attribute),
            Some(Attribute::Number(attribute)) => LoggedModelKey::Number(attribute),
            None => {
                return Err(SearchError::InvalidOrderField {
                    field: field_name.to_owned(),
                });
            }
        },
    };
    Ok(Order {
        key,
        descending: !ascending,
    })
}

enum Attribute {
    Text(LoggedModelText),
    Number(LoggedModelNumber),
}

/// The column that an attribute without prefix stands for.
fn alias(name: &str) -> &str {
    match name {
        "creation_time" | "creation_timestamp" => "creation_timestamp_ms",
        "last_updated_timestamp" => "last_updated_timestamp_ms",
        _ => name,
    }
}

fn attribute(column: &str) -> Option<Attribute> {
    Some(match column {
        "name" => Attribute::Text(LoggedModelText::Name),
        "model_id" => Attribute::Text(LoggedModelText::ModelId),
        "model_type" => Attribute::Text(LoggedModelText::ModelType),
        "source_run_id" => Attribute::Text(LoggedModelText::SourceRunId),
        "artifact_location" => Attribute::Text(LoggedModelText::ArtifactLocation),
        "status_message" => Attribute::Text(LoggedModelText::StatusMessage),
        "lifecycle_stage" => Attribute::Text(LoggedModelText::LifecycleStage),
        "creation_timestamp_ms" => Attribute::Number(LoggedModelNumber::CreationTimestamp),
        "last_updated_timestamp_ms" => Attribute::Number(LoggedModelNumber::LastUpdatedTimestamp),
        "experiment_id" => Attribute::Number(LoggedModelNumber::ExperimentId),
        "status" => Attribute::Number(LoggedModelNumber::Status),
        _ => return None,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Entity {
    Attribute,
    Metric,
    Param,
    Tag,
}

/// The entity of a name and its key. A name that is not lower-case letters, a
/// dot and something is the name of an attribute.
fn entity(name: &str, span: &Range<usize>) -> Result<(Entity, String), SearchError> {
    if let Some((prefix, key)) = name.split_once('.')
        && !prefix.is_empty()
        && prefix.bytes().all(|byte| byte.is_ascii_lowercase())
        && !key.is_empty()
        && !key.contains('\n')
    {
        let entity = match prefix {
            "attributes" => Entity::Attribute,
            "metrics" => Entity::Metric,
            "params" => Entity::Param,
            "tags" => Entity::Tag,
            _ => {
                return Err(SearchError::UnknownModelEntity {
                    entity: prefix.to_owned(),
                    span: span.clone(),
                });
            }
        };
        return Ok((entity, key.trim_matches('`').to_owned()));
    }
    Ok((Entity::Attribute, alias(name).trim_matches('`').to_owned()))
}

/// Reads one comparison; `NOT IN` of a number makes several clauses.
fn read(
    filter: &str,
    comparison: &Comparison,
    clauses: &mut Vec<LoggedModelClause>,
) -> Result<(), SearchError> {
    let span = comparison.left.span.clone();
    let name = &filter[span.clone()];
    let Some(right) = &comparison.right else {
        return Err(SearchError::NotThreeTokens {
            comparison: format!("{name}{}", comparison.comparator),
            span: span.start..comparison.comparator_span.end,
        });
    };
    let (entity, key) = entity(name, &span)?;
    let field = Field {
        printed: match entity {
            Entity::Attribute => format!("attributes.{key}"),
            Entity::Metric => format!("metrics.{key}"),
            Entity::Param => format!("params.{key}"),
            Entity::Tag => format!("tags.{key}"),
        },
        comparator: comparison.comparator.to_uppercase(),
        comparator_span: comparison.comparator_span.clone(),
    };
    let attribute = match entity {
        Entity::Metric => {
            let test = field.number_test(filter, right)?;
            clauses.push(LoggedModelClause::Metric { key, test });
            return Ok(());
        }
        Entity::Param => {
            let test = field.text_test(filter, right)?;
            clauses.push(LoggedModelClause::Param { key, test });
            return Ok(());
        }
        Entity::Tag => {
            let test = field.text_test(filter, right)?;
            clauses.push(LoggedModelClause::Tag { key, test });
            return Ok(());
        }
        Entity::Attribute => attribute(&key),
    };
    match attribute {
        Some(Attribute::Number(
            attribute @ (LoggedModelNumber::CreationTimestamp
            | LoggedModelNumber::LastUpdatedTimestamp),
        )) => {
            let test = field.number_test(filter, right)?;
            clauses.push(LoggedModelClause::Number { attribute, test });
        }
        Some(Attribute::Number(attribute)) => {
            for test in field.nominal_tests(filter, right, attribute)? {
                clauses.push(LoggedModelClause::Number { attribute, test });
            }
        }
        Some(Attribute::Text(attribute)) => {
            let test = field.text_test(filter, right)?;
            clauses.push(LoggedModelClause::Text { attribute, test });
        }
        None => {
            // An operator that no attribute has is told first, as MLflow does.
            field.check_text_op()?;
            return Err(SearchError::UnknownAttribute {
                key,
                valid: ATTRIBUTES,
                span,
            });
        }
    }
    Ok(())
}

/// What stands left of a value.
struct Field {
    /// The field as MLflow prints it.
    printed: String,
    /// The operator in upper case.
    comparator: String,
    comparator_span: Range<usize>,
}

impl Field {
    fn invalid(&self, valid: &'static str) -> SearchError {
        SearchError::InvalidOperator {
            field: self.printed.clone(),
            comparator: self.comparator.clone(),
            valid,
            span: self.comparator_span.clone(),
        }
    }

    fn check_text_op(&self) -> Result<(), SearchError> {
        let ops = ["=", "!=", "LIKE", "ILIKE", "IN", "NOT IN"];
        if ops.contains(&self.comparator.as_str()) {
            return Ok(());
        }
        Err(self.invalid(TEXT_OPS))
    }

    fn number_test(&self, filter: &str, part: &Part) -> Result<NumberTest, SearchError> {
        // The operator is checked before the value is looked at.
        let op = clause::number_test(&self.comparator, 0.0)
            .ok_or_else(|| self.invalid(NUMBER_OPS))?
            .op;
        let found = &filter[part.span.clone()];
        let value = float(found).ok_or_else(|| SearchError::ExpectedNumber {
            what: self.printed.clone(),
            found: found.to_owned(),
            span: part.span.clone(),
        })?;
        Ok(NumberTest { op, value })
    }

    fn text_test(&self, filter: &str, part: &Part) -> Result<TextTest, SearchError> {
        self.check_text_op()?;
        match listed(filter, part)? {
            Some(values) => {
                clause::list_test(&self.comparator, self.comparator_span.clone(), values)
            }
            None => clause::text_test(&self.comparator, unquoted(filter, part))
                .ok_or_else(|| self.invalid(TEXT_OPS)),
        }
    }

    /// Tests of a number that MLflow compares as a text with a number's column.
    fn nominal_tests(
        &self,
        filter: &str,
        part: &Part,
        attribute: LoggedModelNumber,
    ) -> Result<Vec<NumberTest>, SearchError> {
        self.check_text_op()?;
        let list = listed(filter, part)?;
        let comparator = match (self.comparator.as_str(), &list) {
            ("NOT IN", Some(_)) | ("!=", None) => "!=",
            ("=", None) => "=",
            ("IN", Some(values)) if values.len() == 1 => "=",
            _ => return Err(self.invalid("('=', '!=', 'NOT IN')")),
        };
        Ok(list
            .unwrap_or_else(|| vec![unquoted(filter, part)])
            .iter()
            .filter_map(|value| clause::number_test(comparator, nominal(value, attribute)))
            .collect())
    }
}

/// The list of a right side in parentheses; `None` of another one.
fn listed(filter: &str, part: &Part) -> Result<Option<Vec<String>>, SearchError> {
    let text = &filter[part.span.clone()];
    if text.starts_with('(') && text.ends_with(')') {
        return clause::list(filter, part).map(Some);
    }
    Ok(None)
}

/// A right side without the single quotes at its ends.
fn unquoted(filter: &str, part: &Part) -> String {
    filter[part.span.clone()].trim_matches('\'').to_owned()
}

/// The number of a status or an id; -1, which neither ever is, for other texts.
fn nominal(text: &str, attribute: LoggedModelNumber) -> f64 {
    let status = (attribute == LoggedModelNumber::Status)
        .then(|| {
            LoggedModelStatus::from_name(text)
                .or_else(|| LoggedModelStatus::from_name(&format!("LOGGED_MODEL_{text}")))
        })
        .flatten();
    match status {
        Some(status) => f64::from(status.number()),
        None => float(text)
            .filter(|number| number.is_finite())
            .unwrap_or(-1.0),
    }
}

/// A number as Python's `float` reads it: also `nan`, `inf` and `1_000`.
fn float(text: &str) -> Option<f64> {
    let text = text.trim_matches(crate::lexer::is_space);
    let bytes = text.as_bytes();
    let groups_digits = bytes.iter().enumerate().all(|(at, byte)| {
        let is_digit = |at: Option<usize>| {
            at.and_then(|at| bytes.get(at))
                .is_some_and(u8::is_ascii_digit)
        };
        *byte != b'_' || (is_digit(at.checked_sub(1)) && is_digit(Some(at + 1)))
    });
    if !groups_digits {
        return None;
    }
    text.replace('_', "").parse().ok()
}
