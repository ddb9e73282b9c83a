//! MLflow's server and ours side by side, each with a new store, for the programs that compare what
//! they answer.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{Client, Store};
use crate::database::Database;
use crate::server::Server;
use crate::tally::Tally;
use crate::{built, cache, process, venv};

/// The parts of the corpus; each is asked of new servers, so that ids are the same on both sides.
const AREAS: [&str; 3] = ["tracking", "registry", "traces"];

/// What is asked of two servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// A part of the corpus, request by request.
    Replay(&'static str),
    /// Generated searches.
    Filters,
}

impl Comparison {
    /// The whole corpus.
    pub(super) const CORPUS: [Self; AREAS.len()] = [
        Self::Replay(AREAS[0]),
        Self::Replay(AREAS[1]),
        Self::Replay(AREAS[2]),
    ];

    /// Where MLflow keeps what it is told, if ours does so in `store`.
    fn reference(self, client: Client, store: Store) -> Store {
        match (self, client, store) {
            // MLflow 3.17 has given up its folders, and on them too ours answers as MLflow does
            // on a database.
            (_, Client::V3_17, Store::File)
            // MySQL orders texts as a dictionary does, and its driver refuses infinities; ours
            // orders and answers as on SQLite.
            | (Self::Filters, _, Store::Mariadb) => Store::Sqlite,
            _ => store,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Replay(area) => area,
            Self::Filters => "filters",
        }
    }
}

/// Two servers, and the folder of what they keep.
struct Pair {
    reference: Server,
    ours: Server,
}

/// Compares on every store, with every release that has it; returns the reports of the replays.
pub(super) fn run(
    comparisons: &[Comparison],
    clients: &[Client],
    stores: &[Store],
    folder: &Path,
    tally: &mut Tally,
) -> Result<Vec<PathBuf>> {
    let mut reports = Vec::new();
    if comparisons.is_empty() {
        return Ok(reports);
    }
    let binary = built::binary()?;
    for &store in stores {
        let database = store.database().map(Database::start).transpose()?;
        for &client in clients {
            // An older release shows what changed since, for which one database is enough.
            if client == Client::V2_17 && database.is_some() {
                continue;
            }
            for &comparison in comparisons {
                // Its grammar was another in places, and failed in others: the replay says where.
                if (comparison, client) == (Comparison::Filters, Client::V2_17) {
                    continue;
                }
                let name = format!("{}-{}-{}", comparison.name(), store.name(), client.name());
                let place = folder.join(&name);
                let stores = [comparison.reference(client, store), store];
                let pair = Pair::start(client, stores, database.as_ref(), &binary, &place)?;
                println!("\n-- {name}");
                reports.extend(compare(comparison, client, store, &pair, &place, tally)?);
                tally.check(&format!("{name}: ours ends in order"), pair.ours.stop());
                drop(pair.reference);
            }
        }
    }
    Ok(reports)
}

/// Asks both servers; returns the report of a replay.
fn compare(
    comparison: Comparison,
    client: Client,
    store: Store,
    pair: &Pair,
    place: &Path,
    tally: &mut Tally,
) -> Result<Option<PathBuf>> {
    let environment = venv::MLFLOW_3_17.ensure()?;
    let program = match comparison {
        Comparison::Replay(_) => "conformance/replay/replay.py",
        Comparison::Filters => "conformance/replay/filters.py",
    };
    let report = place.join("report.json");
    let mut command = venv::script(&environment, program);
    command.args(["--reference", &pair.reference.url()]);
    command.args(["--ours", &pair.ours.url()]);
    command.args(["--mlflow", client.release()]);
    command
        .arg("--known")
        .arg(cache::repository().join("tests/conformance/known-differences.toml"));
    let replayed = match comparison {
        Comparison::Filters => {
            let theirs = comparison.reference(client, store);
            command.args(["--reference-store", theirs.name()]);
            command.args(["--ours-store", store.name()]);
            None
        }
        Comparison::Replay(area) => {
            command
                .args(["--store", store.name()])
                .args(["--area", area])
                .arg("--report")
                .arg(&report);
            Some(report)
        }
    };
    tally.program(&mut command, &place.join("replay.log"))?;
    Ok(replayed)
}

impl Pair {
    fn start(
        client: Client,
        [reference, store]: [Store; 2],
        database: Option<&Database>,
        binary: &Path,
        place: &Path,
    ) -> Result<Self> {
        let (theirs, ours) = (place.join("theirs"), place.join("ours"));
        for folder in [&theirs, &ours] {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        let uris = [
            uri(reference, database, &theirs, &format!("{name}_theirs"))?,
            uri(store, database, &ours, &format!("{name}_ours"))?,
        ];
        let environment = client.environment().ensure()?;
        Ok(Self {
            reference: Server::start_mlflow(
                &environment,
                &uris[0],
                &theirs,
                place.join("theirs.log"),
                1,
            )?,
            ours: Server::start(binary, &uris[1], &ours, place.join("ours.log"))?,
        })
    }
}

/// Where a server keeps what it is told: below its folder, or in a new database.
fn uri(store: Store, database: Option<&Database>, folder: &Path, name: &str) -> Result<String> {
    match (store, database) {
        (Store::File, _) => Ok(folder.join("mlruns").display().to_string()),
        (Store::Postgres | Store::Mariadb, Some(database)) => {
            let uri = database.uri(&name.replace(['-', '.'], "_"))?;
            let newest = venv::MLFLOW_3_17.ensure()?;
            for command in ["drop", "create"] {
                let mut manage = venv::script(&newest, "upgrade/manage.py");
                process::output(manage.arg(command).arg(&uri))?;
            }
            Ok(uri)
        }
        _ => Ok(format!("sqlite:///{}", folder.join("mlflow.db").display())),
    }
}

/// Writes the counts of the reports into `docs/compatibility.md`.
pub(super) fn write_table(reports: &[PathBuf]) -> Result<()> {
    let environment = venv::MLFLOW_3_17.ensure()?;
    let mut table = venv::script(&environment, "conformance/replay/table.py");
    table
        .arg("--into")
        .arg(cache::repository().join("docs/compatibility.md"))
        .args(reports);
    process::run(&mut table)
}
