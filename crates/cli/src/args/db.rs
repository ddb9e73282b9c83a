//! The flags of `runledger db`.

use clap::{Args, Subcommand};

/// Looks after the schema of a database of experiments and runs.
#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Brings a database of any MLflow since 2.0 to the newest schema.
    ///
    /// Every row is kept, and MLflow of the same schema opens the database as
    /// before. Stop every server that uses it, and back it up: there is no way
    /// back. On SQLite and PostgreSQL a failure leaves the database as it was;
    /// on MySQL and MariaDB run the command again to go on. An empty database
    /// gets the newest schema.
    #[command(after_help = EXIT_CODES)]
    Upgrade(UpgradeArgs),
    /// Says whether a database has the newest schema.
    #[command(after_help = CHECK_EXIT_CODES)]
    Check(Database),
    /// Prints which schema a database has.
    #[command(after_help = EXIT_CODES)]
    Current(Database),
    /// Copies an mlruns folder into a database.
    ///
    /// Experiments, runs, histories of metrics, params, tags, datasets and logged
    /// models keep their ids and times; deleted ones stay deleted. Nothing that
    /// is in the database is written over. Traces and registered models are not
    /// copied yet.
    #[command(after_help = EXIT_CODES)]
    Import(ImportArgs),
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 the command line is wrong.";
const CHECK_EXIT_CODES: &str = "Exit codes: 0 it has the newest schema, 1 it has not, or \
cannot be read,\n2 the command line is wrong.";

/// Which database, and how the answer is written.
#[derive(Debug, Args)]
pub(crate) struct Database {
    /// The database, as in --backend-store-uri of `runledger server`.
    #[arg(env = "MLFLOW_BACKEND_STORE_URI", hide_env_values = true)]
    pub(crate) uri: String,

    /// Writes the answer as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The flags of `runledger db upgrade`.
#[derive(Debug, Args)]
pub(crate) struct UpgradeArgs {
    #[command(flatten)]
    pub(crate) database: Database,

    /// Lists what would be done, with the rows it is done to; changes nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// The flags of `runledger db import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The mlruns folder.
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: String,

    /// The database, as in --backend-store-uri of `runledger server`. A file
    /// that is not there is made; a database without tables gets them.
    #[arg(value_name = "URI")]
    pub(crate) uri: String,

    /// Goes on with an import that was cut short.
    #[arg(long)]
    pub(crate) resume: bool,

    /// Writes the answer as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
