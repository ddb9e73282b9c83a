//! `runledger runs compare`: what runs logged, a column for each run.

use std::collections::BTreeMap;

use runledger_entities::{ExperimentId, Run};
use runledger_protocol::messages::runs as messages;

use super::{id, name, tone};
use crate::args::CompareArgs;
use crate::command::CommandError;
use crate::term::table::{Cell, Column, Table};
use crate::term::text::{duration, number, time};
use crate::term::{Out, Tone};
use crate::tracking::{self, Access};

/// How much of an id stands for the run.
const ID: usize = 8;

/// To how many columns of the terminal a run's may shrink.
const LEAST: usize = 8;

pub(super) async fn compare(args: &CompareArgs) -> Result<(), CommandError> {
    let client = tracking::open(&args.tracking, Access::Read).await?;
    let mut runs = Vec::new();
    let mut experiments = BTreeMap::new();
    for text in &args.runs {
        let run = client.get_run(&id(text)).await?;
        let experiment = run.info.experiment_id;
        if !args.output.json && !experiments.contains_key(&experiment) {
            experiments.insert(experiment, client.get_experiment(experiment).await?.name);
        }
        runs.push(run);
    }
    let mut out = Out::new();
    if args.output.json {
        out.json(&messages::page(&runs, None))?;
    } else {
        out.lines(&table(&runs, &experiments, args.differing).lines(out.look))?;
    }
    Ok(out.flush()?)
}

fn table(runs: &[Run], experiments: &BTreeMap<ExperimentId, String>, differing: bool) -> Table {
    let mut columns = vec![Column::flexible("", 12)];
    columns.extend(runs.iter().map(|run| Column::flexible(name(run), LEAST)));
    let mut table = Table::new(columns);
    let mut section = |title: &str, rows: Vec<(String, Vec<Cell>)>| {
        let mut is_titled = title.is_empty();
        for (key, cells) in rows {
            let is_same = cells.windows(2).all(|pair| pair[0] == pair[1]);
            if differing && is_same {
                continue;
            }
            if !is_titled {
                let blank = runs.iter().map(|_| Cell::default());
                let title = [Cell::of(title, Tone::Heading)];
                table.row(title.into_iter().chain(blank));
                is_titled = true;
            }
            let indent = if title.is_empty() { "" } else { "  " };
            let key = [Cell::from(format!("{indent}{key}"))];
            table.row(key.into_iter().chain(cells));
        }
    };
    section("", of_infos(runs, experiments));
    section(
        "PARAMS",
        by_key(runs, |run| {
            let params = run.data.params.iter();
            params
                .map(|param| (param.key.as_str(), param.value.clone()))
                .collect()
        }),
    );
    section(
        "METRICS",
        by_key(runs, |run| {
            let metrics = run.data.metrics.iter();
            metrics
                .map(|metric| (metric.key.as_str(), number(metric.value)))
                .collect()
        }),
    );
    section(
        "TAGS",
        by_key(runs, |run| {
            let own = run.data.tags.iter();
            own.filter(|tag| !tag.key.starts_with("mlflow."))
                .map(|tag| (tag.key.as_str(), tag.value.clone()))
                .collect()
        }),
    );
    table
}

fn of_infos(
    runs: &[Run],
    experiments: &BTreeMap<ExperimentId, String>,
) -> Vec<(String, Vec<Cell>)> {
    let row = |title: &str, cell: &dyn Fn(&Run) -> Cell| {
        (title.to_owned(), runs.iter().map(cell).collect())
    };
    vec![
        row("run id", &|run| {
            let id: String = run.info.run_id.as_str().chars().take(ID).collect();
            Cell::of(&id, Tone::Faint)
        }),
        row("experiment", &|run| {
            let name = experiments.get(&run.info.experiment_id);
            name.map_or_else(missing, |name| name.as_str().into())
        }),
        row("status", &|run| {
            Cell::of(run.info.status.name(), tone(run.info.status))
        }),
        row("started", &|run| time(run.info.start_time, false).into()),
        row(
            "took",
            &|run| match run.info.end_time.filter(|time| *time != 0) {
                Some(ended) => duration(ended.saturating_sub(run.info.start_time)).into(),
                None => missing(),
            },
        ),
    ]
}

/// A row for each key, with a cell for each run.
fn by_key<'a>(
    runs: &'a [Run],
    pairs: impl Fn(&'a Run) -> Vec<(&'a str, String)>,
) -> Vec<(String, Vec<Cell>)> {
    let mut rows: BTreeMap<&str, Vec<Cell>> = BTreeMap::new();
    for (at, run) in runs.iter().enumerate() {
        for (key, value) in pairs(run) {
            let cells = rows
                .entry(key)
                .or_insert_with(|| runs.iter().map(|_| missing()).collect());
            cells[at] = value.into();
        }
    }
    let rows = rows.into_iter();
    rows.map(|(key, cells)| (key.to_owned(), cells)).collect()
}

fn missing() -> Cell {
    Cell::of("-", Tone::Faint)
}
