//! The flags of `runledger gc`.

use clap::Args;

/// Removes deleted runs, logged models and experiments for good, with their
/// artifacts.
///
/// Without ids it is everything that is in the deleted stage. A run's
/// artifacts go first, then what the store knows of it: a command that is
/// killed is run again, and goes on. What cannot be removed stays, and the
/// rest goes. A server may run meanwhile.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed or something stays, 2 the command line is wrong."
)]
pub(crate) struct GcArgs {
    /// Only what was deleted so long ago, for example 30d or 1d12h.
    #[arg(long, value_name = "#d#h#m#s")]
    pub(crate) older_than: Option<String>,

    /// The database or folder, as in --backend-store-uri of `runledger server`.
    #[arg(long, value_name = "URI")]
    #[arg(env = "MLFLOW_BACKEND_STORE_URI", hide_env_values = true)]
    pub(crate) backend_store_uri: Option<String>,

    /// Where mlflow-artifacts:/ is, as the server has it; there is no default.
    #[arg(long, value_name = "URI")]
    #[arg(env = "MLFLOW_ARTIFACTS_DESTINATION", hide_env_values = true)]
    pub(crate) artifacts_destination: Option<String>,

    /// Where experiments keep artifacts, if the server has been told.
    #[arg(long, value_name = "URI")]
    #[arg(env = "MLFLOW_DEFAULT_ARTIFACT_ROOT", hide_env_values = true)]
    pub(crate) default_artifact_root: Option<String>,

    /// These runs only, which must be deleted.
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    pub(crate) run_ids: Option<Vec<String>>,

    /// These experiments with their runs only, which must be deleted.
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    pub(crate) experiment_ids: Option<Vec<String>>,

    /// These logged models only, which must be deleted.
    #[arg(long, value_name = "ID,…", value_delimiter = ',')]
    pub(crate) logged_model_ids: Option<Vec<String>>,

    /// Taken from MLflow, without effect: artifacts are removed from the
    /// destination itself.
    #[arg(long, value_name = "URI")]
    #[arg(env = "MLFLOW_TRACKING_URI", hide_env_values = true)]
    pub(crate) tracking_uri: Option<String>,

    /// Says what would be removed; removes nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Writes what was removed as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
