//! What can be wrong with a filter or an order.

use std::ops::Range;

use runledger_entities::{Coded, ErrorCode};

use crate::{MAX_CLAUSES, MAX_LENGTH, python};

/// A filter or an order-by clause that cannot be read.
///
/// The messages are MLflow 3.17's where MLflow has one. Where MLflow prints a
/// set, whose order changes from process to process, this prints a fixed order.
/// Where it answers with an internal error, this says what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// Longer than [`MAX_LENGTH`].
    #[error("Invalid search expression of {length} bytes. At most {MAX_LENGTH} are allowed.")]
    TooLong {
        /// The length in bytes.
        length: usize,
    },
    /// More than [`MAX_CLAUSES`].
    #[error("Invalid search expression of {count} clauses. At most {MAX_CLAUSES} are allowed.")]
    TooManyClauses {
        /// How many there are.
        count: usize,
    },
    /// Brackets nested too deep.
    #[error("Error on parsing filter '{filter}'")]
    TooDeep {
        /// The filter.
        filter: String,
    },
    /// A filter of nothing but white space.
    #[error("Invalid filter '{filter}'. Could not be parsed.")]
    BlankFilter {
        /// The filter.
        filter: String,
    },
    /// Something follows a `;`.
    #[error(
        "Search filter contained multiple expression {}. Provide AND-ed expression list.",
        crate::python::text(filter)
    )]
    SeveralFilters {
        /// The filter.
        filter: String,
    },
    /// Something that is neither a comparison nor `AND`.
    #[error("Invalid clause(s) in filter string: {clauses}")]
    InvalidClauses {
        /// All that is neither, as it was written.
        clauses: String,
        /// The first of them.
        span: Range<usize>,
    },
    /// The left side of a comparison is no name.
    #[error("Invalid comparison clause. Expected 'Identifier' found '{found}'")]
    ExpectedIdentifier {
        /// The left side.
        found: String,
        /// Where it is.
        span: Range<usize>,
    },
    /// What stands before the first dot is none of the things that have keys.
    #[error("Invalid entity type '{entity}'. Valid {kind} are {valid}")]
    UnknownEntity {
        /// What stands there.
        entity: String,
        /// "values" or "entity types".
        kind: &'static str,
        /// What may stand there.
        valid: &'static str,
        /// The name.
        span: Range<usize>,
    },
    /// An attribute that is not there or cannot be searched.
    #[error("Invalid attribute key '{key}' specified. Valid keys are '{valid}'")]
    UnknownAttribute {
        /// The attribute.
        key: String,
        /// Those that can be searched.
        valid: &'static str,
        /// The name.
        span: Range<usize>,
    },
    /// A dataset has no such field.
    #[error(
        "Invalid dataset key '{key}' specified. Valid keys are '{{'name', 'digest', 'context'}}'"
    )]
    UnknownDatasetField {
        /// The field.
        key: String,
        /// The name.
        span: Range<usize>,
    },
    /// A number was needed.
    #[error("Expected numeric value type for {what}. Found {found}")]
    ExpectedNumber {
        /// What is compared.
        what: String,
        /// The right side.
        found: String,
        /// Where it is.
        span: Range<usize>,
    },
    /// A quoted text was needed.
    #[error("Expected a quoted string value for {what}. Got value {found}")]
    ExpectedText {
        /// What is compared.
        what: &'static str,
        /// The right side.
        found: String,
        /// Where it is.
        span: Range<usize>,
    },
    /// A word where a quoted text was needed.
    #[error(
        "Parameter value is either not quoted or unidentified quote types used for string value \
         {found}. Use either single or double quotes."
    )]
    NotQuoted {
        /// The word.
        found: String,
        /// Where it is.
        span: Range<usize>,
    },
    /// A text or a list of texts was needed.
    #[error(
        "Expected a quoted string value or a list of quoted string values for attributes. Got \
         value {found}"
    )]
    ExpectedTextOrList {
        /// The right side.
        found: String,
        /// Where it is.
        span: Range<usize>,
    },
    /// A list where only `attributes` can be compared with one.
    #[error(
        "Only [{attributes}] attributes support comparison with a list of quoted string values."
    )]
    ListNotSupported {
        /// Those that can, in quotes.
        attributes: &'static str,
        /// The list.
        span: Range<usize>,
    },
    /// A number where only `attributes` can be compared with one.
    #[error("Only the '{attributes}' attributes support comparison with numeric values.")]
    NumberNotSupported {
        /// Those that can.
        attributes: &'static str,
        /// The number.
        span: Range<usize>,
    },
    /// Something else than an integer where one was needed.
    #[error("Invalid value for numeric attribute '{attribute}': {value}")]
    InvalidNumber {
        /// The attribute.
        attribute: &'static str,
        /// The right side as Python prints it.
        value: String,
        /// Where it is.
        span: Range<usize>,
    },
    /// An empty list.
    #[error(
        "While parsing a list in the query, expected a non-empty list of string values, but got \
         empty list"
    )]
    EmptyList {
        /// The list.
        span: Range<usize>,
    },
    /// A list that is not written as one.
    #[error(
        "While parsing a list in the query, expected a non-empty list of string values, but got \
         ill-formed list."
    )]
    IllFormedList {
        /// The list.
        span: Range<usize>,
    },
    /// A list of other things than texts.
    #[error(
        "While parsing a list in the query, expected string value, punctuation, or whitespace, but \
         got different type in list: {list}"
    )]
    ListOfOthers {
        /// The list as Python prints it.
        list: String,
        /// Where it is.
        span: Range<usize>,
    },
    /// A list behind another operator than `IN` and `NOT IN`.
    #[error("Invalid comparator '{comparator}' for a list of values. Use IN or NOT IN.")]
    ListComparator {
        /// The operator.
        comparator: String,
        /// Where it is.
        span: Range<usize>,
    },
    /// An operator that does not fit what is compared.
    #[error("Invalid comparator '{comparator}' not one of '{valid}")]
    InvalidComparator {
        /// The operator.
        comparator: String,
        /// Those that fit.
        valid: &'static str,
        /// Where it is.
        span: Range<usize>,
    },
    /// An operator that does not fit an experiment's id or tags.
    #[error("Invalid comparator for {what}: {comparator}")]
    InvalidComparatorFor {
        /// What is compared.
        what: &'static str,
        /// The operator.
        comparator: String,
        /// Where it is.
        span: Range<usize>,
    },
    /// An operator that does not fit a logged model's field.
    #[error(
        "Invalid comparison operator for {field}: {}. Expected one of {valid}.",
        crate::python::text(comparator)
    )]
    InvalidOperator {
        /// The field.
        field: String,
        /// The operator.
        comparator: String,
        /// Those that fit.
        valid: &'static str,
        /// Where it is.
        span: Range<usize>,
    },
    /// An operator that does not fit what traces are searched by.
    #[error("{field} comparator '{comparator}' not one of '{valid}'")]
    FieldComparator {
        /// The field.
        field: String,
        /// The operator.
        comparator: String,
        /// Those that fit.
        valid: &'static str,
        /// Where it is.
        span: Range<usize>,
    },
    /// A list where only these attributes of traces can be compared with one.
    #[error(
        "Only attributes in {attributes} supports comparison with a list of quoted string values."
    )]
    TraceListNotSupported {
        /// Those that can.
        attributes: &'static str,
        /// The list.
        span: Range<usize>,
    },
    /// A number was needed for the operator.
    #[error(
        "Expected a numeric value for {what} when using comparator '{comparator}'. Got value {found}"
    )]
    ExpectedNumberFor {
        /// What is compared.
        what: &'static str,
        /// The operator.
        comparator: String,
        /// The right side.
        found: String,
        /// Where it is.
        span: Range<usize>,
    },
    /// Spans are not searched by this.
    #[error(
        "Invalid span attribute '{key}'. Supported attributes: name, status, type, \
         attributes.<attribute_name>."
    )]
    UnknownSpanField {
        /// The field.
        key: String,
        /// The name.
        span: Range<usize>,
    },
    /// An attribute of spans without a name.
    #[error("Span attribute name cannot be empty after 'attributes.'")]
    NoSpanAttribute {
        /// The name.
        span: Range<usize>,
    },
    /// An assessment without a name.
    #[error("Assessment field name cannot be empty")]
    NoAssessmentName {
        /// The name.
        span: Range<usize>,
    },
    /// Known problems are searched by their id.
    #[error("Invalid issue attribute '{key}'. Supported attributes: id")]
    UnknownIssueField {
        /// The field.
        key: String,
        /// The name.
        span: Range<usize>,
    },
    /// Prompts are compared with `=` only.
    #[error(
        "Invalid comparator '{comparator}' for prompts filter. Only '=' is supported with format: \
         prompt = \"name/version\""
    )]
    PromptComparator {
        /// The operator.
        comparator: String,
        /// Where it is.
        span: Range<usize>,
    },
    /// A version of a prompt is a name and a number.
    #[error("Invalid prompts filter value '{value}'. Expected format: prompt = \"name/version\"")]
    PromptValue {
        /// The value.
        value: String,
        /// Where it is.
        span: Range<usize>,
    },
    /// Metadata that is kept as numbers takes few operators.
    #[error(
        "Comparator '{comparator}' is not supported for reserved metadata '{key}'. Only '=', '!=', \
         'IS NULL', and 'IS NOT NULL' are supported."
    )]
    ReservedMetadata {
        /// The operator.
        comparator: String,
        /// The metadata.
        key: &'static str,
        /// Where the operator is.
        span: Range<usize>,
    },
    /// Traces are not ordered by metadata that is kept as numbers.
    #[error(
        "Ordering by reserved metadata '{key}' is not supported because it is represented by \
         multiple columns."
    )]
    ReservedOrder {
        /// The metadata.
        key: &'static str,
    },
    /// Something else than one clause about metrics of traces.
    #[error("Invalid filter: '{filter}'. Expected one filter clause.")]
    NotOneClause {
        /// The filter.
        filter: String,
    },
    /// A name in a clause about metrics of traces that is not understood.
    #[error("{message}")]
    MetricField {
        /// What is wrong, with the name.
        message: String,
        /// The name.
        span: Range<usize>,
    },
    /// Metrics of traces are filtered by `=` only.
    #[error("Invalid comparator: '{comparator}', only '=' operator is supported")]
    MetricComparator {
        /// The operator.
        comparator: String,
        /// Where it is.
        span: Range<usize>,
    },
    /// `IS NULL` of something else than a tag or a param.
    #[error("IS NULL / IS NOT NULL is only supported for {supported}, not for {what}")]
    NullNotSupported {
        /// What it can be used for.
        supported: &'static str,
        /// What it was used for.
        what: String,
        /// The operator.
        span: Range<usize>,
    },
    /// An experiment id that is no number.
    #[error("Invalid experiment ID '{id}'. Experiment ID must be a valid integer.")]
    InvalidExperimentId {
        /// The id.
        id: String,
        /// The right side.
        span: Range<usize>,
    },
    /// A time with a fraction.
    #[error("Invalid value for numeric attribute '{attribute}': '{value}'")]
    FractionalTime {
        /// The attribute.
        attribute: &'static str,
        /// The number.
        value: String,
        /// Where it is.
        span: Range<usize>,
    },
    /// An order-by clause that is not a name with or without a direction.
    #[error("Invalid order_by clause '{clause}'. Could not be parsed.")]
    InvalidOrder {
        /// The clause.
        clause: String,
    },
    /// A direction that is neither `ASC` nor `DESC`.
    #[error("Invalid ordering key in order_by clause '{clause}'.")]
    InvalidDirection {
        /// The clause.
        clause: String,
    },
    /// Runs are not ordered by their datasets.
    #[error("Invalid identifier type '{entity}'")]
    RunOrderEntity {
        /// What they were to be ordered by.
        entity: &'static str,
    },
    /// Experiments are not ordered by their tags.
    #[error("Invalid order_by entity: {entity}")]
    ExperimentOrderEntity {
        /// What they were to be ordered by.
        entity: &'static str,
    },
    /// Registered models or versions are not ordered by this.
    #[error("Invalid order by key '{key}' specified. Valid keys are {valid}")]
    UnknownOrderKey {
        /// What they were to be ordered by.
        key: String,
        /// What they can be ordered by.
        valid: &'static str,
    },
    /// Two clauses order by the same key. MLflow answers 500 with this text.
    #[error("`order_by` contains duplicate fields: {clauses}")]
    DuplicateOrder {
        /// All clauses, as Python prints a list.
        clauses: String,
    },
    /// A filter of logged models that is blank or followed by another.
    #[error(
        "Invalid filter string: {}. Expected a single SQL expression.",
        crate::python::text(filter)
    )]
    NotOneExpression {
        /// The filter.
        filter: String,
    },
    /// A filter of logged models with something that is neither a comparison nor `AND`.
    #[error(
        "Invalid filter string: {}. Expected a list of comparisons separated by 'AND' (e.g. \
         'metrics.loss > 0.1 AND params.lr = 0.01').",
        crate::python::text(filter)
    )]
    NotComparisons {
        /// The filter.
        filter: String,
        /// The first of what is neither.
        span: Range<usize>,
    },
    /// `IS NULL` in a filter of logged models.
    #[error("Invalid comparison: {comparison}. Expected a comparison with 3 tokens.")]
    NotThreeTokens {
        /// The comparison.
        comparison: String,
        /// Where it is.
        span: Range<usize>,
    },
    /// A filter of logged models names something that models do not have.
    #[error(
        "Invalid entity type: {}. Expected one of ['attributes', 'metrics', 'params', 'tags'].",
        crate::python::text(entity)
    )]
    UnknownModelEntity {
        /// What was named.
        entity: String,
        /// The name.
        span: Range<usize>,
    },
    /// Logged models are not ordered by this field.
    #[error("Invalid order by field name: {field}")]
    InvalidOrderField {
        /// The field.
        field: String,
    },
    /// Logged models are ordered by attributes and metrics.
    #[error("Invalid order by field name: {field}. Only metrics are supported.")]
    OrderFieldNotMetric {
        /// The field.
        field: String,
    },
}

impl SearchError {
    /// A [`SearchError::DuplicateOrder`] of these clauses.
    pub(crate) fn duplicate_order(clauses: &[String]) -> Self {
        Self::DuplicateOrder {
            clauses: python::list(clauses.iter().map(|clause| python::text(clause))),
        }
    }

    /// The part of the text that is wrong, in bytes from its start; `None` where
    /// that is the whole text.
    pub fn span(&self) -> Option<Range<usize>> {
        match self {
            Self::InvalidClauses { span, .. }
            | Self::ExpectedIdentifier { span, .. }
            | Self::UnknownEntity { span, .. }
            | Self::UnknownAttribute { span, .. }
            | Self::UnknownDatasetField { span, .. }
            | Self::ExpectedNumber { span, .. }
            | Self::ExpectedText { span, .. }
            | Self::NotQuoted { span, .. }
            | Self::ExpectedTextOrList { span, .. }
            | Self::ListNotSupported { span, .. }
            | Self::NumberNotSupported { span, .. }
            | Self::InvalidNumber { span, .. }
            | Self::EmptyList { span }
            | Self::IllFormedList { span }
            | Self::ListOfOthers { span, .. }
            | Self::ListComparator { span, .. }
            | Self::InvalidComparator { span, .. }
            | Self::InvalidComparatorFor { span, .. }
            | Self::InvalidOperator { span, .. }
            | Self::FieldComparator { span, .. }
            | Self::TraceListNotSupported { span, .. }
            | Self::ExpectedNumberFor { span, .. }
            | Self::UnknownSpanField { span, .. }
            | Self::NoSpanAttribute { span }
            | Self::NoAssessmentName { span }
            | Self::UnknownIssueField { span, .. }
            | Self::PromptComparator { span, .. }
            | Self::PromptValue { span, .. }
            | Self::ReservedMetadata { span, .. }
            | Self::MetricField { span, .. }
            | Self::MetricComparator { span, .. }
            | Self::NullNotSupported { span, .. }
            | Self::InvalidExperimentId { span, .. }
            | Self::FractionalTime { span, .. }
            | Self::NotComparisons { span, .. }
            | Self::NotThreeTokens { span, .. }
            | Self::UnknownModelEntity { span, .. } => Some(span.clone()),
            Self::TooLong { .. }
            | Self::TooManyClauses { .. }
            | Self::TooDeep { .. }
            | Self::BlankFilter { .. }
            | Self::SeveralFilters { .. }
            | Self::InvalidOrder { .. }
            | Self::InvalidDirection { .. }
            | Self::RunOrderEntity { .. }
            | Self::ExperimentOrderEntity { .. }
            | Self::UnknownOrderKey { .. }
            | Self::DuplicateOrder { .. }
            | Self::ReservedOrder { .. }
            | Self::NotOneClause { .. }
            | Self::NotOneExpression { .. }
            | Self::InvalidOrderField { .. }
            | Self::OrderFieldNotMetric { .. } => None,
        }
    }
}

impl Coded for SearchError {
    fn code(&self) -> ErrorCode {
        ErrorCode::InvalidParameterValue
    }
}
