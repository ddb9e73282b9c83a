//! The flags of `runledger sync`.

use std::path::PathBuf;

use clap::Args;

/// Sends what runs could not send while their tracker was away.
///
/// A run of the Rust API whose tracker gives no answer goes on into a file, and sends
/// it when the tracker is back. What was left when its program ended is sent by this
/// command, once, and the file is removed.
#[derive(Debug, Args)]
#[command(
    after_help = "Each file goes to where its run was: a user name and a password come from \
                  MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, a token from \
                  MLFLOW_TRACKING_TOKEN, and those of a database from MLFLOW_TRACKING_URI."
)]
pub(crate) struct SyncArgs {
    /// The folder of these files [default: ~/.local/state/runledger/spill].
    #[arg(value_name = "FOLDER")]
    #[arg(env = "RUNLEDGER_SPILL_DIR", hide_env_values = true)]
    pub(crate) folder: Option<PathBuf>,

    /// Sends everything to this server or database, for one that has moved.
    #[arg(long, value_name = "URI")]
    pub(crate) tracking_uri: Option<String>,

    /// Shows what waits, and sends nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Writes the answer as JSON: a list of files.
    #[arg(long)]
    pub(crate) json: bool,
}
