//! What the terminal shows: a head, a line for each run, and as many charts as fit.

use runledger_entities::{Metric, Run, RunStatus};

use super::chart::{Chart, Line, Series};
use super::poll::Look;
use crate::runs::{name, tone};
use crate::term::Tone;
use crate::term::text::{duration, fitted, plain, time, width};

/// The fewest columns and rows of a chart.
const CHART: (usize, usize) = (36, 7);

/// Between two charts side by side.
const GAP: usize = 2;

/// How the user wants it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Taste {
    /// A logarithmic scale of values.
    pub(super) is_log: bool,
    /// Time in the place of steps.
    pub(super) by_time: bool,
}

/// What is around the charts.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    /// Where the runs are.
    pub(super) place: String,
    /// What went wrong with the last look, and when the next one is.
    pub(super) trouble: Option<String>,
    /// Milliseconds since the epoch.
    pub(super) now: i64,
    /// Whether keys are read.
    pub(super) has_keys: bool,
}

/// How many charts there are side by side and one above the other.
fn grid(size: (usize, usize), runs: usize) -> (usize, usize) {
    let (columns, rows) = size;
    // The head, an empty line below the runs, and the foot.
    let room = rows.saturating_sub(runs + 3);
    let across = ((columns + GAP) / (CHART.0 + GAP)).clamp(1, 4);
    let down = (room / CHART.1).clamp(1, 6);
    (across, down)
}

/// How many charts fit.
pub(super) fn charts(size: (usize, usize), runs: usize) -> usize {
    let (across, down) = grid(size, runs);
    across * down
}

/// All lines of the terminal, none of them too long.
pub(super) fn frame(
    size: (usize, usize),
    look: &Look,
    taste: Taste,
    around: &Surroundings,
) -> Vec<Line> {
    let (columns, rows) = size;
    let mut lines = vec![head(columns, look, size, around)];
    let letters = 'A'..='Z';
    for (at, (run, letter)) in look.runs.iter().zip(letters).enumerate() {
        lines.push(of_run(columns, run, letter, series_tone(at), around.now));
    }
    if look.runs.is_empty() {
        let mut line = Line::default();
        line.add("There is no run yet.", Tone::Faint, columns);
        lines.push(line);
    }
    lines.push(Line::default());
    let room = rows.saturating_sub(lines.len() + 1);
    lines.extend(drawings(columns, room, look, size, taste));
    lines.truncate(rows.saturating_sub(1));
    lines.resize(rows.saturating_sub(1), Line::default());
    lines.push(foot(columns, taste, around));
    lines
}

fn series_tone(at: usize) -> Tone {
    Tone::Series(u8::try_from(at).unwrap_or(u8::MAX))
}

fn head(columns: usize, look: &Look, size: (usize, usize), around: &Surroundings) -> Line {
    let mut line = Line::default();
    let clock = format!("{} UTC", &time(around.now, true)[11..]);
    let count = charts(size, look.runs.len());
    let pages = look.keys.len().div_ceil(count.max(1));
    let page = if pages > 1 {
        format!("metrics {}/{pages}  {clock}", look.first / count.max(1) + 1)
    } else {
        clock
    };
    let room = columns.saturating_sub(width(&page) + 2);
    line.add("runledger watch  ", Tone::Heading, room);
    line.add(&plain(&around.place), Tone::Faint, room);
    line.pad(columns.saturating_sub(width(&page)));
    line.add(&page, Tone::Faint, columns);
    line
}

fn of_run(columns: usize, run: &Run, letter: char, of_series: Tone, now: i64) -> Line {
    let info = &run.info;
    let ended = info.end_time.filter(|time| *time != 0);
    let is_running = info.status == RunStatus::Running;
    let until = if is_running { Some(now) } else { ended };
    let took = until.map_or_else(String::new, |until| {
        duration(until.saturating_sub(info.start_time))
    });
    let step = run.data.metrics.iter().map(|metric| metric.step).max();
    let step = step.map_or_else(String::new, |step| format!("step {step}"));
    let id: String = info.run_id.as_str().chars().take(8).collect();
    let mut line = Line::default();
    line.add(&format!("{letter}  "), of_series, columns);
    // The rest has 42 columns beside the name.
    let room = columns.saturating_sub(45).max(8);
    line.add(&fitted(&plain(name(run)), room), Tone::Plain, columns);
    line.pad(3 + room + 2);
    line.add(
        &format!("{:<9}  ", info.status.name()),
        tone(info.status),
        columns,
    );
    line.add(&format!("{took:>7}  {step:<12}"), Tone::Plain, columns);
    line.add(&format!("{id:>8}"), Tone::Faint, columns);
    line
}

fn drawings(
    columns: usize,
    room: usize,
    look: &Look,
    size: (usize, usize),
    taste: Taste,
) -> Vec<Line> {
    let (across, down) = grid(size, look.runs.len());
    let in_sight: Vec<&String> = look
        .keys
        .iter()
        .skip(look.first)
        .take(across * down)
        .collect();
    if in_sight.is_empty() || room < 3 {
        let mut line = Line::default();
        if !look.runs.is_empty() {
            line.add("No metric is logged yet.", Tone::Faint, columns);
        }
        return vec![line];
    }
    // Fewer charts are larger ones.
    let across = across.min(in_sight.len());
    let rows_of_charts = in_sight.len().div_ceil(across);
    let (wide, high) = (
        (columns - GAP * (across - 1)) / across,
        room / rows_of_charts,
    );
    let mut lines = Vec::new();
    for keys in in_sight.chunks(across) {
        let charts = keys.iter().map(|key| one(key, look, taste, (wide, high)));
        let charts: Vec<Vec<Line>> = charts.collect();
        for row in 0..high {
            let mut line = Line::default();
            for (at, chart) in charts.iter().enumerate() {
                line.pad(at * (wide + GAP));
                if let Some(part) = chart.get(row) {
                    line.0.extend(part.0.iter().cloned());
                }
            }
            lines.push(line);
        }
    }
    lines
}

fn one(key: &str, look: &Look, taste: Taste, (wide, high): (usize, usize)) -> Vec<Line> {
    let points = |run: &Run| {
        let of = (run.info.run_id.clone(), key.to_owned());
        look.points.get(&of).map_or(&[][..], Vec::as_slice)
    };
    // Of a program that counts no steps, time is all there is.
    let mut all = look.runs.iter().flat_map(points).map(|metric| metric.step);
    let first = all.next();
    let has_steps = all.any(|step| Some(step) != first);
    let by_time = taste.by_time || !has_steps;
    let series: Vec<Series> = look
        .runs
        .iter()
        .zip('A'..='Z')
        .enumerate()
        .map(|(at, (run, letter))| Series {
            letter,
            tone: series_tone(at),
            points: placed(points(run), by_time, run.info.start_time),
        })
        .collect();
    let chart = Chart {
        title: key,
        series: &series,
        is_log: taste.is_log,
        label: if by_time { seconds } else { step },
    };
    chart.lines(wide, high)
}

/// Points with their places, from left to right.
#[expect(
    clippy::cast_precision_loss,
    reason = "places of a drawing, not exact numbers"
)]
fn placed(metrics: &[Metric], by_time: bool, start: i64) -> Vec<(f64, f64)> {
    let place = |metric: &Metric| {
        if by_time {
            metric.timestamp.saturating_sub(start) as f64
        } else {
            metric.step as f64
        }
    };
    let mut points: Vec<_> = metrics
        .iter()
        .map(|metric| (place(metric), metric.value))
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

fn step(place: f64) -> String {
    format!("{place:.0}")
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "milliseconds were whole before they were places"
)]
fn seconds(place: f64) -> String {
    duration(place as i64)
}

fn foot(columns: usize, taste: Taste, around: &Surroundings) -> Line {
    let mut line = Line::default();
    if let Some(trouble) = &around.trouble {
        line.add(&plain(trouble), Tone::Bad, columns);
        return line;
    }
    if around.has_keys {
        let log = if taste.is_log { "linear" } else { "log" };
        let axis = if taste.by_time { "steps" } else { "time" };
        let keys = format!("q quit   ←→ metrics   l {log}   t {axis}");
        line.add(&keys, Tone::Faint, columns);
    }
    line
}
