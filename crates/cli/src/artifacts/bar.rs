//! How far a transfer is: a bar on a terminal, nothing elsewhere; on stderr.

use std::io::{self, IsTerminal};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use runledger_artifacts::transfer::Progress;

/// Switches bars off (MLflow's variable).
const VARIABLE: &str = "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR";

/// The bar of a transfer, made once it is known how long that is.
#[derive(Debug, Default)]
struct Bar(OnceLock<ProgressBar>);

/// A bar of a transfer to come.
pub(crate) fn new() -> Arc<dyn Progress> {
    Arc::new(Bar::default())
}

impl Progress for Bar {
    fn begin(&self, bytes: u64, files: usize) {
        self.0.get_or_init(|| of(bytes, files));
    }

    fn forth(&self, bytes: u64) {
        if let Some(bar) = self.0.get() {
            bar.inc(bytes);
        }
    }

    fn back(&self, bytes: u64) {
        if let Some(bar) = self.0.get() {
            bar.dec(bytes);
        }
    }

    fn end(&self) {
        if let Some(bar) = self.0.get() {
            bar.finish_and_clear();
        }
    }
}

/// A bar over all bytes, with the files in its words.
fn of(bytes: u64, files: usize) -> ProgressBar {
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
