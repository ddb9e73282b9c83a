//! Out of a folder of an export, into a store: experiments and their runs.
//!
//! `imported` knows the runs that are there. `models` reads logged models once their runs
//! are, `links` says which of them a run read and made; `registry` reads registered models
//! and `traces` traces.

mod imported;
mod links;
mod models;
mod registry;
mod traces;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use runledger::{Client, rest};
use runledger_artifacts::transfer;
use runledger_entities::{
    Experiment, ExperimentId, Metric, Run, RunId, RunInfo, Tag, limits, validate,
};
use runledger_store::{Batch, NewExperiment, NewRun, RunPatch};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};

use self::imported::Before;
pub(super) use self::imported::Imported;
use self::links::Link;
use self::models::Models;
use super::{
    ARTIFACTS, Done, EXPERIMENT, METRICS, Owner, RUN, RUNS, RUNS_TABLE, artifacts_of, files,
    of_artifacts,
};
use crate::args::{MovingArgs, TransferImportArgs};
use crate::command::CommandError;
use crate::tracking::{self, Access};

/// The tag with the id that a run had where it comes from.
pub(super) const SOURCE: &str = "runledger.import.run_id";

/// The tag of what is not whole yet.
const INCOMPLETE: &str = "runledger.import.incomplete";

/// The longest line of a point that is read, in bytes.
const LINE: u64 = 1 << 20;

pub(super) async fn import(args: &TransferImportArgs) -> Result<Done, CommandError> {
    let found = experiments(args).await?;
    let client = tracking::open(&args.moving.tracking, Access::Write).await?;
    let mut done = Done::default();
    let mut models = Models::default();
    let mut targets = Vec::with_capacity(found.len());
    for (directory, experiment) in found {
        let name = args.experiment_name.as_ref().unwrap_or(&experiment.name);
        let target = target(&client, name, experiment.tags).await?.experiment_id;
        models.look(&client, &directory, target, &mut done).await?;
        targets.push((directory, target));
        done.experiments += 1;
    }
    let mut runs = Runs::default();
    for (directory, target) in &targets {
        let from_to = (directory.as_path(), *target);
        runs.import(&client, &args.moving, from_to, &models, &mut done)
            .await?;
    }
    runs.follow_parents(&client).await?;
    for (directory, target) in &targets {
        let from_to = (directory.as_path(), *target);
        models
            .import(&client, &args.moving, from_to, &runs.known, &mut done)
            .await?;
    }
    if !models.are_lacking() {
        for link in runs.links {
            link.set(&client, &models, &mut done).await?;
        }
    }
    let known = Known {
        runs: &runs.known,
        models: &models,
    };
    registry::import(&client, &args.directory, &known, &mut done).await?;
    if !args.moving.no_traces {
        for (directory, target) in &targets {
            traces::import(&client, (directory.as_path(), *target), &known, &mut done).await?;
        }
    }
    Ok(done)
}

/// What is there, by the ids that it had before.
struct Known<'k> {
    runs: &'k HashMap<String, RunId>,
    models: &'k Models,
}

/// The experiments of the archive, each with its folder.
async fn experiments(
    args: &TransferImportArgs,
) -> Result<Vec<(PathBuf, Experiment)>, CommandError> {
    let mut found = Vec::new();
    for directory in files::folders(&args.directory).await? {
        let file = directory.join(EXPERIMENT);
        if files::is_there(&file).await? {
            let value = files::read_json(&file).await?;
            refuse_tables(&directory).await?;
            let experiment = rest::read::experiment(&value["experiment"]);
            found.push((
                directory,
                experiment.map_err(|error| files::unreadable(&file, &error))?,
            ));
        }
    }
    if found.is_empty() {
        return Err(CommandError::Refused(format!(
            "there is no experiment of an export in {}: it should hold folders with {EXPERIMENT}",
            args.directory.display()
        )));
    }
    if found.len() > 1 && args.experiment_name.is_some() {
        return Err(CommandError::Usage(format!(
            "{} holds {} experiments, which cannot all become the one of --experiment-name",
            args.directory.display(),
            found.len()
        )));
    }
    Ok(found)
}

/// Refuses an experiment of which there are tables only.
async fn refuse_tables(directory: &Path) -> Result<(), CommandError> {
    let (runs, table) = (directory.join(RUNS), directory.join(RUNS_TABLE));
    if files::is_there(&runs).await? || !files::is_there(&table).await? {
        return Ok(());
    }
    Err(CommandError::Refused(format!(
        "{} is for analysis, and cannot be imported: export the experiment without --format \
         parquet",
        table.display()
    )))
}

/// The runs that are there, of this import and earlier ones.
#[derive(Debug, Default)]
struct Runs {
    /// By the ids that they had before.
    known: HashMap<String, RunId>,
    /// Runs with the ids that their parents had before.
    children: Vec<(RunId, String)>,
    links: Vec<Link>,
}

impl Runs {
    /// Reads the runs of an experiment.
    async fn import(
        &mut self,
        client: &Client,
        moving: &MovingArgs,
        (directory, target): (&Path, ExperimentId),
        models: &Models,
        done: &mut Done,
    ) -> Result<(), CommandError> {
        let mut there = Imported::of(client, target).await?;
        let before = there.whole.iter();
        self.known
            .extend(before.map(|(source, run)| (source.clone(), run.id.clone())));
        for directory in runs_of(&directory.join(RUNS)).await? {
            let file = directory.join(RUN);
            let value = files::read_json(&file).await?;
            let run = rest::read::run(&value["run"]);
            let run = run.map_err(|error| files::unreadable(&file, &error))?;
            let source = run.info.run_id.as_str();
            let parent = parent_of(&run.data.tags);
            if let Some(before) = there.settle(client, source).await? {
                done.runs.before += 1;
                self.links
                    .extend(Link::of(&before.id, &run, &before.models));
                // Unless it was changed since.
                if let Some(parent) = parent.filter(|_| before.parent.as_deref() == parent) {
                    self.children.push((before.id.clone(), parent.to_owned()));
                }
                continue;
            }
            let from_to = (directory.as_path(), target);
            let id = one(client, moving, from_to, &run, models, done).await?;
            self.links.extend(Link::of(&id, &run, &[]));
            if let Some(parent) = parent {
                self.children.push((id.clone(), parent.to_owned()));
            }
            self.known.insert(source.to_owned(), id.clone());
            let before = Before {
                id,
                parent: None,
                models: Vec::new(),
            };
            there.whole.insert(source.to_owned(), before);
        }
        Ok(())
    }

    /// When all runs are there: a parent may be younger, or in another experiment.
    async fn follow_parents(&mut self, client: &Client) -> Result<(), CommandError> {
        for (id, parent) in std::mem::take(&mut self.children) {
            if let Some(parent) = self.known.get(&parent) {
                client.set_tag(&id, Tag::PARENT_RUN_ID, parent).await?;
            }
        }
        Ok(())
    }
}

fn parent_of(tags: &[Tag]) -> Option<&str> {
    let tag = tags.iter().find(|tag| tag.key == Tag::PARENT_RUN_ID);
    tag.map(|tag| tag.value.as_str())
}

/// The folders of whole runs, the oldest run first.
async fn runs_of(directory: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let mut found = Vec::new();
    for directory in files::whole(directory, RUN).await? {
        let value = files::read_json(&directory.join(RUN)).await?;
        let start = value["run"]["info"]["start_time"].as_i64();
        found.push((start.unwrap_or_default(), directory));
    }
    found.sort_unstable();
    Ok(found.into_iter().map(|(_, directory)| directory).collect())
}

/// The experiment of this name, which is made if it is missing.
pub(super) async fn target(
    client: &Client,
    name: &str,
    tags: Vec<Tag>,
) -> Result<Experiment, CommandError> {
    validate::experiment_name(name)?;
    if client.get_experiment_by_name(name).await?.is_none() {
        let new = NewExperiment {
            name: name.to_owned(),
            artifact_location: None,
            tags,
        };
        client.store().create_experiment(new).await?;
    }
    Ok(client.experiment_named(name).await?)
}

/// Reads a run with all that belongs to it, but for its logged models.
async fn one(
    client: &Client,
    moving: &MovingArgs,
    (directory, target): (&Path, ExperimentId),
    run: &Run,
    models: &Models,
    done: &mut Done,
) -> Result<RunId, CommandError> {
    let source = run.info.run_id.as_str();
    let mut tags = run.data.tags.clone();
    // Of an earlier import, into the store that it comes from.
    tags.retain(|tag| tag.key != SOURCE && tag.key != INCOMPLETE);
    let id = begin(client, target, &run.info).await?;
    let batch = Batch {
        params: run.data.params.clone(),
        tags,
        metrics: Vec::new(),
    };
    client.log_batch(&id, batch).await?;
    let datasets = run.inputs.datasets.clone();
    if !datasets.is_empty() {
        client.store().log_inputs(&id, datasets, Vec::new()).await?;
    }
    // Points of models come with these.
    let is_left = |point: &Metric| models.has_point(source, point);
    done.points += histories(client, &id, &directory.join(METRICS), is_left).await?;
    let (from, to) = (Owner::Run(source), Owner::Run(id.as_str()));
    done.files += artifacts(moving, directory, from, to).await?;
    end(client, &id, &run.info).await?;
    done.runs.now += 1;
    Ok(id)
}

/// Uploads the artifacts in the folder of what they belonged to before; says how many.
async fn artifacts(
    moving: &MovingArgs,
    directory: &Path,
    from: Owner<'_>,
    to: Owner<'_>,
) -> Result<usize, CommandError> {
    let folder = directory.join(ARTIFACTS);
    if moving.no_artifacts || !files::is_there(&folder).await? {
        return Ok(0);
    }
    let place = artifacts_of(moving, to).await?;
    let jobs = moving.jobs.into();
    let bar = crate::artifacts::bar();
    let moved = transfer::upload_without_links(&place, &folder, jobs, &bar).await;
    Ok(moved.map_err(|error| of_artifacts(from, &error))?.files)
}

/// Makes a run that is not whole yet.
pub(super) async fn begin(
    client: &Client,
    experiment: ExperimentId,
    info: &RunInfo,
) -> Result<RunId, CommandError> {
    let new = NewRun {
        experiment_id: experiment,
        user_id: info.user_id.clone(),
        run_name: info.run_name.clone(),
        start_time: info.start_time,
        tags: vec![
            Tag::new(SOURCE, info.run_id.as_str()),
            Tag::new(INCOMPLETE, "true"),
        ],
    };
    Ok(client.store().create_run(new).await?.info.run_id)
}

/// Says that a run is whole.
pub(super) async fn end(client: &Client, id: &RunId, info: &RunInfo) -> Result<(), CommandError> {
    let patch = RunPatch {
        status: Some(info.status),
        end_time: info.end_time,
        run_name: None,
    };
    client.store().update_run(id, patch).await?;
    Ok(client.delete_tag(id, INCOMPLETE).await?)
}

/// Logs the points of a file, but for those that are left to others; says how many there
/// are in all.
async fn histories(
    client: &Client,
    id: &RunId,
    path: &Path,
    is_left: impl Fn(&Metric) -> bool,
) -> Result<usize, CommandError> {
    let file = files::open(path).await?;
    let mut file = BufReader::new(file);
    let (mut count, mut batch) = (0, Vec::new());
    let mut line = Vec::new();
    loop {
        line.clear();
        // What is too long is no JSON where it is cut.
        let read = (&mut file).take(LINE).read_until(b'\n', &mut line).await;
        if read.map_err(CommandError::file(path))? == 0 {
            break;
        }
        count += 1;
        let point = point(&line).map_err(|reason| {
            let path = path.display();
            CommandError::Refused(format!("{path}, line {count}: {reason}"))
        })?;
        if !is_left(&point) {
            batch.push(point);
        }
        if batch.len() == limits::BATCH_METRICS {
            log(client, id, std::mem::take(&mut batch)).await?;
        }
    }
    log(client, id, batch).await?;
    Ok(count)
}

/// The point of a line, or what is wrong with it.
fn point(line: &[u8]) -> Result<Metric, String> {
    let value: Value = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    // REST's answers leave zeros out, and an archive does not.
    for member in ["key", "value", "timestamp"] {
        if value[member].is_null() {
            return Err(format!("the point has no `{member}`"));
        }
    }
    let mut point = rest::read::metric(&value).map_err(|error| error.to_string())?;
    // The id that a model had before names none here.
    if let Some(model) = &mut point.model {
        model.model_id = None;
    }
    Ok(point)
}

/// Logs points, in one batch.
pub(super) async fn log(
    client: &Client,
    id: &RunId,
    metrics: Vec<Metric>,
) -> Result<(), CommandError> {
    if metrics.is_empty() {
        return Ok(());
    }
    let batch = Batch {
        metrics,
        ..Batch::default()
    };
    Ok(client.log_batch(id, batch).await?)
}
