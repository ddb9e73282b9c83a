//! The command line, with MLflow's names.

mod about;
mod artifacts;
mod db;
mod experiments;
mod gc;
mod models;
mod runs;
mod sync;
mod traces;
mod tracking;
mod transfer;
mod watch;

use std::path::{Path, PathBuf};

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args, Parser, Subcommand};

use runledger_store::StorePlace;

pub(crate) use about::{CompletionsArgs, DoctorArgs, ManArgs};
pub(crate) use artifacts::{ArtifactsCommand, ListArgs, Which};
pub(crate) use db::{Database, DbCommand, ImportArgs, UpgradeArgs};
pub(crate) use experiments::{
    CreateArgs as ExperimentCreateArgs, CsvArgs as ExperimentCsvArgs, ExperimentsCommand,
    OutputFormat, SearchArgs as ExperimentSearchArgs, WhichArgs as WhichExperimentArgs,
};
pub(crate) use gc::GcArgs;
pub(crate) use models::{ModelsCommand, OneModelArgs, SearchArgs as ModelSearchArgs};
pub(crate) use runs::{
    CompareArgs, CreateArgs as RunCreateArgs, LinkArgs, LogArgs as RunLogArgs, OneRunArgs,
    RunsCommand, SearchArgs as RunSearchArgs, UpdateArgs as RunUpdateArgs,
};
pub(crate) use sync::SyncArgs;
pub(crate) use traces::{
    AssessArgs, DeleteArgs as TraceDeleteArgs, OneTraceArgs, SearchArgs as TraceSearchArgs,
    TracesCommand,
};
pub(crate) use tracking::{JsonArgs, OneExperiment, TrackingArgs};
pub(crate) use transfer::{ExportArgs, Format, ImportArgs as TransferImportArgs, MovingArgs};
pub(crate) use watch::WatchArgs;

/// Experiment tracking that speaks MLflow Tracking, in one binary.
///
/// Without a command it is `runledger server`.
#[derive(Debug, Parser)]
#[command(name = "runledger", version, max_term_width = 80)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serves the MLflow Tracking API and the web UI.
    #[command(alias = "ui", disable_help_flag = true)]
    Server(Box<ServerArgs>),

    #[command(subcommand)]
    Experiments(ExperimentsCommand),

    #[command(subcommand)]
    Runs(RunsCommand),

    Watch(WatchArgs),

    #[command(subcommand)]
    Models(ModelsCommand),

    #[command(subcommand)]
    Traces(TracesCommand),

    Export(ExportArgs),

    Import(TransferImportArgs),

    #[command(subcommand)]
    Db(DbCommand),

    Gc(Box<GcArgs>),

    #[command(subcommand)]
    Artifacts(ArtifactsCommand),

    Sync(SyncArgs),
    /// Says what is wrong with the store, the artifacts and the environment here.
    ///
    /// It looks at what the tracking URI names: whether it can be reached and read,
    /// as whom, which schema it has, and whether its clock agrees. It writes
    /// one small file where the default experiment keeps artifacts, and removes it;
    /// a directory that is not there yet is not made.
    Doctor(DoctorArgs),

    /// Writes the script that completes commands in a shell.
    Completions(CompletionsArgs),

    /// Writes manual pages.
    Man(ManArgs),
}

impl Command {
    /// `runledger server` without flags.
    pub(crate) fn server() -> Self {
        Self::Server(Box::new(Bare::parse_from(["runledger"]).flags))
    }
}

#[derive(Debug, Parser)]
#[command(disable_help_flag = true)]
struct Bare {
    #[command(flatten)]
    flags: ServerArgs,
}

/// The flags of `runledger server`.
///
/// Values of the environment are never shown: they may hold passwords.
#[derive(Clone, Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one for each flag without a value"
)]
pub(crate) struct ServerArgs {
    /// The network address to listen on; 0.0.0.0 for every one.
    #[arg(long, short = 'h', value_name = "HOST", default_value = "127.0.0.1")]
    #[arg(env = "MLFLOW_HOST", hide_env_values = true)]
    pub(crate) host: String,

    /// The port to listen on; 0 for any free one.
    #[arg(long, short, value_name = "PORT", default_value_t = 5000)]
    #[arg(env = "MLFLOW_PORT", hide_env_values = true)]
    pub(crate) port: u16,

    /// What every path begins with, for example /mlflow.
    #[arg(long, value_name = "PREFIX")]
    #[arg(env = "MLFLOW_STATIC_PREFIX", hide_env_values = true)]
    pub(crate) static_prefix: Option<String>,

    /// Serve the web UI of this folder instead of the built-in one, for example
    /// mlflow/server/js/build of an installed MLflow.
    #[arg(long, value_name = "DIR")]
    pub(crate) ui_dir: Option<PathBuf>,

    /// The database, or the folder, of experiments and runs [default: the
    /// database ./mlflow.db if it is there, else the folder ./mlruns].
    #[arg(long, value_name = "URI")]
    #[arg(env = "MLFLOW_BACKEND_STORE_URI", hide_env_values = true)]
    #[arg(help_heading = "Storage")]
    pub(crate) backend_store_uri: Option<String>,

    /// The database of registered models [default: the one of runs].
    #[arg(long, value_name = "URI")]
    #[arg(env = "MLFLOW_REGISTRY_STORE_URI", hide_env_values = true)]
    #[arg(help_heading = "Storage")]
    pub(crate) registry_store_uri: Option<String>,

    /// Where new experiments keep their artifacts [default:
    /// mlflow-artifacts:/, or ./mlruns with --no-serve-artifacts].
    #[arg(long, value_name = "URI")]
    #[arg(env = "MLFLOW_DEFAULT_ARTIFACT_ROOT", hide_env_values = true)]
    #[arg(help_heading = "Storage")]
    pub(crate) default_artifact_root: Option<String>,

    /// Where mlflow-artifacts:/ is: a directory of this machine, a location in
    /// S3, Azure or Google Cloud (s3, wasbs, abfss, gs), on a server of files
    /// (hdfs, ftp, sftp), or in another tracking server's proxy (http, https).
    #[arg(long, value_name = "URI", default_value = "./mlartifacts")]
    #[arg(env = "MLFLOW_ARTIFACTS_DESTINATION", hide_env_values = true)]
    #[arg(help_heading = "Storage")]
    pub(crate) artifacts_destination: String,

    /// Serves mlflow-artifacts:/ to clients (the default).
    #[arg(long, num_args = 0, default_missing_value = "true")]
    #[arg(value_parser = BoolishValueParser::new(), overrides_with = "no_serve_artifacts")]
    #[arg(env = "MLFLOW_SERVE_ARTIFACTS", hide_env_values = true)]
    #[arg(help_heading = "Storage")]
    serve_artifacts: Option<bool>,

    /// Serves no mlflow-artifacts:/; clients reach the storage themselves.
    #[arg(long, overrides_with = "serve_artifacts", help_heading = "Storage")]
    no_serve_artifacts: bool,

    /// Serves mlflow-artifacts:/ and nothing else.
    #[arg(long, value_parser = BoolishValueParser::new())]
    #[arg(env = "MLFLOW_ARTIFACTS_ONLY", hide_env_values = true)]
    #[arg(help_heading = "Storage")]
    pub(crate) artifacts_only: bool,

    /// Serves what is there, a database of an older schema too, and refuses
    /// every change.
    #[arg(long, help_heading = "Storage")]
    pub(crate) read_only: bool,

    /// For how many hours a delivery to a webhook is tried.
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=8760))]
    #[arg(help_heading = "Webhooks")]
    pub(crate) webhook_expiry: u32,

    /// The names of this server, with * and ? as wildcards; * alone for any
    /// [default: localhost and addresses of private networks].
    #[arg(long, value_name = "HOST,…", value_delimiter = ',')]
    #[arg(env = "MLFLOW_SERVER_ALLOWED_HOSTS", hide_env_values = true)]
    #[arg(help_heading = "Security")]
    pub(crate) allowed_hosts: Vec<String>,

    /// Other web sites whose pages may use this server; * alone for any.
    #[arg(long, value_name = "ORIGIN,…", value_delimiter = ',')]
    #[arg(env = "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS", hide_env_values = true)]
    #[arg(help_heading = "Security")]
    pub(crate) cors_allowed_origins: Vec<String>,

    /// X-Frame-Options of every answer: SAMEORIGIN, DENY, or NONE.
    #[arg(long, value_name = "VALUE", default_value = "SAMEORIGIN")]
    #[arg(env = "MLFLOW_SERVER_X_FRAME_OPTIONS", hide_env_values = true)]
    #[arg(help_heading = "Security")]
    pub(crate) x_frame_options: String,

    /// Leaves out the checks of hosts and origins, and the security headers.
    #[arg(long, value_parser = BoolishValueParser::new())]
    #[arg(
        env = "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE",
        hide_env_values = true
    )]
    #[arg(help_heading = "Security")]
    pub(crate) disable_security_middleware: bool,

    #[command(flatten)]
    pub(crate) without_effect: WithoutEffect,

    #[command(flatten)]
    pub(crate) unsupported: Unsupported,

    /// Prints this help.
    #[arg(long, action = ArgAction::Help)]
    help: Option<bool>,
}

impl ServerArgs {
    /// Where experiments and runs are.
    pub(crate) fn backend(&self) -> StorePlace {
        match self
            .backend_store_uri
            .as_deref()
            .filter(|uri| !uri.is_empty())
        {
            Some(uri) => StorePlace::of(uri),
            None => StorePlace::of_directory(Path::new(".")),
        }
    }

    /// Whether `mlflow-artifacts:/` is served.
    pub(crate) fn serves_artifacts(&self) -> bool {
        !self.no_serve_artifacts && self.serve_artifacts.unwrap_or(true)
    }
}

/// Flags of MLflow's server processes. Start scripts that have them go on
/// working.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Accepted from MLflow, without effect")]
pub(crate) struct WithoutEffect {
    /// One process serves everything.
    #[arg(long, short, value_name = "N")]
    workers: Option<String>,

    /// There is no gunicorn.
    #[arg(long, value_name = "OPTS", allow_hyphen_values = true)]
    gunicorn_opts: Option<String>,

    /// There is no uvicorn.
    #[arg(long, value_name = "OPTS", allow_hyphen_values = true)]
    uvicorn_opts: Option<String>,

    /// There is no waitress.
    #[arg(long, value_name = "OPTS", allow_hyphen_values = true)]
    waitress_opts: Option<String>,

    /// There is nothing to reload.
    #[arg(long)]
    dev: bool,

    #[arg(long, hide = true)]
    disable_workspaces: bool,
}

impl WithoutEffect {
    /// The flags that were given.
    pub(crate) fn given(&self) -> impl Iterator<Item = &'static str> {
        [
            (self.workers.is_some(), "--workers"),
            (self.gunicorn_opts.is_some(), "--gunicorn-opts"),
            (self.uvicorn_opts.is_some(), "--uvicorn-opts"),
            (self.waitress_opts.is_some(), "--waitress-opts"),
            (self.dev, "--dev"),
        ]
        .into_iter()
        .filter_map(|(given, flag)| given.then_some(flag))
    }
}

/// Flags of MLflow 3.17 for what this version does not do. They are known so
/// that the refusal can say so.
#[derive(Clone, Debug, Args)]
pub(crate) struct Unsupported {
    #[arg(long, hide = true)]
    app_name: Option<String>,
    #[arg(long, hide = true, env = "MLFLOW_EXPOSE_PROMETHEUS")]
    expose_prometheus: Option<String>,
    #[arg(long, hide = true, value_parser = BoolishValueParser::new())]
    #[arg(env = "MLFLOW_ENABLE_WORKSPACES")]
    enable_workspaces: bool,
    #[arg(long, hide = true, env = "MLFLOW_WORKSPACE_STORE_URI")]
    workspace_store_uri: Option<String>,
    #[arg(long, hide = true, env = "MLFLOW_READ_REPLICA_BACKEND_STORE_URI")]
    read_replica_backend_store_uri: Option<String>,
    #[arg(long, hide = true, env = "MLFLOW_TRACE_ARCHIVAL_CONFIG")]
    trace_archival_config: Option<String>,
    #[arg(long, hide = true)]
    secrets_cache_ttl: Option<String>,
    #[arg(long, hide = true)]
    secrets_cache_max_size: Option<String>,
}

impl Unsupported {
    /// The first of them that was given.
    pub(crate) fn given(&self) -> Option<&'static str> {
        [
            (self.app_name.is_some(), "--app-name"),
            (self.expose_prometheus.is_some(), "--expose-prometheus"),
            (self.enable_workspaces, "--enable-workspaces"),
            (self.workspace_store_uri.is_some(), "--workspace-store-uri"),
            (
                self.read_replica_backend_store_uri.is_some(),
                "--read-replica-backend-store-uri",
            ),
            (
                self.trace_archival_config.is_some(),
                "--trace-archival-config",
            ),
            (self.secrets_cache_ttl.is_some(), "--secrets-cache-ttl"),
            (
                self.secrets_cache_max_size.is_some(),
                "--secrets-cache-max-size",
            ),
        ]
        .into_iter()
        .find_map(|(given, flag)| given.then_some(flag))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    fn helps(command: &mut clap::Command, found: &mut Vec<String>) {
        found.push(command.render_long_help().to_string());
        found.push(command.render_help().to_string());
        for command in command.get_subcommands_mut() {
            helps(command, found);
        }
    }

    #[test]
    fn no_line_of_help_is_wider_than_80_columns() {
        let mut command = Cli::command();
        command.build();
        let mut found = Vec::new();
        helps(&mut command, &mut found);
        let lines = found.iter().flat_map(|help| help.lines());
        let wide: Vec<_> = lines.filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{wide:?}");
        let all = found.concat();
        for flag in ["--backend-store-uri", "--read-only", "--dry-run"] {
            assert!(all.contains(flag), "{flag}");
        }
        assert!(!all.contains("--app-name"), "hidden");
    }
}
