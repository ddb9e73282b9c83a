//! The flags of `runledger artifacts`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Lists, downloads and uploads artifacts of runs and models, or at any URI.
#[derive(Debug, Subcommand)]
#[command(
    after_help = "Runs and models are looked up where MLFLOW_TRACKING_URI says: at a tracking \
                  server, in a database or in a folder."
)]
pub(crate) enum ArtifactsCommand {
    /// Lists a folder of artifacts.
    List(ListArgs),
    /// Downloads a file or a folder. What broke off goes on where it ended.
    Download(DownloadArgs),
    /// Uploads a file or what is in a folder.
    #[command(visible_aliases = ["log-artifact", "log-artifacts"])]
    Upload(UploadArgs),
}

/// Which artifacts.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The run whose artifacts they are.
    #[arg(long, short, value_name = "ID", conflicts_with = "artifact_uri")]
    #[arg(required_unless_present = "artifact_uri")]
    pub(crate) run_id: Option<String>,

    /// The path in the artifacts of the run [default: all of them].
    #[arg(long, short, value_name = "PATH", conflicts_with = "artifact_uri")]
    pub(crate) artifact_path: Option<String>,

    /// Any artifacts: runs:/, models:/, mlflow-artifacts:/, a cloud, a server of
    /// files, a directory.
    #[arg(long, short = 'u', value_name = "URI")]
    pub(crate) artifact_uri: Option<String>,

    /// Where runs and models are [default: ./mlflow.db if it is there, else
    /// ./mlruns].
    #[arg(long, value_name = "URI")]
    #[arg(env = "MLFLOW_TRACKING_URI", hide_env_values = true)]
    pub(crate) tracking_uri: Option<String>,

    /// Where mlflow-artifacts:/ is, if runs are not at a tracking server.
    #[arg(long, value_name = "URI")]
    #[arg(env = "MLFLOW_ARTIFACTS_DESTINATION", hide_env_values = true)]
    pub(crate) artifacts_destination: Option<String>,
}

/// The flags of `runledger artifacts list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) which: Which,

    /// Writes the list as JSON, as `mlflow artifacts list` does.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The flags of `runledger artifacts download`.
#[derive(Debug, Args)]
pub(crate) struct DownloadArgs {
    #[command(flatten)]
    pub(crate) which: Which,

    /// The directory to download into, made if it is missing.
    #[arg(long, short, value_name = "DIR", default_value = ".")]
    pub(crate) dst_path: PathBuf,

    /// Files at a time.
    #[arg(long, short, value_name = "N", default_value_t = 8)]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) jobs: u8,

    /// Writes what was downloaded as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The flags of `runledger artifacts upload`.
#[derive(Debug, Args)]
pub(crate) struct UploadArgs {
    /// The file, or the folder whose content is uploaded.
    #[arg(long, short, value_name = "PATH", visible_aliases = ["local-file", "local-dir"])]
    pub(crate) local_path: PathBuf,

    #[command(flatten)]
    pub(crate) which: Which,

    /// Files at a time.
    #[arg(long, short, value_name = "N", default_value_t = 8)]
    #[arg(value_parser = clap::value_parser!(u8).range(1..=64))]
    pub(crate) jobs: u8,

    /// Writes what was uploaded as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
