//! How far an upgrade is: a bar on a terminal, lines elsewhere; on stderr.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use runledger_store_sql::Progress;

use super::plan::grouped;
use crate::report;

/// Tables from this size on are worth a line of their own.
const LARGE: u64 = 100_000;
/// How often a line tells of the same table.
const PAUSE: Duration = Duration::from_secs(10);

/// Tells how far an upgrade is.
pub(super) struct ProgressReport {
    bar: Option<ProgressBar>,
    step: usize,
    table: Option<String>,
    told: Instant,
}

impl ProgressReport {
    pub(super) fn new() -> Self {
        Self {
            bar: io::stderr().is_terminal().then(bar),
            step: 0,
            table: None,
            told: Instant::now(),
        }
    }

    pub(super) fn tell(&mut self, now: &Progress<'_>) {
        if let Some(bar) = &self.bar {
            bar.set_prefix(format!("{}/{}", now.step, now.of));
            bar.set_message(match (now.table, now.rows) {
                (Some(table), Some(rows)) => {
                    format!("{}: {table}, {} rows", now.title, grouped(rows))
                }
                _ => now.title.to_owned(),
            });
            // Of a table that the database goes through by itself only the
            // time shows.
            match now.rows {
                Some(rows) if now.rows_done > 0 => {
                    bar.set_length(rows);
                    bar.set_position(now.rows_done.min(rows));
                }
                _ => {
                    bar.set_length(now.of as u64);
                    bar.set_position(now.step.saturating_sub(1) as u64);
                }
            }
            return;
        }
        if let Some(line) = self.line(now) {
            report::progress(&line);
        }
    }

    /// What a line says of it, if it is worth one.
    fn line(&mut self, now: &Progress<'_>) -> Option<String> {
        let line = if now.step != self.step {
            let Progress { step, of, .. } = now;
            format!("step {step} of {of}: {} ({})", now.title, now.revision)
        } else if let (Some(table), Some(rows @ LARGE..)) = (now.table, now.rows) {
            let is_new = self.table.as_deref() != Some(table);
            if !is_new && self.told.elapsed() < PAUSE {
                return None;
            }
            let done = now.rows_done;
            if done == 0 {
                format!("  {table}: {} rows", grouped(rows))
            } else {
                format!("  {table}: {} of {} rows", grouped(done), grouped(rows))
            }
        } else {
            return None;
        };
        self.step = now.step;
        self.table = now.table.map(str::to_owned);
        self.told = Instant::now();
        Some(line)
    }

    /// Takes the bar away.
    pub(super) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {prefix} [{bar:20}] {elapsed} {wide_msg}")
        .expect("the template is a constant, and right");
    let bar = ProgressBar::no_length().with_style(style.progress_chars("=> "));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
