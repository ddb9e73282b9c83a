//! Experiments, runs, logged models, traces and registered models, read from and written
//! to their folders.
//!
//! One file per noun. What a folder does not hold, such as a name being unique,
//! is left to the store; so is which of two processes writes first.

pub(crate) mod assessments;
pub(crate) mod experiments;
pub(crate) mod inputs;
mod json;
mod keys;
pub(crate) mod logged_models;
pub(crate) mod meta;
pub(crate) mod metrics;
pub(crate) mod model_versions;
pub(crate) mod registered_models;
pub(crate) mod removal;
pub(crate) mod runs;
pub(crate) mod spans;
pub(crate) mod trace_numbers;
pub(crate) mod traces;

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use runledger_entities::{Dataset, ExperimentId};

use crate::metric_line::MAX_LINE_BYTES;

/// Room to work in, kept from run to run.
///
/// It remembers the datasets that it came by, because many runs share one and
/// nobody changes a dataset. Whoever keeps it for long would not see one that is
/// written anew.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// The content of one file.
    text: Vec<u8>,
    /// A piece of a metric file.
    lines: Vec<u8>,
    datasets: HashMap<(ExperimentId, String), Dataset>,
    dataset_bytes: usize,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            text: Vec::with_capacity(4096),
            lines: Vec::with_capacity(MAX_LINE_BYTES),
            datasets: HashMap::new(),
            dataset_bytes: 0,
        }
    }
}
