//! Datasets as inputs of runs.

use super::{InvalidValue, length};
use crate::{DatasetInput, limits};

/// Checks the lengths of a dataset and of the tags of its use (MLflow 3.17
/// `runs/log-inputs`).
pub fn dataset_input(input: &DatasetInput) -> Result<(), InvalidValue> {
    for tag in &input.tags {
        length("key", &tag.key, limits::INPUT_TAG_KEY)?;
        length("value", &tag.value, limits::INPUT_TAG_VALUE)?;
    }
    let dataset = &input.dataset;
    length("name", &dataset.name, limits::DATASET_NAME)?;
    length("digest", &dataset.digest, limits::DATASET_DIGEST)?;
    length(
        "source_type",
        &dataset.source_type,
        limits::DATASET_SOURCE_TYPE,
    )?;
    length("source", &dataset.source, limits::DATASET_SOURCE)?;
    if let Some(schema) = &dataset.schema {
        length("schema", schema, limits::DATASET_SCHEMA)?;
    }
    if let Some(profile) = &dataset.profile {
        length("profile", profile, limits::DATASET_PROFILE)?;
    }
    Ok(())
}
