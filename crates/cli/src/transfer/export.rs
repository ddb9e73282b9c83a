//! Out of a store, into a folder.

use std::path::{Path, PathBuf};

use runledger::Client;
use runledger_artifacts::transfer;
use runledger_entities::{Experiment, Metric, Run, ViewType, limits};
use runledger_protocol::messages::{experiments, runs};
use runledger_store::{HistoryQuery, PageRequest, RunQuery};
use serde_json::{Value, json};
use tokio::fs::{self, File};
use tokio::io::{AsyncWriteExt as _, BufWriter};

use super::{ARTIFACTS, Done, EXPERIMENT, METRICS, RUN, RUNS, artifacts_of, of_artifacts};
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
    let mut done = Done::default();
    for experiment in found {
        let directory = args.directory.join(experiment.experiment_id.to_string());
        let runs = directory.join(RUNS);
        fs::create_dir_all(&runs)
            .await
            .map_err(CommandError::file(&runs))?;
        let text = pretty(&experiments::one(&experiment));
        write(&directory.join(EXPERIMENT), &text).await?;
        of_experiment(&client, &args.moving, &experiment, &runs, &mut done).await?;
        done.experiments += 1;
    }
    Ok(done)
}

async fn of_experiment(
    client: &Client,
    moving: &MovingArgs,
    experiment: &Experiment,
    directory: &Path,
    done: &mut Done,
) -> Result<(), CommandError> {
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
            of_run(client, moving, run, directory, done).await?;
        }
        query.page.token = page.next_token;
        if query.page.token.is_none() {
            return Ok(());
        }
    }
}

async fn of_run(
    client: &Client,
    moving: &MovingArgs,
    run: &Run,
    directory: &Path,
    done: &mut Done,
) -> Result<(), CommandError> {
    let id = run.info.run_id.as_str();
    let directory = directory.join(folder_of(id)?);
    let path = directory.join(RUN);
    let text = pretty(&runs::one(run));
    if fs::read(&path).await.is_ok_and(|before| before == text) {
        done.runs_before += 1;
        return Ok(());
    }
    fs::create_dir_all(&directory)
        .await
        .map_err(CommandError::file(&directory))?;
    done.points += histories(client, run, &directory.join(METRICS)).await?;
    if !moving.no_artifacts {
        let place = artifacts_of(moving, id).await?;
        let target = directory.join(ARTIFACTS);
        let moved =
            transfer::download(&place, &target, moving.jobs.into(), &artifacts::bar()).await;
        let moved = moved.map_err(|error| of_artifacts(id, &error))?;
        done.files += moved.files;
    }
    write(&path, &text).await?;
    done.runs += 1;
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
