//! What the examples of autologging share: a tracker, and data.

use std::env;

use runledger::{ActiveRun, RunLogger, RunOptions, Tracker, TrackingError};

/// A run where `MLFLOW_TRACKING_URI` says, else in a folder for temporary files.
pub(crate) fn start(name: &str) -> Result<ActiveRun, TrackingError> {
    let tracker = if env::var_os("MLFLOW_TRACKING_URI").is_some() {
        Tracker::from_env()?
    } else {
        let folder = env::temp_dir().join("runledger-autolog/mlruns");
        Tracker::open(&folder.display().to_string())?
    };
    tracker.set_experiment("autologging")?;
    tracker.start_run_with(RunOptions::named(name))
}

/// Ends the run, and prints what it has.
#[expect(clippy::print_stdout, reason = "it is for people")]
pub(crate) fn end(run: ActiveRun) -> Result<(), TrackingError> {
    let (id, logger): (_, RunLogger) = (run.run_id().clone(), run.logger());
    run.end()?;
    let data = logger.get()?.data;
    println!("run {id} in {}", logger.info().artifact_uri);
    for param in data.params {
        println!("  {} = {}", param.key, param.value);
    }
    for metric in data.metrics {
        println!("  {}: {} (step {})", metric.key, metric.value, metric.step);
    }
    Ok(())
}

/// Numbers between -1 and 1 that look random, the same each time.
pub(crate) fn noise() -> impl Iterator<Item = f32> {
    let mut state = 1_u32;
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // The higher bits are the better ones.
        let [high, low, ..] = state.to_be_bytes();
        f32::from(u16::from_be_bytes([high, low])) / 32_768.0 - 1.0
    })
}
