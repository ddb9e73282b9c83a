//! The flags of `runledger models`.

use clap::{Args, Subcommand};
use runledger_entities::ModelVersionNumber;

use super::tracking::{JsonArgs, TrackingArgs};

/// Finds registered models and their versions, and names versions by aliases.
#[derive(Debug, Subcommand)]
#[command(
    after_help = "The registry is where the runs are, unless MLFLOW_REGISTRY_URI names another."
)]
pub(crate) enum ModelsCommand {
    /// Lists registered models, by name.
    #[command(visible_alias = "list")]
    Search(SearchArgs),
    /// Shows a registered model.
    Describe(OneModelArgs),
    /// Lists the versions of a registered model, newest first.
    Versions(OneModelArgs),
    /// Makes an alias stand for a version, whatever it stood for before.
    #[command(
        override_usage = "runledger models set-alias -n NAME --alias ALIAS --version N [OPTIONS]"
    )]
    SetAlias(SetAliasArgs),
    /// Deletes an alias.
    DeleteAlias(DeleteAliasArgs),
}

/// The flags of `runledger models search`.
#[derive(Debug, Args)]
#[expect(
    clippy::doc_markdown,
    reason = "the help shows names as they are typed"
)]
pub(crate) struct SearchArgs {
    /// Only those that fulfil this, such as "name LIKE 'prod-%'" or
    /// "tags.team = 'x'".
    #[arg(long, visible_alias = "filter", value_name = "FILTER")]
    pub(crate) filter_string: Option<String>,

    /// Their order, such as "last_updated_timestamp DESC"; may be given several
    /// times.
    #[arg(long, value_name = "CLAUSE", value_delimiter = ',')]
    pub(crate) order_by: Vec<String>,

    #[command(flatten)]
    pub(crate) tracking: TrackingArgs,

    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

/// Which registered model.
#[derive(Debug, Args)]
pub(crate) struct OneModelArgs {
    /// The model's name.
    #[arg(long, short, value_name = "NAME")]
    pub(crate) name: String,

    #[command(flatten)]
    pub(crate) tracking: TrackingArgs,

    #[command(flatten)]
    pub(crate) output: JsonArgs,
}

/// The flags of `runledger models set-alias`.
#[derive(Debug, Args)]
pub(crate) struct SetAliasArgs {
    /// The alias, such as champion.
    #[arg(long, value_name = "ALIAS")]
    pub(crate) alias: String,

    /// The number of the version.
    #[arg(long, value_name = "N")]
    pub(crate) version: ModelVersionNumber,

    #[command(flatten)]
    pub(crate) model: OneModelArgs,
}

/// The flags of `runledger models delete-alias`.
#[derive(Debug, Args)]
pub(crate) struct DeleteAliasArgs {
    /// The alias.
    #[arg(long, value_name = "ALIAS")]
    pub(crate) alias: String,

    #[command(flatten)]
    pub(crate) model: OneModelArgs,
}
