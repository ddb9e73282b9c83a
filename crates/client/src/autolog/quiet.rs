//! Logging of a training that goes on whatever becomes of it.

use std::collections::HashSet;
use std::mem::{self, Discriminant};

use crate::{RunLogger, TrackingError};

/// Logs metrics, and warns once of each kind of error.
#[derive(Debug)]
pub(super) struct Quiet {
    run: RunLogger,
    warned: HashSet<Discriminant<TrackingError>>,
}

impl Quiet {
    pub(super) fn new(run: &RunLogger) -> Self {
        Self {
            run: run.clone(),
            warned: HashSet::new(),
        }
    }

    pub(super) fn log(&mut self, key: &str, value: f64, step: i64) {
        if let Err(error) = self.run.log_metric_at(key, value, step)
            && self.warned.insert(mem::discriminant(&error))
        {
            tracing::warn!(run = %self.run.run_id(), key, step, %error, "a metric of a training is not logged");
        }
    }
}
