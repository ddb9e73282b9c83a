//! Registered models and their versions.

use std::cmp::Ordering;

use runledger_entities::{ModelVersion, RegisteredModel, RunId, Tag};

use super::{first_difference, millis, missing_last, number_passes, tag, text_passes};
use crate::{
    ModelVersionClause, ModelVersionKey, ModelVersionText, Order, RegisteredModelClause,
    RegisteredModelKey, RegistryFilter,
};

/// Whether a tag marks a prompt, as searches see it: by the exact value.
fn marks_prompt(tags: &[Tag]) -> bool {
    tag(tags, Tag::IS_PROMPT) == Some("true")
}

/// Whether a registered model is found by a filter.
pub fn registered_model_matches(
    model: &RegisteredModel,
    filter: &RegistryFilter<RegisteredModelClause>,
) -> bool {
    (filter.prompts || !marks_prompt(&model.tags))
        && filter.clauses.iter().all(|clause| match clause {
            RegisteredModelClause::Name(test) => text_passes(Some(&model.name), test),
            RegisteredModelClause::Tag { key, test } => text_passes(tag(&model.tags, key), test),
        })
}

/// Which of two registered models comes first: by the order, then by name.
pub fn compare_registered_models(
    a: &RegisteredModel,
    b: &RegisteredModel,
    order: &[Order<RegisteredModelKey>],
) -> Ordering {
    let by_order = order.iter().map(|Order { key, descending }| match key {
        RegisteredModelKey::Name => missing_last(Some(&a.name), Some(&b.name), *descending),
        RegisteredModelKey::CreationTimestamp => missing_last(
            Some(a.creation_timestamp),
            Some(b.creation_timestamp),
            *descending,
        ),
        RegisteredModelKey::LastUpdatedTimestamp => missing_last(
            a.last_updated_timestamp,
            b.last_updated_timestamp,
            *descending,
        ),
    });
    first_difference(by_order).then_with(|| a.name.cmp(&b.name))
}

/// Whether any of the versions of a model makes them versions of a prompt.
pub fn are_of_prompt<'a>(versions: impl IntoIterator<Item = &'a ModelVersion>) -> bool {
    versions
        .into_iter()
        .any(|version| marks_prompt(&version.tags))
}

/// Whether a version is found by a filter. `of_prompt` is what
/// [`are_of_prompt`] says of all versions of its model.
pub fn model_version_matches(
    version: &ModelVersion,
    of_prompt: bool,
    filter: &RegistryFilter<ModelVersionClause>,
) -> bool {
    (filter.prompts || !of_prompt)
        && filter.clauses.iter().all(|clause| match clause {
            ModelVersionClause::Text { attribute, test } => {
                let value = match attribute {
                    ModelVersionText::Name => Some(version.name.as_str()),
                    ModelVersionText::RunId => version.run_id.as_ref().map(RunId::as_str),
                    ModelVersionText::SourcePath => version.source.as_deref(),
                };
                text_passes(value, test)
            }
            ModelVersionClause::Number(test) => number_passes(millis(version.version.0), *test),
            ModelVersionClause::Tag { key, test } => text_passes(tag(&version.tags, key), test),
        })
}

/// Which of two versions comes first: by the order, then by name, then the one
/// with the larger number. Without an order the one that was changed last.
pub fn compare_model_versions(
    a: &ModelVersion,
    b: &ModelVersion,
    order: &[Order<ModelVersionKey>],
) -> Ordering {
    let by_order = order.iter().map(|Order { key, descending }| match key {
        ModelVersionKey::Name => missing_last(Some(&a.name), Some(&b.name), *descending),
        ModelVersionKey::Number => missing_last(Some(a.version), Some(b.version), *descending),
        ModelVersionKey::CreationTimestamp => missing_last(
            Some(a.creation_timestamp),
            Some(b.creation_timestamp),
            *descending,
        ),
        ModelVersionKey::LastUpdatedTimestamp => missing_last(
            a.last_updated_timestamp,
            b.last_updated_timestamp,
            *descending,
        ),
    });
    let by_order = if order.is_empty() {
        missing_last(a.last_updated_timestamp, b.last_updated_timestamp, true)
    } else {
        first_difference(by_order)
    };
    by_order
        .then_with(|| a.name.cmp(&b.name))
        .then_with(|| b.version.cmp(&a.version))
}
