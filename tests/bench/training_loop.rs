//! A training loop that logs with the crate `runledger`, and what a call of it costs.
//!
//! `training_loop URI METRICS` logs so many metrics of one key as fast as it can, waits until all have arrived, and prints
//! one JSON object: the seconds of that, and the nanoseconds of a call while the queue has room, beside those of the least
//! that a call has to do (read the clock, make a metric, push it into a bounded queue of the standard library), and of
//! that push alone.
#![expect(clippy::print_stdout, reason = "the result of a command")]

use std::error::Error;
use std::ops::Range;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use runledger::entities::Metric;
use runledger::{RunLogger, Tracker};
use serde_json::json;

/// What the queue of a run holds.
const ROOM: i64 = 10_000;
/// Calls in a row that fit into a queue that is empty before.
const BURST: i64 = 5_000;
const BURSTS: i64 = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [uri, metrics] = arguments.as_slice() else {
        return Err("usage: training_loop URI METRICS".into());
    };
    let metrics: i64 = metrics.parse()?;
    let tracker = Tracker::open(uri)?;
    tracker.set_experiment("training-loop")?;

    let run = tracker.start_run()?;
    let begin = Instant::now();
    let mut loss = 1.0;
    for step in 0..metrics {
        run.log_metric_at("loss", loss, step)?;
        loss *= 0.999_99;
    }
    run.flush()?;
    let seconds = begin.elapsed().as_secs_f64();
    run.end()?;

    let run = tracker.start_run()?;
    let call = nanos_of_a_call(&run)?;
    run.end()?;
    let made_and_pushed = nanos_of_a_push(|steps| steps.map(metric))?;
    let pushed = nanos_of_a_push(|steps| steps.map(metric).collect::<Vec<_>>())?;
    let result = json!({
        "seconds": seconds, "call_ns": call, "made_and_pushed_ns": made_and_pushed, "pushed_ns": pushed,
    });
    println!("{result}");
    Ok(())
}

/// The median of bursts, each into an empty queue.
fn nanos_of_a_call(run: &RunLogger) -> Result<u64, Box<dyn Error>> {
    let mut bursts = Vec::new();
    for burst in 0..BURSTS {
        run.flush()?;
        let begin = Instant::now();
        for step in burst * BURST..(burst + 1) * BURST {
            run.log_metric_at("loss", 0.5, step)?;
        }
        bursts.push(begin.elapsed());
    }
    Ok(median_of_one(bursts))
}

/// The same of a queue that a thread empties. Metrics that `metrics` makes as they are asked for are made within the time.
fn nanos_of_a_push<M: IntoIterator<Item = Metric>>(
    metrics: impl Fn(Range<i64>) -> M,
) -> Result<u64, Box<dyn Error>> {
    let (send, receive) = mpsc::sync_channel::<Metric>(usize::try_from(ROOM)?);
    let drain = thread::spawn(move || receive.into_iter().count());
    let mut bursts = Vec::new();
    for burst in 0..BURSTS {
        let metrics = metrics(burst * BURST..(burst + 1) * BURST);
        thread::sleep(Duration::from_millis(20));
        let begin = Instant::now();
        for metric in metrics {
            send.send(metric)?;
        }
        bursts.push(begin.elapsed());
    }
    drop(send);
    drain.join().map_err(|_| "the thread panicked")?;
    Ok(median_of_one(bursts))
}

/// A metric of now.
fn metric(step: i64) -> Metric {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let now = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
    Metric::new("loss", 0.5, now, step)
}

fn median_of_one(mut bursts: Vec<Duration>) -> u64 {
    bursts.sort();
    let nanos = bursts[bursts.len() / 2].as_nanos();
    u64::try_from(nanos).unwrap_or(u64::MAX) / BURST.unsigned_abs()
}
