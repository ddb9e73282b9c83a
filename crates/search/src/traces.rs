//! Filters and orders of traces (`traces/search`).

use std::{collections::HashSet, ops::Range};

use runledger_entities::{AssessmentKind, trace_keys};

use crate::{
    AssessmentTest, Order, SearchError, SpanText, TextOp, TextTest, TraceClause, TraceKey,
    TraceNumber, TraceText,
    clause::{self, Value},
    grammar::{Comparison, Part, Shape},
    lexer::Token,
};

const ENTITIES: &str = "{'tag', 'request_metadata', 'attribute', 'span', 'feedback', \
                        'expectation', 'issue', 'tags', 'attributes', 'trace', 'metadata'}";
const FILTER_ATTRIBUTES: &str = "{'request_id', 'timestamp', 'timestamp_ms', 'execution_time', \
                                 'execution_time_ms', 'end_time', 'end_time_ms', 'status', \
                                 'client_request_id', 'name', 'run_id', 'prompt', 'text'}";
const ORDER_ATTRIBUTES: &str = "{'experiment_id', 'timestamp', 'timestamp_ms', 'execution_time', \
                                'execution_time_ms', 'end_time', 'end_time_ms', 'status', \
                                'request_id', 'name', 'run_id'}";
const NUMBERS: &str = "{'timestamp_ms', 'timestamp', 'execution_time_ms', 'execution_time', \
                       'end_time_ms', 'end_time'}";
const LISTS: &str = "{'name', 'status', 'request_id', 'run_id', 'client_request_id'}";
const TEXT_OPS: &str = "{'=', '!=', 'IN', 'NOT IN', 'LIKE', 'ILIKE', 'RLIKE'}'";
/// The operators of texts, where MLflow forgets the closing quote.
const NUMBER_OPS: &str = "{'=', '!=', 'IN', 'NOT IN', 'LIKE', 'ILIKE', 'RLIKE'}";
const SPAN_OPS: &str = "{'=', '!=', 'IN', 'NOT IN', 'LIKE', 'ILIKE', 'RLIKE'}";
const CONTENT_OPS: &str = "{'LIKE', 'ILIKE'}";
const ASSESSMENT_OPS: &str = "{'=', '!=', '>', '>=', '<', '<=', 'LIKE', 'ILIKE', 'RLIKE', \
                              'IS NULL', 'IS NOT NULL'}";
const ISSUE_OPS: &str = "{'='}";
/// MLflow forgets the closing quote for tags.
const TAG_OPS: &str = "{'=', '!=', 'LIKE', 'ILIKE', 'RLIKE', 'IS NULL', 'IS NOT NULL'}";
const METADATA_OPS: &str = "{'=', '!=', 'LIKE', 'ILIKE', 'RLIKE', 'IS NULL', 'IS NOT NULL'}'";

/// Reads a filter of traces; empty text is no filter.
///
/// ```
/// use runledger_search::{TraceClause, parse_trace_filter};
///
/// let filter = parse_trace_filter("status = 'ERROR' AND span.name LIKE 'llm%'")?;
/// assert!(matches!(filter[..], [TraceClause::Text { .. }, TraceClause::Span { .. }]));
/// # Ok::<(), runledger_search::SearchError>(())
/// ```
pub fn parse_trace_filter(filter: &str) -> Result<Vec<TraceClause>, SearchError> {
    // As with runs, all comparisons are read before any operator is looked at.
    clause::comparisons(filter, |part| format!("'{part}'"))?
        .iter()
        .map(|comparison| Unchecked::read(filter, comparison))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .map(Unchecked::check)
        .collect()
}

/// Reads the order of a search of traces: one key, with or without a direction,
/// per text.
///
/// What comes after the keys, the youngest first and then by id, is the store's
/// to add.
pub fn parse_trace_order(clauses: &[String]) -> Result<Vec<Order<TraceKey>>, SearchError> {
    clause::check_count(clauses.len())?;
    let mut order = Vec::with_capacity(clauses.len());
    let mut seen = HashSet::new();
    for text in clauses {
        let (name, descending) = clause::order_clause(text)?;
        let key = order_key(&name, 0..text.len())?;
        if !seen.insert(key.clone()) {
            return Err(SearchError::duplicate_order(clauses));
        }
        order.push(Order { key, descending });
    }
    Ok(order)
}

fn order_key(name: &str, span: Range<usize>) -> Result<TraceKey, SearchError> {
    let (entity, key) = split(name, span.clone())?;
    if entity == Entity::Attribute && key == "experiment_id" {
        return Ok(TraceKey::ExperimentId);
    }
    if entity == Entity::Attribute && matches!(key, "client_request_id" | "prompt" | "text") {
        return Err(unknown_attribute(key, ORDER_ATTRIBUTES, span));
    }
    let invalid = |entity| Err(SearchError::RunOrderEntity { entity });
    match Field::of(entity, key, &span, ORDER_ATTRIBUTES)? {
        Field::Text(text) => Ok(TraceKey::Text(text)),
        Field::Number(number) => Ok(TraceKey::Number(number)),
        Field::Tag(key) if key == trace_keys::NAME => Ok(TraceKey::Text(TraceText::Name)),
        Field::Tag(key) => Ok(TraceKey::Tag(key)),
        Field::Metadata(key) if key == trace_keys::SESSION => {
            Ok(TraceKey::Text(TraceText::Session))
        }
        Field::Metadata(key) => match reserved(&key) {
            Some(key) => Err(SearchError::ReservedOrder { key }),
            None => Ok(TraceKey::Metadata(key)),
        },
        Field::Span(_) => invalid("span"),
        Field::Assessment(kind, _) => invalid(kind.name()),
        Field::Issue(_) => invalid("issue"),
    }
}

/// What stands before the first dot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entity {
    Attribute,
    Tag,
    Metadata,
    Span,
    Assessment(AssessmentKind),
    Issue,
}

impl Entity {
    /// The name in messages.
    fn name(self) -> &'static str {
        match self {
            Self::Attribute => "attribute",
            Self::Tag => "tag",
            Self::Metadata => "request_metadata",
            Self::Span => "span",
            Self::Assessment(kind) => kind.name(),
            Self::Issue => "issue",
        }
    }
}

/// The two parts of a name, without quotes.
fn split(name: &str, span: Range<usize>) -> Result<(Entity, &str), SearchError> {
    let (entity, key) = name.split_once('.').unwrap_or(("attribute", name));
    let key = clause::unquoted_key(key);
    let entity = match clause::without_backticks(entity) {
        "attribute" | "attributes" | "trace" => Entity::Attribute,
        "tag" | "tags" => Entity::Tag,
        "request_metadata" | "metadata" => Entity::Metadata,
        "span" => Entity::Span,
        "feedback" => Entity::Assessment(AssessmentKind::Feedback),
        "expectation" => Entity::Assessment(AssessmentKind::Expectation),
        "issue" => Entity::Issue,
        other => {
            return Err(SearchError::UnknownEntity {
                entity: other.to_owned(),
                kind: "values",
                valid: ENTITIES,
                span,
            });
        }
    };
    Ok((entity, key))
}

fn unknown_attribute(key: &str, valid: &'static str, span: Range<usize>) -> SearchError {
    SearchError::UnknownAttribute {
        key: key.to_owned(),
        valid,
        span,
    }
}

/// The metadata that is kept as numbers.
fn reserved(key: &str) -> Option<&'static str> {
    [trace_keys::TOKEN_USAGE, trace_keys::COST]
        .into_iter()
        .find(|reserved| *reserved == key)
}

/// What a name means.
#[derive(Clone, Debug)]
enum Field {
    Text(TraceText),
    Number(TraceNumber),
    Tag(String),
    Metadata(String),
    /// A key that may be none of those of spans.
    Span(String),
    Assessment(AssessmentKind, String),
    /// A key that may be none of those of issues.
    Issue(String),
}

impl Field {
    /// Some keys mean the same whatever stands before them, but for spans.
    fn of(
        entity: Entity,
        key: &str,
        span: &Range<usize>,
        attributes: &'static str,
    ) -> Result<Self, SearchError> {
        if entity == Entity::Span {
            return Ok(Self::Span(key.to_owned()));
        }
        if entity == Entity::Attribute && !attributes.contains(&format!("'{key}'")) {
            return Err(unknown_attribute(key, attributes, span.clone()));
        }
        let key = match key.to_lowercase().as_str() {
            "name" => return Ok(Self::Tag(trace_keys::NAME.to_owned())),
            "prompt" => return Ok(Self::Tag(trace_keys::LINKED_PROMPTS.to_owned())),
            "run_id" => return Ok(Self::Metadata(trace_keys::SOURCE_RUN.to_owned())),
            "text" => return Ok(Self::Span("content".to_owned())),
            "timestamp" => "timestamp_ms",
            "execution_time" => "execution_time_ms",
            "end_time" => "end_time_ms",
            _ => key,
        };
        Ok(match entity {
            Entity::Attribute => match key {
                "request_id" => Self::Text(TraceText::RequestId),
                "status" => Self::Text(TraceText::Status),
                "client_request_id" => Self::Text(TraceText::ClientRequestId),
                "timestamp_ms" => Self::Number(TraceNumber::Timestamp),
                "execution_time_ms" => Self::Number(TraceNumber::ExecutionTime),
                "end_time_ms" => Self::Number(TraceNumber::EndTime),
                _ => return Err(unknown_attribute(key, attributes, span.clone())),
            },
            Entity::Tag => Self::Tag(key.to_owned()),
            Entity::Metadata => Self::Metadata(key.to_owned()),
            Entity::Span => Self::Span(key.to_owned()),
            Entity::Assessment(kind) => Self::Assessment(kind, key.to_owned()),
            Entity::Issue => Self::Issue(key.to_owned()),
        })
    }
}

/// A comparison whose operator may not fit its field.
struct Unchecked {
    field: Field,
    /// In upper case.
    comparator: String,
    span: Range<usize>,
    /// Absent for `IS NULL` and `IS NOT NULL`.
    value: Option<Value>,
    value_span: Range<usize>,
}

impl Unchecked {
    fn read(filter: &str, comparison: &Comparison) -> Result<Self, SearchError> {
        let name = clause::identifier(filter, comparison)?;
        let name_span = comparison.left.span.clone();
        let (entity, key) = split(name, name_span.clone())?;
        // The value is read by what was written, not by what it means.
        let known = entity != Entity::Attribute || FILTER_ATTRIBUTES.contains(&format!("'{key}'"));
        if !known {
            return Err(unknown_attribute(key, FILTER_ATTRIBUTES, name_span));
        }
        let comparator = comparison.comparator.to_uppercase();
        let span = comparison.comparator_span.clone();
        let (value, value_span) = match &comparison.right {
            None => (None, span.clone()),
            Some(part) => {
                let value = value(entity, key, &comparator, filter, part)?;
                (Some(value), part.span.clone())
            }
        };
        Ok(Self {
            field: Field::of(entity, key, &name_span, FILTER_ATTRIBUTES)?,
            comparator,
            span,
            value,
            value_span,
        })
    }

    fn check(self) -> Result<TraceClause, SearchError> {
        match self.field.clone() {
            Field::Issue(key) => self.issue(key),
            Field::Text(attribute) => self.text(attribute, TEXT_OPS),
            Field::Number(attribute) => self.number(attribute),
            Field::Tag(key) => self.tag(key),
            Field::Metadata(key) => self.metadata(key),
            Field::Span(key) => self.of_span(&key),
            Field::Assessment(kind, name) => self.assessment(kind, name),
        }
    }

    fn invalid(&self, valid: &'static str) -> SearchError {
        SearchError::InvalidComparator {
            comparator: self.comparator.clone(),
            valid,
            span: self.span.clone(),
        }
    }

    fn unfit(&self, field: String, valid: &'static str) -> SearchError {
        SearchError::FieldComparator {
            field,
            comparator: self.comparator.clone(),
            valid,
            span: self.span.clone(),
        }
    }

    /// The test of a text; nothing where the operator is none for texts, or not
    /// one of `valid`.
    fn test(&self, valid: &'static str) -> Result<Option<TextTest>, SearchError> {
        if !valid.contains(&format!("'{}'", self.comparator)) {
            return Ok(None);
        }
        Ok(match self.value.clone() {
            None => Some(clause::null_test(&self.comparator)),
            Some(Value::List(values)) => Some(clause::list_test(
                &self.comparator,
                self.span.clone(),
                values,
            )?),
            Some(Value::Text(value)) if self.comparator == "RLIKE" => Some(TextTest::Compare {
                op: TextOp::RLike,
                value,
            }),
            Some(Value::Text(value)) => clause::text_test(&self.comparator, value),
            Some(Value::Number { .. }) => None,
        })
    }

    fn text(self, attribute: TraceText, valid: &'static str) -> Result<TraceClause, SearchError> {
        match self.test(valid)? {
            Some(test) => Ok(TraceClause::Text { attribute, test }),
            None => Err(self.invalid(valid)),
        }
    }

    fn number(self, attribute: TraceNumber) -> Result<TraceClause, SearchError> {
        let value = match &self.value {
            Some(Value::Number { value, .. }) => Some(*value),
            // The database reads the number in a text.
            Some(Value::Text(text)) => text.trim().parse().ok(),
            Some(Value::List(_)) | None => None,
        };
        let test = value.and_then(|value| clause::number_test(&self.comparator, value));
        match test {
            Some(test) => Ok(TraceClause::Number { attribute, test }),
            None => Err(self.invalid(NUMBER_OPS)),
        }
    }

    fn tag(self, key: String) -> Result<TraceClause, SearchError> {
        let Some(test) = self.test(TAG_OPS)? else {
            return Err(self.invalid(TAG_OPS));
        };
        if key == trace_keys::NAME {
            let attribute = TraceText::Name;
            return Ok(TraceClause::Text { attribute, test });
        }
        if key != trace_keys::LINKED_PROMPTS {
            return Ok(TraceClause::Tag { key, test });
        }
        let TextTest::Compare {
            op: TextOp::Equal,
            value,
        } = test
        else {
            return Err(SearchError::PromptComparator {
                comparator: self.comparator,
                span: self.span,
            });
        };
        if value.matches('/').count() == 1 {
            return Ok(TraceClause::Prompt(value));
        }
        let span = self.value_span;
        Err(SearchError::PromptValue { value, span })
    }

    fn metadata(self, key: String) -> Result<TraceClause, SearchError> {
        let Some(test) = self.test(METADATA_OPS)? else {
            return Err(self.invalid(METADATA_OPS));
        };
        if key == trace_keys::SESSION {
            let attribute = TraceText::Session;
            return Ok(TraceClause::Text { attribute, test });
        }
        if let Some(key) = reserved(&key) {
            let few = match &test {
                TextTest::Compare { op, .. } => matches!(op, TextOp::Equal | TextOp::NotEqual),
                TextTest::In { .. } => false,
                TextTest::IsNull | TextTest::IsNotNull => true,
            };
            return match (few, key) {
                (false, _) => Err(SearchError::ReservedMetadata {
                    comparator: self.comparator,
                    key,
                    span: self.span,
                }),
                (true, trace_keys::TOKEN_USAGE) => Ok(TraceClause::TokenUsage(test)),
                (true, _) => Ok(TraceClause::Cost(test)),
            };
        }
        match test {
            TextTest::Compare {
                op: TextOp::Equal,
                value,
            } if key == trace_keys::SOURCE_RUN => Ok(TraceClause::Run(value)),
            test => Ok(TraceClause::Metadata { key, test }),
        }
    }

    fn of_span(self, key: &str) -> Result<TraceClause, SearchError> {
        let (field, valid) = match key {
            "name" => (SpanText::Name, SPAN_OPS),
            "type" => (SpanText::Type, SPAN_OPS),
            "status" => (SpanText::Status, SPAN_OPS),
            "content" => (SpanText::Content, CONTENT_OPS),
            _ => match key.strip_prefix("attributes.") {
                Some("") => return Err(SearchError::NoSpanAttribute { span: self.span }),
                Some(name) => {
                    let name = clause::without_backticks(name).to_owned();
                    (SpanText::Attribute(name), SPAN_OPS)
                }
                None => {
                    return Err(SearchError::UnknownSpanField {
                        key: key.to_owned(),
                        span: self.span,
                    });
                }
            },
        };
        match self.test(valid)? {
            Some(test) => Ok(TraceClause::Span { field, test }),
            None => Err(self.unfit(format!("span.{key}"), valid)),
        }
    }

    fn assessment(self, kind: AssessmentKind, name: String) -> Result<TraceClause, SearchError> {
        if name.is_empty() {
            return Err(SearchError::NoAssessmentName { span: self.span });
        }
        let test = match &self.value {
            Some(Value::Number { value, .. }) => {
                clause::number_test(&self.comparator, *value).map(AssessmentTest::Number)
            }
            _ => self.test(ASSESSMENT_OPS)?.map(AssessmentTest::Text),
        };
        match test {
            Some(test) => Ok(TraceClause::Assessment { kind, name, test }),
            None => Err(self.unfit(format!("assessment.{name}"), ASSESSMENT_OPS)),
        }
    }

    fn issue(self, key: String) -> Result<TraceClause, SearchError> {
        if key != "id" {
            return Err(SearchError::UnknownIssueField {
                key,
                span: self.span,
            });
        }
        match self.test(ISSUE_OPS)? {
            Some(TextTest::Compare { value, .. }) => Ok(TraceClause::Issue(value)),
            _ => Err(self.unfit("issue.id".to_owned(), ISSUE_OPS)),
        }
    }
}

/// The right side of a comparison with a key of an entity.
fn value(
    entity: Entity,
    key: &str,
    comparator: &str,
    filter: &str,
    part: &Part,
) -> Result<Value, SearchError> {
    let found = filter[part.span.clone()].to_owned();
    let span = part.span.clone();
    let is_list = part.shape == Shape::Parenthesis;
    let is_number = matches!(part.shape, Shape::Token(Token::Integer | Token::Float));
    let is_ordered = matches!(comparator, "<" | "<=" | ">" | ">=");
    if let Some(text) = clause::quoted_text(filter, part)? {
        return match entity {
            Entity::Assessment(kind) if is_ordered => Err(SearchError::ExpectedNumberFor {
                what: kind.name(),
                comparator: comparator.to_owned(),
                found,
                span,
            }),
            _ => Ok(text),
        };
    }
    let what = match entity {
        Entity::Attribute if is_list => {
            if !LISTS.contains(&format!("'{key}'")) {
                return Err(SearchError::TraceListNotSupported {
                    attributes: LISTS,
                    span,
                });
            }
            return clause::list(filter, part).map(Value::List);
        }
        Entity::Attribute if is_number => {
            if !NUMBERS.contains(&format!("'{key}'")) {
                return Err(SearchError::NumberNotSupported {
                    attributes: NUMBERS,
                    span,
                });
            }
            return clause::number(filter, part, key);
        }
        Entity::Attribute => return Err(SearchError::ExpectedTextOrList { found, span }),
        Entity::Tag | Entity::Span if is_list => {
            return clause::list(filter, part).map(Value::List);
        }
        Entity::Assessment(kind) if is_number && is_ordered => {
            return clause::number(filter, part, kind.name());
        }
        Entity::Assessment(AssessmentKind::Feedback) => "feedback (e.g. 'my-value')",
        Entity::Assessment(_) => "expectation (e.g. 'my-value')",
        Entity::Tag => "tag (e.g. 'my-value')",
        Entity::Metadata => "request_metadata (e.g. 'my-value')",
        Entity::Span => "span (e.g. 'my-value')",
        Entity::Issue => "issue (e.g. 'my-value')",
    };
    debug_assert!(what.starts_with(entity.name()), "{what}");
    Err(SearchError::ExpectedText { what, found, span })
}
