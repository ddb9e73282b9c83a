//! `runledger runs compare`: what runs logged, a column for each run.

use std::collections::BTreeMap;

use runledger_entities::{ExperimentId, Run};
use runledger_protocol::messages::runs as messages;

use super::{id, name, tone};
use crate::args::CompareArgs;
use crate::command::CommandError;
use crate::term::table::{Cell, Column, Table};
use crate::term::text::{duration, time};
use crate::term::{Look, Out, Tone};
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
        out.lines(&table(&runs, &experiments, args.differing, out.look).lines(out.look))?;
    }
    Ok(out.flush()?)
}

/// A line of the table: what it is about, its cells, and whether the runs have the same.
struct Row {
    key: String,
    cells: Vec<Cell>,
    is_same: bool,
}

fn table(
    runs: &[Run],
    experiments: &BTreeMap<ExperimentId, String>,
    differing: bool,
    look: Look,
) -> Table {
    let mut columns = vec![Column::flexible("", 12)];
    columns.extend(runs.iter().map(|run| Column::flexible(name(run), LEAST)));
    let mut table = Table::new(columns);
    let mut section = |title: &str, rows: Vec<Row>| {
        let mut is_titled = title.is_empty();
        for row in rows {
            if differing && row.is_same {
                continue;
            }
            if !is_titled {
                let blank = runs.iter().map(|_| Cell::default());
                let title = [Cell::of(title, Tone::Heading)];
                table.row(title.into_iter().chain(blank));
                is_titled = true;
            }
            let indent = if title.is_empty() { "" } else { "  " };
            let key = [Cell::from(format!("{indent}{}", row.key))];
            table.row(key.into_iter().chain(row.cells));
        }
    };
    section("", of_infos(runs, experiments));
    let params = by_key(
        runs,
        |run| {
            let params = run.data.params.iter();
            params
                .map(|param| (param.key.as_str(), param.value.as_str()))
                .collect()
        },
        |value| Cell::from(*value),
    );
    section("PARAMS", params);
    // By their bits, so that NaN is itself.
    let metrics = by_key(
        runs,
        |run| {
            let metrics = run.data.metrics.iter();
            metrics
                .map(|metric| (metric.key.as_str(), metric.value.to_bits()))
                .collect()
        },
        |bits| Cell::from(look.number(f64::from_bits(*bits))),
    );
    section("METRICS", metrics);
    let tags = by_key(
        runs,
        |run| {
            let own = run.data.tags.iter();
            own.filter(|tag| !tag.key.starts_with("mlflow."))
                .map(|tag| (tag.key.as_str(), tag.value.as_str()))
                .collect()
        },
        |value| Cell::from(*value),
    );
    section("TAGS", tags);
    table
}

fn of_infos(runs: &[Run], experiments: &BTreeMap<ExperimentId, String>) -> Vec<Row> {
    let row = |title: &str, cell: &dyn Fn(&Run) -> Cell| {
        let cells: Vec<Cell> = runs.iter().map(cell).collect();
        Row {
            key: title.to_owned(),
            // As they are shown: no two runs begin in the same millisecond.
            is_same: cells.windows(2).all(|pair| pair[0] == pair[1]),
            cells,
        }
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
fn by_key<'a, T: PartialEq>(
    runs: &'a [Run],
    pairs: impl Fn(&'a Run) -> Vec<(&'a str, T)>,
    cell: impl Fn(&T) -> Cell,
) -> Vec<Row> {
    let mut rows: BTreeMap<&str, Vec<Option<T>>> = BTreeMap::new();
    for (at, run) in runs.iter().enumerate() {
        for (key, value) in pairs(run) {
            let values = rows
                .entry(key)
                .or_insert_with(|| runs.iter().map(|_| None).collect());
            values[at] = Some(value);
        }
    }
    let rows = rows.into_iter().map(|(key, values)| Row {
        key: key.to_owned(),
        is_same: values.windows(2).all(|pair| pair[0] == pair[1]),
        cells: values
            .iter()
            .map(|value| value.as_ref().map_or_else(missing, &cell))
            .collect(),
    });
    rows.collect()
}

fn missing() -> Cell {
    Cell::of("-", Tone::Faint)
}
