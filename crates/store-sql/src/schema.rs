//! What an older schema lacks, for reading a database that may not be upgraded.
//!
//! Everything else that is read was there in MLflow 2.0.

use crate::migrate::Level;

/// What of the newest schema is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is there or not, whatever the others are"
)]
pub(crate) struct Schema {
    /// Datasets, and the inputs of runs (MLflow 2.4).
    pub(crate) datasets: bool,
    /// Logged models, as inputs and outputs of runs too (MLflow 3.0).
    pub(crate) logged_models: bool,
    /// Workspaces of experiments and registered models (MLflow 3.10).
    pub(crate) workspaces: bool,
    /// Aliases of registered models (MLflow 2.3).
    pub(crate) model_aliases: bool,
    /// Storage locations of model versions (MLflow 2.9).
    pub(crate) storage_locations: bool,
    /// The index of `metrics` by run, key and step (MLflow 3.11).
    pub(crate) series_index: bool,
    /// Webhooks (MLflow 3.2).
    pub(crate) webhooks: bool,
    /// Traces with their numbers in columns (MLflow 3.17).
    pub(crate) traces: bool,
}

impl Schema {
    /// All of it.
    pub(crate) const NEWEST: Self = Self {
        datasets: true,
        logged_models: true,
        workspaces: true,
        model_aliases: true,
        storage_locations: true,
        series_index: true,
        webhooks: true,
        traces: true,
    };

    /// The schema of a version.
    pub(crate) fn at(level: Level) -> Self {
        Self {
            datasets: level.has("7f2a7d5fae7d"),
            // The column `inputs.step`, which came after the tables.
            logged_models: level.has("6953534de441"),
            workspaces: level.has("1b5f0d9ad7c1"),
            model_aliases: level.has("3500859a5d39"),
            storage_locations: level.has("acf3f17fdcc7"),
            series_index: level.has("a5b4c3d2e1f0"),
            webhooks: level.has("1a0cddfcaa16"),
            traces: level.has("75868b020152"),
        }
    }

    /// `condition` about a column `workspace`, if there is one.
    pub(crate) fn of_workspace(self, condition: &'static str) -> &'static str {
        if self.workspaces { condition } else { "" }
    }

    /// That an experiment `e` is of the one workspace that is served.
    pub(crate) fn in_workspace(self) -> &'static str {
        if self.workspaces {
            "e.workspace = 'default'"
        } else {
            "1 = 1"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_has_it_all() {
        assert_eq!(Schema::at(Level::NEWEST), Schema::NEWEST);
    }
}
