//! The flags of commands about the program itself and where it runs.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

use super::tracking::TrackingArgs;

/// The flags of `runledger completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
For example:
  bash  runledger completions bash > ~/.local/share/bash-completion/completions/runledger
  zsh   runledger completions zsh > ~/.zfunc/_runledger
  fish  runledger completions fish > ~/.config/fish/completions/runledger.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

/// The flags of `runledger man`.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The folder for the pages of all commands, made if it is missing; without
    /// it, the page of `runledger` goes to stdout.
    #[arg(value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
}

/// The flags of `runledger doctor`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 nothing is wrong, 1 something is, 2 the command line is wrong.")]
pub(crate) struct DoctorArgs {
    /// Hides all values of environment variables, and not only secrets.
    #[arg(long)]
    pub(crate) mask_envs: bool,

    /// Writes no file: leaves out whether artifacts can be written.
    #[arg(long)]
    pub(crate) no_write: bool,

    #[command(flatten)]
    pub(crate) tracking: TrackingArgs,

    /// Where mlflow-artifacts:/ is, if runs are not at a tracking server.
    #[arg(long, value_name = "URI")]
    #[arg(env = "MLFLOW_ARTIFACTS_DESTINATION", hide_env_values = true)]
    pub(crate) artifacts_destination: Option<String>,

    /// Writes the answer as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
