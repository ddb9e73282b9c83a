//! A training loop without training: what it logs, and how fast the loop gets on.
//!
//! `cargo run -p runledger --example train -- http://localhost:5000 10000`; a third
//! argument is the time that a step takes, in microseconds.

use std::env;
use std::thread;
use std::time::{Duration, Instant};

use runledger::entities::RunStatus;
use runledger::{RunLogger, RunOptions, TrackingError};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    if let Some(uri) = arguments.next() {
        runledger::set_tracking_uri(&uri)?;
    }
    let steps: i64 = arguments.next().map_or(Ok(100), |text| text.parse())?;
    let micros = arguments.next().map_or(Ok(0), |text| text.parse())?;
    runledger::set_experiment("train")?;

    let run = runledger::start_run_with(RunOptions {
        description: Some("logged from Rust".to_owned()),
        ..RunOptions::named("of Rust")
    })?;
    run.log_params([("learning rate", "0.01"), ("optimiser", "adam")])?;
    run.set_tag("team", "é ✓")?;
    let begin = Instant::now();
    train(&run, steps, Duration::from_micros(micros))?;
    let looped = begin.elapsed();
    run.flush()?;
    let flushed = begin.elapsed();

    let child = run.child_with(RunOptions::named("evaluation"))?;
    child.log_metrics([("accuracy", 0.875), ("unknown", f64::NAN)], steps)?;
    child.end_as(RunStatus::Failed)?;

    let id = run.run_id().clone();
    run.end()?;
    #[expect(clippy::print_stdout, reason = "it is for people")]
    {
        println!("run {id}: {steps} steps in {looped:?}, all there after {flushed:?}");
    }
    Ok(())
}

fn train(run: &RunLogger, steps: i64, pause: Duration) -> Result<(), TrackingError> {
    let mut loss = 1.0;
    for step in 0..steps {
        run.log_metric_at("loss", loss, step)?;
        loss *= 0.999;
        if !pause.is_zero() {
            thread::sleep(pause);
        }
    }
    Ok(())
}
