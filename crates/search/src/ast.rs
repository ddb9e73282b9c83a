//! The typed trees that filters and order-by clauses parse into.
//!
//! A filter is a conjunction of clauses; each clause is one test of one field.
//! Stores turn these into their own queries; [`crate::eval`] evaluates them in
//! memory.

use runledger_entities::AssessmentKind;

/// How a number is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NumberOp {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
}

/// How a text is compared with one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TextOp {
    /// `=`, case-sensitive.
    Equal,
    /// `!=`, case-sensitive.
    NotEqual,
    /// `LIKE`: `%` is any run of characters, `_` any one; case-sensitive, no escapes.
    Like,
    /// `ILIKE`: as `LIKE`, without regard to case.
    ILike,
    /// `RLIKE`: a regular expression is found in it. Of traces only.
    RLike,
}

/// A test of a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NumberTest {
    /// The comparison.
    pub op: NumberOp,
    /// The right-hand side.
    pub value: f64,
}

/// A test of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextTest {
    /// Compares with one value; never true where the field is missing.
    Compare {
        /// The comparison.
        op: TextOp,
        /// The right-hand side.
        value: String,
    },
    /// `IN` or `NOT IN` a non-empty list; never true where the field is missing.
    In {
        /// `NOT IN`.
        negated: bool,
        /// The list.
        values: Vec<String>,
    },
    /// `IS NULL`: the field is missing.
    IsNull,
    /// `IS NOT NULL`: the field is there.
    IsNotNull,
}

/// A text attribute of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RunText {
    /// `run_id`
    RunId,
    /// `run_name`: the tag `mlflow.runName`.
    RunName,
    /// `status`: the name of the status.
    Status,
    /// `user_id`
    UserId,
    /// `artifact_uri`
    ArtifactUri,
}

/// A number attribute of a run, in milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RunNumber {
    /// `start_time`, `created`
    StartTime,
    /// `end_time`; missing while the run goes on.
    EndTime,
}

/// A field of a dataset input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DatasetField {
    /// `name`
    Name,
    /// `digest`
    Digest,
    /// `context`: the input tag `mlflow.data.context`.
    Context,
}

/// One test of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum RunClause {
    /// Of the latest value of a metric. NaN matches `!=` only.
    Metric {
        /// The metric.
        key: String,
        /// The test.
        test: NumberTest,
    },
    /// Of a param.
    Param {
        /// The param.
        key: String,
        /// The test.
        test: TextTest,
    },
    /// Of a tag.
    Tag {
        /// The tag.
        key: String,
        /// The test.
        test: TextTest,
    },
    /// Of a text attribute.
    Text {
        /// The attribute.
        attribute: RunText,
        /// The test.
        test: TextTest,
    },
    /// Of a number attribute; never true where the attribute is missing.
    Number {
        /// The attribute.
        attribute: RunNumber,
        /// The test.
        test: NumberTest,
    },
    /// Of the dataset inputs: true if any one of them passes.
    Dataset {
        /// The field.
        field: DatasetField,
        /// The test.
        test: TextTest,
    },
}

/// What runs are ordered by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RunKey {
    /// The latest value of a metric: numbers, then NaN, then missing, in both directions.
    Metric(String),
    /// A param.
    Param(String),
    /// A tag.
    Tag(String),
    /// A text attribute.
    Text(RunText),
    /// A number attribute.
    Number(RunNumber),
}

/// One part of an order: a key and its direction. Missing values come last in both.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Order<K> {
    /// What to order by.
    pub key: K,
    /// Largest first.
    pub descending: bool,
}

/// A number attribute of an experiment, in milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExperimentNumber {
    /// `creation_time`
    CreationTime,
    /// `last_update_time`
    LastUpdateTime,
}

/// One test of an experiment.
#[derive(Clone, Debug, PartialEq)]
pub enum ExperimentClause {
    /// Of the name.
    Name(TextTest),
    /// Of the id: `IN`, `NOT IN`, `=` and `!=` on the decimal text.
    Id {
        /// `NOT IN` or `!=`.
        negated: bool,
        /// The ids; text that is no number matches nothing.
        values: Vec<String>,
    },
    /// Of a time.
    Number {
        /// The attribute.
        attribute: ExperimentNumber,
        /// The test.
        test: NumberTest,
    },
    /// Of a tag.
    Tag {
        /// The tag.
        key: String,
        /// The test.
        test: TextTest,
    },
}

/// What experiments are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExperimentKey {
    /// The name.
    Name,
    /// The id, as a number.
    Id,
    /// A time.
    Number(ExperimentNumber),
}

/// A filter of registered models or of their versions.
#[derive(Clone, Debug, PartialEq)]
pub struct RegistryFilter<C> {
    /// All of these must hold.
    pub clauses: Vec<C>,
    /// Whether prompts are found too. Models that carry the tag
    /// `mlflow.prompt.is_prompt` with the value `true` are prompts; versions of a
    /// model of which any version carries it are versions of a prompt.
    pub prompts: bool,
}

/// No clause, and no prompts.
impl<C> Default for RegistryFilter<C> {
    fn default() -> Self {
        Self {
            clauses: Vec::new(),
            prompts: false,
        }
    }
}

/// One test of a registered model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegisteredModelClause {
    /// Of the name.
    Name(TextTest),
    /// Of a tag.
    Tag {
        /// The tag.
        key: String,
        /// The test.
        test: TextTest,
    },
}

/// What registered models are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegisteredModelKey {
    /// The name.
    Name,
    /// When it was made.
    CreationTimestamp,
    /// When it was last changed.
    LastUpdatedTimestamp,
}

/// A text of a version of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ModelVersionText {
    /// `name`: that of its model.
    Name,
    /// `run_id`
    RunId,
    /// `source_path`: the URI that it was made of.
    SourcePath,
}

/// One test of a version of a model.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelVersionClause {
    /// Of a text.
    Text {
        /// The text.
        attribute: ModelVersionText,
        /// The test.
        test: TextTest,
    },
    /// Of the number.
    Number(NumberTest),
    /// Of a tag.
    Tag {
        /// The tag.
        key: String,
        /// The test.
        test: TextTest,
    },
}

/// What versions of models are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ModelVersionKey {
    /// The name of its model.
    Name,
    /// The number.
    Number,
    /// When it was made.
    CreationTimestamp,
    /// When it was last changed.
    LastUpdatedTimestamp,
}

/// A column of a logged model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LoggedModelText {
    /// `name`
    Name,
    /// `model_id`
    ModelId,
    /// `model_type`
    ModelType,
    /// `source_run_id`
    SourceRunId,
    /// `artifact_location`
    ArtifactLocation,
    /// `status_message`
    StatusMessage,
    /// `lifecycle_stage`
    LifecycleStage,
}

/// A number column of a logged model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LoggedModelNumber {
    /// `creation_timestamp` and its aliases, in milliseconds since the epoch.
    CreationTimestamp,
    /// `last_updated_timestamp` and its aliases, in milliseconds since the epoch.
    LastUpdatedTimestamp,
    /// `experiment_id`
    ExperimentId,
    /// `status`: the number of the status.
    Status,
}

/// One test of a logged model.
#[derive(Clone, Debug, PartialEq)]
pub enum LoggedModelClause {
    /// Of a metric: true if any of its points passes.
    Metric {
        /// The metric.
        key: String,
        /// The test.
        test: NumberTest,
    },
    /// Of a param.
    Param {
        /// The param.
        key: String,
        /// The test.
        test: TextTest,
    },
    /// Of a tag.
    Tag {
        /// The tag.
        key: String,
        /// The test.
        test: TextTest,
    },
    /// Of a text column.
    Text {
        /// The column.
        attribute: LoggedModelText,
        /// The test.
        test: TextTest,
    },
    /// Of a number column.
    Number {
        /// The column.
        attribute: LoggedModelNumber,
        /// The test.
        test: NumberTest,
    },
}

/// What logged models are ordered by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LoggedModelKey {
    /// The latest value of a metric, on one dataset if the fields say so.
    Metric {
        /// The metric.
        key: String,
        /// Only values measured on a dataset of this name.
        dataset_name: Option<String>,
        /// Only values measured on a dataset of this digest.
        dataset_digest: Option<String>,
    },
    /// A text column.
    Text(LoggedModelText),
    /// A number column.
    Number(LoggedModelNumber),
}

/// A text of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TraceText {
    /// `request_id`: the id of the trace.
    RequestId,
    /// `status`: the name of the state.
    Status,
    /// `client_request_id`
    ClientRequestId,
    /// `name`, or the tag `mlflow.traceName`.
    Name,
    /// The metadata `mlflow.trace.session`.
    Session,
}

/// A number of a trace, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TraceNumber {
    /// `timestamp_ms`, `timestamp`: when it began.
    Timestamp,
    /// `execution_time_ms`, `execution_time`: how long it took; missing while it
    /// goes on.
    ExecutionTime,
    /// `end_time_ms`, `end_time`: both together; the time it began while it goes on.
    EndTime,
}

/// A text of a span.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SpanText {
    /// `name`
    Name,
    /// `type`
    Type,
    /// `status`
    Status,
    /// `content`, or `trace.text`: the span as JSON.
    Content,
    /// `attributes.…`: what follows the name of the attribute in the JSON.
    Attribute(String),
}

/// A test of the value of an assessment.
#[derive(Clone, Debug, PartialEq)]
pub enum AssessmentTest {
    /// Of the value as a text, or of whether there is one at all.
    Text(TextTest),
    /// Of a value that is a number.
    Number(NumberTest),
}

/// One test of a trace.
#[derive(Clone, Debug, PartialEq)]
pub enum TraceClause {
    /// Of a text.
    Text {
        /// The text.
        attribute: TraceText,
        /// The test.
        test: TextTest,
    },
    /// Of a number.
    Number {
        /// The number.
        attribute: TraceNumber,
        /// The test.
        test: NumberTest,
    },
    /// Of a tag.
    Tag {
        /// The tag.
        key: String,
        /// The test.
        test: TextTest,
    },
    /// Of a value of the metadata.
    Metadata {
        /// Its key.
        key: String,
        /// The test.
        test: TextTest,
    },
    /// Of the metadata `mlflow.trace.tokenUsage`: `=`, `!=` and the tests for null.
    TokenUsage(TextTest),
    /// Of the metadata `mlflow.trace.cost`, likewise.
    Cost(TextTest),
    /// That it began in this run, or was linked to it.
    Run(String),
    /// That it was linked to this version of a prompt: `name/version`.
    Prompt(String),
    /// That it shows this known problem.
    Issue(String),
    /// Of its spans: true if one span passes all clauses of this kind.
    Span {
        /// The text.
        field: SpanText,
        /// The test.
        test: TextTest,
    },
    /// Of its valid assessments: true if any passes. One that names a session in
    /// its metadata counts for all traces of the session.
    Assessment {
        /// Feedback or expectation.
        kind: AssessmentKind,
        /// The name.
        name: String,
        /// The test.
        test: AssessmentTest,
    },
}

/// What traces are ordered by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TraceKey {
    /// A text.
    Text(TraceText),
    /// A number.
    Number(TraceNumber),
    /// The number of the experiment.
    ExperimentId,
    /// A tag.
    Tag(String),
    /// A value of the metadata.
    Metadata(String),
}

/// What a clause of a question about metrics of traces is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TraceMetricField {
    /// `trace.status`
    Status,
    /// `trace.tag.…`
    Tag(String),
    /// `trace.metadata.…`
    Metadata(String),
    /// `span.name`
    SpanName,
    /// `span.status`
    SpanStatus,
    /// `span.type`
    SpanType,
    /// `assessment.name`
    AssessmentName,
    /// `assessment.type`
    AssessmentType,
}

/// A clause of a question about metrics of traces: the field has this value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TraceMetricClause {
    /// The field.
    pub field: TraceMetricField,
    /// The value.
    pub value: String,
}
