//! `cargo xtask test-upgrades`: databases that old releases of MLflow made are upgraded by
//! `runledger db upgrade`, and nothing in them is lost.
//!
//! The programs are in `tests/upgrade`: an old MLflow fills a database and writes down what it wrote,
//! MLflow 3.17.2 compares what we make of it with its own upgrade and reads everything back, first from
//! the database and then through our server.

use std::path::Path;

use anyhow::Result;
use clap::ValueEnum;

use crate::database::{Database, Kind};
use crate::server::Server;
use crate::tally::Tally;
use crate::venv::{self, Environment};
use crate::{built, process};

/// Which databases to upgrade.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Databases of this kind only; can be given more than once
    #[arg(long, value_enum)]
    store: Vec<Store>,
    /// Databases of this release only; can be given more than once
    #[arg(long, value_enum, value_name = "RELEASE")]
    from: Vec<Release>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Store {
    Sqlite,
    Postgres,
    Mariadb,
}

/// A release of MLflow that makes databases.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Release {
    #[value(name = "2.0.1")]
    V2_0,
    #[value(name = "2.9.2")]
    V2_9,
    #[value(name = "2.17.2")]
    V2_17,
    #[value(name = "3.1.4")]
    V3_1,
}

impl Release {
    fn environment(self) -> &'static Environment {
        match self {
            Self::V2_0 => &venv::MLFLOW_2_0,
            Self::V2_9 => &venv::MLFLOW_2_9,
            Self::V2_17 => &venv::MLFLOW_2_17,
            Self::V3_1 => &venv::MLFLOW_3_1,
        }
    }
}

/// Upgrades a database of each release on each kind of server; an error if any check failed.
pub(crate) fn run(args: &Args) -> Result<()> {
    let newest = venv::MLFLOW_3_17.ensure()?;
    let binary = built::binary()?;
    let folder = tempfile::Builder::new()
        .prefix("runledger-upgrades-")
        .tempdir()?;
    let mut tally = Tally::default();
    for store in chosen(&args.store) {
        let database = match store {
            Store::Sqlite => None,
            Store::Postgres => Some(Database::start(Kind::Postgres)?),
            Store::Mariadb => Some(Database::start(Kind::Mariadb)?),
        };
        for release in chosen(&args.from) {
            let names = (name(&release), name(&store));
            let case = Case {
                subject: format!("{} on {}", names.0, names.1),
                name: format!("{}_{}", names.0.replace('.', "_"), names.1),
                folder: folder.path(),
                old: &release.environment().ensure()?,
                newest: &newest,
                binary: &binary,
                database: database.as_ref(),
            };
            case.run(&mut tally)?;
        }
    }
    tally.finish("test-upgrades", folder)
}

/// What was asked for, or everything.
fn chosen<T: ValueEnum + Clone>(values: &[T]) -> Vec<T> {
    if values.is_empty() {
        T::value_variants().to_vec()
    } else {
        values.to_vec()
    }
}

fn name(value: &impl ValueEnum) -> String {
    value
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default()
}

/// One database on its way.
struct Case<'a> {
    /// For people.
    subject: String,
    /// For files and databases.
    name: String,
    folder: &'a Path,
    /// The environment of the release that makes the database.
    old: &'a Path,
    newest: &'a Path,
    binary: &'a Path,
    /// The server, if it is not a file.
    database: Option<&'a Database>,
}

impl Case<'_> {
    fn run(&self, tally: &mut Tally) -> Result<()> {
        let uris = [self.uri("old")?, self.uri("copy")?];
        let ended = self.steps(&uris, tally);
        if self.database.is_some() {
            process::output(
                venv::script(self.newest, "upgrade/manage.py")
                    .arg("drop")
                    .args(&uris),
            )?;
        }
        ended
    }

    fn steps(&self, [uri, copy]: &[String; 2], tally: &mut Tally) -> Result<()> {
        let record = self.folder.join(format!("{}.json", self.name));
        let artifacts = self.folder.join(format!("{}-artifacts", self.name));

        process::output(venv::script(self.newest, "upgrade/manage.py").args(["create", uri]))?;
        let mut fill = venv::script(self.old, "upgrade/fill.py");
        fill.args(["--uri", uri]).arg("--artifacts").arg(&artifacts);
        fill.arg("--record").arg(&record);
        process::output(&mut fill)?;

        self.served(uri, &record, "served as it is", &["--read-only"], tally)?;

        let mut upgrade = venv::script(self.newest, "upgrade/upgrade.py");
        upgrade.arg("--runledger").arg(self.binary);
        upgrade.args(["--uri", uri, "--copy", copy, "--subject", &self.subject]);
        upgrade.arg("--record").arg(&record);
        tally.program(&mut upgrade, &self.log("upgrade"))?;

        self.served(uri, &record, "served", &[], tally)
    }

    /// Our server on the database, read by MLflow's newest client.
    fn served(
        &self,
        uri: &str,
        record: &Path,
        how: &str,
        flags: &[&str],
        tally: &mut Tally,
    ) -> Result<()> {
        let subject = format!("{}, {how}", self.subject);
        let log = |of: &str| self.log(&format!("{}-{of}", how.replace(' ', "-")));
        let started = Server::start_with(self.binary, uri, self.folder, log("server"), flags);
        let server = match started {
            Ok(server) => server,
            Err(error) => {
                tally.check(&format!("{subject}: it starts"), Err(error));
                return Ok(());
            }
        };
        let mut read = venv::script(self.newest, "upgrade/readback.py");
        read.args(["--uri", &server.url(), "--subject", &subject]);
        read.arg("--record").arg(record);
        tally.program(&mut read, &log("client"))?;
        server.stop()
    }

    /// The URI of one of the databases of this case.
    fn uri(&self, which: &str) -> Result<String> {
        match self.database {
            Some(database) => database.uri(&format!(
                "runledger_{}_{}_{which}",
                std::process::id(),
                self.name
            )),
            None => Ok(format!(
                "sqlite:///{}",
                self.folder
                    .join(format!("{}-{which}.db", self.name))
                    .display()
            )),
        }
    }

    fn log(&self, of: &str) -> std::path::PathBuf {
        self.folder.join(format!("{}-{of}.log", self.name))
    }
}
