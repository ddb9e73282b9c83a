//! Out of a store, into a folder.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use runledger::{Client, rest};
use runledger_artifacts::transfer;
use runledger_entities::{Experiment, Metric, Run, ViewType, limits};
use runledger_protocol::messages::{experiments, runs as messages};
use runledger_store::{HistoryQuery, PageRequest, RunQuery};
use serde_json::{Value, json};
use tokio::fs::{self, File};
use tokio::io::{AsyncWriteExt as _, BufWriter};

use super::{
    ARTIFACTS, Done, EXPERIMENT, METRICS, RUN, RUNS, UNFINISHED, artifacts_of, of_artifacts,
    read_json, unreadable,
};
use crate::args::{ExportArgs, MovingArgs};
use crate::artifacts;
use crate::command::CommandError;
use crate::term::json::pretty;
use crate::tracking::{self, Access};

/// Runs that are looked up together.
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
    let mut folders = Vec::with_capacity(found.len());
    for experiment in found {
        let directory = args.directory.join(experiment.experiment_id.to_string());
        refuse_another(&directory, &experiment).await?;
        folders.push((directory, experiment));
    }
    let mut done = Done::default();
    for (directory, experiment) in &folders {
        let runs = directory.join(RUNS);
        fs::create_dir_all(&runs)
            .await
            .map_err(CommandError::file(&runs))?;
        let text = pretty(&experiments::one(experiment));
        write(&directory.join(EXPERIMENT), &text).await?;
        of_experiment(&client, &args.moving, experiment, directory, &mut done).await?;
        done.experiments += 1;
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
    let is_there = fs::try_exists(&path).await;
    if !is_there.map_err(CommandError::file(&path))? {
        return Ok(());
    }
    let before = rest::read::experiment(&read_json(&path).await?["experiment"]);
    let before = before.map_err(|error| unreadable(&path, &error))?;
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

async fn of_experiment(
    client: &Client,
    moving: &MovingArgs,
    experiment: &Experiment,
    directory: &Path,
    done: &mut Done,
) -> Result<(), CommandError> {
    let mut unfinished = Unfinished::go_on(directory.join(UNFINISHED), moving).await?;
    let runs = directory.join(RUNS);
    let mut query = RunQuery {
        experiment_ids: vec![experiment.experiment_id],
        view: ViewType::ActiveOnly,
        filter: Vec::new(),
        order_by: Vec::new(),
        page: PageRequest {
            max_results: PAGE,
            token: None,
        },
    };
    loop {
        let page = client.store().search_runs(query.clone()).await?;
        for run in &page.items {
            let id = folder_of(run.info.run_id.as_str())?;
            let directory = runs.join(id);
            let text = pretty(&messages::one(run));
            if unfinished.runs.contains(id)
                && fs::read(directory.join(RUN))
                    .await
                    .is_ok_and(|before| before == text)
            {
                done.runs_before += 1;
                continue;
            }
            of_run(client, moving, run, &directory, unfinished.goes_on, done).await?;
            write(&directory.join(RUN), &text).await?;
            unfinished.add(id).await?;
            done.runs += 1;
        }
        query.page.token = page.next_token;
        if query.page.token.is_none() {
            return Ok(());
        }
    }
}

/// The runs that an export has written which has not come to its end.
struct Unfinished {
    path: PathBuf,
    file: File,
    runs: HashSet<String>,
    /// Whether it was begun by an earlier command.
    goes_on: bool,
}

impl Unfinished {
    /// Goes on with an export that left out the same, or begins one.
    async fn go_on(path: PathBuf, moving: &MovingArgs) -> Result<Self, CommandError> {
        let first = if moving.no_artifacts {
            "without artifacts"
        } else {
            "with artifacts"
        };
        let before = fs::read_to_string(&path).await.unwrap_or_default();
        let mut lines = before.lines();
        if lines.next() == Some(first) {
            let runs = lines.map(str::to_owned).collect();
            let file = File::options().append(true).open(&path).await;
            let file = file.map_err(CommandError::file(&path))?;
            return Ok(Self {
                path,
                file,
                runs,
                goes_on: true,
            });
        }
        let file = File::create(&path).await;
        let file = file.map_err(CommandError::file(&path))?;
        let mut begun = Self {
            path,
            file,
            runs: HashSet::new(),
            goes_on: false,
        };
        begun.add(first).await?;
        Ok(begun)
    }

    async fn add(&mut self, line: &str) -> Result<(), CommandError> {
        let written = self.file.write_all(format!("{line}\n").as_bytes()).await;
        written.map_err(CommandError::file(&self.path))?;
        let written = self.file.flush().await;
        written.map_err(CommandError::file(&self.path))
    }
}

/// Removes a folder, if it is there.
async fn remove(folder: &Path) -> Result<(), CommandError> {
    match fs::remove_dir_all(folder).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(CommandError::file(folder)(error))
        }
        _ => Ok(()),
    }
}

/// Writes what belongs to a run. It takes the place of what was there when it is whole.
/// An export that goes on has a part of the artifacts already.
async fn of_run(
    client: &Client,
    moving: &MovingArgs,
    run: &Run,
    directory: &Path,
    goes_on: bool,
    done: &mut Done,
) -> Result<(), CommandError> {
    let id = run.info.run_id.as_str();
    fs::create_dir_all(directory)
        .await
        .map_err(CommandError::file(directory))?;
    if !moving.no_artifacts {
        let place = artifacts_of(moving, id).await?;
        let target = directory.join(ARTIFACTS);
        let part = part_of(&target);
        if !goes_on {
            remove(&part).await?;
        }
        let moved = transfer::download(&place, &part, moving.jobs.into(), &artifacts::bar()).await;
        let moved = moved.map_err(|error| of_artifacts(id, &error))?;
        remove(&target).await?;
        let renamed = fs::rename(&part, &target).await;
        renamed.map_err(CommandError::file(&target))?;
        done.files += moved.files;
    }
    done.points += histories(client, run, &directory.join(METRICS)).await?;
    Ok(())
}

/// A run's id as the name of a folder. A server may say anything.
fn folder_of(id: &str) -> Result<&str, CommandError> {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_');
    if !id.is_empty() && id.len() <= 64 && id.chars().all(is_plain) {
        return Ok(id);
    }
    Err(CommandError::Refused(format!(
        "'{id}' is no id of a run that could be the name of a folder"
    )))
}

/// Writes all points of all metrics, one on each line; says how many there are.
async fn histories(client: &Client, run: &Run, path: &Path) -> Result<usize, CommandError> {
    let part = part_of(path);
    let file = File::create(&part)
        .await
        .map_err(CommandError::file(&part))?;
    let mut file = BufWriter::new(file);
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
            for point in &page.items {
                let line = format!("{}\n", line(point));
                let written = file.write_all(line.as_bytes()).await;
                written.map_err(CommandError::file(&part))?;
            }
            count += page.items.len();
            query.page.token = page.next_token;
            if query.page.token.is_none() {
                break;
            }
        }
    }
    file.flush().await.map_err(CommandError::file(&part))?;
    fs::rename(&part, path)
        .await
        .map_err(CommandError::file(path))?;
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
    json!({
        "key": point.key,
        "value": value,
        "timestamp": point.timestamp,
        "step": point.step,
    })
}

fn part_of(path: &Path) -> PathBuf {
    path.with_extension("part")
}

/// Writes a file whole or not at all.
async fn write(path: &Path, text: &[u8]) -> Result<(), CommandError> {
    let part = part_of(path);
    fs::write(&part, text)
        .await
        .map_err(CommandError::file(&part))?;
    fs::rename(&part, path)
        .await
        .map_err(CommandError::file(path))
}
