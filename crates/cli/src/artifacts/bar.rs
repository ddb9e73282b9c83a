//! How far a transfer is: a bar on a terminal, nothing elsewhere; on stderr.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Switches bars off (MLflow's variable).
const VARIABLE: &str = "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR";

/// The part of a bar that one file has.
pub(super) struct Share<'a> {
    bar: &'a ProgressBar,
    counted: u64,
}

impl<'a> Share<'a> {
    pub(super) fn of(bar: &'a ProgressBar) -> Self {
        Self { bar, counted: 0 }
    }

    /// So much of the file is there; less than before, if it began anew.
    pub(super) fn set(&mut self, done: u64) {
        self.bar.inc(done.saturating_sub(self.counted));
        self.bar.dec(self.counted.saturating_sub(done));
        self.counted = done;
    }
}

/// A bar over all bytes, with the files in its words.
pub(super) fn of(bytes: u64, files: usize) -> ProgressBar {
    let off = std::env::var(VARIABLE)
        .is_ok_and(|value| matches!(value.to_ascii_lowercase().as_str(), "false" | "0"));
    if off || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(
        "{spinner} [{bar:25}] {bytes} of {total_bytes}, {bytes_per_sec} {wide_msg}",
    )
    .expect("the template is a constant, and right");
    let bar = ProgressBar::new(bytes).with_style(style.progress_chars("=> "));
    let noun = if files == 1 { "file" } else { "files" };
    bar.set_message(format!("{files} {noun}"));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
