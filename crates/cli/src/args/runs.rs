//! The flags of `runledger runs`.

use clap::{Args, Subcommand};
use runledger_entities::{ExperimentId, RunStatus};

use super::tracking::{JsonArgs, Pair, TrackingArgs, View, pair, status};

/// Creates, finds and changes runs.
#[derive(Debug, Subcommand)]
pub(crate) enum RunsCommand {
    /// Lists runs, newest first.
    #[command(visible_alias = "list")]
    Search(SearchArgs),
    /// Shows all that a run logged.
    Describe(OneRunArgs),
    /// Creates a run and prints its id.
    ///
    /// As with MLflow it has ended at once, unless --status is running: log to it
    /// then, and end it with `runledger runs update`.
    Create(CreateArgs),
    /// Logs params, metrics and tags to a run.
    #[command(
        override_usage = "runledger runs log --run-id ID [-p K=V] [-m K=N] [-t K=V] [OPTIONS]"
    )]
    Log(LogArgs),
    /// Changes the status or the name of a run.
    #[command(override_usage = "runledger runs update --run-id ID --status STATUS [OPTIONS]")]
    Update(UpdateArgs),
    /// Compares what runs logged, side by side.
    Compare(CompareArgs),
    /// Prints the address of the run's page in the web UI.
    Link(LinkArgs),
    /// Deletes a run; `restore` brings it back.
    Delete(OneRunArgs),
    /// Restores a deleted run.
    Restore(OneRunArgs),
}

/// The flags of `runledger runs search`.
#[derive(Debug, Args)]
pub(crate) struct SearchArgs {
    /// The experiment's id; may be given several times [default: all].
    #[arg(long, short = 'x', value_name = "ID")]
    pub(crate) experiment_id: Vec<ExperimentId>,

    /// The experiment's name; may be given several times.
    #[arg(long, short = 'n', value_name = "NAME")]
    pub(crate) experiment_name: Vec<String>,

    /// Which runs.
    #[arg(long, short = 'v', value_name = "VIEW", default_value = "active_only")]
    pub(crate) view: View,

    /// Only those that fulfil this, such as "metrics.loss < 0.1 AND
    /// params.depth = '7'".
    #[arg(long, visible_alias = "filter", value_name = "FILTER")]
    pub(crate) filter_string: Option<String>,

    /// Their order, such as "metrics.loss ASC"; may be given several times.
    #[arg(long, value_name = "CLAUSE", value_delimiter = ',')]
    pub(crate) order_by: Vec<String>,

    /// More columns, such as metrics.loss or params.depth. What the filter and
    /// the order name is shown without being asked for.
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,

    /// At most this many.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=50_000))]
    pub(crate) max_results: u32,

    #[command(flatten)]
    pub(crate) tracking: TrackingArgs,

    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

/// Which run.
#[derive(Debug, Args)]
pub(crate) struct OneRunArgs {
    /// The run's id.
    #[arg(long, value_name = "ID")]
    pub(crate) run_id: String,

    #[command(flatten)]
    pub(crate) tracking: TrackingArgs,

    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

/// The flags of `runledger runs link`.
#[derive(Debug, Args)]
pub(crate) struct LinkArgs {
    /// The run's id.
    #[arg(long, value_name = "ID")]
    pub(crate) run_id: String,

    #[command(flatten)]
    pub(crate) tracking: TrackingArgs,
}

/// The flags of `runledger runs create`.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// The experiment's id.
    #[arg(long, short = 'x', value_name = "ID")]
    #[arg(conflicts_with = "experiment_name")]
    #[arg(help = "The experiment's id [env: MLFLOW_EXPERIMENT_ID]")]
    pub(crate) experiment_id: Option<ExperimentId>,

    /// The experiment's name.
    #[arg(long, short = 'n', value_name = "NAME")]
    #[arg(help = "The experiment's name [env: MLFLOW_EXPERIMENT_NAME]")]
    pub(crate) experiment_name: Option<String>,

    /// Its name [default: a random one].
    #[arg(long, value_name = "NAME")]
    pub(crate) run_name: Option<String>,

    /// What it is about.
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,

    /// A tag; may be given several times.
    #[arg(long = "tags", short = 't', value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) tags: Vec<Pair>,

    /// finished, failed, killed, running or scheduled.
    #[arg(long, value_name = "STATUS", default_value = "finished", value_parser = status)]
    pub(crate) status: RunStatus,

    /// The run whose child it is.
    #[arg(long, value_name = "ID")]
    pub(crate) parent_run_id: Option<String>,

    #[command(flatten)]
    pub(crate) tracking: TrackingArgs,

    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

/// A metric, given as `KEY=NUMBER`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MetricPair {
    pub(crate) key: String,
    pub(crate) value: f64,
}

fn metric(text: &str) -> Result<MetricPair, String> {
    let Pair { key, value } = pair(text)?;
    let number = value.trim().parse();
    let value = number.map_err(|_| format!("'{value}' is no number"))?;
    Ok(MetricPair { key, value })
}

/// The flags of `runledger runs log`.
#[derive(Debug, Args)]
#[group(id = "logged", required = true, multiple = true, args = ["params", "metrics", "tags"])]
pub(crate) struct LogArgs {
    /// The run's id.
    #[arg(long, value_name = "ID", env = "MLFLOW_RUN_ID", hide_env_values = true)]
    pub(crate) run_id: String,

    /// A param, whose value never changes; may be given several times.
    #[arg(long = "param", short = 'p', value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) params: Vec<Pair>,

    /// A metric; may be given several times.
    #[arg(long = "metric", short = 'm', value_name = "KEY=NUMBER", value_parser = metric)]
    pub(crate) metrics: Vec<MetricPair>,

    /// A tag; may be given several times.
    #[arg(long = "tag", short = 't', value_name = "KEY=VALUE", value_parser = pair)]
    pub(crate) tags: Vec<Pair>,

    /// The step of the metrics.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        allow_negative_numbers = true
    )]
    pub(crate) step: i64,

    /// When the metrics were measured, in milliseconds since 1970 [default: now].
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(i64).range(0..))]
    pub(crate) timestamp: Option<i64>,

    #[command(flatten)]
    pub(crate) tracking: TrackingArgs,

    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

/// The flags of `runledger runs update`.
#[derive(Debug, Args)]
#[group(id = "changed", required = true, multiple = true, args = ["status", "run_name"])]
pub(crate) struct UpdateArgs {
    /// The run's id.
    #[arg(long, value_name = "ID")]
    pub(crate) run_id: String,

    /// finished, failed, killed, running or scheduled. The first three end it
    /// now.
    #[arg(long, value_name = "STATUS", value_parser = status)]
    pub(crate) status: Option<RunStatus>,

    /// Its new name.
    #[arg(long, value_name = "NAME")]
    pub(crate) run_name: Option<String>,

    #[command(flatten)]
    pub(crate) tracking: TrackingArgs,

    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

/// The flags of `runledger runs compare`.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// The ids of two to sixteen runs.
    #[arg(value_name = "RUN", required = true, num_args = 2..=16)]
    pub(crate) runs: Vec<String>,

    /// Leaves out what is the same in all of them.
    #[arg(long)]
    pub(crate) differing: bool,

    #[command(flatten)]
    pub(crate) tracking: TrackingArgs,

    #[command(flatten)]
    pub(crate) output: JsonArgs,
}
