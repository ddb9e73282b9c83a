//! `cargo xtask test-folders`: one `mlruns` folder, used by our server and by MLflow's own file store.
//!
//! The programs are in `tests/folders`. Each runs with MLflow 2.17.2, starts our server on a folder of
//! its own, and compares what clients find there with what MLflow reads from the files.

use anyhow::Result;

use crate::database::{Database, Kind};
use crate::tally::Tally;
use crate::{built, process, venv};

/// Which programs to run.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// The programs with these names only, such as `killed`
    #[arg(value_name = "NAME", value_parser = clap::builder::PossibleValuesParser::new(PROGRAMS))]
    only: Vec<String>,
}

/// What `tests/folders` has, the quick ones first.
const PROGRAMS: [&str; 9] = [
    "ours_reads",
    "theirs_reads",
    "registered",
    "traced",
    "hostile",
    "restarted",
    "imported",
    "together",
    "killed",
];

/// Imports into a database server too.
const IMPORTED: &str = "imported";

/// Runs the programs one after the other; an error if any check failed.
pub(crate) fn run(args: &Args) -> Result<()> {
    let oldest = venv::MLFLOW_2_17.ensure()?;
    let newest = venv::MLFLOW_3_17.ensure()?;
    let binary = built::binary()?;
    let folder = tempfile::Builder::new()
        .prefix("runledger-folders-")
        .tempdir()?;
    let mut tally = Tally::default();
    for name in PROGRAMS {
        if !args.only.is_empty() && !args.only.iter().any(|only| only == name) {
            continue;
        }
        let mut program = venv::script(&oldest, &format!("folders/{name}.py"));
        program.arg("--runledger").arg(&binary);
        program.arg("--folder").arg(folder.path().join(name));
        program.arg("--newest").arg(venv::python(&newest));
        let log = folder.path().join(format!("{name}.log"));
        if name == IMPORTED {
            let database = Database::start(Kind::Postgres)?;
            let uri = database.uri(&format!("runledger_{}_{name}", std::process::id()))?;
            let manage = |what: &str| {
                let mut manage = venv::script(&oldest, "upgrade/manage.py");
                process::output(manage.args([what, &uri]))
            };
            manage("create")?;
            program.args(["--database", &uri]);
            let ended = tally.program(&mut program, &log);
            manage("drop")?;
            ended?;
        } else {
            tally.program(&mut program, &log)?;
        }
    }
    tally.finish("test-folders", folder)
}
