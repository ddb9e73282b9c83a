//! The model registry: registered models, versions, aliases, stages, searches.

mod aliases;
mod concurrency;
mod equivalence;
mod models;
mod search_models;
mod search_versions;
mod setup;
mod stages;
mod versions;

use crate::case::Case;

pub(crate) fn cases() -> Vec<Case> {
    [
        aliases::cases(),
        concurrency::cases(),
        equivalence::cases(),
        models::cases(),
        search_models::cases(),
        search_versions::cases(),
        stages::cases(),
        versions::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
