//! Samples beside a run, on a thread of its own that ends with the run.

use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use runledger_entities::Metric;

use super::SystemMetricsOptions;
use super::machine::{Machine, Sample};
use crate::client::now;
use crate::{RunLogger, TrackingError};

/// What names of system metrics begin with, of any machine.
const PREFIX: &str = "system/";

/// Measures until it is dropped.
#[derive(Debug)]
pub(crate) struct Monitor {
    /// Nothing is ever sent: its end is the sign.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Monitor {
    /// Begins to measure beside a run; the steps of one that goes on go on too. Where that
    /// cannot be done, the run does without.
    pub(crate) fn start(
        run: &RunLogger,
        options: &SystemMetricsOptions,
        goes_on: bool,
    ) -> Option<Self> {
        let (stop, stopped) = channel();
        let thread = thread::Builder::new().name("runledger-machine".to_owned());
        let first_step = if goes_on { next_step(run) } else { Ok(0) };
        let started = first_step.and_then(|step| {
            let sampler = Sampler {
                run: run.clone(),
                pause: options.pause(),
                samples: options.samples_before_logging.max(1),
                prefix: options.prefix(),
                step,
            };
            let thread = thread.spawn(move || sampler.sample(&stopped));
            thread.map_err(TrackingError::Background)
        });
        match started {
            Ok(thread) => Some(Self {
                stop: Some(stop),
                thread: Some(thread),
            }),
            Err(error) => {
                tracing::error!(run = %run.run_id(), %error, "system metrics are left out");
                None
            }
        }
    }
}

/// Waits for the sample that is being taken, which takes milliseconds.
impl Drop for Monitor {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            let error = io::Error::other("the thread panicked");
            tracing::error!(%error, "the machine was not measured to the end");
        }
    }
}

/// The step that system metrics of a run go on with.
fn next_step(run: &RunLogger) -> Result<i64, TrackingError> {
    let metrics = run.get()?.data.metrics.into_iter();
    let own = metrics.filter(|metric| metric.key.starts_with(PREFIX));
    Ok(own.map(|metric| metric.step + 1).max().unwrap_or_default())
}

struct Sampler {
    run: RunLogger,
    pause: Duration,
    samples: u32,
    prefix: String,
    step: i64,
}

impl Sampler {
    fn sample(mut self, stopped: &Receiver<()>) {
        let mut machine = match Machine::look() {
            Ok(machine) => machine,
            Err(error) => {
                tracing::error!(run = %self.run.run_id(), %error, "system metrics are left out");
                return;
            }
        };
        let (mut gathered, mut count) = (Sums::default(), 0);
        // As MLflow: the first sample is there after one pause.
        while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(self.pause) {
            gathered.add(machine.sample());
            count += 1;
            if count == self.samples {
                self.log(std::mem::take(&mut gathered));
                count = 0;
            }
        }
    }

    /// Logs the averages, as far as there is room for them: what a run measures of itself
    /// goes before what is measured beside it.
    fn log(&mut self, gathered: Sums) {
        let (timestamp, step) = (now(), self.step);
        self.step += 1;
        for (name, value) in gathered.averages() {
            let key = format!("{}{name}", self.prefix);
            if let Err(error) = self
                .run
                .try_log_point(Metric::new(key, value, timestamp, step))
            {
                tracing::warn!(run = %self.run.run_id(), %error, "a system metric is left out");
                return;
            }
        }
    }
}

/// Sums of samples, by name.
#[derive(Default)]
struct Sums(BTreeMap<String, (f64, u32)>);

impl Sums {
    fn add(&mut self, sample: Sample) {
        for (name, value) in sample {
            let (sum, count) = self.0.entry(name).or_default();
            *sum += value;
            *count += 1;
        }
    }

    /// Averages, to one decimal; those of networks as they are (MLflow 3.17).
    fn averages(self) -> impl Iterator<Item = (String, f64)> {
        self.0.into_iter().map(|(name, (sum, count))| {
            let average = sum / f64::from(count);
            if name.starts_with("network") {
                (name, average)
            } else {
                (name, (average * 10.0).round() / 10.0)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averages_are_rounded_but_for_networks() {
        let mut sums = Sums::default();
        for value in [1.0, 1.5, 1.25] {
            let names = ["a", "network_receive_megabytes"];
            sums.add(names.map(|name| (name.to_owned(), value)).to_vec());
        }
        let averages: Vec<_> = sums.averages().collect();
        assert_eq!(averages[0], ("a".to_owned(), 1.3));
        assert!((averages[1].1 - 1.25).abs() < 1e-9);
    }
}
