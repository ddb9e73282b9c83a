//! `runledger export` and `runledger import`: experiments between stores, by way of
//! a folder.
//!
//! `DIR/<experiment>/experiment.json` and `DIR/<experiment>/runs/<run>/run.json` are
//! the REST API's JSON; beside a run are `metrics.ndjson` and `artifacts`. A run's
//! JSON is written last: where it is, the rest is whole. `DIR/<experiment>/unfinished`
//! lists the runs that an export has written which has not come to its end.

mod export;
mod import;
mod tensorboard;

use std::error::Error;
use std::path::Path;

use runledger_artifacts::transfer::Place;
use serde_json::{Value, json};
use tokio::fs::{self, File};
use tokio::io::AsyncReadExt as _;

use crate::args::{ExportArgs, MovingArgs, TransferImportArgs, Which};
use crate::artifacts;
use crate::command::{self, CommandError};
use crate::report;
use crate::term::Out;
use crate::term::text::{counted, plain};

/// The names in an archive.
const EXPERIMENT: &str = "experiment.json";
const RUNS: &str = "runs";
const RUN: &str = "run.json";
const METRICS: &str = "metrics.ndjson";
const ARTIFACTS: &str = "artifacts";
const UNFINISHED: &str = "unfinished";

/// The most that is read of the JSON of an experiment or a run.
const JSON_BYTES: u64 = 256 << 20;

/// What was done.
#[derive(Debug, Default)]
struct Done {
    experiments: usize,
    runs: usize,
    /// Runs that an earlier command had brought over.
    runs_before: usize,
    points: usize,
    files: usize,
    /// What was left out, in a sentence for each.
    left_out: Vec<String>,
}

/// Writes an archive.
pub(crate) fn export(args: &ExportArgs) -> Result<(), CommandError> {
    command::run(async {
        let done = export::export(args).await?;
        let place = args.directory.display();
        tell(&done, &format!("are in {place}"), args.moving.json)
    })
}

/// Reads an archive, or event files.
pub(crate) fn import(args: &TransferImportArgs) -> Result<(), CommandError> {
    command::run(async {
        let done = if args.tensorboard {
            tensorboard::import(args).await?
        } else {
            import::import(args).await?
        };
        tell(&done, "were read", args.moving.json)
    })
}

fn tell(done: &Done, what: &str, as_json: bool) -> Result<(), CommandError> {
    let mut out = Out::new();
    if as_json {
        let all = json!({
            "experiments": done.experiments,
            "runs": done.runs,
            "runs_before": done.runs_before,
            "points": done.points,
            "files": done.files,
            "left_out": done.left_out,
        });
        out.json(all.to_string().as_bytes())?;
        return Ok(out.flush()?);
    }
    let before = match done.runs_before {
        0 => String::new(),
        count => format!(" (and {count} from before)"),
    };
    out.line(&format!(
        "{}, {}{before} with {} of metrics, {} {what}.",
        counted(done.experiments, "experiment"),
        counted(done.runs, "run"),
        counted(done.points, "point"),
        counted(done.files, "file"),
    ))?;
    out.flush()?;
    for sentence in &done.left_out {
        report::note(&plain(sentence));
    }
    Ok(())
}

/// The artifacts of a run.
async fn artifacts_of(moving: &MovingArgs, run: &str) -> Result<Place, CommandError> {
    let which = Which {
        run_id: None,
        artifact_path: None,
        artifact_uri: Some(format!("runs:/{run}")),
        tracking_uri: moving.tracking.tracking_uri.clone(),
        artifacts_destination: moving.artifacts_destination.clone(),
    };
    let place = artifacts::find(&which).await;
    place.map_err(|error| of_artifacts(run, &error))
}

fn unreadable(file: &Path, error: &dyn Error) -> CommandError {
    CommandError::Refused(format!("{} cannot be read: {error}", file.display()))
}

fn of_artifacts(run: &str, error: &dyn Error) -> CommandError {
    CommandError::Refused(format!(
        "the artifacts of run {run}: {}; --no-artifacts leaves them out",
        report::chain(error)
    ))
}

/// Refuses a symbolic link in an archive. Somebody else may have made it, and it could
/// name any file of this machine.
async fn refuse_link(path: &Path) -> Result<(), CommandError> {
    let found = fs::symlink_metadata(path).await;
    if found.map_err(CommandError::file(path))?.is_symlink() {
        return Err(CommandError::Refused(format!(
            "{}: it is a symbolic link, which is refused",
            path.display()
        )));
    }
    Ok(())
}

/// Opens a file of an archive.
async fn open(path: &Path) -> Result<File, CommandError> {
    refuse_link(path).await?;
    File::open(path).await.map_err(CommandError::file(path))
}

/// The JSON in a file of an archive.
async fn read_json(path: &Path) -> Result<Value, CommandError> {
    let file = open(path).await?;
    let mut text = Vec::new();
    let read = file.take(JSON_BYTES).read_to_end(&mut text).await;
    read.map_err(CommandError::file(path))?;
    serde_json::from_slice(&text).map_err(|error| {
        CommandError::Refused(format!(
            "{} is no JSON of an export: {error}",
            path.display()
        ))
    })
}
