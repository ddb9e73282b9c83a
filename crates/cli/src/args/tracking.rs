//! Flags that commands about experiments and runs share.

use clap::{Args, ValueEnum};
use runledger_entities::{ExperimentId, RunStatus, ViewType};

/// Where experiments and runs are.
#[derive(Clone, Debug, Args)]
pub(crate) struct TrackingArgs {
    /// The tracking server, database or folder [default: ./mlflow.db if it is
    /// there, else ./mlruns].
    #[arg(long, value_name = "URI")]
    #[arg(env = "MLFLOW_TRACKING_URI", hide_env_values = true)]
    pub(crate) tracking_uri: Option<String>,
}

/// One experiment, by its id or its name.
#[derive(Clone, Debug, Args)]
#[group(id = "experiment", required = true, multiple = false)]
pub(crate) struct OneExperiment {
    /// The experiment's id.
    #[arg(long, short = 'x', value_name = "ID", group = "experiment")]
    pub(crate) experiment_id: Option<ExperimentId>,

    /// The experiment's name.
    #[arg(long, short = 'n', value_name = "NAME", group = "experiment")]
    pub(crate) experiment_name: Option<String>,
}

/// Whether the answer is for a program.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct JsonArgs {
    /// Writes the answer as JSON, as MLflow's REST API has it.
    #[arg(long)]
    pub(crate) json: bool,
}

/// MLflow's names of what a search looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum View {
    /// What is not deleted.
    #[default]
    ActiveOnly,
    /// What is deleted.
    DeletedOnly,
    /// Both.
    All,
}

impl From<View> for ViewType {
    fn from(view: View) -> Self {
        match view {
            View::ActiveOnly => Self::ActiveOnly,
            View::DeletedOnly => Self::DeletedOnly,
            View::All => Self::All,
        }
    }
}

/// A key and a value, given as `KEY=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) key: String,
    pub(crate) value: String,
}

/// Reads `KEY=VALUE`; the value may hold more of `=`.
pub(crate) fn pair(text: &str) -> Result<Pair, &'static str> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok(Pair {
            key: key.to_owned(),
            value: value.to_owned(),
        }),
        _ => Err("it should be KEY=VALUE"),
    }
}

/// Reads the status of a run, in any case.
pub(crate) fn status(text: &str) -> Result<RunStatus, &'static str> {
    RunStatus::from_name(&text.to_ascii_uppercase())
        .ok_or("it should be one of finished, failed, killed, running and scheduled")
}
