//! The flags of `runledger experiments`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use runledger_entities::ExperimentId;

use super::tracking::{JsonArgs, OneExperiment, Pair, TrackingArgs, View, pair};

/// Creates, finds and changes experiments.
#[derive(Debug, Subcommand)]
pub(crate) enum ExperimentsCommand {
    /// Creates an experiment.
    Create(CreateArgs),
    /// Lists experiments, newest first.
    #[command(visible_alias = "list")]
    Search(SearchArgs),
    /// Shows an experiment, active or deleted.
    #[command(override_usage = "runledger experiments get (-x ID | -n NAME) [OPTIONS]")]
    Get(GetArgs),
    /// Renames an active experiment.
    #[command(
        override_usage = "runledger experiments rename (-x ID | -n NAME) --new-name NAME [OPTIONS]"
    )]
    Rename(RenameArgs),
    /// Deletes an experiment with its runs; `restore` brings them back.
    #[command(override_usage = "runledger experiments delete (-x ID | -n NAME) [OPTIONS]")]
    Delete(WhichArgs),
    /// Restores a deleted experiment with its runs.
    #[command(override_usage = "runledger experiments restore (-x ID | -n NAME) [OPTIONS]")]
    Restore(WhichArgs),
    /// Writes all active runs of an experiment as CSV, newest first.
    ///
    /// The columns are those of `mlflow experiments csv`: what a run is, then
    /// metrics.*, params.* and tags.* of all runs.
    Csv(CsvArgs),
}

/// The flags of `runledger experiments create`.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// Its name, which no other experiment has.
    #[arg(long, short = 'n', value_name = "NAME")]
    pub(crate) experiment_name: String,

    /// Where its runs keep their artifacts [default: below the artifact root].
    #[arg(long, short = 'l', value_name = "URI")]
    pub(crate) artifact_location: Option<String>,

    /// A tag; may be given several times.
    #[arg(long = "tags", short = 't', value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) tags: Vec<Pair>,

    #[command(flatten)]
    pub(crate) tracking: TrackingArgs,

    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

/// The flags of `runledger experiments search`.
#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// Which experiments.
    #[arg(long, short = 'v', value_name = "VIEW", default_value = "active_only")]
    pub(crate) view: View,

    /// Only those that fulfil this, such as "name LIKE 'a%'" or
    /// "tags.team = 'x'".
    #[arg(long, visible_alias = "filter", value_name = "FILTER")]
    pub(crate) filter_string: Option<String>,

    /// Their order, such as "name ASC"; may be given several times.
    #[arg(long, value_name = "CLAUSE", value_delimiter = ',')]
    pub(crate) order_by: Vec<String>,

    /// At most this many [default: all].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_results: Option<u32>,

    #[command(flatten)]
    pub(crate) tracking: TrackingArgs,

    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

/// How `mlflow experiments get` writes its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// The flags of `runledger experiments get`.
#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    #[command(flatten)]
    pub(crate) which: WhichArgs,

    /// MLflow's way of asking for --json.
    #[arg(long, value_name = "FORMAT", conflicts_with = "json")]
    pub(crate) output: Option<OutputFormat>,
}

/// Which experiment.
#[derive(Debug, Args)]
pub(crate) struct WhichArgs {
    #[command(flatten)]
    pub(crate) experiment: OneExperiment,

    #[command(flatten)]
    pub(crate) tracking: TrackingArgs,

    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

/// The flags of `runledger experiments rename`.
#[derive(Debug, Args)]
pub(crate) struct RenameArgs {
    #[command(flatten)]
    pub(crate) which: WhichArgs,

    /// Its new name, which no other experiment has.
    #[arg(long, value_name = "NAME")]
    pub(crate) new_name: String,
}

/// The flags of `runledger experiments csv`.
#[derive(Debug, Args)]
pub(crate) struct CsvArgs {
    /// The experiment's id; may be given several times.
    #[arg(long, short = 'x', value_name = "ID", required = true)]
    pub(crate) experiment_id: Vec<ExperimentId>,

    /// The file to write [default: stdout].
    #[arg(long, short = 'o', value_name = "FILE")]
    pub(crate) filename: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) tracking: TrackingArgs,
}
