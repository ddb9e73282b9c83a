//! Out of a store, into a folder: experiments and their runs.
//!
//! `models` writes logged models, `traces` traces, and `registry` registered models; `tables`
//! writes runs and metrics for analysis, each by way of a `table`.

mod models;
mod registry;
mod table;
mod tables;
mod traces;

use std::collections::HashSet;
use std::path::Path;

use runledger::{Client, rest};
use runledger_artifacts::transfer;
use runledger_entities::{Experiment, ExperimentId, Metric, Run, ViewType, limits};
use runledger_protocol::messages::{experiments, runs as messages};
use runledger_store::{HistoryQuery, PageRequest, RunQuery};
use serde_json::{Value, json};
use tokio::fs::{self, File};
use tokio::io::{AsyncWriteExt as _, BufWriter};

use super::unfinished::Unfinished;
use super::{
    ARTIFACTS, Done, EXPERIMENT, METRICS, Owner, RUN, RUNS, UNFINISHED, artifacts_of, files,
    of_artifacts,
};
use crate::args::{ExportArgs, Format, MovingArgs};
use crate::command::CommandError;
use crate::term::json::pretty;
use crate::tracking::{self, Access};

/// Runs, logged models or traces that are looked up together.
const PAGE: u32 = 100;

pub(super) async fn export(args: &ExportArgs) -> Result<Done, CommandError> {
    let client = tracking::open(&args.moving.tracking, Access::Read).await?;
    let mut found: Vec<Experiment> = Vec::new();
    for id in &args.experiment_id {
        found.push(client.get_experiment(*id).await?);
    }
    for name in &args.experiment_name {
        found.push(client.store().get_experiment_by_name(name).await?);
    }
    // An id and a name may be those of one experiment.
    found.sort_by_key(|experiment| experiment.experiment_id);
    found.dedup_by_key(|experiment| experiment.experiment_id);
    let registered = registry::find(&client, args).await?;
    let mut folders = Vec::with_capacity(found.len());
    for experiment in found {
        let directory = args.directory.join(experiment.experiment_id.to_string());
        refuse_another(&directory, &experiment).await?;
        folders.push((directory, experiment));
    }
    let mut done = Done::default();
    for (directory, experiment) in &folders {
        files::make(directory).await?;
        let text = pretty(&experiments::one(experiment));
        files::write(&directory.join(EXPERIMENT), &text).await?;
        let archive = Archive {
            client: &client,
            moving: &args.moving,
            experiment: experiment.experiment_id,
            directory,
        };
        let path = directory.join(UNFINISHED);
        let mut unfinished = Unfinished::go_on(path, args).await?;
        match args.format {
            Format::Ndjson => whole(&archive, &mut unfinished, &mut done).await?,
            Format::Parquet => tables::export(&archive, &mut unfinished, &mut done).await?,
        }
        done.experiments += 1;
    }
    for model in &registered {
        registry::export(&client, &args.directory, model, &mut done).await?;
    }
    // The next export begins anew: histories and artifacts change without their run.
    for (directory, _) in &folders {
        let path = directory.join(UNFINISHED);
        let removed = fs::remove_file(&path).await;
        removed.map_err(CommandError::file(&path))?;
    }
    Ok(done)
}

/// Refuses a folder with an experiment of the same id that is another one: two stores
/// count alike.
async fn refuse_another(directory: &Path, experiment: &Experiment) -> Result<(), CommandError> {
    let path = directory.join(EXPERIMENT);
    if !files::is_there(&path).await? {
        return Ok(());
    }
    let before = rest::read::experiment(&files::read_json(&path).await?["experiment"]);
    let before = before.map_err(|error| files::unreadable(&path, &error))?;
    let is_same = match (before.creation_time, experiment.creation_time) {
        (Some(before), Some(now)) => before == now,
        // Databases older than MLflow 1.29 do not say. A name may be changed.
        _ => before.name == experiment.name,
    };
    if is_same && before.artifact_location == experiment.artifact_location {
        return Ok(());
    }
    Err(CommandError::Refused(format!(
        "{} holds another experiment with the id {}, '{}': export '{}' into another folder",
        directory.display(),
        experiment.experiment_id,
        before.name,
        experiment.name
    )))
}

/// What is exported, and where to.
struct Archive<'a> {
    client: &'a Client,
    moving: &'a MovingArgs,
    experiment: ExperimentId,
    /// The experiment's folder.
    directory: &'a Path,
}

/// Writes all that an import reads.
async fn whole(
    archive: &Archive<'_>,
    unfinished: &mut Unfinished,
    done: &mut Done,
) -> Result<(), CommandError> {
    let runs = archive.directory.join(RUNS);
    files::make(&runs).await?;
    let each = each_run(archive, async |run: &Run| {
        let id = files::name_of(run.info.run_id.as_str(), "run")?;
        let directory = runs.join(id);
        let text = pretty(&messages::one(run));
        if unfinished.has(id) && files::has(&directory.join(RUN), &text).await {
            done.runs.before += 1;
            return Ok(());
        }
        of_run(archive, run, &directory, unfinished.goes_on, done).await?;
        files::write(&directory.join(RUN), &text).await?;
        unfinished.add(id).await?;
        done.runs.now += 1;
        Ok(())
    });
    each.await?;
    models::export(archive, unfinished, done).await?;
    if !archive.moving.no_traces {
        traces::export(archive, unfinished, done).await?;
    }
    Ok(())
}

/// Hands on the active runs of an experiment.
async fn each_run(
    archive: &Archive<'_>,
    mut take: impl AsyncFnMut(&Run) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let mut query = RunQuery {
        experiment_ids: vec![archive.experiment],
        view: ViewType::ActiveOnly,
        filter: Vec::new(),
        order_by: Vec::new(),
        page: PageRequest {
            max_results: PAGE,
            token: None,
        },
    };
    // Servers that count the places of a page show a run again after others have started.
    let mut seen = HashSet::new();
    loop {
        let page = archive.client.store().search_runs(query.clone()).await?;
        for run in &page.items {
            if seen.insert(run.info.run_id.clone()) {
                take(run).await?;
            }
        }
        query.page.token = page.next_token;
        if query.page.token.is_none() {
            return Ok(());
        }
    }
}

/// Writes what belongs to a run. It takes the place of what was there when it is whole.
async fn of_run(
    archive: &Archive<'_>,
    run: &Run,
    directory: &Path,
    goes_on: bool,
    done: &mut Done,
) -> Result<(), CommandError> {
    files::make(directory).await?;
    let owner = Owner::Run(run.info.run_id.as_str());
    done.files += artifacts(archive.moving, owner, directory, goes_on).await?;
    done.points += write_points(archive.client, run, &directory.join(METRICS)).await?;
    Ok(())
}

/// Writes artifacts into the folder of what they belong to; says how many there are. An
/// export that goes on has a part of them already.
async fn artifacts(
    moving: &MovingArgs,
    owner: Owner<'_>,
    directory: &Path,
    goes_on: bool,
) -> Result<usize, CommandError> {
    if moving.no_artifacts {
        return Ok(0);
    }
    let place = artifacts_of(moving, owner).await?;
    let target = directory.join(ARTIFACTS);
    let part = files::part_of(&target);
    if !goes_on {
        files::remove(&part).await?;
    }
    let jobs = moving.jobs.into();
    let moved = transfer::download(&place, &part, jobs, &crate::artifacts::bar()).await;
    let moved = moved.map_err(|error| of_artifacts(owner, &error))?;
    files::remove(&target).await?;
    files::rename(&part, &target).await?;
    Ok(moved.files)
}

/// Writes all points of all metrics, one on each line; says how many there are.
async fn write_points(client: &Client, run: &Run, path: &Path) -> Result<usize, CommandError> {
    let part = files::part_of(path);
    let file = File::create(&part)
        .await
        .map_err(CommandError::file(&part))?;
    let mut file = BufWriter::new(file);
    let count = each_page(client, run, async |points: &[Metric]| {
        for point in points {
            let line = format!("{}\n", line(point));
            let written = file.write_all(line.as_bytes()).await;
            written.map_err(CommandError::file(&part))?;
        }
        Ok(())
    });
    let count = count.await?;
    file.flush().await.map_err(CommandError::file(&part))?;
    files::rename(&part, path).await?;
    Ok(count)
}

/// Hands on the histories of a run, page by page; says how many points they have.
async fn each_page(
    client: &Client,
    run: &Run,
    mut take: impl AsyncFnMut(&[Metric]) -> Result<(), CommandError>,
) -> Result<usize, CommandError> {
    let mut count = 0;
    for metric in &run.data.metrics {
        let mut query = HistoryQuery {
            run_id: run.info.run_id.clone(),
            key: metric.key.clone(),
            page: PageRequest {
                max_results: limits::HISTORY_MAX_RESULTS,
                token: None,
            },
        };
        loop {
            let page = client.store().metric_history(query.clone()).await?;
            take(page.items.as_slice()).await?;
            count += page.items.len();
            query.page.token = page.next_token;
            if query.page.token.is_none() {
                break;
            }
        }
    }
    Ok(count)
}

fn line(point: &Metric) -> Value {
    // As protobuf's JSON has what is no number of JSON.
    let value = if point.value.is_nan() {
        Value::from("NaN")
    } else if point.value.is_infinite() {
        Value::from(if point.value > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        })
    } else {
        Value::from(point.value)
    };
    let mut line = json!({
        "key": point.key,
        "value": value,
        "timestamp": point.timestamp,
        "step": point.step,
    });
    if let Some(model) = &point.model {
        for (name, text) in [
            ("model_id", &model.model_id),
            ("dataset_name", &model.dataset_name),
            ("dataset_digest", &model.dataset_digest),
        ] {
            if let Some(text) = text {
                line[name] = Value::from(text.as_str());
            }
        }
    }
    line
}
