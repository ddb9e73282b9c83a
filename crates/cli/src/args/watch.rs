//! The flags of `runledger watch`.

use clap::Args;
use runledger_entities::ExperimentId;

use super::tracking::TrackingArgs;

/// Shows the metrics of runs as charts that follow them.
///
/// Keys: q ends it, the arrows turn pages of metrics, l is a logarithmic scale, t
/// goes between steps and time. While the server is away the charts stay, and it
/// is asked again after longer and longer pauses, up to a minute.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// The ids of runs, at most eight.
    #[arg(value_name = "RUN", num_args = 0..=8, required_unless_present = "experiment_id")]
    pub(crate) runs: Vec<String>,

    /// In the place of runs: those of this experiment that are running, or else
    /// the newest.
    #[arg(long, short = 'x', value_name = "ID", conflicts_with = "runs")]
    pub(crate) experiment_id: Option<ExperimentId>,

    /// Only this metric; may be given several times [default: all].
    #[arg(long = "metric", short = 'm', value_name = "KEY")]
    pub(crate) metrics: Vec<String>,

    /// Seconds between two looks.
    #[arg(long, short = 'i', value_name = "SECONDS", default_value_t = 2)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub(crate) interval: u16,

    /// Prints one look and ends.
    #[arg(long)]
    pub(crate) once: bool,

    #[command(flatten)]
    pub(crate) tracking: TrackingArgs,
}
