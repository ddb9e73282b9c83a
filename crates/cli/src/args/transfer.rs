//! The flags of `runledger export` and `runledger import`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use runledger_entities::ExperimentId;

use super::tracking::TrackingArgs;

/// Writes experiments with their active runs, histories, logged models, traces and
/// artifacts into a folder.
///
/// Each run has a folder of its own: run.json, which is what `runledger runs
/// describe --json` prints, metrics.ndjson, a point of a metric on each line, and
/// artifacts; so has each logged model, with model.json. A trace is a file in
/// traces, and its spans another. An export that was cut short goes on where it
/// ended when it is run again. One that came to its end is made anew; only runs,
/// models and traces that are gone stay. Registered models are written only if they
/// are named.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// The folder, made if it is missing.
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,

    /// The experiment's id; may be given several times.
    #[arg(
        long,
        short = 'x',
        value_name = "ID",
        required_unless_present = "experiment_name"
    )]
    pub(crate) experiment_id: Vec<ExperimentId>,

    /// The experiment's name; may be given several times.
    #[arg(long, short = 'n', value_name = "NAME")]
    pub(crate) experiment_name: Vec<String>,

    /// A registered model to write with its versions; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub(crate) registered_model: Vec<String>,

    /// What is written.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Ndjson)]
    pub(crate) format: Format,

    #[command(flatten)]
    pub(crate) moving: MovingArgs,
}

/// What an export writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// All of it, as JSON and files: what `runledger import` reads.
    Ndjson,
    /// Runs and metrics as Parquet files for analysis, which cannot be imported:
    /// runs.parquet has a row for each run, a file in metrics one for each point.
    /// Logged models, traces and artifacts are left out.
    Parquet,
}

/// Reads experiments out of a folder: of `runledger export`, or of TensorBoard.
///
/// An experiment goes into the one of its name, which is made if it is missing.
/// Runs and logged models get new ids; the old ones are in the tags
/// runledger.import.run_id and runledger.import.model_id. Traces keep their ids,
/// and registered models their names: one of a name that is taken is left out.
/// Run again, the command goes on where it ended: what is there stays, and what
/// was cut short is read anew.
#[derive(Debug, Args)]
#[expect(
    clippy::doc_markdown,
    reason = "the help shows names as they are typed"
)]
pub(crate) struct ImportArgs {
    /// The folder.
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,

    /// Reads event files of TensorBoard: the scalars of each folder that has some
    /// become a run. Needs --experiment-name.
    #[arg(long, requires = "experiment_name")]
    pub(crate) tensorboard: bool,

    /// The experiment to read into [default: of the same name].
    #[arg(long, short = 'n', value_name = "NAME")]
    pub(crate) experiment_name: Option<String>,

    #[command(flatten)]
    pub(crate) moving: MovingArgs,
}

/// What an export and an import share.
#[derive(Debug, Args)]
pub(crate) struct MovingArgs {
    /// Leaves out artifacts.
    #[arg(long)]
    pub(crate) no_artifacts: bool,

    /// Leaves out traces.
    #[arg(long)]
    pub(crate) no_traces: bool,

    /// Files at a time.
    #[arg(long, short, value_name = "N", default_value_t = 8)]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) jobs: u8,

    #[command(flatten)]
    pub(crate) tracking: TrackingArgs,

    /// Where mlflow-artifacts:/ is, if runs are not at a tracking server.
    #[arg(long, value_name = "URI")]
    #[arg(env = "MLFLOW_ARTIFACTS_DESTINATION", hide_env_values = true)]
    pub(crate) artifacts_destination: Option<String>,

    /// Writes what was done as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
