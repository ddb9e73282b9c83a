//! Datasets, and their use by runs.

use crate::{ExperimentId, Tag};

/// A dataset: identified by name and digest within an experiment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dataset {
    /// The name.
    pub name: String,
    /// A short hash of the content.
    pub digest: String,
    /// Where the source comes from: `local`, `s3`, `http`, `code`, …
    pub source_type: String,
    /// The source, as JSON text.
    pub source: String,
    /// The schema, as JSON text.
    pub schema: Option<String>,
    /// Counts and sizes, as JSON text.
    pub profile: Option<String>,
}

/// A dataset that a run used, with the tags of that use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatasetInput {
    /// Tags of the use; the context is [`Tag::DATASET_CONTEXT`].
    pub tags: Vec<Tag>,
    /// The dataset.
    pub dataset: Dataset,
}

/// A dataset as the dataset search lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetSummary {
    /// The experiment that used it.
    pub experiment_id: ExperimentId,
    /// The name.
    pub name: String,
    /// The digest.
    pub digest: String,
    /// The context of a use, where it has one.
    pub context: Option<String>,
}
