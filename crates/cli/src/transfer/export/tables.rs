//! Runs and metrics as tables for analysis.
//!
//! `runs.parquet` has a row for each run, whose params and tags are JSON: programs read maps
//! in many ways, and texts in one. `metrics/<run>.parquet` has a row for each point.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use runledger_entities::{LoggedModel, Metric, MetricModel, Run};
use runledger_protocol::messages::runs as messages;
use serde_json::{Map, Value};

use super::table::{Cell, Kind, Table};
use super::{Archive, each_page, each_run, models};
use crate::command::CommandError;
use crate::transfer::measured::Point;
use crate::transfer::unfinished::Unfinished;
use crate::transfer::{Done, METRICS_TABLES, RUNS_TABLE, files};

const RUNS: [(&str, Kind); 11] = [
    ("run_id", Kind::Text),
    ("experiment_id", Kind::Text),
    ("name", Kind::Text),
    ("status", Kind::Text),
    ("start_time", Kind::Time),
    ("end_time", Kind::Time),
    ("lifecycle_stage", Kind::Text),
    ("user_id", Kind::Text),
    ("artifact_uri", Kind::Text),
    ("params", Kind::Text),
    ("tags", Kind::Text),
];

const METRICS: [(&str, Kind); 8] = [
    ("run_id", Kind::Text),
    ("key", Kind::Text),
    ("value", Kind::Double),
    ("timestamp", Kind::Time),
    ("step", Kind::Whole),
    ("model_id", Kind::Text),
    ("dataset_name", Kind::Text),
    ("dataset_digest", Kind::Text),
];

/// The models and datasets that points of runs were measured on, by run.
type Measured = HashMap<String, HashMap<Point, MetricModel>>;

/// Writes the tables of an experiment.
pub(super) async fn export(
    archive: &Archive<'_>,
    unfinished: &mut Unfinished,
    done: &mut Done,
) -> Result<(), CommandError> {
    let measured = measured(archive).await?;
    files::make(&archive.directory.join(METRICS_TABLES)).await?;
    let path = archive.directory.join(RUNS_TABLE);
    let mut table = Table::create(files::part_of(&path), &RUNS)?;
    let each = each_run(archive, async |run: &Run| {
        add_run(&mut table, run)?;
        // Whether it goes on is told by its text.
        let id = files::name_of(run.info.run_id.as_str(), "run")?;
        let mut hash = DefaultHasher::new();
        messages::one(run).hash(&mut hash);
        let line = format!("{id} {:x}", hash.finish());
        if unfinished.has(&line) {
            done.runs.before += 1;
            return Ok(());
        }
        done.points += write_points(archive, run, &measured).await?;
        unfinished.add(&line).await?;
        done.runs.now += 1;
        Ok(())
    });
    each.await?;
    table.finish(&path).await
}

/// What is told by logged models of the points of runs.
async fn measured(archive: &Archive<'_>) -> Result<Measured, CommandError> {
    let mut measured = Measured::new();
    let each = models::each(archive, async |model: &LoggedModel| {
        for metric in &model.metrics {
            let of = MetricModel {
                model_id: Some(model.model_id.to_string()),
                dataset_name: metric.dataset_name.clone(),
                dataset_digest: metric.dataset_digest.clone(),
            };
            let run = metric.run_id.as_str().to_owned();
            let points = measured.entry(run).or_default();
            points.insert(Point::of_model(metric), of);
        }
        Ok(())
    });
    each.await?;
    Ok(measured)
}

fn add_run(table: &mut Table, run: &Run) -> Result<(), CommandError> {
    let info = &run.info;
    let experiment = info.experiment_id.to_string();
    let params = run.data.params.iter();
    let params = json(params.map(|param| (&param.key, &param.value)));
    let tags = run.data.tags.iter();
    let tags = json(tags.map(|tag| (&tag.key, &tag.value)));
    // MLflow takes 0 for "not ended".
    let end = info.end_time.filter(|time| *time != 0);
    table.add(&[
        Cell::Text(info.run_id.as_str()),
        Cell::Text(&experiment),
        Cell::maybe_text(info.run_name.as_deref()),
        Cell::Text(info.status.name()),
        Cell::Whole(info.start_time),
        end.map_or(Cell::Missing, Cell::Whole),
        Cell::Text(info.lifecycle_stage.name()),
        Cell::Text(&info.user_id),
        Cell::Text(&info.artifact_uri),
        Cell::Text(&params),
        Cell::Text(&tags),
    ])
}

/// Pairs as an object of JSON.
fn json<'p>(pairs: impl Iterator<Item = (&'p String, &'p String)>) -> String {
    let pairs = pairs.map(|(key, value)| (key.clone(), Value::from(value.as_str())));
    Value::Object(pairs.collect::<Map<_, _>>()).to_string()
}

/// Writes the points of a run; says how many there are. A run without any has no file.
async fn write_points(
    archive: &Archive<'_>,
    run: &Run,
    measured: &Measured,
) -> Result<usize, CommandError> {
    let id = run.info.run_id.as_str();
    let path = archive.directory.join(METRICS_TABLES);
    let path = path.join(format!("{id}.parquet"));
    if run.data.metrics.is_empty() {
        files::remove_file(&path).await?;
        return Ok(0);
    }
    // Not beside the others: what reads their folder reads each file in it.
    let part = archive.directory.join("metrics.part");
    let mut table = Table::create(part, &METRICS)?;
    let measured = measured.get(id);
    let count = each_page(archive.client, run, async |points: &[Metric]| {
        for point in points {
            let told = point.model.as_deref();
            let known = || measured?.get(&Point::of(point));
            let of = told.filter(|of| of.model_id.is_some());
            add_point(&mut table, id, point, of.or_else(known).or(told))?;
        }
        Ok(())
    });
    let count = count.await?;
    table.finish(&path).await?;
    Ok(count)
}

fn add_point(
    table: &mut Table,
    run: &str,
    point: &Metric,
    of: Option<&MetricModel>,
) -> Result<(), CommandError> {
    table.add(&[
        Cell::Text(run),
        Cell::Text(&point.key),
        Cell::Double(point.value),
        Cell::Whole(point.timestamp),
        Cell::Whole(point.step),
        Cell::maybe_text(of.and_then(|of| of.model_id.as_deref())),
        Cell::maybe_text(of.and_then(|of| of.dataset_name.as_deref())),
        Cell::maybe_text(of.and_then(|of| of.dataset_digest.as_deref())),
    ])
}
