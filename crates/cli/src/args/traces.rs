//! The flags of `runledger traces`.

use clap::{Args, Subcommand};
use runledger_entities::{ExperimentId, SourceType};

use super::tracking::{JsonArgs, TrackingArgs};

/// Finds traces, tags and assesses them, and deletes them.
#[derive(Debug, Subcommand)]
pub(crate) enum TracesCommand {
    /// Lists traces of experiments, newest first.
    #[command(visible_alias = "list")]
    Search(SearchArgs),
    /// Shows a trace with its spans.
    Get(OneTraceArgs),
    /// Deletes traces for good.
    #[command(override_usage = "runledger traces delete -x ID --trace-ids ID,… [OPTIONS]")]
    Delete(DeleteArgs),
    /// Sets a tag of a trace.
    #[command(
        override_usage = "runledger traces set-tag --trace-id ID --key KEY --value VALUE [OPTIONS]"
    )]
    SetTag(SetTagArgs),
    /// Deletes a tag of a trace.
    DeleteTag(DeleteTagArgs),
    /// Adds what somebody thinks of a trace.
    #[command(
        override_usage = "runledger traces log-feedback --trace-id ID --name NAME --value VALUE"
    )]
    LogFeedback(AssessArgs),
    /// Adds what a trace should have come to.
    #[command(
        override_usage = "runledger traces log-expectation --trace-id ID --name NAME --value VALUE"
    )]
    LogExpectation(AssessArgs),
    /// Deletes an assessment; what it took the place of is valid again.
    #[command(
        override_usage = "runledger traces delete-assessment --trace-id ID --assessment-id ID"
    )]
    DeleteAssessment(DeleteAssessmentArgs),
}

/// The flags of `runledger traces search`.
#[derive(Debug, Args)]
#[expect(
    clippy::doc_markdown,
    reason = "the help shows names as they are typed"
)]
pub(crate) struct SearchArgs {
    /// The experiment's id; may be given several times.
    #[arg(long, short = 'x', value_name = "ID", required = true)]
    #[arg(env = "MLFLOW_EXPERIMENT_ID", hide_env_values = true)]
    pub(crate) experiment_id: Vec<ExperimentId>,

    /// Only those that fulfil this, such as "status = 'ERROR'" or
    /// "span.name LIKE 'llm%'".
    #[arg(long, visible_alias = "filter", value_name = "FILTER")]
    pub(crate) filter_string: Option<String>,

    /// Their order, such as "execution_time DESC"; may be given several times.
    #[arg(long, value_name = "CLAUSE", value_delimiter = ',')]
    pub(crate) order_by: Vec<String>,

    /// At most this many.
    #[arg(long, value_name = "N", default_value_t = 100)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=50_000))]
    pub(crate) max_results: u32,

    #[command(flatten)]
    pub(crate) tracking: TrackingArgs,

    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

/// Which trace.
#[derive(Debug, Args)]
pub(crate) struct OneTraceArgs {
    /// The trace's id.
    #[arg(long, value_name = "ID")]
    pub(crate) trace_id: String,

    #[command(flatten)]
    pub(crate) tracking: TrackingArgs,

    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

/// The flags of `runledger traces delete`.
#[derive(Debug, Args)]
#[group(id = "which", required = true, multiple = false, args = ["trace_ids", "max_timestamp_millis"])]
pub(crate) struct DeleteArgs {
    /// The experiment's id.
    #[arg(long, short = 'x', value_name = "ID")]
    #[arg(env = "MLFLOW_EXPERIMENT_ID", hide_env_values = true)]
    pub(crate) experiment_id: ExperimentId,

    /// These traces.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub(crate) trace_ids: Vec<String>,

    /// Those that began then or before, in milliseconds since 1970, the oldest
    /// first.
    #[arg(long, value_name = "MS")]
    pub(crate) max_timestamp_millis: Option<i64>,

    /// At most this many of those.
    #[arg(long, value_name = "N", requires = "max_timestamp_millis")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_traces: Option<u64>,

    #[command(flatten)]
    pub(crate) tracking: TrackingArgs,

    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

/// The flags of `runledger traces set-tag`.
#[derive(Debug, Args)]
pub(crate) struct SetTagArgs {
    /// The tag's key.
    #[arg(long, value_name = "KEY")]
    pub(crate) key: String,

    /// The tag's value.
    #[arg(long, value_name = "VALUE")]
    pub(crate) value: String,

    #[command(flatten)]
    pub(crate) trace: OneTraceArgs,
}

/// The flags of `runledger traces delete-tag`.
#[derive(Debug, Args)]
pub(crate) struct DeleteTagArgs {
    /// The tag's key.
    #[arg(long, value_name = "KEY")]
    pub(crate) key: String,

    #[command(flatten)]
    pub(crate) trace: OneTraceArgs,
}

fn source_type(text: &str) -> Result<SourceType, &'static str> {
    SourceType::from_name(&text.to_ascii_uppercase())
        .ok_or("it should be one of human, llm_judge and code")
}

/// The flags of `runledger traces log-feedback` and `log-expectation`.
#[derive(Debug, Args)]
#[expect(
    clippy::doc_markdown,
    reason = "the help shows names as they are typed"
)]
pub(crate) struct AssessArgs {
    /// What is assessed, such as correctness.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,

    /// JSON such as true or 0.9; anything else is a text.
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) value: String,

    /// Who says so: human, llm_judge or code.
    #[arg(long, value_name = "TYPE", default_value = "human", value_parser = source_type)]
    pub(crate) source_type: SourceType,

    /// The name of the person, the judge or the program.
    #[arg(long, value_name = "ID")]
    pub(crate) source_id: Option<String>,

    #[command(flatten)]
    pub(crate) trace: OneTraceArgs,
}

/// The flags of `runledger traces delete-assessment`.
#[derive(Debug, Args)]
pub(crate) struct DeleteAssessmentArgs {
    /// The assessment's id.
    #[arg(long, value_name = "ID")]
    pub(crate) assessment_id: String,

    #[command(flatten)]
    pub(crate) trace: OneTraceArgs,
}
