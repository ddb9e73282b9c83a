//! Webhooks, and the deliveries that wait for them.

mod claims;
mod deliveries;
mod nouns;
mod setup;

use crate::case::Case;

pub(crate) fn cases() -> Vec<Case> {
    [claims::cases(), deliveries::cases(), nouns::cases()]
        .into_iter()
        .flatten()
        .collect()
}
