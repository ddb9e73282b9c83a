//! `cargo xtask conformance`: our server is what clients take it for.
//!
//! Eight suites, of programs that print a line per check, most of them Python in `tests/conformance`:
//! *sessions* is a tour of official clients, and of Python MLflow on our database file; *clients* goes
//! through the official packages; *replay* sends the same requests to MLflow and to us, and
//! compares the answers; *filters* does so with generated searches; *openapi* sends what is generated
//! from our description of the API; *otel* sends traces with OpenTelemetry's own SDKs; *rust* has the crate `runledger` log
//! and the official client read, and the other way round; *browser* opens MLflow's own pages (`tests/ui/mlflow`). The files
//! here start the servers, carry files from one program to the next, and count.

mod browser;
mod clients;
mod openapi;
mod otel;
mod pair;
mod rust;
mod sessions;

use anyhow::{Result, bail};
use clap::ValueEnum;

use self::pair::Comparison;
use crate::database::Kind;
use crate::tally::Tally;
use crate::venv::{self, Environment};

/// What to run.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Run this suite only
    #[arg(long, value_enum)]
    suite: Option<Suite>,
    /// Run with this client, or compare with this server, only
    #[arg(long, value_enum)]
    client: Option<Client>,
    /// Train `PyTorch` Lightning too: its environment has 8 GB
    #[arg(long)]
    torch: bool,
    /// Replay on this store only
    #[arg(long, value_enum)]
    store: Option<Store>,
    /// Run only the sessions, against a server that is already there: MLflow's own must pass too
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Write the counts of the replay into docs/compatibility.md; needs every store and both versions
    #[arg(long, conflicts_with_all = ["client", "store", "url"])]
    write: bool,
}

impl Args {
    /// The sessions only.
    pub(crate) fn sessions() -> Self {
        Self {
            suite: Some(Suite::Sessions),
            ..Self::default()
        }
    }
}

/// A part of the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Suite {
    /// A tour of the official clients, and Python MLflow on our database file
    Sessions,
    /// The official Python packages, from end to end
    Clients,
    /// The same requests to MLflow and to us
    Replay,
    /// Generated searches, on MLflow and on every store
    Filters,
    /// What Schemathesis generates from our `/openapi.json`
    Openapi,
    /// Traces by OpenTelemetry's SDKs for Python and Node
    Otel,
    /// The crate `runledger` and the official client, each reading what the other logged
    Rust,
    /// MLflow's own web UI, in Chromium
    Browser,
}

/// A release of MLflow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Client {
    #[value(name = "2.17")]
    V2_17,
    #[value(name = "3.17")]
    V3_17,
}

impl Client {
    fn environment(self) -> &'static Environment {
        match self {
            Self::V2_17 => &venv::MLFLOW_2_17,
            Self::V3_17 => &venv::MLFLOW_3_17,
        }
    }

    fn release(self) -> &'static str {
        match self {
            Self::V2_17 => "2.17.2",
            Self::V3_17 => "3.17.2",
        }
    }

    /// The first two numbers of the release.
    fn short(self) -> &'static str {
        match self {
            Self::V2_17 => "2.17",
            Self::V3_17 => "3.17",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::V2_17 => "client-2.17",
            Self::V3_17 => "client-3.17",
        }
    }
}

/// Where both servers keep what they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Store {
    Sqlite,
    Postgres,
    Mariadb,
    File,
}

impl Store {
    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Mariadb => "mariadb",
            Self::File => "file",
        }
    }

    /// The server that it needs.
    fn database(self) -> Option<Kind> {
        match self {
            Self::Sqlite | Self::File => None,
            Self::Postgres => Some(Kind::Postgres),
            Self::Mariadb => Some(Kind::Mariadb),
        }
    }
}

/// Runs the suites; an error if any check failed.
pub(crate) fn run(args: &Args) -> Result<()> {
    let clients = match args.client {
        Some(client) => vec![client],
        None => Client::value_variants().to_vec(),
    };
    let folder = tempfile::Builder::new()
        .prefix("runledger-conformance-")
        .tempdir()?;
    let mut tally = Tally::default();
    if let Some(url) = &args.url {
        sessions::sessions(&clients, url, folder.path(), &mut tally)?;
        return tally.finish("conformance", folder);
    }
    let runs = |suite| args.suite.is_none_or(|only| only == suite);
    if args.write && !runs(Suite::Replay) {
        bail!("--write needs the replay: leave --suite out, or say `--suite replay`");
    }
    if runs(Suite::Sessions) {
        sessions::whole_tour(&clients, folder.path(), &mut tally)?;
    }
    if runs(Suite::Clients) {
        clients::run(&clients, args.torch, folder.path(), &mut tally)?;
    }
    if runs(Suite::Openapi) {
        openapi::run(folder.path(), &mut tally)?;
    }
    if runs(Suite::Otel) {
        otel::run(folder.path(), &mut tally)?;
    }
    if runs(Suite::Rust) {
        rust::run(folder.path(), &mut tally)?;
    }
    if runs(Suite::Browser) {
        browser::run(&clients, folder.path(), &mut tally)?;
    }
    let stores = match args.store {
        Some(store) => vec![store],
        None => Store::value_variants().to_vec(),
    };
    let mut compared = Vec::new();
    if runs(Suite::Replay) {
        compared.extend(Comparison::CORPUS);
    }
    if runs(Suite::Filters) {
        compared.push(Comparison::Filters);
    }
    let reports = pair::run(&compared, &clients, &stores, folder.path(), &mut tally)?;
    if args.write {
        pair::write_table(&reports)?;
    }
    tally.finish("conformance", folder)
}
