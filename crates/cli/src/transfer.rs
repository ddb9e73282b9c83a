//! `runledger export` and `runledger import`: experiments between stores, by way of
//! a folder.
//!
//! `DIR/<experiment>/experiment.json`, `runs/<run>/run.json` and `models/<model>/model.json`
//! beside it are the REST API's JSON; beside a run are `metrics.ndjson` and `artifacts`,
//! beside a logged model its `artifacts`. `traces/<trace>.json` is what MLflow's API takes to
//! start a trace, `traces/<trace>.spans.json` the spans that are kept beside it. The JSON of a
//! run, model or trace is written last: where it is, the rest is whole.
//! `DIR/registered_models` has a file for each registered model, with its versions.
//! `DIR/<experiment>/unfinished` lists what an export has written which has not come to its
//! end. For analysis an export writes `runs.parquet` and `metrics/<run>.parquet` in the place
//! of all but `experiment.json`. `files` reads and writes the files of an archive, `measured`
//! finds the points of models among those of runs.

mod export;
mod files;
mod import;
mod measured;
mod tensorboard;
mod unfinished;

use std::error::Error;
use std::fmt;

use runledger_artifacts::transfer::Place;
use runledger_entities::{Coded as _, ErrorCode};
use runledger_store::StoreError;
use serde_json::json;

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
const MODELS: &str = "models";
const MODEL: &str = "model.json";
const TRACES: &str = "traces";
/// The ends of the names of a trace's files.
const TRACE: &str = ".json";
const SPANS: &str = ".spans.json";
const REGISTRY: &str = "registered_models";
const UNFINISHED: &str = "unfinished";
/// The table of runs, and the folder of those of their metrics.
const RUNS_TABLE: &str = "runs.parquet";
const METRICS_TABLES: &str = "metrics";

/// What was done.
#[derive(Debug, Default)]
struct Done {
    experiments: usize,
    runs: Moved,
    points: usize,
    logged_models: Moved,
    traces: Moved,
    registered_models: Moved,
    model_versions: Moved,
    files: usize,
    /// What was left out, in a sentence for each.
    left_out: Vec<String>,
}

/// How many things were moved.
#[derive(Debug, Default)]
struct Moved {
    now: usize,
    /// By an earlier command.
    before: usize,
}

impl Moved {
    /// How many, in words.
    fn told(&self, noun: &str) -> String {
        let now = counted(self.now, noun);
        match self.before {
            0 => now,
            before => format!("{now} (and {before} from before)"),
        }
    }

    fn is_none(&self) -> bool {
        self.now + self.before == 0
    }
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
            "runs": done.runs.now,
            "runs_before": done.runs.before,
            "points": done.points,
            "logged_models": done.logged_models.now,
            "logged_models_before": done.logged_models.before,
            "traces": done.traces.now,
            "traces_before": done.traces.before,
            "registered_models": done.registered_models.now,
            "registered_models_before": done.registered_models.before,
            "model_versions": done.model_versions.now,
            "model_versions_before": done.model_versions.before,
            "files": done.files,
            "left_out": done.left_out,
        });
        out.json(all.to_string().as_bytes())?;
        return Ok(out.flush()?);
    }
    let mut told = vec![
        counted(done.experiments, "experiment"),
        format!(
            "{} with {} of metrics",
            done.runs.told("run"),
            counted(done.points, "point")
        ),
    ];
    for (moved, noun) in [
        (&done.logged_models, "logged model"),
        (&done.traces, "trace"),
        (&done.registered_models, "registered model"),
        (&done.model_versions, "model version"),
    ] {
        if !moved.is_none() {
            told.push(moved.told(noun));
        }
    }
    told.push(counted(done.files, "file"));
    out.line(&format!("{} {what}.", told.join(", ")))?;
    out.flush()?;
    for sentence in &done.left_out {
        report::note(&plain(sentence));
    }
    Ok(())
}

/// What has artifacts, by its id.
#[derive(Clone, Copy, Debug)]
enum Owner<'i> {
    Run(&'i str),
    Model(&'i str),
}

impl fmt::Display for Owner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(id) => write!(f, "run {id}"),
            Self::Model(id) => write!(f, "logged model {id}"),
        }
    }
}

/// The artifacts of a run or a logged model, of which there may be none.
async fn artifacts_of(moving: &MovingArgs, owner: Owner<'_>) -> Result<Place, CommandError> {
    let uri = match owner {
        Owner::Run(id) => format!("runs:/{id}"),
        Owner::Model(id) => format!("models:/{id}"),
    };
    let which = Which {
        run_id: None,
        artifact_path: None,
        artifact_uri: Some(uri),
        tracking_uri: moving.tracking.tracking_uri.clone(),
        artifacts_destination: moving.artifacts_destination.clone(),
    };
    let place = artifacts::find(&which).await;
    let mut place = place.map_err(|error| of_artifacts(owner, &error))?;
    place.may_be_missing = true;
    Ok(place)
}

fn of_artifacts(owner: Owner<'_>, error: &dyn Error) -> CommandError {
    CommandError::Refused(format!(
        "the artifacts of {owner}: {}; --no-artifacts leaves them out",
        report::chain(error)
    ))
}

/// Whether a store or server has no such thing at all, as one of MLflow 2 has no logged
/// models.
fn is_lacking(error: &StoreError) -> bool {
    matches!(
        error.code(),
        ErrorCode::EndpointNotFound | ErrorCode::NotImplemented
    )
}
