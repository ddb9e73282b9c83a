//! Out of a folder of an export, into a store.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use runledger::{Client, rest};
use runledger_artifacts::transfer;
use runledger_entities::{
    Experiment, ExperimentId, Metric, Run, RunId, RunInfo, Tag, ViewType, limits, validate,
};
use runledger_search::{RunClause, TextOp, TextTest};
use runledger_store::{Batch, NewExperiment, NewRun, PageRequest, RunPatch, RunQuery};
use serde_json::Value;
use tokio::fs;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use super::{
    ARTIFACTS, Done, EXPERIMENT, METRICS, RUN, RUNS, artifacts_of, of_artifacts, open, read_json,
    refuse_link, unreadable,
};
use crate::args::{MovingArgs, TransferImportArgs};
use crate::artifacts;
use crate::command::CommandError;
use crate::tracking::{self, Access};

/// The tag with the id that a run had where it comes from.
pub(super) const SOURCE: &str = "runledger.import.run_id";

/// The tag of a run that is not whole yet.
const INCOMPLETE: &str = "runledger.import.incomplete";

pub(super) async fn import(args: &TransferImportArgs) -> Result<Done, CommandError> {
    let mut found = Vec::new();
    for directory in folders(&args.directory).await? {
        let file = directory.join(EXPERIMENT);
        if fs::try_exists(&file)
            .await
            .map_err(CommandError::file(&file))?
        {
            let value = read_json(&file).await?;
            let experiment = rest::read::experiment(&value["experiment"]);
            found.push((
                directory,
                experiment.map_err(|error| unreadable(&file, &error))?,
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
    let client = tracking::open(&args.moving.tracking, Access::Write).await?;
    let mut done = Done::default();
    let mut known: HashMap<String, RunId> = HashMap::new();
    let mut children = Vec::new();
    for (directory, experiment) in found {
        let name = args.experiment_name.as_ref().unwrap_or(&experiment.name);
        let target = target(&client, name, experiment.tags.clone()).await?;
        done.experiments += 1;
        let mut there = Imported::of(&client, target.experiment_id).await?;
        let before = there.whole.iter();
        known.extend(before.map(|(source, run)| (source.clone(), run.id.clone())));
        for directory in runs_of(&directory.join(RUNS)).await? {
            let file = directory.join(RUN);
            let value = read_json(&file).await?;
            let run = rest::read::run(&value["run"]).map_err(|error| unreadable(&file, &error))?;
            let source = run.info.run_id.as_str();
            let parent = parent_of(&run.data.tags);
            if let Some(before) = there.settle(&client, source).await? {
                done.runs_before += 1;
                // Unless it was changed since.
                if let Some(parent) = parent.filter(|_| before.parent.as_deref() == parent) {
                    children.push((before.id.clone(), parent.to_owned()));
                }
                continue;
            }
            let experiment = target.experiment_id;
            let moving = &args.moving;
            let id = one(&client, moving, experiment, &directory, &run, &mut done).await?;
            if let Some(parent) = parent {
                children.push((id.clone(), parent.to_owned()));
            }
            known.insert(source.to_owned(), id.clone());
            there
                .whole
                .insert(source.to_owned(), Before { id, parent: None });
        }
    }
    // When all runs are there: a parent may be younger, or in another experiment.
    for (id, parent) in children {
        if let Some(parent) = known.get(&parent) {
            client.set_tag(&id, Tag::PARENT_RUN_ID, parent).await?;
        }
    }
    Ok(done)
}

fn parent_of(tags: &[Tag]) -> Option<&str> {
    let tag = tags.iter().find(|tag| tag.key == Tag::PARENT_RUN_ID);
    tag.map(|tag| tag.value.as_str())
}

/// The folders in a folder, by name.
async fn folders(directory: &Path) -> Result<Vec<PathBuf>, CommandError> {
    let failed = || CommandError::file(directory);
    let mut entries = fs::read_dir(directory).await.map_err(failed())?;
    let mut found = Vec::new();
    while let Some(entry) = entries.next_entry().await.map_err(failed())? {
        if entry.file_type().await.map_err(failed())?.is_dir() {
            found.push(entry.path());
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The folders of whole runs, the oldest run first.
async fn runs_of(directory: &Path) -> Result<Vec<PathBuf>, CommandError> {
    refuse_link(directory).await?;
    let mut found = Vec::new();
    for directory in folders(directory).await? {
        let file = directory.join(RUN);
        if fs::try_exists(&file)
            .await
            .map_err(CommandError::file(&file))?
        {
            let value = read_json(&file).await?;
            let start = value["run"]["info"]["start_time"].as_i64();
            found.push((start.unwrap_or_default(), directory));
        }
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

/// A run that was imported.
#[derive(Debug)]
pub(super) struct Before {
    id: RunId,
    /// The parent that it has now.
    parent: Option<String>,
}

/// The runs of an experiment that were imported, by the ids that they had before.
#[derive(Debug, Default)]
pub(super) struct Imported {
    whole: HashMap<String, Before>,
    cut_short: HashMap<String, Vec<RunId>>,
}

impl Imported {
    pub(super) async fn of(
        client: &Client,
        experiment: ExperimentId,
    ) -> Result<Self, CommandError> {
        let mut query = RunQuery {
            experiment_ids: vec![experiment],
            view: ViewType::ActiveOnly,
            filter: vec![RunClause::Tag {
                key: SOURCE.to_owned(),
                test: TextTest::Compare {
                    op: TextOp::NotEqual,
                    value: String::new(),
                },
            }],
            order_by: Vec::new(),
            page: PageRequest {
                max_results: limits::SEARCH_DEFAULT_RESULTS,
                token: None,
            },
        };
        let mut imported = Self::default();
        loop {
            let page = client.store().search_runs(query.clone()).await?;
            for run in page.items {
                let tags = run.data.tags;
                let tag = |key: &str| tags.iter().find(|tag| tag.key == key);
                let Some(source) = tag(SOURCE).map(|tag| tag.value.clone()) else {
                    continue;
                };
                let id = run.info.run_id;
                if tag(INCOMPLETE).is_some() {
                    imported.cut_short.entry(source).or_default().push(id);
                } else {
                    let parent = parent_of(&tags).map(str::to_owned);
                    imported.whole.insert(source, Before { id, parent });
                }
            }
            query.page.token = page.next_token;
            if query.page.token.is_none() {
                return Ok(imported);
            }
        }
    }

    /// The run, if it is there. One that was cut short is deleted.
    pub(super) async fn settle(
        &mut self,
        client: &Client,
        source: &str,
    ) -> Result<Option<&Before>, CommandError> {
        for id in self.cut_short.remove(source).unwrap_or_default() {
            client.delete_run(&id).await?;
        }
        Ok(self.whole.get(source))
    }
}

/// Reads a run with all that belongs to it.
async fn one(
    client: &Client,
    moving: &MovingArgs,
    experiment: ExperimentId,
    directory: &Path,
    run: &Run,
    done: &mut Done,
) -> Result<RunId, CommandError> {
    let source = run.info.run_id.as_str();
    let mut tags = run.data.tags.clone();
    // Of an earlier import, into the store that it comes from.
    tags.retain(|tag| tag.key != SOURCE && tag.key != INCOMPLETE);
    let id = begin(client, experiment, &run.info).await?;
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
    if !run.inputs.models.is_empty() || !run.outputs.is_empty() {
        done.left_out
            .push(format!("the logged models of run {source} were left out"));
    }
    done.points += histories(client, &id, &directory.join(METRICS)).await?;
    let files = directory.join(ARTIFACTS);
    let has_files = fs::try_exists(&files)
        .await
        .map_err(CommandError::file(&files))?;
    if has_files && !moving.no_artifacts {
        let place = artifacts_of(moving, id.as_str()).await?;
        let jobs = moving.jobs.into();
        let moved = transfer::upload_without_links(&place, &files, jobs, &artifacts::bar()).await;
        done.files += moved.map_err(|error| of_artifacts(source, &error))?.files;
    }
    end(client, &id, &run.info).await?;
    done.runs += 1;
    Ok(id)
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

/// Logs all points of a file; says how many there are.
async fn histories(client: &Client, id: &RunId, path: &Path) -> Result<usize, CommandError> {
    let file = open(path).await?;
    let mut lines = BufReader::new(file).lines();
    let (mut count, mut batch) = (0, Vec::new());
    while let Some(line) = lines.next_line().await.map_err(CommandError::file(path))? {
        count += 1;
        batch.push(point(&line).map_err(|reason| {
            let path = path.display();
            CommandError::Refused(format!("{path}, line {count}: {reason}"))
        })?);
        if batch.len() == limits::BATCH_METRICS {
            log(client, id, std::mem::take(&mut batch)).await?;
        }
    }
    log(client, id, batch).await?;
    Ok(count)
}

/// The point of a line, or what is wrong with it.
fn point(line: &str) -> Result<Metric, String> {
    let value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    // REST's answers leave zeros out, and an archive does not.
    for member in ["key", "value", "timestamp"] {
        if value[member].is_null() {
            return Err(format!("the point has no `{member}`"));
        }
    }
    rest::read::metric(&value).map_err(|error| error.to_string())
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
